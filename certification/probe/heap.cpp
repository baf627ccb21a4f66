#include "certification/probe/heap.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>

namespace garland::probe {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 16'384; // 64 MiB of addresses: a quarter of what a worker may have
constexpr std::size_t kMostBytes = 1U << 20U;
constexpr unsigned char kPattern = 0xA5;

// Beside the first page of a block; everything is 0 elsewhere.
struct Place {
  std::uint32_t bytes = 0; // asked for
  std::uint32_t room = 0;  // up to the closed page, aligned; 0: no block
};

constinit struct {
  bool on = false;
  unsigned char* begin = nullptr;
  std::size_t next = 0;
  std::size_t used = 0; // pages, the closed ones behind blocks among them
  Place places[kPages] = {};
  bool taken[kPages] = {};
  HeapMisuse misuse;
} heap;

std::size_t pagesFor(std::size_t bytes) { return (bytes + kPage - 1) / kPage; }

// So many pages that nobody has, as late after their last use as can be; kPages: none.
std::size_t freePages(std::size_t wanted) {
  if (heap.used + wanted > kPages / 4 * 3) return kPages;
  std::size_t run = 0;
  for (std::size_t looked = 0; looked < 2 * kPages; ++looked) {
    auto const page = (heap.next + looked) % kPages;
    if (page == 0) run = 0; // no block lies across the end
    run = heap.taken[page] ? 0 : run + 1;
    if (run == wanted) return page + 1 - wanted;
  }
  return kPages;
}

std::size_t pageOf(void const* block) {
  return static_cast<std::size_t>(static_cast<unsigned char const*>(block) - heap.begin) / kPage;
}

unsigned char* endOf(std::size_t page) {
  return heap.begin + (page + pagesFor(heap.places[page].room)) * kPage;
}

bool isPattern(unsigned char const* from, unsigned char const* to) {
  return std::all_of(from, to, [](unsigned char byte) { return byte == kPattern; });
}

// The page whose block begins exactly there; kPages: none does.
std::size_t blockAt(void const* block) {
  auto const page = pageOf(block);
  auto const& place = heap.places[page];
  return place.room != 0 && endOf(page) - place.room == block ? page : kPages;
}

} // namespace

void guardHeap(bool on) {
#ifdef GARLAND_SANITIZER_BUILD
  static_cast<void>(on);
#else
  if (on && heap.begin == nullptr) {
    void* const at =
        ::mmap(nullptr, kPages * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return;
    heap.begin = static_cast<unsigned char*>(at);
  }
  heap.on = on;
#endif
}

HeapMisuse heapMisuse() { return heap.misuse; }

void* guardedBlock(std::size_t align, std::size_t bytes) {
  if (!heap.on || bytes > kMostBytes || align > kPage) return nullptr;
  align = std::max<std::size_t>(align, 16);
  auto const room = (std::max<std::size_t>(bytes, 1) + align - 1) / align * align;
  auto const pages = pagesFor(room);
  auto const page = freePages(pages + 1);
  if (page == kPages) return nullptr;
  auto* const at = heap.begin + page * kPage;
  if (::mprotect(at, pages * kPage, PROT_READ | PROT_WRITE) != 0) return nullptr;
  std::memset(at, kPattern, pages * kPage);
  std::fill_n(heap.taken + page, pages + 1, true);
  heap.places[page] = {static_cast<std::uint32_t>(bytes), static_cast<std::uint32_t>(room)};
  heap.used += pages + 1;
  heap.next = (page + pages + 1) % kPages;
  ++heap.misuse.guarded;
  return at + pages * kPage - room;
}

bool isGuarded(void const* block) {
  auto const* const at = static_cast<unsigned char const*>(block);
  return heap.begin != nullptr && at >= heap.begin && at < heap.begin + kPages * kPage;
}

std::size_t guardedSize(void const* block) {
  auto const page = blockAt(block);
  return page == kPages ? 0 : heap.places[page].bytes;
}

void freeGuarded(void* block) {
  auto const page = blockAt(block);
  if (page == kPages) {
    ++heap.misuse.bad_frees;
    return;
  }
  auto& place = heap.places[page];
  auto* const first = heap.begin + page * kPage;
  auto* const end = endOf(page);
  if (!isPattern(first, end - place.room) || !isPattern(end - place.room + place.bytes, end))
    ++heap.misuse.overruns;
  auto const pages = pagesFor(place.room);
  ::madvise(first, pages * kPage, MADV_DONTNEED);
  ::mprotect(first, pages * kPage, PROT_NONE);
  std::fill_n(heap.taken + page, pages + 1, false);
  heap.used -= pages + 1;
  place = {};
}

} // namespace garland::probe
