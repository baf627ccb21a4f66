#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

namespace garland::testing {
namespace {

// Parent pid and name of a process; {0, ""} if it is gone.
std::pair<pid_t, std::string> parentOf(pid_t pid) {
  auto const stat = readFile("/proc/" + std::to_string(pid) + "/stat");
  auto const open = stat.find('(');
  auto const close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {0, ""};
  return {std::atoi(stat.c_str() + close + 4), stat.substr(open + 1, close - open - 1)};
}

} // namespace

std::string binFolder() { return inBuild("/bin"); }

std::int64_t number(json::value const& value, std::string_view pointer) {
  return integerOr(value, pointer, -1);
}

Host::Host(std::string database, std::string more) : database_(std::move(database)) {
  std::filesystem::create_directory(dataFolder());
  std::filesystem::permissions(dataFolder(), std::filesystem::perms::owner_all);
  auto text = "[daemon]\ndata_dir = \"" + dataFolder() + "\"\nport = 0\n";
  if (!database_.empty()) text += "[database]\nurl = \"" + database_ + "\"\n";
  writeFile(configFile(), text + more);
}

void Host::start(std::map<std::string, std::string> const& environment) {
  std::filesystem::remove(dataFolder() + "/garlandd.json");
  daemon_ =
      std::make_unique<Child>(std::vector<std::string>{binFolder() + "/garlandd", "--config", configFile()},
                              environment, folder_ / "garlandd.log");
  auto const ready = [this] {
    return !daemon_->running() || parseJson(readFile(dataFolder() + "/garlandd.json"));
  };
  ASSERT_TRUE(eventually(ready, 30)) << log();
  ASSERT_TRUE(daemon_->running()) << log();
  auto const where = *parseJson(readFile(dataFolder() + "/garlandd.json"));
  url_ = *textAt(where, "/url");
}

void Host::kill9() {
  daemon_->signal(SIGKILL);
  daemon_->wait();
}

int Host::stop() {
  daemon_->signal(SIGTERM);
  return daemon_->wait();
}

Finished Host::run(std::vector<std::string> words, std::string const& input) {
  words.insert(words.begin(), binFolder() + "/garland");
  return runProgram(words, {{"GARLAND_URL", url_}, {"GARLAND_KEY_FILE", dataFolder() + "/api.key"}}, input);
}

json::value Host::ask(std::vector<std::string> words, int expected_exit, std::string const& input) {
  words.emplace_back("--json");
  auto const done = run(words, input);
  EXPECT_EQ(done.exit_code, expected_exit) << words[0] << " " << words[1] << "\n" << done.out << done.err;
  auto answer = parseJson(done.out);
  EXPECT_TRUE(answer) << done.out << done.err;
  return answer ? std::move(*answer) : json::value();
}

std::string Host::addVendor(std::string const& name) {
  auto const vendor = textOr(ask({"vendors", "add", name}), "/id", "");
  auto const enabled = run({"plugins", "enable", "caldav", "--vendor", vendor});
  EXPECT_EQ(enabled.exit_code, 0) << enabled.out << enabled.err;
  return vendor;
}

std::string Host::connect(std::string const& vendor, std::string const& url, std::string const& user,
                          std::string const& password) {
  return textOr(ask({"connections", "connect", "caldav", "--vendor", vendor, "--set", "url=" + url,
                     "--username", user, "--password-stdin", "--allow-private-network"},
                    0, password + "\n"),
                "/id", "");
}

json::array Host::records(std::string const& vendor, std::string const& kind) {
  json::array all;
  std::string after;
  for (;;) {
    std::vector<std::string> words = {"records", "ls", "--vendor", vendor, "--limit", "1000"};
    if (!kind.empty()) words.insert(words.end(), {"--kind", kind});
    if (!after.empty()) words.insert(words.end(), {"--after", after});
    auto const page = ask(words);
    auto const* found = page.if_array() != nullptr ? page.if_array() : find(page, "/items")->if_array();
    for (auto const& record : *found) all.push_back(record);
    if (found->size() < 1000) return all;
    after = textOr(found->back(), "/id", "");
  }
}

std::vector<pid_t> Host::workers() const {
  std::vector<pid_t> found;
  for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t const pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    auto [parent, name] = parentOf(pid);
    if (!name.starts_with("garland-worker")) continue;
    while (parent > 1 && parent != daemon_->pid()) parent = parentOf(parent).first;
    if (parent == daemon_->pid()) found.push_back(pid);
  }
  return found;
}

} // namespace garland::testing
