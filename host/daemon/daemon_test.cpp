// The real program: started, asked, stopped, started twice, started wrongly.
#include "host/base/json.h"
#include "host/base/test_folder.h"
#include "host/custody/mover.h"
#include "host/daemon/checks.h"
#include "host/daemon/daemon.h"
#include "host/store/store.h"
#include "host/sync/sync.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <poll.h>
#include <set>

extern char** environ;

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;

std::string readAll(fs::path const& path) {
  std::ifstream in(path);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

// garlandd as a child; its standard output and error go to a file.
class Program {
public:
  Program(fs::path log, std::vector<std::string> arguments) : log_(std::move(log)) {
    arguments.insert(arguments.begin(), GARLANDD);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    EXPECT_EQ(::posix_spawn(&pid_, GARLANDD, &actions, nullptr, argv.data(), environ), 0);
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
ReadyFile awaitReady(fs::path const& folder) {
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

std::vector<std::string> onFolder(TestFolder const& folder) {
  return {"--data-dir", folder.path(), "--port", "0"};
}

TEST(Garlandd, ListensSaysSoAndStopsCleanlyOnSigterm) {
  TestFolder folder;
  Program daemon(folder / "log", onFolder(folder));
  auto const ready = awaitReady(folder.path());
  EXPECT_EQ(ready.pid, daemon.pid());
  EXPECT_EQ(ready.address, "127.0.0.1");
  for (auto const& name : {"api.key", "master.key"}) {
    struct stat info{};
    ASSERT_EQ(::stat((folder / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << name;
  }
  daemon.signal(SIGHUP); // takes over the installed plugins; it must not end the daemon
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.exitCode(), 0) << daemon.log();
  EXPECT_FALSE(readReadyFile(folder.path()).has_value());
  EXPECT_EQ(daemon.log().find(readAll(folder / "api.key").substr(0, 20)), std::string::npos);
}

// One request, and what has come until the mark; the socket stays open.
class Visitor {
public:
  Visitor(TestFolder const& folder, ReadyFile const& ready) : folder_(folder), port_(ready.port) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), ready.port});
  }
  void ask(std::string const& method, std::string const& path, std::string const& body = "") {
    auto key = readAll(folder_ / "api.key");
    key.erase(key.find_last_not_of("\r\n") + 1);
    auto const text = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
                      "\r\nAuthorization: Bearer " + key +
                      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                      "\r\n\r\n" + body;
    asio::write(socket_, asio::buffer(text));
  }
  std::string until(std::string_view mark) {
    while (seen_.find(mark) == std::string::npos) {
      char chunk[4096];
      boost::system::error_code failed;
      auto const count = socket_.read_some(asio::buffer(chunk), failed);
      if (failed) break;
      seen_.append(chunk, count);
    }
    return seen_;
  }

private:
  TestFolder const& folder_;
  unsigned short port_;
  asio::io_context loop_;
  asio::ip::tcp::socket socket_{loop_};
  std::string seen_;
};

TEST(Garlandd, WithSomebodyFollowingItStopsAtOnceAndSaysSo) {
  TestFolder folder;
  Program daemon(folder / "log", onFolder(folder));
  auto const ready = awaitReady(folder.path());
  Visitor maker(folder, ready);
  maker.ask("POST", "/api/integrations/vendors", R"({"name":"Rosa"})");
  auto const answer = maker.until("ven_");
  auto const vendor = answer.substr(answer.find("ven_"), 30);
  Visitor follower(folder, ready);
  follower.ask("GET", "/api/integrations/stream?vendor_id=" + vendor);
  EXPECT_NE(follower.until("id: 0\n\n").find("200 OK"), std::string::npos);
  daemon.signal(SIGTERM);
  EXPECT_NE(follower.until("event: end").find("stopping"), std::string::npos);
  EXPECT_EQ(daemon.exitCode(), 0) << daemon.log();
  EXPECT_EQ(daemon.log().find("cut off"), std::string::npos) << daemon.log();
}

TEST(Garlandd, ASecondSignalEndsItAtOnce) {
  TestFolder folder;
  Program daemon(folder / "log", onFolder(folder));
  awaitReady(folder.path());
  daemon.signal(SIGTERM);
  daemon.signal(SIGINT); // another number, so that the kernel cannot merge the two
  EXPECT_EQ(daemon.exitCode(), 1) << daemon.log();
  EXPECT_NE(daemon.log().find("second signal"), std::string::npos) << daemon.log();
}

TEST(Garlandd, StartsAgainOnWhatItLeft) {
  TestFolder folder;
  for (int round = 0; round < 2; ++round) {
    Program daemon(folder / "log", onFolder(folder));
    awaitReady(folder.path());
    daemon.signal(SIGINT);
    EXPECT_EQ(daemon.exitCode(), 0) << daemon.log();
  }
}

TEST(Garlandd, AfterSigkillTheNextOneStarts) {
  TestFolder folder;
  {
    Program daemon(folder / "log", onFolder(folder));
    awaitReady(folder.path());
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.exitCode(), 128 + SIGKILL);
  }
  removeReadyFile(folder.path()); // it is stale; awaitReady must see the new one
  Program daemon(folder / "log", onFolder(folder));
  EXPECT_EQ(awaitReady(folder.path()).pid, daemon.pid());
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.exitCode(), 0);
}

