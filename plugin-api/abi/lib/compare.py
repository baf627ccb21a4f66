"""Judges two sets of facts: what one minor said, and what is said of it, or of the next one, today.

`same` is for a released minor rebuilt from today's header (E7): nothing may differ. `grows` is for a minor
and the next one: the old must be a prefix of the new."""

import re
from os.path import commonprefix

import frame
from finding import Finding
from words import digest

ID = re.compile(r'^"([\w.-]+)/(\d+)"$')
NUMBER = re.compile(r"^\(?-?(0x)?[0-9A-Fa-f]+[uUlL]*\)?$")
APPEND = "leave it as it was; append a new member at the tail, or publish a new revision of an id"
GUARD = "put it under `#if GARLAND_TARGET_MINOR >= {}` and let GARLAND_ABI_MINOR be that minor"


def same(old, new, minor, history):
    """`old` is the baseline of `minor`, `new` today's header built for it."""
    return [*Comparison(old, new, minor, grows=False).findings(), *frame.compare(old["frame"], new["frame"], minor),
            *words(old, new, minor, history)]


def grows(old, new, minor):
    """`old` is of `minor`, `new` of the one after it."""
    return [*Comparison(old, new, minor, grows=True).findings(),
            *frame.compare(old["frame"], new["frame"], minor, grows=True)]


def flow(facts, enum):
    """The direction that the enumeration's comment, or that of its int32_t, declares."""
    told = facts["words"].get(enum, "") + facts["words"].get(enum.removesuffix("_code"), "")
    return [word for word in ("to-host", "both-ways") if f"[{word}]" in told]


