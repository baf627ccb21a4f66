// A whole host, backed up while it is written to and made anew elsewhere, with the installed programs: on
// both databases, with kill -9 on the way, with what is damaged and with a wrong passphrase.
#include "host/store/postgres_fixture.h"
#include "tests/end_to_end/haystack.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr char const* kPassphrase = "correct horse battery staple";
constexpr char const* kCanary = "canary-7f3a9b-of-the-settings";

store::PostgresFixture& server() {
  static auto started = store::PostgresFixture::start();
  if (!started) throw std::runtime_error(started.error().message);
  return **started;
}

class BackupEndToEnd : public ::testing::TestWithParam<bool> {
protected:
  static std::string database() { return GetParam() ? server().freshDatabase().value() : std::string(); }
  static std::string settings() { return std::string("# ") + kCanary + "\n"; }

  void SetUp() override {
    writeFile(phrase_, std::string(kPassphrase) + "\n");
    old_.start();
    for (int i = 0; i < 20; ++i) add("Studio " + std::to_string(i));
  }
  void add(std::string const& name) {
    vendors_.insert(textOr(old_.ask({"vendors", "add", name}), "/id", ""));
  }
  Finished backUp() { return old_.run({"backup", file_, "--passphrase-file", phrase_}); }
  std::vector<std::string> restoring() {
    return {"restore",           file_,  "--config", new_.configFile(), "--data-dir", new_.dataFolder(),
            "--passphrase-file", phrase_};
  }
  static std::set<std::string> vendorsOf(Host& host) {
    std::set<std::string> ids;
    auto const answer = host.ask({"vendors", "ls"});
    auto const& items = answer.is_array() ? answer.get_array() : answer.at("items").get_array();
    for (auto const& vendor : items) ids.insert(textOr(vendor, "/id", ""));
    return ids;
  }
  void expectVendors() {
    auto const there = vendorsOf(new_);
    for (auto const& id : vendors_) EXPECT_TRUE(there.contains(id)) << id;
  }
  static bool isEmpty(std::string const& folder) {
    for (auto const& entry : fs::directory_iterator(folder))
      if (auto const name = entry.path().filename().string();
          name != "garlandd.lock" && name != "garland.db.lock")
        return false;
    return true;
  }

  Host old_{database(), settings()};
  Host new_{database()};
  std::string const file_ = old_.folder() + "/host.backup";
  std::string const phrase_ = old_.folder() + "/phrase";
  std::set<std::string> vendors_; // that have to be there
};

TEST_P(BackupEndToEnd, AHostThatIsWrittenToIsMadeAnewElsewhere) {
  auto const endpoint =
      old_.ask({"endpoints", "add", "https://studio.example/hook", "--vendor", *vendors_.begin()});
  auto const secret = textOr(endpoint, "/secret", "");
  ASSERT_GT(secret.size(), 16U) << canonicalJson(endpoint);
  auto const moved = old_.run({"vault", "rekey"}); // to the key that seals already, which is recorded too
  EXPECT_THAT(moved.out, HasSubstr("all secrets were moved to"));
  std::atomic<bool> enough = false;
  std::atomic<int> written = 0;
  std::thread writing([&] {
    while (!enough) written += old_.run({"vendors", "add", "Meanwhile"}).exit_code == 0 ? 1 : 0;
  });
  EXPECT_TRUE(eventually([&] { return written > 2; }));
  auto const made = backUp();
  enough = true;
  writing.join();
  ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
  EXPECT_TRUE(fs::is_empty(old_.dataFolder() + "/exports"));
  EXPECT_TRUE(fs::exists(old_.dataFolder() + "/backup.stamp")) << "garland doctor goes by its time";
  old_.kill9();

  auto const key = readFile(old_.dataFolder() + "/api.key");
  Haystack unpacked;
  unpacked.addBackup(file_, "Studio 19");
  for (auto const& kept_apart :
       {std::string(kCanary), secret.substr(secret.find('_') + 1), key.substr(0, key.find('\n')),
        readFile(old_.dataFolder() + "/master.key"), std::string(kPassphrase)})
    EXPECT_THAT(unpacked.placesOf(kept_apart), ::testing::IsEmpty());

  auto const verified = old_.run({"backup", "verify", file_, "--passphrase-file", phrase_});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  auto const restored = new_.run(restoring());
  ASSERT_EQ(restored.exit_code, 0) << restored.out << restored.err;
  EXPECT_THAT(restored.out, HasSubstr("everything is sealed under that of this host now"));
  EXPECT_EQ(readFile(new_.dataFolder() + "/api.key"), key);
  EXPECT_THAT(readFile(new_.dataFolder() + "/restored/garland.toml"), HasSubstr(kCanary));
  new_.start();
  expectVendors();
  auto const vault = new_.run({"vault", "status"});
  EXPECT_EQ(vault.exit_code, 0) << "every secret is under a key that is here";
  EXPECT_THAT(vault.out, Not(HasSubstr("were moved to"))) << "a key that is not here any more";
  EXPECT_THAT(new_.log(), HasSubstr("this host was restored from a backup"));
  EXPECT_TRUE(new_.ask({"audit", "verify"}).at("sound").as_bool());
  new_.kill9();
  writeFile(new_.folder() + "/garlandd.log", "");
  new_.start();
  EXPECT_THAT(new_.log(), Not(HasSubstr("this host was restored"))) << "it is settled once";
}