TEST(Garlandd, TwiceOnOneFolderIsRefusedWithTheOnesProcess) {
  TestFolder folder;
  Program first(folder / "log", onFolder(folder));
  awaitReady(folder.path());
  Program second(folder / "log2", onFolder(folder));
  EXPECT_EQ(second.exitCode(), 3);
  EXPECT_NE(second.log().find("process " + std::to_string(first.pid())), std::string::npos) << second.log();
  EXPECT_TRUE(readReadyFile(folder.path()).has_value()); // the second one must not remove it
  first.signal(SIGTERM);
  EXPECT_EQ(first.exitCode(), 0);
}

TEST(Garlandd, TwiceOnOneDatabaseFileIsRefused) {
  TestFolder folder;
  TestFolder other;
  Program first(folder / "log", onFolder(folder));
  awaitReady(folder.path());
  auto arguments = onFolder(other);
  arguments.insert(arguments.end(), {"--database", "sqlite:" + (folder / "garland.db")});
  Program second(other / "log", arguments);
  EXPECT_EQ(second.exitCode(), 3);
  EXPECT_NE(second.log().find("garland.db"), std::string::npos) << second.log();
  first.signal(SIGTERM);
  EXPECT_EQ(first.exitCode(), 0);
}

Task<void> put(std::string url, store::Statement statement) {
  auto const executor = co_await asio::this_coro::executor;
  store::Options options;
  options.url = std::move(url);
  CO_TRY(opened, co_await store::Store::open(executor, std::move(options), allMigrations()));
  store::Unit unit;
  unit.push_back(std::move(statement));
  CO_TRY_VOID(co_await opened->commit(std::move(unit)));
  co_return co_await opened->close();
}

TEST(Garlandd, ALostMasterKeyIsNotReplacedWhileTheDatabaseNeedsIt) {
  TestFolder folder;
  auto const key = folder / "master.key";
  auto const database = folder / "garland.db";
  auto const run = [&] {
    Program daemon(folder / "log", onFolder(folder));
    awaitReady(folder.path());
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.exitCode(), 0) << daemon.log();
  };
  run();
  asio::io_context loop;
  store::Statement credential("INSERT INTO credentials VALUES ('ven_1','con_1','login','sealed')");
  asio::co_spawn(loop, put("sqlite:" + database, std::move(credential)),
                 [](std::exception_ptr, Result<void> done) { EXPECT_TRUE(done) << done.error().message; });
  loop.run();
  fs::remove(key);
  Program daemon(folder / "log", onFolder(folder));
  EXPECT_EQ(daemon.exitCode(), 3);
  EXPECT_NE(daemon.log().find("master key file " + key + " is missing"), std::string::npos) << daemon.log();
  EXPECT_NE(daemon.log().find(database), std::string::npos) << daemon.log();
  EXPECT_FALSE(fs::exists(key));
}

// Until something was written to the file so often, or nothing is for two seconds.
void awaitWrites(std::string const& file, int count) {
  int const watch = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(watch, file.c_str(), IN_MODIFY);
  for (int seen = 0; seen < count; ++seen) {
    pollfd event{watch, POLLIN, 0};
    inotify_event one{};
    if (::poll(&event, 1, 2'000) <= 0 || ::read(watch, &one, sizeof one) <= 0) break;
  }
  ::close(watch);
}

// What the database of a daemon that was killed holds, by the parts that a daemon has.
class Remains {
public:
  explicit Remains(std::string const& folder) {
    store::Options options;
    options.url = "sqlite:" + folder + "/garland.db";
    store_ = run(store::Store::open(loop_.get_executor(), std::move(options), allMigrations())).value();
  }
  ~Remains() { EXPECT_TRUE(run(store_->close())); }
  Remains(Remains const&) = delete;
  Remains& operator=(Remains const&) = delete;

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(loop_, std::move(task),
                   [&](std::exception_ptr, Result<T> result) { out = std::move(result); });
    loop_.restart();
    while (!out) loop_.run_one();
    return std::move(*out);
  }
  void write(store::Unit unit) { EXPECT_TRUE(run(store_->commit(std::move(unit)))); }
  // How many secrets this vault can open.
  int openedBy(vault::Vault& vault) {
    int count = 0;
    store::Statement query("SELECT sealed FROM credentials");
    for (auto const& row : run(store_->read(std::move(query))).value().rows)
      count += vault.open(row.text(0), "place") ? 1 : 0;
    return count;
  }
  std::set<std::string> tablesWith(std::string const& column) {
    std::set<std::string> names;
    store::Statement query("SELECT m.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c "
                           "WHERE m.type='table' AND c.name=$1",
                           {column});
    for (auto const& row : run(store_->read(std::move(query))).value().rows) names.insert(row.text(0));
    return names;
  }
  custody::Dependencies with(vault::Vault& vault) {
    return custody::Dependencies{loop_.get_executor(),
                                 loop_.get_executor(),
                                 clock_,
                                 random_,
                                 log_,
                                 *store_,
                                 vault,
                                 allSecretTables(),
                                 ""};
  }

private:
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::error, [](std::string_view) {}};
  std::unique_ptr<store::Store> store_;
};

