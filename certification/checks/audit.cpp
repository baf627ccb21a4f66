#include "certification/checks/audit.h"

#include "host/base/file_text.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace garland::certification {
namespace {

namespace fs = std::filesystem;

class Folder {
public:
  Folder() {
    std::error_code ignored;
    path_ = (fs::temp_directory_path(ignored) / "garland-audit-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  bool made() const { return !path_.empty(); }
  std::string write(char const* name, std::string const& text) const {
    auto file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  std::string operator/(char const* name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

// What the host answered, as `garland dev run --answers` takes it.
json::object recorded(Exchange const& exchange) {
  json::object out{{"call", "http"}, {"method", exchange.ask.method}, {"url", exchange.ask.url}};
  if (!exchange.answer) {
    out["status"] = 503;
    out["body"] = "";
    return out;
  }
  out["status"] = exchange.answer->status;
  out["body"] = exchange.answer->body;
  return out;
}

json::object accountOf(Trial& trial) {
  json::object account{{"account_id", "con_audit"}, {"settings", trial.subject().brief.settings()}};
  auto& slots = account["slots"].emplace_array();
  for (auto const& slot : trial.subject().plugin.manifest.auth) slots.emplace_back(slot.name);
  return account;
}

// Runs a program with nothing to read; what it prints goes to the file.
Result<void> runProgram(std::vector<std::string> words, std::string const& out) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  int const failed =
      ::posix_spawn(&child, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Error(ErrorKind::unsupported, words.front() + " cannot be run");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {};
}

} // namespace

Result<std::vector<Refusal>> auditOperation(Trial& trial, Ask const& ask, Journal const& clean) {
  Folder const folder;
  if (!folder.made()) return Error(ErrorKind::hostLimit, "no temporary folder can be made");
  json::array calls;
  for (auto const& exchange : clean.exchanges) calls.push_back(recorded(exchange));
  auto const answers = folder.write("answers.json", json::serialize(json::object{{"host_calls", calls}}));
  auto const input = folder.write("input.json", json::serialize(ask.input));
  auto const account = folder.write("account.json", json::serialize(accountOf(trial)));
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
  TRY_VOID(runProgram(std::move(words), folder / "out"));
  TRY(text, readFileText(folder / "out"));
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
