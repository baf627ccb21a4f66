// A child process, held by its pidfd: a signal can never reach a stranger that got its number.
#pragma once

#include "host/runtime/owned_fd.h"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace garland::runtime {

struct ExitStatus {
  int code = 0;   // if it ended by itself
  int signal = 0; // if a signal ended it

  // "was killed by SIGKILL", "ended with exit code 66 (the sandbox could not be closed)". `last_words`: what
  // the process said of it itself, "" if nothing.
  std::string describe(std::string_view last_words = {}) const;
};

// Owns one child. Whoever drops it without having reaped it kills it and waits: no zombie is left.
class Process {
public:
  Process() = default;
  Process(pid_t pid, OwnedFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  Process& operator=(Process&& other) noexcept;
  ~Process() { killAndReap(); }

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  void kill() const; // SIGKILL; nothing if it is gone
  // How it ended, once its pidfd is readable; false while it runs.
  bool reap(ExitStatus& status);
  void killAndReap(); // blocks until the kernel has ended it

private:
  pid_t pid_ = 0;
  OwnedFd pidfd_;
};

} // namespace garland::runtime
