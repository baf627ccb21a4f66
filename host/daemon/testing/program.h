// The real program as a child, and what it says: on its output, in its log, and in the file by which it tells
// that it listens.
#pragma once

#include "host/base/test_folder.h"
#include "host/daemon/daemon.h"
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace garland::daemon::testing {

namespace fs = std::filesystem;

inline std::string readAll(fs::path const& path) {
  std::ifstream in(path);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

// garlandd as a child; its standard output and error go to a file.
class Program {
public:
  Program(fs::path log, std::vector<std::string> arguments) : log_(std::move(log)) {
    auto const garlandd = inBuild("/bin/garlandd");
    arguments.insert(arguments.begin(), garlandd);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    EXPECT_EQ(::posix_spawn(&pid_, garlandd.c_str(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Program() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Program(Program const&) = delete;
  Program& operator=(Program const&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  pid_t pid() const { return pid_; }
  std::string log() const { return readAll(log_); }
  int exitCode() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

private:
  fs::path log_;
  pid_t pid_ = -1;
};

// Waits, without polling, until the ready file is in the folder.
inline ReadyFile awaitReady(fs::path const& folder) {
  int const watch = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(watch, folder.c_str(), IN_MOVED_TO);
  auto ready = readReadyFile(folder.string());
  for (int rounds = 0; !ready && rounds < 100; ++rounds) {
    pollfd event{watch, POLLIN, 0};
    if (::poll(&event, 1, 20'000) <= 0) break;
    char buffer[4096];
    if (::read(watch, buffer, sizeof buffer) <= 0) break;
    ready = readReadyFile(folder.string());
  }
  ::close(watch);
  EXPECT_TRUE(ready.has_value());
  return ready ? *ready : ReadyFile();
}

inline std::vector<std::string> onFolder(TestFolder const& folder) {
  return {"--data-dir", folder.path(), "--port", "0"};
}

} // namespace garland::daemon::testing
