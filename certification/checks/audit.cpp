#include "certification/checks/audit.h"

#include "certification/folder.h"
#include "host/base/file_text.h"

#include <chrono>
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::certification {
namespace {

namespace fs = std::filesystem;

// What the host answered, as `garland dev run --answers` takes it.
json::object recorded(Exchange const& exchange) {
  json::object out{{"call", "http"}, {"method", exchange.ask.method}, {"url", exchange.ask.url}};
  if (!exchange.answer) {
    out["status"] = 503;
    out["body"] = "";
    return out;
  }
  json::array headers;
  for (auto const& [name, value] : exchange.answer->headers) headers.push_back(json::array{name, value});
  out["headers"] = std::move(headers);
  out["status"] = exchange.answer->status;
  out["body"] = exchange.answer->body;
  return out;
}

// Waits for the child; whatever takes longer than a minute, or than the run, is killed. `process`: its pidfd;
// below 0 it is passed over, and the child is looked at from time to time.
void awaitEnd(pid_t child, int process, Machine const& machine) {
  constexpr int look = 100; // ms: the run may end meanwhile
  auto const last = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  pollfd ended{process, POLLIN, 0};
  int status = 0;
  for (;;) {
    auto const done = ::waitpid(child, &status, WNOHANG);
    if (done == child || (done < 0 && errno != EINTR)) return;
    bool const over = std::chrono::steady_clock::now() >= last;
    if (over || (machine.ending != nullptr && machine.ending->isDue())) ::kill(-child, SIGKILL);
    ::poll(&ended, 1, look);
  }
}

void awaitProgram(pid_t child, Machine const& machine) {
  int const process = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  awaitEnd(child, process, machine);
  if (process >= 0) ::close(process);
}

// Runs a program, in a group of its own, with nothing to read; what it prints goes to the file.
Result<void> runProgram(std::vector<std::string> words, std::string const& out, Machine const& machine) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  int const failed =
      ::posix_spawn(&child, words.front().c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Error(ErrorKind::unsupported, words.front() + " cannot be run");
  awaitProgram(child, machine);
  return {};
}

} // namespace

Result<std::vector<Refusal>> auditOperation(Trial& trial, Ask const& ask, Journal const& clean) {
  Folder folder;
  if (folder.path().empty()) return Error(ErrorKind::hostLimit, "no temporary folder can be made");
  json::array calls;
  for (auto const& exchange : clean.exchanges) calls.push_back(recorded(exchange));
  auto const answers = folder.file("answers.json", json::serialize(json::object{{"host_calls", calls}}));
  auto const input = folder.file("input.json", json::serialize(ask.input));
  auto const account = folder.file("account.json", trial.bench().account(ask.account));
  auto const programs = fs::path(trial.machine().worker).parent_path();
  std::vector<std::string> words{(programs / "garland-dev-host").string(),
                                 "run",
                                 trial.subject().plugin.path,
                                 ask.operation,
                                 "--sandbox=audit",
                                 "--input=" + input,
                                 "--account=" + account,
                                 "--answers=" + answers,
                                 "--worker=" + trial.machine().worker,
                                 "--deadline=20",
                                 "--json"};
  if (trial.machine().allow_degraded) words.emplace_back("--allow-degraded-sandbox");
  auto const told = folder.path() + "/out";
  TRY_VOID(runProgram(std::move(words), told, trial.machine()));
  TRY(text, readFileText(told));
  auto const report = parseJson(text);
  auto const* refused = report ? garland::find(*report, "/refused") : nullptr;
  if (refused == nullptr || !refused->is_array())
    return Error(ErrorKind::unsupported,
                 "garland-dev-host beside the worker told nothing of " + ask.operation);
  std::vector<Refusal> out;
  for (auto const& each : refused->get_array())
    out.push_back({textOr(each, "/call", ""), textOr(each, "/place", "")});
  return out;
}

} // namespace garland::certification
