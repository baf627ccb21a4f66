#include "host/runtime/worker_channel.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <poll.h>
#include <unistd.h>

namespace garland::runtime::worker {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

bool readable(int fd, std::int64_t until) {
  auto const left = std::max<std::int64_t>(0, until - monotonicNow());
  timespec const span{left / kSecond, left % kSecond};
  pollfd wanted{fd, POLLIN, 0};
  return ::ppoll(&wanted, 1, &span, nullptr) > 0;
}

} // namespace

std::int64_t monotonicNow() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

void Channel::flush() {
  std::lock_guard const lock(out_mutex_);
  write();
}

void Channel::write() {
  std::string_view left = out_;
  while (!left.empty() && !closed_) {
    auto const written = ::write(fd_, left.data(), left.size());
    if (written > 0)
      left.remove_prefix(static_cast<std::size_t>(written));
    else if (written < 0 && errno != EINTR)
      closed_ = true;
  }
  // A batch of many megabytes must not stay allocated for good.
  if (out_.capacity() > 2 * kWriteSoon) out_ = {};
  out_.clear();
  waiting_ = 0;
}

void Channel::receive(std::optional<std::int64_t> until) {
  if (until && !readable(fd_, *until)) return;
  auto const room = decoder_.room();
  auto const got = ::read(fd_, room.data(), room.size());
  if (got > 0) return decoder_.filled(static_cast<std::size_t>(got));
  if (got == 0 || errno != EINTR) closed_ = true;
}

} // namespace garland::runtime::worker
