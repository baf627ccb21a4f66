// Another master key for a whole host, with the installed programs and on both databases: while accounts are
// used, with kill -9 on the way; and all that is sealed on its way to a second host.
#include "host/base/bytes.h"
#include "host/store/postgres_fixture.h"
#include "plugins/calendar/caldav/testing/caldav_servers.h"
#include "tests/end_to_end/haystack.h"

#include <gmock/gmock.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <thread>

namespace garland::testing {
namespace {

namespace fs = std::filesystem;
using caldav::testing::CaldavServer;
using caldav::testing::ServerKind;
using ::testing::HasSubstr;

constexpr int kSecrets = 3'000; // of endpoints: enough that the daemon is killed in the middle

store::PostgresFixture& postgres() {
  static auto started = store::PostgresFixture::start();
  if (!started) throw std::runtime_error(started.error().message);
  return **started;
}

class VaultEndToEnd : public ::testing::TestWithParam<bool> {
protected:
  static std::string database() { return GetParam() ? postgres().freshDatabase().value() : std::string(); }
  void SetUp() override {
    host_.start();
    vendor_ = host_.addVendor("Studio Finch");
    for (auto const& server : servers_) {
      server->makeCalendar("weddings");
      accounts_.push_back(host_.connect(vendor_, server->url(), server->username(), server->password()));
    }
  }
  static bool syncs(Host& host, std::string const& account) {
    return textOr(host.ask({"sync", "run", account}), "/state", "") == "done";
  }
  void expectEveryAccountSyncs(Host& host) {
    for (auto const& account : accounts_) EXPECT_TRUE(syncs(host, account)) << host.log();
  }

  TestFolder files_;
  std::vector<std::unique_ptr<CaldavServer>> servers_ = [] {
    std::vector<std::unique_ptr<CaldavServer>> two;
    for (int i = 0; i < 2; ++i) two.push_back(CaldavServer::start(ServerKind::radicale));
    return two;
  }();
  Host host_{database(), "[endpoints]\nper_vendor = 10000\n"};
  std::string vendor_;
  std::vector<std::string> accounts_;
};

// Uses the accounts one after another, as long as it lives: every sync opens a secret.
class Users {
public:
  Users(Host const& host, std::vector<std::string> accounts)
      : folder_(host.dataFolder()), accounts_(std::move(accounts)), using_([this] { use(); }) {}
  ~Users() { end(); }
  void end() {
    enough_ = true;
    if (using_.joinable()) using_.join();
  }
  int served() const { return served_; }
  int unreached() const { return unreached_; }
  std::string const& refusals() const { return refusals_; } // after end()

private:
  void use() {
    for (std::size_t i = 0; !enough_; ++i) {
      auto const done = runProgram(
          {binFolder() + "/garland", "--data-dir", folder_, "sync", "run", accounts_[i % accounts_.size()]},
          {}, "");
      bool const unreached = done.err.find("no daemon answers") != std::string::npos ||
                             done.err.find("If it was not ended just then") != std::string::npos;
      if (done.exit_code == 0) ++served_;
      if (done.exit_code != 0 && unreached) ++unreached_; // or it was killed while it answered
      if (done.exit_code != 0 && !unreached) refusals_ += done.out + done.err;
    }
  }

