#include "host/runtime/process.h"

#include "host/runtime/wire.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace garland::runtime {
namespace {

std::string_view meaning(int code) {
  switch (code) {
  case wire::kExitUsage: return "it was started wrongly";
  case wire::kExitProtocol: return "it did not understand the host";
  case wire::kExitSandbox: return "the sandbox could not be closed";
  case wire::kExitLoadFailed: return "the plugin could not be loaded";
  case wire::kExitMemory: return "it had no memory left";
  case wire::kExitWatchdog: return "a call kept the processor for too long";
  default: return {};
  }
}

std::string signalName(int number) {
  auto const* text = ::sigabbrev_np(number);
  return text ? "SIG" + std::string(text) : "signal " + std::to_string(number);
}

bool await(int pidfd, int options, ExitStatus& status) {
  siginfo_t info{};
  int done = 0;
  do {
    done = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | options);
  } while (done != 0 && errno == EINTR);
  if (done != 0 || info.si_pid == 0) return false;
  (info.si_code == CLD_EXITED ? status.code : status.signal) = info.si_status;
  return true;
}

} // namespace

std::string ExitStatus::describe(std::string_view last_words) const {
  auto why = std::string(last_words);
  if (signal == 0) {
    if (why.empty()) why = meaning(code);
    return "ended with exit code " + std::to_string(code) + (why.empty() ? "" : " (" + why + ")");
  }
  auto const by = signalName(signal);
  if (why.starts_with(by)) return "was killed by " + why; // "SIGSEGV: the stack of 256 KiB was used up"
  return "was killed by " + by + (why.empty() ? "" : " (" + why + ")");
}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  killAndReap();
  pid_ = std::exchange(other.pid_, 0);
  pidfd_ = std::move(other.pidfd_);
  return *this;
}

void Process::kill() const {
  if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

bool Process::reap(ExitStatus& status) {
  if (!pidfd_ || !await(pidfd_.get(), WNOHANG, status)) return false;
  pidfd_.reset();
  return true;
}

void Process::killAndReap() {
  if (!pidfd_) return;
  kill();
  ExitStatus ignored;
  await(pidfd_.get(), 0, ignored);
  pidfd_.reset();
}

} // namespace garland::runtime
