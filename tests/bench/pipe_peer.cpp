// A child that sends back what it reads: the floor that every other figure is divided by.
#include "tests/bench/call_peers.h"

#include <array>
#include <csignal>
#include <cstring>

#include <sys/wait.h>
#include <unistd.h>

namespace garland::bench {
namespace {

bool readAll(int fd, char* to, std::size_t size) {
  while (size > 0) {
    auto const got = ::read(fd, to, size);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool writeAll(int fd, char const* from, std::size_t size) {
  while (size > 0) {
    auto const put = ::write(fd, from, size);
    if (put <= 0) return false;
    from += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

// The first word of a message is its size; the whole message goes back.
[[noreturn]] void sendBack(int in, int out) {
  std::vector<char> message(4U << 20U);
  std::uint32_t size = 0;
  while (readAll(in, message.data(), sizeof size)) {
    std::memcpy(&size, message.data(), sizeof size);
    if (size < sizeof size || size > message.size()) break;
    if (!readAll(in, message.data() + sizeof size, size - sizeof size)) break;
    if (!writeAll(out, message.data(), size)) break;
  }
  ::_exit(0);
}

class PipePeer final : public Peer {
public:
  PipePeer() {
    if (::pipe(there_.data()) != 0 || ::pipe(back_.data()) != 0) throw std::runtime_error("pipe failed");
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("fork failed");
    if (child_ > 0) return;
    ::close(there_[1]);
    ::close(back_[0]);
    sendBack(there_[0], back_[1]);
  }
  ~PipePeer() override {
    for (int const fd : {there_[0], there_[1], back_[0], back_[1]}) ::close(fd);
    ::waitpid(child_, nullptr, 0);
  }

  void call(std::size_t bytes, int in_flight, Times& times) override {
    if (in_flight != 1) throw std::runtime_error("a ping-pong has one message in flight");
    std::vector<char> message(bytes, 'x');
    auto const size = static_cast<std::uint32_t>(bytes);
    std::memcpy(message.data(), &size, sizeof size);
    while (times.goOn()) {
      auto const begun = times.begin();
      if (!writeAll(there_[1], message.data(), bytes) || !readAll(back_[0], message.data(), bytes))
        throw std::runtime_error("the ping-pong broke");
      times.ended(begun);
    }
  }
  pid_t partner() const override { return child_; }

private:
  std::array<int, 2> there_{};
  std::array<int, 2> back_{};
  pid_t child_ = -1;
};

} // namespace

std::unique_ptr<Peer> pipePeer() { return std::make_unique<PipePeer>(); }

} // namespace garland::bench
