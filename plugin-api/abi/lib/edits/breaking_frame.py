"""Breaking edits of what stands around the declarations: conditions, includes and frozen assertions (E7)."""

from edits.mutant import breaks, pending, swap, without
from header_edits import RELEASED, append, replace

INCLUDES = "#include <stdint.h>\n"
END = "\n#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n"


NOW, MONO = ("  int64_t (*now_ms)(void* ctx) GARLAND_NOEXCEPT;", "  int64_t (*mono_ns)(void* ctx) GARLAND_NOEXCEPT;")


def swapped_if(condition):
    """Two functions in another order for whoever meets `condition`."""
    def either(one, other):
        return f"{condition}\n{one}\n#else\n{other}\n#endif"
    return lambda text: replace(replace(text, NOW, either("@MONO@", NOW)), MONO,
                                either(NOW, MONO)).replace("@MONO@", MONO)


EDITS = [
    breaks("functions are swapped in a release build", "E7", "#ifdef NDEBUG", swapped_if("#ifdef NDEBUG")),
    breaks("functions are swapped for a newer C++", "E7", "#if __cplusplus > 202002L",
           swapped_if("#if __cplusplus > 202002L")),
    breaks("functions are swapped for another compiler", "E7", "#if defined(_MSC_VER)",
           swapped_if("#if defined(_MSC_VER)")),
    breaks("functions are swapped behind a digraph", "E7", "%:ifdef NDEBUG", swapped_if("%:ifdef NDEBUG")),
    breaks("functions are swapped behind a comment and a broken line", "E7", "#if defined(NDEBUG)",
           swapped_if("/**/ # /* a\nb */ i\\\nf defined(NDEBUG)")),
    breaks("functions are swapped for older targets in a release build", "E7",
           f"#if GARLAND_TARGET_MINOR < {RELEASED + 1} || defined(NDEBUG)",
           pending(swapped_if("#if GARLAND_TARGET_MINOR < @NEXT@ || defined(NDEBUG)"))),
    breaks("older targets get what newer ones do not", "E7", "#else",
           pending(lambda t: append(t, "garland_error", "#if GARLAND_TARGET_MINOR >= @NEXT@\n  int64_t more;\n#else\n"
                                                        "#endif"))),
    breaks("a member in a release build only", "E7", "#ifdef NDEBUG",
           lambda t: append(t, "garland_error", "#ifdef NDEBUG\n  int64_t extra;\n#endif")),
    breaks("a member in a release build of the next minor", "E7", "#ifdef NDEBUG",
           pending(lambda t: append(t, "garland_error", "#if GARLAND_TARGET_MINOR >= @NEXT@\n#ifdef NDEBUG\n"
                                                        "  int64_t extra;\n#endif\n#endif"))),
    breaks("a condition beside that of the minor", "E7", f"#if GARLAND_TARGET_MINOR >= {RELEASED + 1} && defined(NDEBUG)",
           pending(lambda t: append(t, "garland_error", "#if GARLAND_TARGET_MINOR >= @NEXT@ && defined(NDEBUG)\n"
                                                        "  int64_t extra;\n#endif"))),
    breaks("functions may throw in a newer C++", "E7", "#if defined(__cplusplus)",
           swap("#define GARLAND_NOEXCEPT noexcept",
                "#if __cplusplus > 202002L\n#define GARLAND_NOEXCEPT\n#else\n#define GARLAND_NOEXCEPT noexcept\n#endif")),
    breaks("a span has constructors in C++", "E7", "#ifdef __cplusplus",
           lambda t: append(t, "garland_str", "#ifdef __cplusplus\n  garland_str() = default;\n"
                                              "  garland_str(char const* p, uint64_t n) : ptr(p), len(n) {}\n#endif")),
    breaks("the entry is hidden from another compiler", "E7", "#if defined(__GNUC__)",
           swap("#else\n#define GARLAND_EXPORT\n", "#else\n#define GARLAND_EXPORT static\n")),
    breaks("the entry has a mangled name in C++", "E7", "#ifdef __cplusplus",
           lambda t: replace(replace(t, END, "\n"), "/* The one symbol", f"{END}\n/* The one symbol")),
    breaks("packing by a pragma", "E7", "#pragma pack(push, 8)",
           swap("typedef struct garland_error {", "#pragma pack(push, 8)\ntypedef struct garland_error {")),
    breaks("a macro is taken back", "E7", "#undef NULL", swap(INCLUDES, INCLUDES + "#undef NULL\n")),
    breaks("a header that was not needed", "E7", "#include <stdio.h>", swap(INCLUDES, INCLUDES + "#include <stdio.h>\n")),
    breaks("a header that the next minor needs", "E7", "#include <stdio.h>",
           pending(swap(INCLUDES, INCLUDES + "#if GARLAND_TARGET_MINOR >= @NEXT@\n#include <stdio.h>\n#endif\n"))),
    breaks("a frozen assertion is removed", "E7", 'GARLAND_ASSERT(offsetof(garland_host, alloc) == 136, "frozen");',
           without(r"^GARLAND_ASSERT\(offsetof\(garland_host, alloc\)[^\n]*\n")),
    breaks("a frozen assertion is loosened", "E7", 'GARLAND_ASSERT(offsetof(garland_host, alloc) == 136, "frozen");',
           swap("garland_host, alloc) == 136", "garland_host, alloc) >= 136")),
    breaks("an assertion that older targets never had", "E7", 'GARLAND_ASSERT(sizeof(long) == 8, "no Windows");',
           swap('"64-bit systems only");\n', '"64-bit systems only");\nGARLAND_ASSERT(sizeof(long) == 8, "no Windows");\n')),
    breaks("a minor with nothing in it", "E7", "GARLAND_ABI_MINOR", pending(lambda t: t)),
]
