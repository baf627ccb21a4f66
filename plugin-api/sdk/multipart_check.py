#!/usr/bin/env python3
"""multipart_check.py CASES: reads multipart bodies with the parser of Python's email package.

CASES is a JSON list of {"type", "body", "parts"}: the Content-Type, the bytes in base64, and the parts that must be
found in them. Exit codes: 0 all are as they must be, 1 one is not, 2 wrong usage."""

import base64
import email.parser
import email.policy
import json
import sys


def parts_of(content_type, body):
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if message.defects or not message.is_multipart():
        raise ValueError(f"no multipart body: {message.defects}")
    for part in message.iter_parts():
        found = {
            "name": part.get_param("name", header="content-disposition"),
            "content": base64.b64encode(part.get_payload(decode=True)).decode(),
        }
        if (file_name := part.get_param("filename", header="content-disposition")) is not None:
            found["file_name"] = file_name
        if "content-type" in part:
            found["type"] = part["content-type"]
        yield found


def main(arguments):
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    with open(arguments[0], encoding="utf-8") as file:
        cases = json.load(file)
    wrong = 0
    for case in cases:
        found = list(parts_of(case["type"], base64.b64decode(case["body"])))
        if found != case["parts"]:
            wrong += 1
            print(f"read: {found}\nsent: {case['parts']}")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