TEST_P(BackupEndToEnd, WithTheMasterKeyNothingIsSealedAnew) {
  ASSERT_EQ(backUp().exit_code, 0);
  old_.kill9();
  fs::copy_file(old_.dataFolder() + "/master.key", new_.dataFolder() + "/master.key");
  auto const restored = new_.run(restoring());
  ASSERT_EQ(restored.exit_code, 0) << restored.out << restored.err;
  EXPECT_THAT(restored.out, Not(HasSubstr("sealed under")));
  new_.start();
  expectVendors();
}

TEST_P(BackupEndToEnd, ADaemonThatIsKilledOnTheWayLeavesNothingOfIt) {
  for (auto const wait : {0, 5, 20, 80, 300}) {
    Child making({binFolder() + "/garland", "backup", file_, "--passphrase-file", phrase_},
                 {{"GARLAND_URL", old_.url()}, {"GARLAND_KEY_FILE", old_.dataFolder() + "/api.key"}},
                 old_.folder() + "/making.log");
    auto const folder = old_.dataFolder() + "/exports";
    EXPECT_TRUE(
        eventually([&] { return !making.running() || (fs::exists(folder) && !fs::is_empty(folder)); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(wait)); // another place each time
    old_.kill9();
    making.wait();
    old_.start();
    for (auto const& entry : fs::directory_iterator(folder)) {
      auto const name = entry.path().filename().string();
      EXPECT_THAT(name, Not(HasSubstr(".parts")));
      EXPECT_THAT(name, Not(HasSubstr(".new")));
    }
    fs::remove_all(folder);
    if (fs::exists(file_)) EXPECT_EQ(old_.run({"backup", "verify", file_}).exit_code, 0);
    fs::remove(file_);
  }
  EXPECT_EQ(vendorsOf(old_), vendors_);
}

TEST_P(BackupEndToEnd, ARestoreThatIsKilledIsTypedAgain) {
  ASSERT_EQ(backUp().exit_code, 0);
  old_.kill9();
  auto words = restoring();
  words.insert(words.begin(), binFolder() + "/garland");
  int finished = 0;
  for (int wait = 0; wait < 2'000 && finished == 0; wait += 50) {
    Child restore(words, {}, new_.folder() + "/restore.log");
    std::this_thread::sleep_for(std::chrono::milliseconds(wait)); // another place each time
    restore.signal(SIGKILL);
    bool const said_so = restore.wait() == 0;
    bool const under_way = fs::exists(new_.dataFolder() + "/restore.unfinished");
    // Or it was killed when nothing was left to do but to say so.
    if (said_so || (!under_way && fs::exists(new_.dataFolder() + "/api.key"))) ++finished;
    if (!under_way) continue;
    auto const refused = runProgram({binFolder() + "/garlandd", "--config", new_.configFile()}, {}, "");
    EXPECT_EQ(refused.exit_code, 3);
    EXPECT_THAT(refused.err, HasSubstr("has not come to its end"));
  }
  if (finished == 0) {
    auto const restored = new_.run(restoring());
    ASSERT_EQ(restored.exit_code, 0) << restored.out << restored.err;
  }
  EXPECT_FALSE(fs::exists(new_.dataFolder() + "/restore.unfinished"));
  new_.start();
  expectVendors();
}

TEST_P(BackupEndToEnd, WhatIsDamagedOrOfAnotherPassphraseTouchesNothing) {
  ASSERT_EQ(backUp().exit_code, 0);
  auto const whole = readFile(file_);
  writeFile(phrase_, "another horse battery staple\n");
  EXPECT_EQ(old_.run({"backup", "verify", file_}).exit_code, 0);
  auto const wrong = new_.run(restoring());
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("passphrase is wrong"));
  EXPECT_EQ(old_.run({"backup", "verify", file_, "--passphrase-file", phrase_}).exit_code, 1);
  writeFile(phrase_, std::string(kPassphrase) + "\n");
  auto damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 1);
  writeFile(file_, damaged);
  EXPECT_EQ(old_.run({"backup", "verify", file_}).exit_code, 1);
  EXPECT_EQ(new_.run(restoring()).exit_code, 3);
  writeFile(file_, whole.substr(0, whole.size() * 3 / 4));
  EXPECT_EQ(new_.run(restoring()).exit_code, 3);
  EXPECT_TRUE(isEmpty(new_.dataFolder()));
  writeFile(file_, whole);
  EXPECT_EQ(new_.run(restoring()).exit_code, 0);
}

TEST_P(BackupEndToEnd, NothingThatIsThereIsReplaced) {
  ASSERT_EQ(backUp().exit_code, 0);
  EXPECT_THAT(backUp().err, HasSubstr("is there already"));
  new_.start();
  auto const mine = textOr(new_.ask({"vendors", "add", "Mine"}), "/id", "");
  EXPECT_THAT(new_.run(restoring()).err, HasSubstr("another garlandd")) << "while a daemon runs";
  EXPECT_EQ(new_.stop(), 0);
  EXPECT_THAT(new_.run(restoring()).err, HasSubstr("is not empty"));
  new_.start();
  EXPECT_EQ(vendorsOf(new_), std::set<std::string>{mine});
}

INSTANTIATE_TEST_SUITE_P(Sqlite, BackupEndToEnd, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Postgresql, BackupEndToEnd, ::testing::Values(true));

} // namespace
} // namespace garland::testing
