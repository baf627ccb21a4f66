"""What an edit of the self-test is, and the short forms in which the lists are written."""

import re
from dataclasses import dataclass
from typing import Callable

import header_edits as edit
from words import digest


@dataclass(frozen=True)
class Mutant:
    name: str
    rule: str  # that the gate must name; empty: the edit is legal
    subject: str  # and of what
    edit: Callable[[str], str]  # the header's text before and after
    anchor: str = ""  # appended to anchor.c
    history: str = ""  # appended to history.md
    libabigail: bool = False  # abidiff has to see it by itself
    after_release: bool = False  # judged with the fictitious next minor released


def breaks(name, rule, subject, change, **more):
    return Mutant(name, rule, subject, change, **more)


def legal(name, change, **more):
    return Mutant(name, "", "", change, **more)


# ---- edits of what is released


def swap(old, new):
    return lambda text: edit.replace(text, old, new)


def without(pattern):
    def cut(text):
        if len(re.findall(pattern, text, re.M | re.S)) != 1:
            raise edit.DoesNotApply(pattern)
        return re.sub(pattern, "", text, flags=re.M | re.S)
    return cut


# ---- edits of the minor that is being written; @NEXT@ stands for its number


def pending(change):
    return lambda text: change(edit.raise_minor(text)).replace("@NEXT@", str(edit.RELEASED + 1))


def appends(struct, lines):
    return pending(lambda text: edit.append_guarded(text, struct, lines))


def declares(lines):
    return pending(lambda text: edit.before_operations(text, edit.guarded(text, lines)))


def enumerates(last, line):
    return pending(lambda text: edit.append_enumerator(text, last, line))


def late(old, new):
    """Changes something of the fictitious minor."""
    return lambda text: edit.replace(edit.next_minor(text), old, new)


# ---- texts that several edits need

RANDOM = "  /* A number that nobody can guess.  [any-thread][nosuspend] */\n" \
         "  uint64_t (*random)(void* ctx) GARLAND_NOEXCEPT;"

BLOB = """/* Large bodies outside of the arena. */
#define GARLAND_HOST_BLOB_1 "garland.host.blob/1"
typedef struct garland_host_blob_1 {
  uint32_t size;
  uint32_t reserved0; /* zero */
  /* The bytes under `key`.  [call][suspends] */
  garland_status (*read)(void* ctx, garland_call* call, garland_str key, garland_bytes* value) GARLAND_NOEXCEPT;
} garland_host_blob_1;"""
BLOB_ANCHOR = "#ifdef GARLAND_HOST_BLOB_1\nANCHOR(garland_host_blob_1, host_blob_1);\n#endif\n"

PHASE = """/* Where an operation is. A value that the host does not know reads as GARLAND_PHASE_BUSY.  [to-host] */
typedef int32_t garland_phase;
enum garland_phase_code { GARLAND_PHASE_BUSY = 0, GARLAND_PHASE_LAST = 1 };"""
PHASE_ANCHOR = f"#if GARLAND_TARGET_MINOR >= {edit.RELEASED + 1}\nANCHOR(enum garland_phase_code, phase);\n#endif\n"

REWORDED = "newest minor that the host has; informative, use GARLAND_HAS to decide"


def entry(reason):
    """Of history.md, for REWORDED."""
    return f"- `garland_host.abi_minor` `{digest(REWORDED)}`: {reason}\n"
