// The real program: started, asked, stopped, started twice, killed.
#include "host/custody/mover.h"
#include "host/daemon/rooms.h"
#include "host/daemon/testing/program.h"
#include "host/store/store.h"
#include "host/sync/sync.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <poll.h>
#include <set>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;

using testing::awaitReady;
using testing::onFolder;
using testing::Program;
using testing::readAll;

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

} // namespace
} // namespace garland::daemon
