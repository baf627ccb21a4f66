// The worker's end of the socket: messages out in batches, messages in as they arrive. Blocking; no fibers.
#pragma once

#include "host/runtime/wire.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace garland::runtime::worker {

// Nanoseconds on the monotonic clock.
std::int64_t monotonicNow();

// [worker thread]
class Channel {
public:
  explicit Channel(int fd) : fd_(fd), decoder_(wire::Direction::hostToWorker) {}

  // Puts a message into the batch; writes at once when much is waiting, which blocks while the host is slow.
  template <class Payload> void send(wire::Kind kind, std::uint64_t id, Payload const& payload) {
    wire::append(out_, kind, id, payload);
    if (out_.size() > kWriteSoon) flush();
  }
  void flush();

  // Waits for bytes, at most until the given time (nullopt: for ever; 0: not at all).
  void receive(std::optional<std::int64_t> until);
  Result<std::optional<wire::Message>> next() { return decoder_.next(); }

  // The host is gone; nothing that is sent arrives any more.
  bool closed() const { return closed_; }

private:
  static constexpr std::size_t kWriteSoon = 256U << 10U;

  int fd_;
  wire::Decoder decoder_;
  std::string out_;
  std::array<char, 64U << 10U> in_;
  bool closed_ = false;
};

} // namespace garland::runtime::worker
