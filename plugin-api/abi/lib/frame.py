"""What stands around the declarations: conditions with all that is in them, includes, frozen assertions.

A gate sees one compiler's view of a header. So that there is no other, nothing may depend on a condition that
was not there from the start, but `#if GARLAND_TARGET_MINOR >= n`, and what stands in a condition is frozen."""

import re
from difflib import SequenceMatcher

from finding import Finding
from words import TOKENS

DIRECTIVE = re.compile(r"\s*(?:#|%:|\?\?=)\s*(\w*)\s*(.*)")
GUARD = re.compile(r"GARLAND_TARGET_MINOR >= (\d+)")
OPENS, BETWEEN = {"if", "ifdef", "ifndef"}, {"else", "elif", "elifdef", "elifndef"}
ASSERTION = re.compile(r"GARLAND_ASSERT\(.*?\);", re.S)
DECLARATIONS = "declarations"
ONLY = "let a condition be `#if GARLAND_TARGET_MINOR >= n` without an #else; the others are those of the first minor"
NEW_ASSERTION = "put it under `#if GARLAND_TARGET_MINOR >= {}`, with what it is about"


def extract(text, minor):
    """A list of texts in the header's order, as one who targets `minor` has them."""
    reader = Reader(minor)
    for line in logical_lines(text):
        reader.take(line)
    return reader.finish()


def logical_lines(text):
    text = re.sub(r"(\\|\?\?/)\n", "", text)
    text = TOKENS.sub(lambda m: m[0] if m[0][0] in "\"'" else " ", text)
    lines = (" ".join(line.split()) for line in text.split("\n") if line.strip())
    return [re.sub(r"^(#|%:|\?\?=) ", r"\1", line) for line in lines]


class Reader:
    def __init__(self, minor):
        self.minor = minor
        self.items = []
        self.code = []  # since the last item, outside of conditions
        self.guards = 0  # the include guard and minor guards that are open
        self.open = []  # for each of those: whether its lines are seen
        self.block, self.depth = [], 0  # of any other condition

    def take(self, line):
        directive = DIRECTIVE.match(line)
        word = directive[1] if directive else ""
        if self.depth:
            return self._inside(word, line)
        guard = GUARD.fullmatch(directive[2]) if word == "if" else None
        if word == "ifndef" and directive[2] == "GARLAND_PLUGIN_H" and not self.items and not self.open:
            return self.open.append(True)
        if guard:
            return self.open.append(int(guard[1]) <= self.minor)
        if word == "endif" and self.open:
            return self.open.pop()
        if not all(self.open):
            # Of a later minor: only an #else would be seen by this one.
            return self._item(line) if word in BETWEEN else None
        if word in OPENS:
            self.depth, self.block = 1, [line]
        elif word == "define":
            return
        elif directive:
            self._item(line)
        else:
            self.code.append(line)

    def _inside(self, word, line):
        self.block.append(line)
        self.depth += (word in OPENS) - (word == "endif")
        if not self.depth:
            self._item("\n".join(self.block))

    def _item(self, text):
        self._flush()
        self.items.append(text)

    def _flush(self):
        """Assertions count one by one; of other code only that it stands there."""
        code = "\n".join(self.code)
        if ASSERTION.sub("", code).strip():
            self.items.append(DECLARATIONS)
        self.items += [" ".join(each.split()) for each in ASSERTION.findall(code)]
        self.code = []

    def finish(self):
        self._flush()
        return self.items


def compare(old, new, minor, grows=False):
    """`old` is of `minor`; `new` of the same one today, or, if the header grows, of the one after it."""
    gone, added = changes(old, new)
    if {*gone, *added} != {DECLARATIONS}:  # or else what parts them has been added
        gone, added = ([each for each in some if each != DECLARATIONS] for some in (gone, added))
    for each in gone:
        yield Finding("E7", title(each), "stands elsewhere or otherwise" if title(each) in map(title, added) else "is gone",
                      "leave it as it was", minor)
    for each in added:
        if title(each) not in map(title, gone) and not (grows and ASSERTION.match(each)):
            yield Finding("E7", title(each), *unwanted(each, minor), minor)


def changes(old, new):
    gone, added = [], []
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            gone += old[i:j]
            added += new[k:m]
    return gone, added


def title(item):
    return item.partition("\n")[0]


def unwanted(item, minor):
    """What is wrong with an item that is new, and what to do instead."""
    if ASSERTION.match(item):
        return f"is a new assertion, visible to who targets 1.{minor}", NEW_ASSERTION.format(minor + 1)
    if item == DECLARATIONS:
        return "stand before, between or after the frame, where none stood", "put them above the frozen layout"
    word = DIRECTIVE.match(item)[1]
    if word == "include":
        return "is a new include, and the header promises to need nothing but its first ones", "declare what it is for"
    if word in OPENS:
        return "is a new condition, under which others would see another header than the gate does", ONLY
    return "is a new directive", ONLY