TEST(Garlandd, KilledAgainAndAgainInTheMiddleOfARekeyItLosesNoSecret) {
  constexpr int secrets = 2'000;
  TestFolder folder;
  SystemRandom random;
  auto const keyAt = [&](char const* name) { return vault::keySourceNamed(folder / name).value(); };
  auto const old_key = vault::Vault::open({keyAt("master.key")}, true, random).value();
  auto const new_key = vault::Vault::open({keyAt("new.key")}, true, random).value();
  auto const both = vault::Vault::open({keyAt("new.key"), keyAt("master.key")}, false, random).value();
  std::ofstream(folder / "garland.toml")
      << "[vault]\nmaster_key = \"new.key\"\nold_keys = [\"master.key\"]\n";
  {
    Remains remains(folder.path());
    store::Unit unit;
    for (int i = 0; i < secrets; ++i)
      unit.push_back({"INSERT INTO credentials VALUES ('ven_1',$1,'login',$2)",
                      {"con_" + std::to_string(i), old_key->seal(Secret("hunter2"), "place").value()}});
    remains.write(std::move(unit));
    auto const with = remains.with(*both);
    EXPECT_TRUE(remains.run(custody::Moves(with).begin(both->keyId())));
  }
  auto arguments = onFolder(folder);
  arguments.insert(arguments.end(), {"--config", folder / "garland.toml"});
  for (int life = 0; life < 5; ++life) {
    Program daemon(folder / "log", arguments); // goes on by itself
    awaitReady(folder.path());
    awaitWrites(folder / "garland.db-wal", 20);
    daemon.signal(SIGKILL);
    daemon.exitCode();
    removeReadyFile(folder.path());
    Remains remains(folder.path());
    ASSERT_EQ(remains.openedBy(*both), secrets) << "life " << life;
  }
  Remains remains(folder.path());
  EXPECT_GT(remains.openedBy(*new_key), 0) << "they moved none";
  auto const with = remains.with(*both);
  custody::Mover mover(with);
  while (remains.run(mover.step()).value() != custody::Step::ended) {
  }
  EXPECT_EQ(remains.run(custody::Moves(with).to(both->keyId())).value()->move.state,
            custody::MoveState::done);
  EXPECT_EQ(remains.openedBy(*new_key), secrets);
  EXPECT_EQ(remains.openedBy(*old_key), 0);
}

TEST(Garlandd, TheAuditChainGoesOnUnderTheNewMasterKeyAlone) {
  TestFolder folder;
  auto const runOnce = [&](std::vector<std::string> const& more) {
    auto arguments = onFolder(folder);
    arguments.insert(arguments.end(), more.begin(), more.end());
    Program daemon(folder / "log", arguments);
    awaitReady(folder.path());
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.exitCode(), 0) << daemon.log();
  };
  runOnce({});
  SystemRandom random;
  auto const keyAt = [&](char const* name) { return vault::keySourceNamed(folder / name).value(); };
  auto const both = vault::Vault::open({keyAt("new.key"), keyAt("master.key")}, true, random).value();
  {
    Remains remains(folder.path());
    auto const with = remains.with(*both);
    EXPECT_TRUE(remains.run(custody::Moves(with).begin(both->keyId())));
    custody::Mover mover(with);
    while (remains.run(mover.step()).value() != custody::Step::ended) {
    }
  }
  fs::remove(folder / "master.key");
  std::ofstream(folder / "garland.toml") << "[vault]\nmaster_key = \"new.key\"\n";
  runOnce({"--config", folder / "garland.toml"});
}

TEST(Garlandd, EveryTableWithSealedTextIsKnownToCustody) {
  TestFolder folder;
  Remains remains(folder.path());
  std::set<std::string> known;
  for (auto const& table : allSecretTables())
    if (table.sealed) known.insert(table.name);
  EXPECT_EQ(remains.tablesWith("sealed"), known);
}

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
