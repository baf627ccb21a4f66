// A link to a worker that only waits; what it says comes from the test.
#include "host/runtime/worker_link.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>

namespace garland::runtime {
namespace {

pid_t waitingChild() {
  auto const child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) ::pause();
}

OwnedFd pidfdOf(pid_t child) { return OwnedFd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0))); }

class ALink : public ::testing::Test {
protected:
  void SetUp() override {
    std::array<int, 2> sockets{};
    std::array<int, 2> output{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()), 0);
    ASSERT_EQ(::pipe2(output.data(), O_CLOEXEC), 0);
    worker_end = OwnedFd(sockets[0]);
    worker_output = OwnedFd(output[1]);
    Spawned spawned;
    spawned.flight = OwnedFd(::memfd_create("flight", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(spawned.flight.get(), static_cast<off_t>(wire::kFlightPageBytes)), 0);
    auto const child = waitingChild();
    ASSERT_GT(child, 0);
    spawned.process = Process(child, pidfdOf(child));
    spawned.exit_watch = pidfdOf(child);
    spawned.socket = OwnedFd(sockets[1]);
    spawned.output = OwnedFd(output[0]);
    link = std::make_shared<WorkerLink>(loop.get_executor(), log, "test", std::move(spawned));
  }
  void TearDown() override {
    link->abandon();
    loop.restart();
    loop.poll();
  }
  void greet() {
    std::string bytes;
    wire::append(bytes, wire::Kind::closed, 0, wire::Closed());
    wire::append(bytes, wire::Kind::hello, 0, wire::Hello());
    EXPECT_EQ(::write(worker_end.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  asio::io_context loop{1};
  VirtualClock clock{TimePoint()};
  Redactor redactor;
  Log log{clock, redactor, LogLevel::error, [](std::string_view) {}};
  OwnedFd worker_end, worker_output;
  std::shared_ptr<WorkerLink> link;
};

// The greeting comes when nobody reads any more before the time for it is over: both timers go off together.
TEST_F(ALink, HearsWhatWasSaidInTimeBeforeItCallsTheWorkerLate) {
  asio::steady_timer speaks(loop, std::chrono::steady_clock::now());
  speaks.async_wait([this](auto const&) { greet(); });
  link->start(Milliseconds(0), Milliseconds(200), [](WorkerEnd const&) {});
  loop.poll();
  ASSERT_TRUE(link->greeted().isSet());
  EXPECT_TRUE(link->hello()) << link->hello().error().message;
  EXPECT_FALSE(link->isEnding());
}

TEST_F(ALink, EndsAWorkerThatHasSaidNothing) {
  link->start(Milliseconds(0), Milliseconds(200), [](WorkerEnd const&) {});
  loop.poll();
  EXPECT_TRUE(link->isEnding());
}

} // namespace
} // namespace garland::runtime
