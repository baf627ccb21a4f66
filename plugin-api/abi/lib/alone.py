"""Judges a header by itself: what every minor owes, released or not."""

import re

from compare import flow
from finding import Finding

HOW_LONG = ("suspends", "nosuspend")
FROM_WHERE = ("call", "any-thread", "instance", "load")
# Released without `size`, and therefore never to grow; there will be no others.
SIZELESS = {"garland_str", "garland_json", "garland_bytes", "garland_header"}


def judge(facts):
    found = []
    for name, struct in facts["structs"].items():
        found += [*size_first(name, struct), *whole(name, struct)]
    for name in facts["enums"]:
        found += direction(facts, name)
    found += [*entry(facts), *annotated(facts)]
    if not facts["same_in_cxx"]:
        found.append(Finding("E3", "layout", "C and C++ lay the structs out differently",
                             "declare no member for one language only"))
    return found


def size_first(name, struct):
    first = struct["members"][0] if struct["members"] else None
    if name in SIZELESS or first and (first["name"], first["type"], first["offset"]) == ("size", "uint32_t", 0):
        return
    yield Finding("E2", name, "does not begin with `uint32_t size`", "begin every struct that crosses with it")


def whole(name, struct):
    """No gaps: a member appended into one would look present to GARLAND_HAS."""
    end = 0
    for each in struct["members"]:
        if each["offset"] is None:
            yield Finding("E3", f"{name}.{each['name']}", "is a bit-field or has no name, so that nobody can rely "
                          "on its offset", "use a whole named integer")
            return
        if each["offset"] != end:
            yield gap(f"{name}.{each['name']}", each["offset"] - end, "before")
        end = each["offset"] + each["size"]
    if end != struct["size"]:
        yield gap(name, struct["size"] - end, "at the end of")


def gap(subject, bytes_, where):
    return Finding("E3", subject, f"{bytes_} unnamed bytes {where} it",
                   "fill the gap with a member named reservedN that is zero")


def direction(facts, enum):
    told = facts["words"].get(enum, "") + facts["words"].get(enum.removesuffix("_code"), "")
    if len(flow(facts, enum)) != 1:
        yield Finding("E5", enum, "its comment does not say which way its values go", "write [to-host] or [both-ways]")
    if "not know" not in told:
        yield Finding("E5", enum, "its comment does not say what an unknown value means",
                      'write "A value that the host does not know reads as ..."')


def entry(facts):
    wanted = f"garland_entry_v{facts['constants']['c'].get('GARLAND_ABI_MAJOR')}"
    for name in facts["functions"]:
        if name != wanted:
            yield Finding("E1", name, "a second function crosses by its symbol",
                          "put it into garland_host, garland_plugin or a service")
    if wanted not in facts["functions"]:
        yield Finding("E1", wanted, "the entry of this major is not declared", "declare it, and only it")
    elif not facts["wording"][wanted].startswith("GARLAND_EXPORT "):
        yield Finding("E1", wanted, "is not exported", "declare it with GARLAND_EXPORT")


def annotated(facts):
    for item in functions(facts):
        told = set(re.findall(r"\[([\w-]+)\]", facts["words"].get(item, "")))
        for group in (HOW_LONG, FROM_WHERE):
            if len(told.intersection(group)) != 1:
                yield Finding("E9", item, f"its comment does not carry one of [{'], ['.join(group)}]",
                              "say it in the comment")


def functions(facts):
    """Whatever can be called: members, the type of operations, the entry."""
    for name, struct in facts["structs"].items():
        yield from (f"{name}.{each['name']}" for each in struct["members"]
                    if "(*" in each["type"] or facts["typedefs"].get(each["type"], "").find("(*") >= 0)
    yield from facts["functions"]
    yield from (name for name, type_ in facts["typedefs"].items() if "(*" in type_ and not name.endswith("_fn"))
