#include "host/cli/daemon_check.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vector>

extern char** environ;

namespace garland::cli {
namespace {

// Standard output of a program, run to its end; its standard error stays ours.
Result<std::string> outputOf(std::string const& program, std::vector<std::string> arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error(ErrorKind::hostLimit, "no pipe could be made");
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  int const failed = ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> chunk{};
  while (failed == 0) {
    auto const count = ::read(ends[0], chunk.data(), chunk.size());
    if (count <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  if (failed != 0) return Error(ErrorKind::notFound, program + " cannot be run: is Garland installed whole?");
  ::waitpid(child, nullptr, 0);
  return text;
}

} // namespace

Result<json::value> daemonCheck(std::string const& data_dir, std::string const& config) {
  std::error_code ignored;
  auto const here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<std::string> arguments{"--check", "--json"};
  if (!data_dir.empty()) arguments.insert(arguments.end(), {"--data-dir", data_dir});
  if (!config.empty()) arguments.insert(arguments.end(), {"--config", config});
  TRY(text, outputOf((here / "garlandd").string(), std::move(arguments)));
  auto report = parseJson(text);
  if (!report) return Error(ErrorKind::providerBug, "garlandd --check ended without a report");
  return report;
}

} // namespace garland::cli
