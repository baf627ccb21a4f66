// A connector is replaced while the daemon runs: by command, by signal, under load, downwards, and before
// a kill -9.
#include "tests/end_to_end/studio_fixture.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <future>

namespace garland::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char const* kConnector = "garland.caldav";
constexpr int kArchive = 300;

std::string inVersion(std::string bytes, std::string const& version) {
  std::string const built = "1.0.0";
  EXPECT_EQ(version.size(), built.size());
  int places = 0;
  for (auto at = bytes.find(built); at != std::string::npos;
       at = bytes.find(built, at + built.size()), ++places)
    bytes.replace(at, built.size(), version);
  EXPECT_GE(places, 1) << "the connector does not say that it is 1.0.0";
  return bytes;
}

// Requests that are held until the test lets them go.
class Held {
public:
  bool isFirst() { return !taken_.exchange(true); }
  void hold() {
    arrived_.set_value();
    go_.get_future().wait();
  }
  bool waitForIt() {
    return arrived_.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready;
  }
  void letGo() { go_.set_value(); }

private:
  std::atomic<bool> taken_{false};
  std::promise<void> arrived_;
  std::promise<void> go_;
};

class Upgrade : public Studio {
protected:
  void SetUp() override {
    install("1.0.0");
    writeFile(host_.configFile(),
              readFile(host_.configFile()) + "[plugins]\ndirs = [\"" + host_.folder() + "/plugins\"]\n");
    Studio::SetUp();
  }
  // The connector of this build, called another version; as a package manager does it, file by file.
  void install(std::string const& version) const {
    auto const from = binFolder() + "/../plugins/" + kConnector;
    auto const to = host_.folder() + "/plugins/" + kConnector;
    std::filesystem::create_directories(to);
    for (auto const* file : {"/connector.so", "/connector.json"})
      writeFile(to + file, inVersion(readFile(from + file), version));
  }
  json::value rescan(int expected_exit = 0) {
    auto const answer = host_.ask({"plugins", "rescan"}, expected_exit);
    auto const* item = find(answer, "/items/0");
    return item ? *item : answer;
  }
  // Of the workers that take new calls.
  std::string runs() {
    for (auto const& worker : find(shown_ = host_.ask({"plugins", "show", "caldav"}), "/workers")->as_array())
      if (textOr(worker, "/state", "") != "draining") return textOr(worker, "/version", "");
    return "none";
  }
  bool drains(std::string const& version) {
    for (auto const& worker : find(shown_ = host_.ask({"plugins", "show", "caldav"}), "/workers")->as_array())
      if (textOr(worker, "/state", "") == "draining" && textOr(worker, "/version", "") == version)
        return true;
    return false;
  }
  json::value ended(std::string const& connection) {
    json::value run;
    auto const over = [&] { return !textOr(run = lastRun(connection), "/finished", "").empty(); };
    EXPECT_TRUE(eventually(over, 60));
    return run;
  }

  json::value shown_;
};

TEST_F(Upgrade, UnderLoadLosesNothingAndDoublesNothing) {
  addArchive(kArchive);
  auto const connection = connectStudio();
  Held held;
  proxy_->setRule([&](SeenRequest const& request) -> std::string {
    if (request.method == "REPORT" && request.body.find("multiget") != std::string::npos && held.isFirst())
      held.hold();
    return FaultProxy::kPass;
  });
  ASSERT_EQ(host_.run({"sync", "run", connection, "--no-wait"}).exit_code, 0);
  ASSERT_TRUE(held.waitForIt());
  install("1.0.1");
  auto const taken = rescan();
  EXPECT_EQ(textOr(taken, "/outcome", ""), "upgraded") << canonicalJson(taken);
  EXPECT_EQ(textOr(taken, "/version", ""), "1.0.1");
  EXPECT_TRUE(drains("1.0.0")) << canonicalJson(shown_);
  EXPECT_EQ(runs(), "1.0.1");
  held.letGo();
  auto const run = ended(connection);
  EXPECT_EQ(textOr(run, "/state", ""), "done") << canonicalJson(run);
  EXPECT_EQ(number(run, "/worker_restarts"), 0);
  EXPECT_EQ(number(run, "/pulled/created"), kArchive);
  EXPECT_EQ(uids().size(), static_cast<std::size_t>(kArchive));
  EXPECT_TRUE(eventually([&] { return !drains("1.0.0"); })) << canonicalJson(shown_);
  auto const quiet = host_.ask({"sync", "run", connection});
  EXPECT_EQ(number(quiet, "/pulled/created") + number(quiet, "/pulled/updated"), 0) << canonicalJson(quiet);
  EXPECT_EQ(runs(), "1.0.1");
}

TEST_F(Upgrade, AWriteThatIsUnderWayIsSentOnce) {
  addEvents(3);
  auto const connection = connectStudio();
  host_.ask({"sync", "run", connection});
  auto const chosen = host_.records(vendor_)[0];
  host_.ask(
      {"records", "edit", textOr(chosen, "/id", ""), "--vendor", vendor_, "--set", "/title=Edited here"});
  Held held;
  proxy_->setRule([&](SeenRequest const& request) -> std::string {
    if (request.method == "PUT" && held.isFirst()) held.hold();
    return FaultProxy::kPass;
  });
  ASSERT_EQ(host_.run({"sync", "run", connection, "--no-wait"}).exit_code, 0);
  ASSERT_TRUE(held.waitForIt());
  install("1.0.1");
  EXPECT_EQ(textOr(rescan(), "/outcome", ""), "upgraded");
  held.letGo();
  auto const run = ended(connection);
  EXPECT_EQ(textOr(run, "/state", ""), "done") << canonicalJson(run);
  EXPECT_EQ(number(run, "/pushed/updated"), 1);
  int puts = 0;
  for (auto const& request : proxy_->seen()) puts += request.method == "PUT" ? 1 : 0;
  EXPECT_EQ(puts, 1);
  EXPECT_NE(server_->get(calendar_ + textOr(chosen, "/data/uid", "") + ".ics").find("SUMMARY:Edited here"),
            std::string::npos);
}

