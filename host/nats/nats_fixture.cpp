#include "host/nats/nats_fixture.h"

#include "host/base/test_port.h"

#include <array>
#include <csignal>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::nats {
namespace {

constexpr auto kServer = "/usr/sbin/nats-server";
constexpr std::string_view kReady = "Server is ready";

} // namespace

NatsFixture::NatsFixture(std::string settings)
    : address_(loopbackOfThisProcess()), port_(freePort(address_)) {
  std::ofstream(folder_ / "nats.conf")
      << "listen: " << address_ << ":" << port_ << "\njetstream { store_dir: \"" << folder_ / "store"
      << "\", max_mem: 64M, max_file: 64M }\n"
      << settings << "\n";
}

void NatsFixture::start() {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  auto const file = folder_ / "nats.conf";
  server_ = ::fork();
  if (server_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(pipe[1], STDERR_FILENO);
    ::execl(kServer, kServer, "-c", file.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pipe[1]);
  log_ = pipe[0]; // what it says later, a few lines, stays in the pipe
  std::string said;
  std::array<char, 4096> chunk{};
  while (said.find(kReady) == std::string::npos) {
    auto const length = ::read(log_, chunk.data(), chunk.size());
    if (length <= 0)
      throw std::runtime_error("nats-server does not start; is it installed (tools/setup)? " + said);
    said.append(chunk.data(), static_cast<std::size_t>(length));
  }
}

void NatsFixture::kill() {
  if (server_ < 0) return;
  ::kill(server_, SIGKILL);
  ::waitpid(server_, nullptr, 0);
  ::close(log_);
  server_ = -1;
}

} // namespace garland::nats
