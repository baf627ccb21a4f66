#include "tests/end_to_end/process_test_kit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace garland::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLongestRun = std::chrono::seconds(120);

int codeOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// In the child: never returns.
[[noreturn]] void become(std::vector<std::string> const& argv,
                         std::map<std::string, std::string> const& environment) {
  for (auto const& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (auto const& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

} // namespace

Finished runProgram(std::vector<std::string> const& argv,
                    std::map<std::string, std::string> const& environment, std::string const& input) {
  int in[2], out[2], err[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  pid_t const pid = ::fork();
  if (pid == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::dup2(err[1], 2);
    become(argv, environment);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  ::signal(SIGPIPE, SIG_IGN);
  if (!input.empty() && ::write(in[1], input.data(), input.size()) < 0) ::kill(pid, SIGKILL);
  ::close(in[1]);
  Finished done;
  auto const deadline = Clock::now() + kLongestRun;
  pollfd ends[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  std::string* texts[2] = {&done.out, &done.err};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (Clock::now() > deadline) ::kill(pid, SIGKILL);
    ::poll(ends, 2, 1000);
    for (int i = 0; i < 2; ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      char buffer[65536];
      auto const got = ::read(ends[i].fd, buffer, sizeof buffer);
      if (got > 0)
        texts[i]->append(buffer, static_cast<std::size_t>(got));
      else
        ::close(std::exchange(ends[i].fd, -1));
    }
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  done.exit_code = codeOf(status);
  return done;
}

Child::Child(std::vector<std::string> const& argv, std::map<std::string, std::string> const& environment,
             std::string const& output_file) {
  pid_ = ::fork();
  if (pid_ == 0) {
    int const null = ::open("/dev/null", O_RDONLY);
    int const file = ::open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(null, 0);
    ::dup2(file, 1);
    ::dup2(file, 2);
    ::setpgid(0, 0);
    become(argv, environment);
  }
}

Child::~Child() {
  if (!running()) return;
  signal(SIGTERM);
  if (!eventually([this] { return !running(); }, 15)) {
    signal(SIGKILL);
    wait();
  }
}

bool Child::running() {
  if (!reaped_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) reaped_ = true;
  return !reaped_;
}

void Child::signal(int number) const {
  if (!reaped_) ::kill(pid_, number);
}

int Child::wait() {
  if (!reaped_ && ::waitpid(pid_, &status_, 0) == pid_) reaped_ = true;
  return codeOf(status_);
}

std::string readFile(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void writeFile(std::string const& path, std::string const& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

bool eventually(std::function<bool()> const& condition, double seconds) {
  auto const deadline = Clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    // Another process's state has no event to wait on.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

} // namespace garland::testing