class Comparison:
    def __init__(self, old, new, minor, grows):
        self.old, self.new, self.minor, self.grows = old, new, minor, grows
        self.found = []

    def findings(self):
        for name, struct in self.old["structs"].items():
            self._struct(name, struct)
        for name, values in self.old["enums"].items():
            self._enum(name, values)
        self._types()
        self._functions()
        self._constants()
        if not self.grows:
            self._additions()
        return self.found

    def _say(self, rule, subject, change, instead):
        self.found.append(Finding(rule, subject, change, instead, self.minor))

    def _unguarded(self, subject, what):
        self._say("E7", subject, f"{what}, visible to who targets 1.{self.minor}", GUARD.format(self.minor + 1))

    # ---- structs

    def _struct(self, name, old):
        new = self.new["structs"].get(name)
        if new is None:
            return self._say("E6", name, "the struct is gone", "keep it under its name, for ever")
        sized = old["members"][0]["name"] == "size"
        # A table that an id names changes by a new revision of the id.
        rule = "E4" if re.search(r"_\d+$", name) else "E3"
        instead = self._instead(name)
        before = {each["name"]: each for each in old["members"]}
        after = {each["name"]: each for each in new["members"]}
        renamed = self._lost(name, before, after, rule)
        added = [each for each in new["members"] if each["name"] not in before and each["name"] not in renamed]
        moved = [each for each in before if each in after and after[each]["offset"] != before[each]["offset"]]
        inserted = [each["name"] for each in added if each["offset"] is None or each["offset"] < old["size"]]
        for each in inserted:
            self._say(rule if sized else "E2", f"{name}.{each}", self._intrusion(old, each, moved), instead)
        if moved and not inserted:
            first, others = moved[0], len(moved) - 1
            more = f", and {others} more with it" if others else ""
            self._say("E2" if first == "size" else rule, f"{name}.{first}",
                      f"moved from offset {before[first]['offset']} to {after[first]['offset']}{more}", instead)
        for each in before:
            if each in after:
                self._member(f"{name}.{each}", before[each], after[each], rule, instead)
        self._tail(name, old, new, [each["name"] for each in added if each["name"] not in inserted], sized)

    def _intrusion(self, old, member, moved):
        if moved:
            return f"inserted before {moved[0]}, which moved"
        return f"lies within the {old['size']} bytes that 1.{self.minor} already had, so that GARLAND_HAS cannot tell"

    def _instead(self, name):
        revision = re.search(r"^garland_(.*)_(\d+)$", name)
        if revision is None:
            return APPEND
        new = int(revision[2]) + 1
        return (f'leave it as it was and add garland_{revision[1]}_{new} with the id '
                f'"garland.{revision[1].replace("_", ".")}/{new}"')

    def _lost(self, name, before, after, rule):
        """Says which members are gone, and answers the new names of those that were renamed."""
        places = {each["offset"]: each for each in after.values()}
        renamed = set()
        for each in before.values():
            if each["name"] in after:
                continue
            heir = places.get(each["offset"])
            if heir and heir["name"] not in before and heir["type"] == each["type"]:
                renamed.add(heir["name"])
                self._say(rule, f"{name}.{each['name']}", f"renamed to {heir['name']}", "keep the released name")
            else:
                self._say("E2" if each["name"] == "size" else "E6", f"{name}.{each['name']}", "removed",
                          "keep the member; a retired function answers GARLAND_E_UNSUPPORTED")
        return renamed

    def _member(self, item, old, new, rule, instead):
        if old["type"] != new["type"]:
            change = f"its type was `{old['type']}` and is `{new['type']}`"
        elif old["size"] != new["size"]:
            change = f"its size was {old['size']} bytes and is {new['size']}"
        else:
            return
        self._say("E2" if item.endswith(".size") else rule, item, change, instead)

    def _tail(self, name, old, new, appended, sized):
        if appended and not sized:
            return self._say("E2", f"{name}.{appended[0]}", "appended to a struct without `size`, which never grows",
                             "add a new struct that begins with `uint32_t size`")
        if not self.grows:
            for each in appended:
                self._unguarded(f"{name}.{each}", "appended")
        if old["align"] != new["align"]:
            self._say("E3", name, f"its alignment was {old['align']} and is {new['align']}, which older storage "
                      "does not have", "append members of at most the old alignment")
        explained = appended or any(each.subject.startswith(f"{name}.") for each in self.found)
        if old["size"] != new["size"] and not explained:
            self._say("E3", name, f"its size was {old['size']} bytes and is {new['size']}", APPEND)

    # ---- enumerations

    def _enum(self, name, old):
        new = self.new["enums"].get(name)
        if new is None:
            return self._say("E6", name, "the enumeration is gone", "keep it under its name, for ever")
        added = {each: value for each, value in new.items() if each not in old}
        for each, value in old.items():
            if each in new and new[each] != value:
                self._say("E5", f"{name}.{each}", f"renumbered from {value} to {new[each]}", "keep the released number")
            if each in new:
                continue
            heirs = [other for other in added if added[other] == value]
            for heir in heirs:
                del added[heir]
            self._say("E5", f"{name}.{each}", f"renamed to {heirs[0]}" if heirs else "removed", "keep name and number")
        for each, value in added.items():
            if value in old.values():
                self._say("E5", f"{name}.{each}", f"takes the number {value} again", "give it a number of its own")
            elif flow(self.old, name) != ["to-host"]:
                self._say("E5", f"{name}.{each}", "appended, though old plugins may be given it",
                          "express it by a new function or service that only new plugins use")
            elif not self.grows:
                self._unguarded(f"{name}.{each}", "appended")

    # ---- the rest

    def _types(self):
        for name, old in self.old["typedefs"].items():
            new = self.new["typedefs"].get(name)
            if new is None:
                self._say("E6", name, "the type is gone", "keep it under its name, for ever")
            elif new != old:
                self._say("E3", name, f"was `{old}` and is `{new}`", "leave it as it was and add a new type beside it")
        for name in self.old["handles"]:
            if name not in self.new["handles"]:
                self._say("E6", name, "is no longer an opaque handle", "keep it opaque, under its name")

    def _functions(self):
        for name, old in self.old["functions"].items():
            new = self.new["functions"].get(name)
            if new is None:
                self._say("E1", name, "the exported function is gone", "keep it; a new major is a new symbol beside it")
            elif new != old:
                self._say("E1", name, f"was `{old}` and is `{new}`",
                          "keep its signature; a new major is a new symbol beside it")

    def _constants(self):
        gone, changed = {}, {}  # a macro is told once, though each language has it
        for language, old in self.old["constants"].items():
            new = self.new["constants"][language]
            for name, body in old.items():
                if name not in new:
                    gone.setdefault(name, []).append(language.upper())
                elif new[name] != body:
                    changed.setdefault((name, body, new[name]), []).append(language.upper())
            if self.grows or language != "c":
                continue
            for name in new:
                if name not in old and (ID.match(new[name]) or NUMBER.match(new[name])):
                    self._unguarded(name, "a new constant")
        for name, languages in gone.items():
            self._say("E6", name, f"the macro is gone in {' and '.join(languages)}", "keep it with its value")
        for name, before, after in changed:
            self._constant(name, before, after)

    def _constant(self, name, old, new):
        before, after = ID.match(old), ID.match(new)
        said = f"was {old} and is {new}"
        if name == "GARLAND_ABI_MAJOR":
            self._say("E1", name, said, "a new major is a new header with a new symbol")
        elif before and after and before[1] == after[1]:
            self._say("E4", name, said, f"keep the id and add the new revision beside it, {name[:-1]}{after[2]}")
        elif before:
            self._say("E8", name, said, "keep the spelling, also when a draft becomes stable")
        elif name.startswith("GARLAND_HAS"):
            self._say("E3", name, said, "keep how a member's presence is told")
        elif name == "GARLAND_EXPORT":
            self._say("E1", name, said, "keep the entry visible")
        else:
            self._say("E7", name, said, "keep the released macro and add another")

    def _additions(self):
        kinds = {"structs": "struct", "enums": "enumeration", "typedefs": "type", "functions": "function"}
        for kind, what in kinds.items():
            for name in self.new[kind]:
                if name not in self.old[kind]:
                    self._unguarded(name, f"a new {what}")


