#include "certification/probe/spans.h"

#include <cstring>
#include <new>
#include <sys/mman.h>

namespace garland::probe {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMostRetired = 24U << 20U; // bytes of addresses that stay closed

std::size_t pagesFor(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

// [begin, begin + writable) may be written, the page behind it may not be touched.
unsigned char* mapBeforeGuard(std::size_t writable) {
  void* const at = ::mmap(nullptr, writable + kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return nullptr;
  if (writable != 0 && ::mprotect(at, writable, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(at, writable + kPage);
    return nullptr;
  }
  return static_cast<unsigned char*>(at);
}

struct Retired {
  void* at = nullptr;
  std::size_t bytes = 0;
};
// Of all calls; never destroyed.
std::deque<Retired>& retiredMappings() {
  static auto& all = *new std::deque<Retired>();
  return all;
}
std::size_t retired_bytes = 0;

} // namespace

GuardedRoom::GuardedRoom(std::size_t room) : room_(room) {
  auto const writable = pagesFor(room);
  mapping_ = mapBeforeGuard(writable);
  if (mapping_ == nullptr) throw std::bad_alloc();
  mapped_ = writable + kPage;
  end_ = mapping_ + writable;
  std::memset(mapping_, kPattern, writable);
}

GuardedRoom::~GuardedRoom() { ::munmap(mapping_, mapped_); }

char const* GuardedCopies::copy(std::string_view bytes, std::size_t align) {
  auto const size = (bytes.size() + align - 1) / align * align; // of whole elements, so that they lie aligned
  auto const writable = pagesFor(size);
  auto* const at = mapBeforeGuard(writable);
  if (at == nullptr) return nullptr;
  live_.push_back({at, writable + kPage});
  auto* const begin = at + writable - size;
  if (!bytes.empty()) std::memcpy(begin, bytes.data(), bytes.size());
  if (writable != 0) ::mprotect(at, writable, PROT_READ);
  return reinterpret_cast<char const*>(begin);
}

void GuardedCopies::retire() {
  auto& all = retiredMappings();
  for (auto const& one : live_) {
    ::mprotect(one.at, one.bytes, PROT_NONE);
    all.push_back({one.at, one.bytes});
    retired_bytes += one.bytes;
  }
  live_.clear();
  while (retired_bytes > kMostRetired && !all.empty()) {
    ::munmap(all.front().at, all.front().bytes);
    retired_bytes -= all.front().bytes;
    all.pop_front();
  }
}

} // namespace garland::probe
