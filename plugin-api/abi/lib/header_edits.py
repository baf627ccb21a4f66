"""Edits of a header's text, as a person would make them. Each raises if it does not apply."""

import re
from pathlib import Path

import baseline

# The newest minor with a baseline; the header's own may be one further.
RELEASED = baseline.released(Path(__file__).resolve().parent.parent)[-1]


class DoesNotApply(Exception):
    pass


def replace(text, old, new):
    """Exactly once: an edit that hits nothing, or twice, proves nothing."""
    if text.count(old) != 1:
        raise DoesNotApply(f"found {text.count(old)} times: {old!r}")
    return text.replace(old, new)


def newest(text):
    return int(re.search(r"^#define GARLAND_ABI_MINOR (\d+)", text, re.M)[1])


def raise_minor(text, to=RELEASED + 1):
    """Begins a new minor, unless somebody has already."""
    if newest(text) == to:
        return text
    return replace(text, f"#define GARLAND_ABI_MINOR {newest(text)}", f"#define GARLAND_ABI_MINOR {to}")


def guarded(text, lines):
    """`lines` for the newest minor only."""
    return f"#if GARLAND_TARGET_MINOR >= {newest(text)}\n{lines}\n#endif\n"


def append(text, struct, lines):
    """At the tail of a struct, unguarded."""
    return replace(text, f"\n}} {struct};\n", f"\n{lines.rstrip()}\n}} {struct};\n")


def append_guarded(text, struct, lines):
    return append(text, struct, guarded(text, lines))


def append_enumerator(text, last, line, guard=True):
    """After the enumerator `last` (name and value), which is the last of its list."""
    ends = re.findall(rf"^  {re.escape(last)} *(?:/\*[^\n]*\*/)?\n}};$", text, re.M)
    if len(ends) != 1:
        raise DoesNotApply(f"{last!r} does not end a list")
    inside = ends[0].removesuffix("\n};").replace(last, last + ",", 1)
    return replace(text, ends[0], f"{inside}\n{guarded(text, line) if guard else line + chr(10)}}};")


def before_operations(text, lines):
    """New declarations, after the services."""
    divider = re.search(r"^/\* -+ operations \*/$", text, re.M)
    if divider is None:
        raise DoesNotApply("there is no section of operations")
    return replace(text, divider[0], f"{lines.rstrip()}\n\n{divider[0]}")


def next_minor(text):
    """A minor that does not exist: it appends to the two tables and to the structs that pass through them."""
    text = raise_minor(text)
    text = append_guarded(text, "garland_error", "  int64_t seen_at_ms; /* when the answer came; 0: not known */")
    text = append_guarded(text, "garland_http_request", "  garland_str trace; /* for the host's log; optional */")
    text = append_guarded(text, "garland_http_response",
                          "  int64_t took_ms; /* from request to answer, in milliseconds */\n"
                          "  garland_str final_url; /* after redirects */")
    text = append_guarded(text, "garland_host", "  /* A number that nobody can guess.  [any-thread][nosuspend] */\n"
                          "  uint64_t (*random)(void* ctx) GARLAND_NOEXCEPT;")
    return append_guarded(text, "garland_plugin", "  /* How many instances are open.  [instance][nosuspend] */\n"
                          "  uint64_t (*count)(void) GARLAND_NOEXCEPT;")
