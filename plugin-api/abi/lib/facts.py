"""Extracts what a header says at one minor: layout, enumerations, typedefs, functions, constants, frame and words.

The result is a plain dictionary (see `extract`), so that it can be stored as a baseline. Judges nothing."""

import json
import re
from pathlib import Path

import frame
import tools
from words import Text

HEADER = "garland/plugin.h"
# Not part of what a minor ships: the include guard, and the two numbers that choose the minor.
CONTROL = {"GARLAND_PLUGIN_H", "GARLAND_TARGET_MINOR", "GARLAND_ABI_MINOR"}


class Broken(Exception):
    """The header cannot be read: str() is the compiler's own complaint."""


def extract(include, minor, scratch):
    """The facts of include/garland/plugin.h under GARLAND_TARGET_MINOR=minor."""
    lenient = without_asserts(include, scratch)
    header = lenient / HEADER
    text = Text(header.read_text(encoding="latin-1"))
    tree, why = tools.syntax_tree(header, minor, lenient)
    if tree is None:
        raise Broken(why)
    facts = {"structs": {}, "enums": {}, "typedefs": {}, "functions": {}, "handles": [], "words": {}, "wording": {}}
    for node in own(json.loads(tree)):
        take(node, text, facts)
    measure(facts, lenient, minor, scratch)
    facts["constants"] = constants(header, minor, text, facts["words"])
    facts["frame"] = frame.extract((Path(include) / HEADER).read_text(encoding="latin-1"), minor)
    facts["words"].update({f"head of the file, {title}": words for title, words in text.head().items()})
    return facts


def without_asserts(include, scratch):
    """A copy of the header that compiles though its layout is wrong; offsets in the text stay as they are."""
    text = (Path(include) / HEADER).read_text(encoding="latin-1")
    blank = re.sub(r"^GARLAND_ASSERT\(.*?\);$", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.M | re.S)
    copy = Path(scratch) / "lenient"
    (copy / HEADER).parent.mkdir(parents=True, exist_ok=True)
    (copy / HEADER).write_text(blank, encoding="latin-1")
    return copy


def abi_minor(include):
    text = (Path(include) / HEADER).read_text(encoding="latin-1")
    number = re.search(r"^#define GARLAND_ABI_MINOR (\d+)", text, re.M)
    if number is None:
        raise Broken("GARLAND_ABI_MINOR is not defined as a number")
    return int(number[1])


def guards(include):
    """The minors that the header's #if lines name."""
    text = (Path(include) / HEADER).read_text(encoding="latin-1")
    return {int(n) for n in re.findall(r"^#\s*(?:el)?if\b.*GARLAND_TARGET_MINOR\s*>=\s*(\d+)", text, re.M)}


def anchored(folder, include, minor):
    """The type names of the variables in folder/anchor.c."""
    tree, why = tools.syntax_tree(Path(folder) / "anchor.c", minor, include)
    if tree is None:
        raise Broken(why)
    nodes = own(json.loads(tree))
    return {node["type"]["qualType"].removeprefix("enum ") for node in nodes if node["kind"] == "VarDecl"}


def own(tree):
    """The declarations that stand in the file itself, not in what it includes."""
    for node in tree["inner"]:
        where = node.get("loc", {})
        where = where.get("expansionLoc", where)
        if "offset" in where and "includedFrom" not in where and not node.get("isImplicit"):
            yield node


def span(node):
    begin, end = (node["range"][side].get("expansionLoc", node["range"][side]) for side in ("begin", "end"))
    return begin["offset"], end["offset"] + end["tokLen"]


def take(node, text, facts):
    kind, name = node["kind"], node.get("name", "(unnamed)")
    place = span(node)
    if kind == "RecordDecl" and node.get("completeDefinition"):
        facts["structs"][name] = {"members": [member(name, field, text, facts) for field in fields(node)]}
        place = (place[0], place[0])
    elif kind == "RecordDecl":
        facts["handles"].append(name)
    elif kind == "EnumDecl":
        facts["enums"][name] = enumerators(name, node, text, facts)
        place = (place[0], place[0])
    elif kind == "TypedefDecl" and node["type"]["qualType"] not in (f"struct {name}", f"enum {name}"):
        facts["typedefs"][name] = node["type"]["qualType"]
        facts["wording"][name] = text.declaration(*place)
    elif kind == "FunctionDecl":
        facts["functions"][name] = node["type"]["qualType"]
        facts["wording"][name] = text.declaration(*place)
    else:
        return
    facts["words"].setdefault(name, text.comment(*place))


def fields(record):
    return [node for node in record.get("inner", []) if node["kind"] == "FieldDecl"]


def member(struct, field, text, facts):
    name = field.get("name", "(unnamed)")
    item = f"{struct}.{name}"
    facts["words"][item] = text.comment(*span(field))
    facts["wording"][item] = text.declaration(*span(field))
    return {"name": name, "type": field["type"]["qualType"] + (" : bits" if field.get("isBitfield") else "")}


def enumerators(enum, node, text, facts):
    values, last = {}, -1
    for each in node.get("inner", []):
        if each["kind"] != "EnumConstantDecl":
            continue
        given = [inner["value"] for inner in each.get("inner", []) if "value" in inner]
        last = int(given[0]) if given else last + 1
        values[each["name"]] = last
        facts["words"][f"{enum}.{each['name']}"] = text.comment(*span(each))
    return values


def measure(facts, include, minor, scratch):
    """Adds offsets and sizes as gcc lays them out, and whether C++ lays them out the same."""
    places = {}  # of each number: the dictionary and key that it goes to, and the C expression that gives it
    for struct, told in facts["structs"].items():
        type_ = f"struct {struct}"
        places[f"sizeof({type_})"] = told, "size"
        places[f"ALIGNOF({type_})"] = told, "align"
        for each in told["members"]:
            if each["name"] == "(unnamed)" or each["type"].endswith(": bits"):
                each.update(offset=None, size=None)  # the rules refuse it
                continue
            places[f"offsetof({type_}, {each['name']})"] = each, "offset"
            places[f"sizeof((({type_}*)0)->{each['name']})"] = each, "size"
    source = Path(scratch) / "measure.c"
    prints = "".join(f'  printf("%zu\\n", {expression});\n' for expression in places)
    source.write_text(f"#include <{HEADER}>\n#include <stdio.h>\n#define ALIGNOF _Alignof\n"
                      f"int main(void) {{\n{prints}  return 0;\n}}\n")
    output, why = tools.measure(source, include, minor, Path(scratch) / "measure")
    if output is None:
        raise Broken(why)
    asserts = [f"#include <{HEADER}>", "#define ALIGNOF alignof"]
    for (expression, (told, key)), number in zip(places.items(), output.split(), strict=True):
        told[key] = int(number)
        asserts.append(f'static_assert({expression} == {number}, "");')
    source = Path(scratch) / "measured.cpp"
    source.write_text("\n".join(asserts))
    facts["same_in_cxx"] = tools.complaint("clang++-19, C++20", include, source, minor, warnings=[]) is None


def constants(header, minor, text, words):
    """{"c": {macro: body}, "c++": {...}} of the header's own macros; their comments go to `words`."""
    places = {m[1]: m.span() for m in re.finditer(r"^#\s*define\s+(\w+)", text.text, re.M)}
    seen = {}
    for language in ("c", "c++"):
        defined = tools.macros(header, minor, language)
        seen[language] = {name: defined[name] for name in sorted(places) if name in defined and name not in CONTROL}
    for name in seen["c"]:
        words[name] = text.comment(*places[name])
    return seen
