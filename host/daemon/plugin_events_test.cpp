// What the audit chain has of a plugin that misbehaves: what was changed and for whom, in ids and set words.
#include "host/daemon/plugin_events.h"

#include <gtest/gtest.h>

namespace garland::daemon {
namespace {

using Kind = runtime::SupervisorEvent::Kind;

runtime::SupervisorEvent happened(Kind kind) {
  runtime::SupervisorEvent event;
  event.kind = kind;
  event.plugin_id = "calendar.example";
  event.digest = "d1";
  event.vendor_id = "vnd_1";
  event.reason = "rosa@studio.example ended its worker";
  event.capsule = "/var/lib/garland/capsules/1";
  return event;
}

TEST(PluginEvents, AQuarantineIsTheHostsActOnThatBuild) {
  auto const told = auditOf(happened(Kind::quarantined));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->kind, audit::Kind::change);
  EXPECT_EQ(told->act, "plugin.quarantined");
  EXPECT_EQ(told->subject, "calendar.example");
  EXPECT_EQ(told->vendor_id, "vnd_1") << "whose worker it was";
  EXPECT_EQ(told->facts, (json::object{{"by", "host"}, {"digest", "d1"}}));
}

TEST(PluginEvents, ACallThatIsSetAsideIsNamedByItsIds) {
  auto event = happened(Kind::poisoned);
  event.vendor_id = "";
  event.call = runtime::CallPlace{"calendar.pull/1", "vnd_2", "con_3", "rec_4"};
  auto const told = auditOf(event);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->act, "plugin.poisoned");
  EXPECT_EQ(told->vendor_id, "vnd_2");
  EXPECT_EQ(told->connection_id, "con_3");
  EXPECT_EQ(told->facts,
            (json::object{
                {"by", "host"}, {"digest", "d1"}, {"operation", "calendar.pull/1"}, {"record", "rec_4"}}));
}

TEST(PluginEvents, ThatItTakesFewerCallsOrAllOfThemAgainIsTold) {
  EXPECT_EQ(auditOf(happened(Kind::halfOpen)).value().act, "plugin.half_open");
  EXPECT_EQ(auditOf(happened(Kind::recovered)).value().act, "plugin.recovered");
  EXPECT_EQ(auditOf(happened(Kind::refused)).value().kind, audit::Kind::refusal);
}

TEST(PluginEvents, AWorkerThatWasReplacedChangesNothing) {
  for (auto const kind : {Kind::crashed, Kind::restarted, Kind::replaced})
    EXPECT_FALSE(auditOf(happened(kind))) << runtime::name(kind);
}

} // namespace
} // namespace garland::daemon
