// The output goes from the pipe into the memory that was given, and nowhere else.
#include "host/vault/key_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace garland::vault {
namespace {

using Steady = std::chrono::steady_clock;

std::string reason(int code) { return std::generic_category().message(code); }

class Child {
public:
  Child(std::vector<std::string> const& argv, int output) {
    std::vector<char*> words;
    for (auto const& word : argv)
      words.push_back(const_cast<char*>(word.c_str())); // posix_spawn writes to none
    words.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0); // what it starts is killed with it
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    failed_ = ::posix_spawn(&pid_, words.front(), &files, &attributes, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
    if (failed_ != 0) pid_ = -1;
  }
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    ::kill(-pid_, SIGKILL);
    wait();
  }
  int failed() const { return failed_; }
  pid_t pid() const { return pid_; }
  // Its status, once it has ended.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

private:
  pid_t pid_ = -1;
  int failed_ = 0;
};

class Pipe {
public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
  }
  Pipe(Pipe const&) = delete;
  Pipe& operator=(Pipe const&) = delete;
  ~Pipe() {
    close(0);
    close(1);
  }
  void close(int end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }
  int reads() const { return ends_[0]; }
  int writes() const { return ends_[1]; }

private:
  int ends_[2] = {-1, -1};
};

Milliseconds left(Steady::time_point end) {
  return std::max(Milliseconds(0), std::chrono::duration_cast<Milliseconds>(end - Steady::now()));
}

// True: something can be read, or nothing more will come.
bool readable(int fd, Steady::time_point end) {
  for (;;) {
    pollfd one{fd, POLLIN, 0};
    auto const ready = ::poll(&one, 1, static_cast<int>(left(end).count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

Error tooLong(std::string const& name) {
  return {ErrorKind::hostLimit, "the command " + name + " took too long to give the master key"};
}

// Its end, which may be later than that of its output.
bool endsBefore(Steady::time_point end, pid_t pid) {
  auto const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true; // an old kernel: it is waited for as long as it takes
  bool const ended = readable(fd, end);
  ::close(fd);
  return ended;
}

Result<std::size_t> readTo(int fd, std::span<std::byte> out, Steady::time_point end,
                           std::string const& name) {
  std::size_t filled = 0;
  for (;;) {
    if (!readable(fd, end)) return tooLong(name);
    std::byte extra{};
    bool const full = filled == out.size();
    auto const got = ::read(fd, full ? &extra : out.data() + filled, full ? 1 : out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Error(ErrorKind::hostLimit, "the command " + name + " could not be read: " + reason(errno));
    if (got == 0) return filled;
    if (full) return Error(ErrorKind::invalidInput, "the command " + name + " writes more than a master key");
    filled += static_cast<std::size_t>(got);
  }
}

} // namespace

Result<std::size_t> outputOf(std::vector<std::string> const& argv, std::span<std::byte> out,
                             Milliseconds limit) {
  if (argv.empty()) return Error(ErrorKind::invalidInput, "the command for the master key has no words");
  auto const& name = argv.front();
  auto const end = Steady::now() + limit;
  Pipe pipe;
  if (pipe.reads() < 0) return Error(ErrorKind::hostLimit, "no pipe could be made: " + reason(errno));
  Child child(argv, pipe.writes());
  pipe.close(1);
  if (child.failed() != 0)
    return Error(child.failed() == ENOENT ? ErrorKind::notFound : ErrorKind::hostLimit,
                 "the command " + name + " for the master key cannot be run: " + reason(child.failed()));
  TRY(length, readTo(pipe.reads(), out, end, name));
  if (!endsBefore(end, child.pid())) return tooLong(name);
  int const status = child.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return length;
  auto const how = WIFEXITED(status) ? "status " + std::to_string(WEXITSTATUS(status))
                                     : "signal " + std::to_string(WTERMSIG(status));
  return Error(ErrorKind::hostLimit,
               "the command " + name + " for the master key ended with " + how + "; see what it wrote above");
}

} // namespace garland::vault
