#include "host/base/test_folder.h"
#include "host/runtime/history.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

namespace garland::runtime {
namespace {

using Kind = SupervisorEvent::Kind;

class HistoryOnDisk : public ::testing::Test {
protected:
  History life() { return {KeptBuilds(folder_), &redactor_, log_}; }
  static SupervisorEvent event(Kind kind, std::string reason) {
    SupervisorEvent out;
    out.time = TimePoint(std::chrono::milliseconds(1'234'567));
    out.plugin_id = "a.plugin";
    out.digest = "d1";
    out.kind = kind;
    out.reason = std::move(reason);
    return out;
  }

  TestFolder const own_;
  std::string folder_ = own_.path();
  SystemClock clock_;
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::error, [](std::string_view) {}};
};

TEST_F(HistoryOnDisk, EventsAndRestartsAreThereInTheNextLife) {
  {
    auto first = life();
    auto crash = event(Kind::crashed, "was killed by SIGSEGV");
    crash.call = CallPlace{"calendar.pull/1", "ven_1", "con_1", "rec_1"};
    first.add(crash);
    first.add(event(Kind::restarted, "a new worker is ready"));
    first.add(event(Kind::restarted, "a new worker is ready"));
  }
  auto second = life();
  ASSERT_EQ(second.events().size(), 3U);
  auto const crash = second.events().at(0);
  EXPECT_EQ(crash.kind, Kind::crashed);
  EXPECT_EQ(crash.reason, "was killed by SIGSEGV");
  EXPECT_EQ(crash.time, event(Kind::crashed, "").time);
  ASSERT_TRUE(crash.call);
  EXPECT_EQ(crash.call->account_id, "con_1");
  EXPECT_EQ(crash.call->record_id, "rec_1");
  EXPECT_EQ(second.restarts("a.plugin"), 2U);
  EXPECT_EQ(second.restarts("another"), 0U);
}

TEST_F(HistoryOnDisk, SecretsDoNotGetThere) {
  redactor_.add("correct horse");
  {
    life().add(event(Kind::poisoned, "it said correct horse"));
  }
  EXPECT_EQ(life().events().at(0).reason, "it said [secret]");
}

TEST_F(HistoryOnDisk, ACapsuleThatIsGoneIsNotNamed) {
  auto crash = event(Kind::crashed, "died");
  crash.capsule = folder_ + "/gone.json";
  {
    life().add(crash);
  }
  EXPECT_EQ(life().events().at(0).capsule, "");
}

TEST_F(HistoryOnDisk, APageThatIsDamagedIsNoHistory) {
  ASSERT_TRUE(KeptBuilds(folder_).write(
      KeptBuilds::kHistory,
      parseJson(
          R"({"events":[7,{"time":"never"},{"time":"2026-01-01T00:00:00Z","kind":"odd"}],"restarts":[]})")
          .value()));
  EXPECT_TRUE(life().events().empty());
}

} // namespace
} // namespace garland::runtime
