// Stage 2 of the filter: made before any plugin code exists, kept where that code cannot change it, and put
// up after loading. It takes one system call, and stage 1 lets that call through for nothing else: a static
// initialiser that could install a filter of its own could answer the host's seccomp() with success.
//
// The program lies read-only at the lowest address that is mapped, so that whoever wants to reach it has to
// name an address below kSealEnd; stage 1 refuses every memory call that does.
#pragma once

#include "host/base/result.h"

#include <cstdint>

namespace garland::runtime::sandbox {

inline constexpr std::uint64_t kSealAt = 64U << 10U; // the least address that systems let programs map
inline constexpr std::uint64_t kSealEnd = kSealAt + 4096;

// Keeps the program of a libseccomp filter (scmp_filter_ctx). Before stage 1. Error: unsupported.
Result<void> keepSeal(void* filter);
// Puts it up. After stage 1. Error: unsupported.
Result<void> putUpSeal();

} // namespace garland::runtime::sandbox
