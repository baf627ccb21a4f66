// The worker's end of the socket: messages out in batches, messages in as they arrive. Blocking; no fibers.
#pragma once

#include "host/runtime/wire.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace garland::runtime::worker {

// Nanoseconds on the monotonic clock.
std::int64_t monotonicNow();

// [worker thread] but for sendFromAnyThread(). In the sandbox there is no other thread; where a developer
// runs a plugin without it, there may be.
class Channel {
public:
  explicit Channel(int fd) : fd_(fd), decoder_(wire::Direction::hostToWorker) {}

  // Puts a message into the batch; writes when enough is waiting, which blocks while the host is slow.
  template <class Payload> void send(wire::Kind kind, std::uint64_t id, Payload const& payload) {
    std::lock_guard const lock(out_mutex_);
    wire::append(out_, kind, id, payload);
    if (++waiting_ >= kMessagesAtOnce || out_.size() > kWriteSoon) write();
  }
  void flush();
  // Written at once: nobody else may come by to do it.
  template <class Payload> void sendFromAnyThread(wire::Kind kind, std::uint64_t id, Payload const& payload) {
    std::lock_guard const lock(out_mutex_);
    wire::append(out_, kind, id, payload);
    write();
  }

  // Waits for bytes, at most until the given time (nullopt: for ever; 0: not at all).
  void receive(std::optional<std::int64_t> until);
  Result<std::optional<wire::Message>> next() { return decoder_.next(); }

  // The host is gone; nothing that is sent arrives any more.
  bool closed() const { return closed_; }

private:
  static constexpr std::size_t kWriteSoon = 256U << 10U;
  // A host on another processor begins with the first answers while the worker still makes the next.
  static constexpr int kMessagesAtOnce = 16;

  void write(); // under the lock

  int fd_;
  wire::Decoder decoder_;
  std::mutex out_mutex_;
  std::string out_;
  int waiting_ = 0; // messages in out_
  std::atomic<bool> closed_ = false;
};

} // namespace garland::runtime::worker
