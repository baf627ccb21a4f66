// One page for a key: never swapped, never in a core dump, not inherited by a child, wiped at the
// end. Where the kernel has memfd_secret(2) even the kernel's own view of memory leaves it out.
#pragma once

#include "host/base/result.h"

#include <cstddef>
#include <span>
#include <utility>

namespace garland::vault {

class LockedMemory {
public:
  // `bytes` zeroed bytes, at most one page. hostLimit if the memory cannot be locked.
  static Result<LockedMemory> allocate(std::size_t bytes);
  LockedMemory(LockedMemory&& other) noexcept
      : page_(std::exchange(other.page_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  LockedMemory& operator=(LockedMemory&&) = delete;
  LockedMemory(LockedMemory const&) = delete;
  LockedMemory& operator=(LockedMemory const&) = delete;
  ~LockedMemory();

  std::span<std::byte> bytes() { return {static_cast<std::byte*>(page_), bytes_}; }
  std::span<std::byte const> bytes() const { return {static_cast<std::byte const*>(page_), bytes_}; }

private:
  LockedMemory(void* page, std::size_t bytes) : page_(page), bytes_(bytes) {}
  void* page_;
  std::size_t bytes_;
};

} // namespace garland::vault
