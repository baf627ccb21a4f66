// kill -9 at any moment: nothing lost, nothing twice, no secret left behind.
#include "host/base/test_spellings.h"
#include "tests/end_to_end/haystack.h"
#include "tests/end_to_end/studio_fixture.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

namespace garland::testing {
namespace {

using Crash = Studio;

constexpr int kArchive = 1200;

// Starts a sync and returns when it has done at least `done` events and still runs.
void syncUntil(Host& host, std::string const& connection, std::int64_t done) {
  ASSERT_EQ(host.run({"sync", "run", connection, "--no-wait"}).exit_code, 0);
  json::value run;
  auto const far_enough = [&] {
    run = *find(host.ask({"sync", "status", connection}), "/last_run");
    return number(run, "/progress/done") >= done || !textOr(run, "/finished", "").empty();
  };
  ASSERT_TRUE(eventually(far_enough, 60));
  ASSERT_EQ(textOr(run, "/state", ""), "running")
      << "it ended before it could be interrupted: " << canonicalJson(run);
}

TEST_F(Crash, KillingTheDaemonAgainAndAgainLosesNothingAndDoublesNothing) {
  addArchive(kArchive);
  auto const connection = connectStudio();
  for (int round = 1; round <= 3; ++round) {
    syncUntil(host_, connection, round * kArchive / 5);
    host_.kill9();
    host_.start();
  }
  auto const last = host_.ask({"sync", "run", connection});
  EXPECT_EQ(textOr(last, "/state", ""), "done") << canonicalJson(last);
  EXPECT_EQ(uids().size(), static_cast<std::size_t>(kArchive));
}

TEST_F(Crash, KillingTheWorkerInMidSyncCostsNothing) {
  addArchive(kArchive);
  auto const connection = connectStudio();
  syncUntil(host_, connection, kArchive / 4);
  auto const workers = host_.workers();
  ASSERT_FALSE(workers.empty());
  for (auto const worker : workers) ::kill(worker, SIGKILL);
  auto const run = host_.ask({"sync", "run", connection});
  EXPECT_GE(number(run, "/worker_restarts"), 1) << canonicalJson(run);
  EXPECT_EQ(textOr(run, "/state", ""), "done") << canonicalJson(run);
  EXPECT_EQ(uids().size(), static_cast<std::size_t>(kArchive));
}

TEST_F(Crash, SigtermDrainsAndTheNextStartGoesOn) {
  addArchive(kArchive);
  auto const connection = connectStudio();
  syncUntil(host_, connection, kArchive / 5);
  EXPECT_EQ(host_.stop(), 0) << host_.log();
  EXPECT_TRUE(host_.workers().empty());
  host_.start();
  EXPECT_EQ(textOr(host_.ask({"sync", "run", connection}), "/state", ""), "done");
  EXPECT_EQ(uids().size(), static_cast<std::size_t>(kArchive));
}

TEST_F(Crash, AnEditPushedJustBeforeTheDaemonDiesIsWrittenOnce) {
  addEvents(3);
  auto const connection = connectStudio();
  host_.ask({"sync", "run", connection});
  auto const chosen = host_.records(vendor_)[0];
  auto const record = textOr(chosen, "/id", "");
  auto const uid = textOr(chosen, "/data/uid", "");
  host_.ask({"records", "edit", record, "--vendor", vendor_, "--set", "/title=Edited here"});
  // The server takes the PUT, but the daemon dies before it hears of it.
  proxy_->setRule([this](SeenRequest const& request) -> std::string {
    if (request.method == "PUT") {
      putIcs(server_->url() + request.path.substr(1), request.body);
      host_.daemon().signal(SIGKILL);
      return FaultProxy::kCut;
    }
    return FaultProxy::kPass;
  });
  host_.run({"sync", "run", connection});
  host_.daemon().wait();
  proxy_->setRule(nullptr);
  host_.start();
  auto const run = host_.ask({"sync", "run", connection});
  EXPECT_EQ(textOr(run, "/state", ""), "done") << canonicalJson(run);
  EXPECT_NE(server_->get(calendar_ + uid + ".ics").find("SUMMARY:Edited here"), std::string::npos);
  int puts = 0;
  for (auto const& request : proxy_->seen()) puts += request.method == "PUT" ? 1 : 0;
  EXPECT_EQ(puts, 1) << "the write that had arrived was sent again";
  EXPECT_EQ(uids().size(), 3U);
  auto const quiet = host_.ask({"sync", "run", connection});
  EXPECT_EQ(number(quiet, "/pushed/updated"), 0) << canonicalJson(quiet);
  EXPECT_EQ(number(quiet, "/pulled/updated"), 0) << canonicalJson(quiet);
}

// Every readable and mapped byte of a process; "" where the kernel does not let us.
std::string memoryOf(pid_t pid) {
  std::string all;
  auto const maps = readFile("/proc/" + std::to_string(pid) + "/maps");
  FILE* const memory = std::fopen(("/proc/" + std::to_string(pid) + "/mem").c_str(), "rb");
  if (memory == nullptr) return all;
  for (std::size_t at = 0; at < maps.size(); at = maps.find('\n', at) + 1) {
    unsigned long begin = 0, end = 0;
    char readable = '-';
    if (std::sscanf(maps.c_str() + at, "%lx-%lx %c", &begin, &end, &readable) != 3 || readable != 'r')
      continue;
    std::string part(end - begin, '\0');
    if (::fseeko(memory, static_cast<off_t>(begin), SEEK_SET) != 0) continue;
    part.resize(std::fread(part.data(), 1, part.size(), memory));
    all += part;
  }
  std::fclose(memory);
  return all;
}

TEST_F(Crash, TheSecretIsNowhereButInTheVault) {
  addEvents(5);
  auto const connection = connectStudio();
  host_.ask({"sync", "run", connection});
  auto const canary = server_->password();
  auto const workers = host_.workers();
  ASSERT_FALSE(workers.empty());
  for (auto const worker : workers) {
    auto const limits = readFile("/proc/" + std::to_string(worker) + "/limits");
    EXPECT_NE(limits.find("Max core file size        0                    0 "), std::string::npos) << limits;
    if (::geteuid() != 0) continue; // only root may read the memory of a process that forbids it
    auto const memory = memoryOf(worker);
    ASSERT_GT(memory.size(), 100'000U) << "nothing was read, so nothing was checked";
    EXPECT_NE(memory.find("Title event-"), std::string::npos) << "the check would not see the canary either";
    EXPECT_EQ(spellingIn(memory, canary), "");
  }
  for (auto const worker : workers) ::kill(worker, SIGSEGV);
  server_->kill(); // failing requests are where secrets slip into messages
  host_.run({"sync", "run", connection});
  Haystack all;
  all.addAllOf(host_, "Studio");
  host_.kill9();
  all.addFolder("killed", host_.folder());
  EXPECT_THAT(all.placesOf(canary), ::testing::IsEmpty());
  EXPECT_THAT(all.placesOf("Title event-1"), ::testing::Contains(::testing::HasSubstr("killed/data/")))
      << "the search would not see the canary either";
  for (auto const& entry : std::filesystem::recursive_directory_iterator(host_.folder()))
    EXPECT_EQ(entry.path().filename().string().find("core"), std::string::npos)
        << "a core dump: " << entry.path();
}

} // namespace
} // namespace garland::testing
