// The real program, started wrongly or asked what is wrong (--check): each mistake is told with what to do.
#include "host/base/json.h"
#include "host/daemon/rooms.h"
#include "host/daemon/testing/program.h"
#include "host/store/store.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <map>
#include <set>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;

using testing::awaitReady;
using testing::onFolder;
using testing::Program;

TEST(Garlandd, ATakenPortIsToldWithWhatToDo) {
  TestFolder folder;
  TestFolder other;
  Program first(folder / "log", onFolder(folder));
  auto const ready = awaitReady(folder.path());
  Program second(other / "log", {"--data-dir", other.path(), "--port", std::to_string(ready.port)});
  EXPECT_EQ(second.exitCode(), 3);
  EXPECT_NE(second.log().find("--port"), std::string::npos) << second.log();
  first.signal(SIGTERM);
  EXPECT_EQ(first.exitCode(), 0);
}

TEST(Garlandd, AMistakeInTheFileIsAUsageErrorWithItsPlace) {
  TestFolder folder;
  std::ofstream(folder / "garland.toml") << "[daemon]\nprot = 1\n";
  Program daemon(folder / "log", {"--config", folder / "garland.toml"});
  EXPECT_EQ(daemon.exitCode(), 2);
  EXPECT_NE(daemon.log().find("garland.toml:2:1: "), std::string::npos) << daemon.log();
  Program unknown(folder / "log", {"--colour"});
  EXPECT_EQ(unknown.exitCode(), 2);
}

TEST(Garlandd, AKeyFileThatOthersCanReadIsRefused) {
  TestFolder folder;
  std::ofstream(folder / "master.key") << std::string(32, 'k');
  fs::permissions(folder / "master.key", fs::perms::owner_read | fs::perms::others_read);
  Program daemon(folder / "log", onFolder(folder));
  EXPECT_EQ(daemon.exitCode(), 3);
  EXPECT_NE(daemon.log().find("master.key"), std::string::npos);
}

TEST(Garlandd, CheckTellsEveryProblemAtOnce) {
  TestFolder folder;
  std::ofstream(folder / "garland.toml") << "[daemon]\nprot = 1\ndata_dir = \"" << folder.path()
                                         << "\"\n[plugins]\nworker = \"/nowhere/garland-worker\"\n";
  std::ofstream(folder / "api.key") << "gk_x";
  fs::permissions(folder / "api.key", fs::perms::owner_read | fs::perms::others_read);
  Program check(folder / "log", {"--config", folder / "garland.toml", "--check", "--json", "--port", "0"});
  EXPECT_EQ(check.exitCode(), 1);
  auto const report = parseJson(check.log());
  ASSERT_TRUE(report.has_value()) << check.log();
  std::set<std::string> bad;
  for (auto const& finding : report->at("findings").as_array())
    if (!finding.at("ok").as_bool()) {
      bad.insert(std::string(finding.at("check").as_string()));
      EXPECT_FALSE(finding.at("fix").as_string().empty());
    }
  EXPECT_TRUE(bad.contains("configuration"));
  EXPECT_TRUE(bad.contains("API key"));
  EXPECT_TRUE(bad.contains("worker program"));
  EXPECT_FALSE(bad.contains("database"));
}

// Findings of --check that are not ok, by their name.
std::map<std::string, std::string> problemsOf(TestFolder const& folder, std::string const& settings,
                                              std::vector<std::string> more = {}) {
  std::ofstream(folder / "garland.toml") << "[daemon]\nport = 0\ndata_dir = \"" << folder.path() << "\"\n"
                                         << settings;
  std::vector<std::string> words{"--config", folder / "garland.toml", "--check", "--json"};
  words.insert(words.end(), more.begin(), more.end());
  Program check(folder / "log", words);
  EXPECT_EQ(check.exitCode(), 1);
  std::map<std::string, std::string> problems;
  auto const report = parseJson(check.log());
  EXPECT_TRUE(report) << check.log();
  if (!report) return problems;
  for (auto const& finding : report->at("findings").as_array())
    if (!finding.at("ok").as_bool())
      problems[std::string(finding.at("check").as_string())] =
          textOr(finding, "/message", "") + " | " + textOr(finding, "/fix", "");
  return problems;
}

TEST(Garlandd, CheckRefusesACertificateFileThatIsNone) {
  TestFolder folder;
  auto missing = problemsOf(folder, "[egress]\nextra_ca_file = \"ca.pem\"\n");
  EXPECT_NE(missing["certificates"].find("ca.pem"), std::string::npos);
  std::ofstream(folder / "ca.pem") << "no certificate";
  auto wrong = problemsOf(folder, "[egress]\nextra_ca_file = \"ca.pem\"\n");
  EXPECT_NE(wrong["certificates"].find("PEM"), std::string::npos);
}

TEST(Garlandd, CheckTriesTheMailAddressAndItsCertificate) {
  TestFolder folder;
  TestFolder other;
  std::ofstream(other / "garland.toml")
      << "[daemon]\nport = 0\ndata_dir = \"" << other.path()
      << "\"\n[mail]\nlisten = \"127.0.0.1:0\"\ndomain = \"leads.example.com\"\n";
  std::vector<std::string> const config{"--config", other / "garland.toml"};
  Program daemon(other / "log", config);
  auto const ready = awaitReady(other.path());
  EXPECT_NE(ready.mail_port, 0);
  auto const place = "127.0.0.1:" + std::to_string(ready.mail_port);

  auto taken = problemsOf(folder, "[mail]\nlisten = \"" + place + "\"\n");
  EXPECT_NE(taken["mail"].find("cannot listen for mail on " + place), std::string::npos) << taken["mail"];
  auto broken = problemsOf(folder, "[mail]\nlisten = \"127.0.0.1:0\"\ncertificate = \"no.pem\"\n"
                                   "certificate_key = \"no.pem\"\n");
  EXPECT_NE(broken["mail"].find("no.pem cannot be used"), std::string::npos) << broken["mail"];

  // Of the daemon that runs, where it takes mail; its own line says so, too.
  Program check(other / "log2", {config[0], config[1], "--check"});
  check.exitCode();
  EXPECT_NE(check.log().find("takes mail for leads.example.com at " + place), std::string::npos)
      << check.log();
  EXPECT_NE(daemon.log().find("\"mail\":\"" + place + "\""), std::string::npos) << daemon.log();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.exitCode(), 0);
}

