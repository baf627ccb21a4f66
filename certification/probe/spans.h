// Memory that faults where a plugin must not be: behind the end of a span, and everywhere once its time is
// over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace garland::probe {

// `room` bytes that end at a page which nobody may touch, filled with a pattern, for the plugin to write
// into.
class GuardedRoom {
public:
  static constexpr unsigned char kPattern = 0xA5;
  explicit GuardedRoom(std::size_t room);
  ~GuardedRoom();
  GuardedRoom(GuardedRoom const&) = delete;
  GuardedRoom& operator=(GuardedRoom const&) = delete;
  unsigned char* begin() const { return end_ - room_; }
  unsigned char* end() const { return end_; }

private:
  unsigned char* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  unsigned char* end_ = nullptr;
  std::size_t room_ = 0;
};

// Copies of what the host hands out in one call, read-only, each before a page that nobody may touch. When
// the call is over they become such pages themselves, for as long as there is room for them.
class GuardedCopies {
public:
  GuardedCopies() = default;
  GuardedCopies(GuardedCopies const&) = delete;
  GuardedCopies& operator=(GuardedCopies const&) = delete;
  ~GuardedCopies() { retire(); }

  // nullptr if there is no memory. The copy of an empty text is not null.
  char const* copy(std::string_view bytes, std::size_t align = 1);
  void retire();

private:
  struct Mapping {
    void* at = nullptr;
    std::size_t bytes = 0;
  };
  std::vector<Mapping> live_;
};

} // namespace garland::probe