def words(old, new, minor, history):
    """E9: the comments of what was released, and the names of parameters, which are comments too."""
    for item, before in old["words"].items():
        after = new["words"].get(item)
        if after is not None and after != before and not history.allows(item, digest(after)):
            yield reworded(item, "its comment changed" if after else "its comment is gone", before, after, minor)
    for item, before in old["wording"].items():
        after = new["wording"].get(item)
        typed_anew = type_of(old, item) != type_of(new, item)
        if after is not None and after != before and not typed_anew and not history.allows(item, digest(after)):
            yield reworded(item, "its declaration is worded otherwise", before, after, minor)


def reworded(item, change, before, after, minor):
    old, new = changed_words(before, after)
    return Finding("E9", item, f"{change}: it said `{old}` and says `{new}`",
                   "keep the words, or, if they mean the same or nobody can have relied on them, add to "
                   f"plugin-api/abi/history.md: - `{item}` `{digest(after)}`: THE REASON", minor)


def changed_words(before, after):
    """The words that differ, with a few around them."""
    old, new = before.split(" "), after.split(" ")
    start = len(commonprefix([old, new]))
    kept = len(commonprefix([old[start:][::-1], new[start:][::-1]]))
    return excerpt(old, start, len(old) - kept), excerpt(new, start, len(new) - kept)


def excerpt(words_, start, end, around=3):
    begin, stop = max(0, start - around), min(len(words_), end + around)
    return f"{'... ' if begin else ''}{' '.join(words_[begin:stop])}{' ...' if stop < len(words_) else ''}"


def type_of(facts, item):
    struct, _, name = item.partition(".")
    for each in facts["structs"].get(struct, {"members": []})["members"]:
        if each["name"] == name:
            return each["type"]
    return facts["typedefs"].get(item, facts["functions"].get(item))
