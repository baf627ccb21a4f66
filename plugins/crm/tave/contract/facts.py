"""What is publicly known of VSCO Workspace's API, as a judge: does a request, does an answer conform to it?"""

import re
import urllib.parse

ROOT = "/api/v2"
# Which record a path is about. What stands in the address book is one of three, by its kind.
RECORDS = {
    "job": "Job", "job-contact": "JobContact", "event": "Event", "order": "Order", "payment": "Payment",
    "note": "Note", "rest-hook": "RestHook", "studio": "Studio", "timezone": "Timezone",
}
CONTACTS = {"company": "Company", "location": "Location"}

TEXTS = {
    "Id": r"[0-9a-hjkmnp-tv-z]{26}",
    "ServerTimestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    "Date": r"\d{4}-\d\d-\d\d",
    "Time": r"\d\d:\d\d(:\d\d)?",
    "string(email)": r"([^@\s]+@[^@\s]+)?",
}
SAME = {
    "NullableId": "Id", "string(ulid)": "Id", "NullableDate": "Date", "NullableTime": "Time",
    "NullableDateTime": "ServerTimestamp", "IsHidden": "boolean", "PositiveMoneyAmount": "MoneyAmount",
    "phoneNumber": "string", "string(uri)": "string", "Address": "object", "ChatAccount": "object", "tax1": "object",
}
# Nothing is known of these but the name.
ANYTHING = {"Links", "Pinned", "ResourceType", "LicensePlan"}


def plain(kind):
    return SAME.get(kind, kind)


def words_of(kind):
    """The words that "string:a|b" takes; "None" stands for no value. Nothing if it is no such list."""
    if not kind.startswith("string:"):
        return None
    return [word for word in kind[len("string:"):].split("|") if word != "None"]


class Facts:
    def __init__(self, document):
        self.operations = {(one["method"], one["path"]): one for one in document["operations"]}
        self.schemas = document["schemas"]
        self.findings = []
        self.counts = {"requests": 0, "answers": 0}

    def wrong(self, what):
        self.findings.append(what)

    def fields(self, path, record):
        name = path.split("/")[1]
        schema = RECORDS.get(name) or CONTACTS.get(record.get("kind"), "Person")
        return self.schemas[schema]["fields"]

    def operation(self, method, path):
        """The operation that this is an instance of, with its path; nothing if there is none."""
        for known in sorted((known for had, known in self.operations if had == method), key=lambda one: "{" in one):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path):
                return known, self.operations[method, known]
        return None

    def fault_of(self, kind, value):
        """What is wrong with a value; nothing if it is right."""
        kind = plain(kind)
        if value is None or kind in ANYTHING:
            return None
        if (words := words_of(kind)) is not None:
            return None if value in words else f"is none of {', '.join(words)}"
        if kind == "boolean":
            return None if isinstance(value, bool) else "is no boolean"
        if kind in ("integer", "MoneyAmount"):
            return None if isinstance(value, int) and not isinstance(value, bool) else "is no integer"
        if kind == "object":
            return None if isinstance(value, dict) else "is no object"
        if kind.startswith("array<"):
            return self.fault_of_items(kind[len("array<"):-1], value)
        if not isinstance(value, str):
            return "is no string"
        return None if kind not in TEXTS or re.fullmatch(TEXTS[kind], value) else f"is no {kind}"

    def fault_of_items(self, kind, items):
        if not isinstance(items, list):
            return "is no array"
        for item in items:
            fault = self.fault_of_record(self.schemas[kind]["fields"], item) if kind in self.schemas else self.fault_of(kind, item)
            if fault:
                return f"has an item that {fault}"
        return None

    def fault_of_record(self, fields, record):
        if not isinstance(record, dict):
            return "is no object"
        for name, value in record.items():
            if name not in fields:
                return f"has the member {name}, which nobody documented"
            if fault := self.fault_of(fields[name], value):
                return f"has a member {name} that {fault}: {value!r}"
        return None

    def request(self, method, target, body):
        self.counts["requests"] += 1
        what = f"request {method} {target}"
        path, _, query = target.removeprefix(ROOT).partition("?")
        found = self.operation(method, path)
        if not found:
            return self.wrong(f"{what}: there is no such operation")
        for name in dict(urllib.parse.parse_qsl(query)):
            if name not in found[1]["params"]:
                self.wrong(f"{what}: {name} is no parameter of it")
        if body is not None and (fault := self.fault_of_record(self.fields(path, body), body)):
            self.wrong(f"{what}: {fault}")

    def answer(self, method, target, status, document):
        self.counts["answers"] += 1
        what = f"answer {status} to {method} {target}"
        path = target.removeprefix(ROOT).partition("?")[0]
        if status == 204:
            fault = None if document is None else "is not empty"
        elif status >= 400:
            fault = self.fault_of_refusal(status, document)
        elif isinstance(document, dict) and "items" in document:
            fault = self.fault_of_list(path, document)
        else:
            fault = self.fault_of_record(self.fields(path, document), document)
        if fault:
            self.wrong(f"{what}: {fault}")

    def fault_of_refusal(self, status, document):
        if not isinstance(document, dict) or document.get("status") != status:
            return f"is no refusal: {document!r}"
        schema = "ErrorValidation" if document.get("type") == "validation-error" else "Error"
        return self.fault_of_record(self.schemas[schema]["fields"], document)

    def fault_of_list(self, path, document):
        meta = document.get("meta", {})
        if sorted(meta) != ["currentPage", "rows", "totalItems", "totalPages"] or meta["rows"] != len(document["items"]):
            return f"has meta {meta!r}"
        if fault := self.fault_of_record(self.schemas["List"]["fields"], document):
            return fault
        for item in document["items"]:
            if fault := self.fault_of_record(self.fields(path, item), item):
                return f"has an item that {fault}"
        return None
