// Blocks of plugin code that fault where nobody may be: each ends before a closed page, becomes one when it
// is given back, and is filled with a pattern at first. What is written beside it, or given back twice, is
// counted. Nothing here allocates, locks or prints.
#pragma once

#include <cstddef>
#include <cstdint>

namespace garland::probe {

struct HeapMisuse {
  std::uint64_t guarded = 0;  // blocks that were handed out
  std::uint64_t overruns = 0; // given back with bytes beside them changed
  std::uint64_t bad_frees = 0;
};

// [one thread] From now on, or no longer; blocks that were handed out stay what they are. A build with
// sanitizers has a heap of its own.
void guardHeap(bool on);
HeapMisuse heapMisuse();

// nullptr: not on, too large, or no room; then the library's will do.
void* guardedBlock(std::size_t align, std::size_t bytes);
bool isGuarded(void const* block);
std::size_t guardedSize(void const* block); // 0: none is there
void freeGuarded(void* block);

} // namespace garland::probe
