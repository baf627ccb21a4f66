"""The released minors: a folder baselines/1.N each, and history.md. Reads and writes; judges nothing."""

import json
import re
from pathlib import Path

MAJOR = 1
# Which facts stand in which file; abi.xml, libabigail's view, stands beside them.
FILES = {"layout.json": ("structs", "enums", "typedefs", "functions", "handles"),
         "constants.json": ("constants",), "frame.json": ("frame",), "words.json": ("words", "wording")}


def released(abi):
    """The minors that have a baseline, oldest first."""
    folders = (Path(abi) / "baselines").glob(f"{MAJOR}.*")
    return sorted(int(folder.name.partition(".")[2]) for folder in folders)


def folder(abi, minor):
    return Path(abi) / "baselines" / f"{MAJOR}.{minor}"


def read(abi, minor):
    facts = {}
    for name in FILES:
        facts.update(json.loads((folder(abi, minor) / name).read_text()))
    return facts


def write(facts, where):
    for name, keys in FILES.items():
        lines = ",\n".join(f'"{key}": {block(facts[key])}' for key in keys)
        (Path(where) / name).write_text("{\n" + lines + "\n}\n")


def block(value, depth=2):
    """JSON with a line for every member, so that a difference reads well."""
    inner = value if isinstance(value, (dict, list)) else None
    if not inner or depth == 0:
        return json.dumps(value)
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"  {json.dumps(each)}" for each in value) + "\n]"
    flat = [f"  {json.dumps(key)}: {nested(each, depth)}" for key, each in value.items()]
    return "{\n" + ",\n".join(flat) + "\n}"


def nested(value, depth):
    if isinstance(value, dict) and "members" in value:
        members = ",\n".join(f"    {json.dumps(each)}" for each in value["members"])
        return f'{{"size": {value["size"]}, "align": {value["align"]}, "members": [\n{members}\n  ]}}'
    return block(value, depth - 1)


class History:
    """history.md: which rewordings are meant. An entry is `- `ITEM` `DIGEST`: reason`."""

    ENTRY = re.compile(r"^- `([^`]+)` `([0-9a-f]{12})`: *(\S.*)$", re.M)

    def __init__(self, abi):
        self.text = (Path(abi) / "history.md").read_text()
        entries = self.ENTRY.findall(self.text)
        self.entries = {(item, digest) for item, digest, reason in entries if reason != "THE REASON"}

    def allows(self, item, words_digest):
        return (item, words_digest) in self.entries

    def minors(self):
        """Those that have a section."""
        return sorted(int(minor) for minor in re.findall(rf"^## {MAJOR}\.(\d+)\b", self.text, re.M))

    def names(self, minor):
        return re.search(rf"^## {MAJOR}\.{minor}\b", self.text, re.M) is not None
