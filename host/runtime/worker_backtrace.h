// The stack of this thread as text, and messages about it, fit for a signal handler: nothing is allocated,
// nothing is thrown.
//
// A line is a frame, innermost first: the object that the code belongs to and the place in it.
//   plugin 1a2b              relative to where the plugin's file begins, for its symbol table
//   worker 77f0              the same for garland-worker
//   libc.so.6 abort+1f       another library: nearest exported name, or its own relative address
//   ? 10                     no object: a jump to nowhere
// A place that is a return address is told as the byte before it, which belongs to the call.
#pragma once

#include "host/runtime/wire.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace garland::runtime::worker {

// Text of bounded size; what does not fit is cut off.
template <std::size_t Size> class FixedText {
public:
  void add(std::string_view text) {
    for (char const letter : text)
      if (size_ < Size) bytes_[size_++] = letter;
  }
  void addHex(std::uint64_t value) {
    std::array<char, 16> digits{};
    auto at = digits.size();
    do {
      digits[--at] = "0123456789abcdef"[value & 15U];
      value >>= 4U;
    } while (value != 0);
    add({digits.data() + at, digits.size() - at});
  }
  void addDecimal(std::uint64_t value) {
    std::array<char, 20> digits{};
    auto at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    add({digits.data() + at, digits.size() - at});
  }
  std::string_view view() const { return {bytes_.data(), size_}; }

private:
  std::array<char, Size> bytes_{};
  std::size_t size_ = 0;
};

// One message of the wire, put together the same way.
class SignalFrame {
public:
  SignalFrame(wire::Kind kind, std::uint64_t call_id) : kind_(kind), call_id_(call_id) {}
  template <class Integer> void number(Integer value) { raw(&value, sizeof value); }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    raw(value.data(), value.size());
  }
  // The whole frame, header first; empty if it did not fit.
  std::string_view finish() {
    if (too_long_) return {};
    auto const length = static_cast<std::uint32_t>(size_ - wire::kHeaderBytes);
    std::uint16_t const flags = 0;
    auto* at = bytes_.data();
    for (auto const& [part, bytes] : {std::pair<void const*, std::size_t>{&length, sizeof length},
                                      {&kind_, sizeof kind_},
                                      {&flags, sizeof flags},
                                      {&call_id_, sizeof call_id_}}) {
      std::memcpy(at, part, bytes);
      at += bytes;
    }
    return {bytes_.data(), size_};
  }

private:
  void raw(void const* data, std::size_t size) {
    too_long_ = too_long_ || size > bytes_.size() - size_;
    if (too_long_) return;
    std::memcpy(bytes_.data() + size_, data, size);
    size_ += size;
  }

  std::array<char, 4096> bytes_{};
  std::size_t size_ = wire::kHeaderBytes;
  bool too_long_ = false;
  wire::Kind kind_;
  std::uint64_t call_id_;
};

using StackText = FixedText<3072>;

// From where the signal struck (`context` is the handler's third argument); without a context from the
// caller on. Walking a ruined stack may crash: say first what must be said.
void describeStack(void* context, StackText& out);

// Eight bytes at an address that may be anything; false if they cannot be read. Faults never.
bool readWord(std::uintptr_t address, std::uint64_t& word);

} // namespace garland::runtime::worker
