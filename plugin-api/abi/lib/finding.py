"""One thing that is wrong with a header."""

from dataclasses import asdict, dataclass

RULES = {
    "E1": "one exported symbol, which carries the major",
    "E2": "a struct begins with its size; what has no size never grows",
    "E3": "within a major, members are appended at the tail and nothing else changes",
    "E4": "any other change is a new revision of an id",
    "E5": "enumerators are never renumbered, and appended only where they are [to-host]",
    "E6": "what is retired stays for ever",
    "E7": "GARLAND_TARGET_MINOR=n compiles exactly what minor n shipped",
    "E8": "an id never changes its spelling",
    "E9": "what is written about ownership, suspension and lifetime is part of the ABI",
    "anchor": "every struct and enumeration has a variable in anchor.c",
    "clean": "the header compiles without a warning as C11 and C++20, with gcc and clang",
    "abidiff": "libabigail sees no difference from a released minor",
}


@dataclass(frozen=True)
class Finding:
    rule: str  # a key of RULES
    subject: str  # "garland_host.emit"
    change: str  # what happened to it
    instead: str  # what to do
    minor: int = -1  # the released minor that it breaks; -1: none, the header itself is wrong

    def as_json(self):
        return asdict(self)

    def __str__(self):
        against = f" (against 1.{self.minor})" if self.minor >= 0 else ""
        return (f"{self.rule}  {self.subject}: {self.change}{against}.\n"
                f"    Rule: {RULES[self.rule]}.\n    Instead: {self.instead}.")