TEST_F(Upgrade, SighupTakesOverWhatIsInstalled) {
  install("1.0.1");
  host_.daemon().signal(SIGHUP);
  auto const told = [this] {
    return host_.log().find("garland.caldav 1.0.1 takes new calls") != std::string::npos;
  };
  EXPECT_TRUE(eventually(told)) << host_.log();
  EXPECT_EQ(textOr(rescan(), "/outcome", ""), "unchanged");
  EXPECT_EQ(textOr(host_.ask({"plugins", "show", "caldav"}), "/version", ""), "1.0.1");
  install("1.0.0");
  host_.daemon().signal(SIGHUP);
  auto const refused = [this] { return host_.log().find("1.0.0 is older than 1.0.1") != std::string::npos; };
  EXPECT_TRUE(eventually(refused)) << host_.log();
  for (auto const* act : {"plugin.upgraded", "plugin.refused"})
    EXPECT_TRUE(eventually([&] {
      return host_.run({"audit", "export"}).out.find("\"act\":\"" + std::string(act) + "\"") !=
             std::string::npos;
    })) << act;
  EXPECT_EQ(host_.stop(), 0) << host_.log();
}

TEST_F(Upgrade, ADowngradeIsRefusedInOneSentenceUnlessItIsAsked) {
  install("1.0.1");
  auto const up = host_.run({"plugins", "rescan"});
  EXPECT_EQ(up.exit_code, 0) << up.out << up.err;
  EXPECT_THAT(up.out, AllOf(HasSubstr("upgraded"), HasSubstr("1.0.1")));
  install("1.0.0");
  auto const refused = rescan(1);
  EXPECT_EQ(textOr(refused, "/outcome", ""), "refused") << canonicalJson(refused);
  EXPECT_EQ(textOr(refused, "/version", ""), "1.0.1");
  auto const words = textOr(refused, "/message", "");
  EXPECT_THAT(words, AllOf(HasSubstr("1.0.0 is older than 1.0.1"), HasSubstr("--allow-downgrade"),
                           HasSubstr("1.0.1 goes on")));
  EXPECT_EQ(words.find(". "), std::string::npos) << "more than one sentence: " << words;
  EXPECT_EQ(words.find('\n'), std::string::npos) << words;
  auto const shown = host_.ask({"plugins", "show", "caldav"});
  EXPECT_EQ(textOr(shown, "/version", ""), "1.0.1");
  EXPECT_EQ(textOr(shown, "/installed_version", ""), "1.0.0");
  EXPECT_EQ(textOr(shown, "/refusal", ""), words);
  auto const down = host_.ask({"plugins", "rescan", "--allow-downgrade"});
  EXPECT_EQ(textOr(down, "/items/0/outcome", ""), "downgraded") << canonicalJson(down);
}

TEST_F(Upgrade, WhatWasTakenOverOutlivesAKill) {
  addEvents(3);
  auto const connection = connectStudio();
  install("1.0.1");
  EXPECT_EQ(textOr(rescan(), "/outcome", ""), "upgraded");
  host_.kill9();
  install("1.0.0"); // the installed files do not count: the newer build was kept
  host_.start();
  EXPECT_EQ(textOr(host_.ask({"sync", "run", connection}), "/state", ""), "done");
  EXPECT_EQ(runs(), "1.0.1") << canonicalJson(shown_);
}

// An interrupted copy, and a file that is gone: the build that runs goes on, also in the daemon's next life.
TEST_F(Upgrade, ADamagedFileStopsNoSync) {
  addEvents(3);
  auto const connection = connectStudio();
  auto const object = host_.folder() + "/plugins/" + kConnector + "/connector.so";
  auto const synced = [&] { return textOr(host_.ask({"sync", "run", connection}), "/state", ""); };
  EXPECT_EQ(synced(), "done");
  for (bool const gone : {false, true}) {
    if (gone)
      std::filesystem::remove(object);
    else
      std::filesystem::resize_file(object, 3000);
    EXPECT_EQ(textOr(rescan(1), "/outcome", ""), "refused");
    EXPECT_EQ(synced(), "done");
    EXPECT_EQ(host_.stop(), 0) << host_.log();
    host_.start();
    EXPECT_EQ(synced(), "done");
    EXPECT_EQ(runs(), "1.0.0") << canonicalJson(shown_);
    EXPECT_THAT(textOr(shown_, "/refusal", ""), HasSubstr("1.0.0 goes on"));
  }
  auto const doctor = host_.run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1) << doctor.out;
  EXPECT_THAT(doctor.out, HasSubstr("1.0.0 goes on"));
}

TEST_F(Upgrade, ThereIsNothingToReleaseWhereNothingIsInQuarantine) {
  auto const done = host_.run({"plugins", "release", "caldav"});
  EXPECT_EQ(done.exit_code, 1) << done.out << done.err;
  EXPECT_THAT(done.err, HasSubstr("is neither in quarantine nor half open"));
}

} // namespace
} // namespace garland::testing