  std::string const folder_;
  std::vector<std::string> const accounts_;
  std::atomic<bool> enough_ = false;
  std::atomic<int> served_ = 0;
  std::atomic<int> unreached_ = 0;
  std::string refusals_;
  std::thread using_;
};

class AnotherMasterKey : public VaultEndToEnd {
protected:
  // Many secrets, by one client that asks the same again and again: the fragment is not sent.
  void addSecrets() {
    auto const key = readFile(host_.dataFolder() + "/api.key");
    auto const vendor = textOr(host_.ask({"vendors", "add", "Many"}), "/id", "");
    auto const done = runProgram(
        {"curl", "-s", "-Z", "--parallel-max", "50", "-o", "/dev/null", "-H",
         "Authorization: Bearer " + key.substr(0, key.find('\n')), "-H", "Content-Type: application/json",
         "-d", R"({"url":"https://studio.example/hook","vendor_id":")" + vendor + "\"}",
         host_.url() + "/api/integrations/endpoints#[1-" + std::to_string(kSecrets) + "]"},
        {}, "");
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_GE(left(status()), kSecrets);
  }
  // Stopped, with these lines under [vault], and started.
  void startWith(std::string const& vault) {
    EXPECT_EQ(host_.stop(), 0) << host_.log();
    writeFile(host_.configFile(), settings_ + "[vault]\n" + vault);
    host_.start();
  }
  json::value status() {
    auto parsed = parseJson(host_.run({"vault", "status", "--json"}).out);
    return parsed ? std::move(*parsed) : json::value();
  }
  static std::string state(json::value const& status) { return textOr(status, "/move/state", ""); }
  // Secrets that are not under the key `seals`; all of them if that is "".
  static std::int64_t left(json::value const& status, std::string const& seals = "") {
    std::int64_t count = 0;
    for (auto const& key : status.at("keys").as_array())
      if (textOr(key, "/id", "") != seals) count += integerOr(key, "/secrets", 0);
    return count;
  }
  // Killed once more of them were moved than before, and while some are left.
  void killInTheMiddle(std::string const& to, std::int64_t& before) {
    json::value now;
    EXPECT_TRUE(eventually([&] { return left(now = status(), to) < before || state(now) != "running"; }));
    EXPECT_EQ(state(now), "running") << "it ended before it could be killed: " << canonicalJson(now);
    before = left(now, to);
    EXPECT_GT(before, 0);
    host_.kill9();
  }

  std::string const settings_ = readFile(host_.configFile());
};

TEST_P(AnotherMasterKey, IsTakenWhileAccountsAreUsedHoweverOftenTheDaemonIsKilled) {
  addSecrets();
  auto const fresh = host_.dataFolder() + "/fresh.key";
  startWith("master_key = \"" + fresh + "\"\nold_keys = [\"" + host_.dataFolder() + "/master.key\"]\n");
  auto const to = textOr(status(), "/keys/0/id", "");
  auto under_the_old = left(status(), to);
  EXPECT_GE(under_the_old, kSecrets);
  Users users(host_, accounts_);
  ASSERT_EQ(host_.run({"vault", "rekey", "--no-wait"}).exit_code, 0);
  for (int i = 0; i < 3; ++i) {
    killInTheMiddle(to, under_the_old);
    host_.start();
  }
  json::value ended;
  EXPECT_TRUE(eventually([&] { return state(ended = status()) == "done"; }, 60)) << canonicalJson(ended);
  EXPECT_EQ(left(ended, to), 0) << canonicalJson(ended);
  int const meanwhile = users.served();
  EXPECT_TRUE(eventually([&] { return users.served() > meanwhile; }));
  users.end();
  std::cout << users.served() << " syncs were served, " << users.unreached()
            << " found no daemon or were cut off by its end\n";
  EXPECT_EQ(users.refusals(), "");

  fs::remove(host_.dataFolder() + "/master.key");
  startWith("master_key = \"" + fresh + "\"\n");
  EXPECT_EQ(status().at("keys").as_array().size(), 1U) << canonicalJson(status());
  expectEveryAccountSyncs(host_);
  EXPECT_TRUE(host_.ask({"audit", "verify"}).at("sound").as_bool());
}

// A master key that is in no file of the host: what gives it, as garland.toml names it, and what the daemon
// finds in its environment.
struct KeyFromOutside {
  std::string named;
  std::map<std::string, std::string> environment;
};

class MasterKeyFromOutside : public ::testing::TestWithParam<std::string> {
protected:
  KeyFromOutside from(std::string const& way, std::string const& key) {
    auto const file = files_ / "garland.key";
    writeFile(file, key + "\n");
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    if (way == "variable") return {"\"env:GARLAND_TEST_KEY\"", {{"GARLAND_TEST_KEY", key}}};
    if (way == "credential")
      return {"\"credential:garland.key\"", {{"CREDENTIALS_DIRECTORY", files_.path()}}};
    return {R"(["/bin/cat", ")" + file + R"("])", {}};
  }