TEST(Garlandd, CheckRefusesAMasterKeyThatCannotBeOne) {
  TestFolder folder;
  auto lost = problemsOf(folder, "[vault]\nmaster_key = \"nowhere/master.key\"\n");
  EXPECT_NE(lost["master key"].find("there is no folder"), std::string::npos) << lost["master key"];
  std::ofstream(folder / "notes.txt") << "not a key at all";
  fs::permissions(folder / "notes.txt", fs::perms::owner_read | fs::perms::others_read);
  auto notes = problemsOf(folder, "[vault]\nmaster_key = \"notes.txt\"\n");
  EXPECT_NE(notes["master key"].find("holds 16 bytes"), std::string::npos) << notes["master key"];
  EXPECT_NE(notes["master key"].find("name another file"), std::string::npos) << notes["master key"];
  EXPECT_EQ(notes["master key"].find("chmod"), std::string::npos) << "it is no key of ours";
}

TEST(Garlandd, CheckTellsTheLineOfABadDatabase) {
  TestFolder folder;
  auto found = problemsOf(folder, "[database]\nurl = \"postgresql://a@b/c?nothing=known\"\n");
  EXPECT_NE(found["database"].find("garland.toml:5:7: "), std::string::npos) << found["database"];
}

TEST(Garlandd, AFolderOfSettingsIsNoFileOfThem) {
  TestFolder folder;
  Program check(folder / "log", {"--config", folder.path(), "--check"});
  EXPECT_EQ(check.exitCode(), 1);
  EXPECT_NE(check.log().find("is a folder, not a file"), std::string::npos) << check.log();
  EXPECT_NE(check.log().find("--config"), std::string::npos) << check.log();
  Program start(folder / "log", {"--config", folder.path()});
  EXPECT_EQ(start.exitCode(), 2);
  EXPECT_NE(start.log().find("is a folder, not a file"), std::string::npos) << start.log();
}

TEST(Garlandd, JsonWithoutCheckIsWrongUsage) {
  TestFolder folder;
  auto arguments = onFolder(folder);
  arguments.emplace_back("--json");
  EXPECT_EQ(Program(folder / "log", arguments).exitCode(), 2);
}

TEST(Garlandd, AnUnknownOptionsValueIsNotRepeated) {
  TestFolder folder;
  Program daemon(folder / "log", {"--password", "open-sesame"});
  EXPECT_EQ(daemon.exitCode(), 2);
  EXPECT_EQ(daemon.log().find("open-sesame"), std::string::npos) << daemon.log();
}

TEST(Garlandd, AFailedStartSaysOnlyWhyItFailed) {
  TestFolder folder;
  auto arguments = onFolder(folder);
  arguments.insert(arguments.end(), {"--database", "postgresql://a@b/c?nothing=known"});
  Program daemon(folder / "log", arguments);
  EXPECT_EQ(daemon.exitCode(), 3);
  EXPECT_NE(daemon.log().find("--database: "), std::string::npos) << daemon.log();
  EXPECT_EQ(daemon.log().find("stop"), std::string::npos) << daemon.log();
}

Task<void> makeDatabase(std::string url, std::vector<store::Migration> migrations) {
  auto const executor = co_await asio::this_coro::executor;
  store::Options options;
  options.url = std::move(url);
  CO_TRY(opened, co_await store::Store::open(executor, std::move(options), std::move(migrations)));
  co_return co_await opened->close();
}

TEST(Garlandd, CheckTellsThatDaemonsOfBeforeAMigrationCannotGoOn) {
  TestFolder folder;
  auto before_leases = allMigrations();
  std::erase_if(before_leases, [](store::Migration const& each) { return each.version >= 17; });
  asio::io_context loop;
  asio::co_spawn(loop, makeDatabase("sqlite:" + (folder / "garland.db"), std::move(before_leases)),
                 [](std::exception_ptr, Result<void> made) { EXPECT_TRUE(made) << made.error().message; });
  loop.run();
  Program check(folder / "log", {"--data-dir", folder.path(), "--check", "--json", "--port", "0"});
  (void)check.exitCode(); // plugins may not be built
  EXPECT_NE(check.log().find("brings its tables to this version"), std::string::npos) << check.log();
  EXPECT_NE(check.log().find("at work on it must be stopped before"), std::string::npos) << check.log();
}

TEST(Garlandd, CheckOnlyLooks) {
  TestFolder folder;
  auto const data_dir = folder / "not-there-yet";
  Program fresh(folder / "log", {"--data-dir", data_dir, "--check", "--json", "--port", "0"});
  (void)fresh.exitCode(); // plugins may not be built
  EXPECT_FALSE(fs::exists(data_dir));
  EXPECT_NE(fresh.log().find("the first start makes it in the data folder"), std::string::npos);
}

} // namespace
} // namespace garland::daemon
