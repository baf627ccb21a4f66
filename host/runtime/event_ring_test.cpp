#include "host/runtime/event_ring.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

using Kind = SupervisorEvent::Kind;

SupervisorEvent event(std::string plugin_id, Kind kind, int second) {
  SupervisorEvent out;
  out.time = TimePoint(std::chrono::seconds(second));
  out.plugin_id = std::move(plugin_id);
  out.kind = kind;
  return out;
}

TEST(EventRing, KeepsTheNewest) {
  EventRing ring;
  for (int second = 0; second < 300; ++second) ring.add(event("a", Kind::restarted, second));
  auto const all = ring.all();
  ASSERT_EQ(all.size(), EventRing::kMost);
  EXPECT_EQ(all.back().time, TimePoint(std::chrono::seconds(299)));
}

TEST(EventRing, APluginThatDiesAllTheTimeDoesNotHideTheLastCrashOfAnother) {
  EventRing ring;
  ring.add(event("quiet", Kind::crashed, 1));
  ring.add(event("quiet", Kind::crashed, 2));
  ring.add(event("calm", Kind::crashed, 3));
  for (int second = 10; second < 1000; ++second) ring.add(event("loud", Kind::crashed, second));
  auto const all = ring.all();
  ASSERT_EQ(all.size(), EventRing::kMost + 2);
  EXPECT_EQ(all[0].plugin_id, "quiet");
  EXPECT_EQ(all[0].time, TimePoint(std::chrono::seconds(2))) << "the newest of its crashes";
  EXPECT_EQ(all[1].plugin_id, "calm");

  ring.add(event("quiet", Kind::crashed, 1000));
  EXPECT_EQ(ring.all().front().plugin_id, "calm") << "the older crash has been followed by another";
}

} // namespace
} // namespace garland::runtime