  TestFolder files_;
  std::unique_ptr<CaldavServer> const server_ = CaldavServer::start(ServerKind::radicale);
};

TEST_P(MasterKeyFromOutside, OpensAfterARestartWhatWasSealedBeforeIt) {
  std::string const key = "7d1f0a6be2c94358a1b0c7d6e5f4938271605f4e3d2c1b0a99887766554433ef";
  auto const source = from(GetParam(), key);
  Host host("", "[vault]\nmaster_key = " + source.named + "\n");
  host.start(source.environment);
  server_->makeCalendar("weddings");
  auto const account =
      host.connect(host.addVendor("Studio Finch"), server_->url(), server_->username(), server_->password());
  EXPECT_EQ(host.stop(), 0) << host.log();
  host.start(source.environment);
  EXPECT_EQ(textOr(host.ask({"sync", "run", account}), "/state", ""), "done");

  Haystack all;
  all.addFolder("folder", host.folder());
  auto const process = "/proc/" + std::to_string(host.daemon().pid());
  all.add("environment", readFile(process + "/environ"));
  all.add("command line", readFile(process + "/cmdline"));
  if (::geteuid() == 0)
    EXPECT_THAT(all.at("environment"), HasSubstr("PATH=")); // others may not read it at all
  EXPECT_THAT(all.placesOf(key), ::testing::IsEmpty());
  EXPECT_THAT(all.placesOf(fromHex(key).value()), ::testing::IsEmpty());
  EXPECT_FALSE(fs::exists(host.dataFolder() + "/master.key"));

  EXPECT_EQ(host.stop(), 0);
  auto const other = from(GetParam(), std::string(64, '7'));
  auto const refused =
      runProgram({binFolder() + "/garlandd", "--config", host.configFile()}, other.environment, "");
  EXPECT_EQ(refused.exit_code, 3) << "another key opens nothing here";
}

INSTANTIATE_TEST_SUITE_P(Given, MasterKeyFromOutside, ::testing::Values("variable", "credential", "command"),
                         [](auto const& given) { return given.param; });

TEST_P(VaultEndToEnd, AnExportIsUsedByASecondHost) {
  auto const file = files_ / "vault.garland";
  auto const phrase = files_ / "phrase";
  writeFile(phrase, "correct horse battery staple\n");
  auto const made = host_.run({"vault", "export", file, "--passphrase-file", phrase});
  ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
  EXPECT_EQ(host_.stop(), 0);

  Host second(database());
  second.start();
  writeFile(phrase, "another horse battery staple\n");
  EXPECT_EQ(second.run({"vault", "import", file, "--passphrase-file", phrase}).exit_code, 1);
  writeFile(phrase, "correct horse battery staple\n");
  auto const taken = second.run({"vault", "import", file, "--passphrase-file", phrase});
  ASSERT_EQ(taken.exit_code, 0) << taken.out << taken.err;
  EXPECT_THAT(taken.out, HasSubstr("connections: 2 added"));
  EXPECT_EQ(second.stop(), 0);
  second.start();
  expectEveryAccountSyncs(second);
  EXPECT_NE(readFile(second.dataFolder() + "/master.key"), readFile(host_.dataFolder() + "/master.key"));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, VaultEndToEnd, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Postgresql, VaultEndToEnd, ::testing::Values(true));
INSTANTIATE_TEST_SUITE_P(Sqlite, AnotherMasterKey, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Postgresql, AnotherMasterKey, ::testing::Values(true));

} // namespace
} // namespace garland::testing
