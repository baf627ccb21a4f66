"""Edits that break nobody."""

from edits.mutant import (BLOB, BLOB_ANCHOR, PHASE, PHASE_ANCHOR, RANDOM, appends, declares, entry, enumerates, late,
                          legal, pending, swap)
from header_edits import RELEASED, append_guarded, before_operations, guarded, next_minor, raise_minor, replace

EDITS = [
    legal("the next minor appends to five structs", next_minor),
    legal("a log level is appended, guarded",
          enumerates("GARLAND_LOG_ERROR = 3", "  GARLAND_LOG_FATAL = 4")),
    legal("a new service, guarded and anchored",
          declares(BLOB), anchor=BLOB_ANCHOR),
    legal("a new enumeration, guarded and anchored",
          declares(PHASE), anchor=PHASE_ANCHOR),
    legal("a service gets one more function at its tail",
          appends("garland_host_crypto_1", RANDOM)),
    legal("a new helper macro",
          swap("/* The same for a function pointer",
               "/* An absent text. */\n"
               "#define GARLAND_NO_STR(type) ((type){NULL, 0})\n"
               "/* The same for a function pointer")),
    legal("a comment of an unreleased member changes",
          late("/* after redirects */", "/* where it came from in the end */")),
    legal("a comment is set anew, word for word",
          swap("  /* When the host gives the call up, on the clock of mono_ns.  [call][nosuspend] */",
               "  /* When the host gives the call up,\n   * on the clock of mono_ns.\n   * [call][nosuspend] */")),
    legal("a rewording with its reason",
          swap("newest minor the host knows;", "newest minor that the host has;"),
          history=entry("the same in other words")),
    legal("a declaration is set anew",
          swap("  int64_t (*mono_ns)(void* ctx) GARLAND_NOEXCEPT;",
               "  int64_t ( *mono_ns ) ( void * ctx )\n      GARLAND_NOEXCEPT;")),
    legal("the minor after a released one",
          late("#if GARLAND_TARGET_MINOR > GARLAND_ABI_MINOR",
               "#if GARLAND_TARGET_MINOR > GARLAND_ABI_MINOR /* a comment of no declaration */"),
          after_release=True),
    legal("the third minor appends again",
          lambda t: append_guarded(raise_minor(next_minor(t), RELEASED + 2), "garland_host",
                                   RANDOM.replace("random", "random_again")), after_release=True),
    legal("a new constant and a frozen assertion about it, guarded",
          lambda t: replace(pending(lambda u: before_operations(u, guarded(u, "#define GARLAND_MOST_KEYS 64")))(t),
                            '\n#ifdef __cplusplus\n}',
                            f'#if GARLAND_TARGET_MINOR >= {RELEASED + 1}\n'
                            'GARLAND_ASSERT(GARLAND_MOST_KEYS == 64, "frozen");\n#endif\n\n#ifdef __cplusplus\n}')),
]
