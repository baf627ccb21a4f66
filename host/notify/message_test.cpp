// Names, bodies, filters, pauses: what needs no database.
#include "host/notify/message.h"
#include "host/notify/retries.h"

#include <gtest/gtest.h>

namespace garland::notify {
namespace {

using namespace std::chrono_literals;

sync::Change change() {
  sync::Change change;
  change.sequence = 7;
  change.vendor_id = "ven_1";
  change.record_id = "rec_1";
  change.kind = "crm.project";
  change.action = "deleted";
  change.record_version = 3;
  change.origin = "local";
  change.at = parseRfc3339("2026-06-13T12:00:00Z").value();
  return change;
}

TEST(Message, ABodySaysWhatHappenedToWhichRecord) {
  EXPECT_EQ(bodyOf(change()),
            R"({"type":"crm.project.deleted","timestamp":"2026-06-13T12:00:00.000Z","data":)"
            R"({"vendor_id":"ven_1","sequence":7,"record_id":"rec_1","kind":"crm.project",)"
            R"("action":"deleted","version":3,"origin":"local","wedding":null}})");
}

TEST(Message, AnIdNamesEndpointAndSequenceAndNothingElse) {
  EXPECT_EQ(idOf("epo_01ABC", 42), "msg_01ABC_42");
  EXPECT_EQ(sequenceOf("epo_01ABC", "msg_01ABC_42"), 42);
  for (auto const* other : {"msg_01ABD_42", "msg_01ABC_042", "msg_01ABC_", "msg_01ABC_4x", "42", "",
                            "msg_01ABC_99999999999999999999"})
    EXPECT_EQ(sequenceOf("epo_01ABC", other), std::nullopt) << other;
}

TEST(Message, AFilterNamesAnEventAKindOrAnArea) {
  EXPECT_TRUE(wants(std::vector<std::string>{}, "crm.project.deleted"));
  for (auto const* event : {"crm.project.deleted", "crm.project", "crm.project.*", "crm.*", "crm"})
    EXPECT_TRUE(wants(std::vector<std::string>{event}, "crm.project.deleted")) << event;
  for (auto const* event : {"crm.project.updated", "crm.proj", "crm.proj.*", "calendar.*"})
    EXPECT_FALSE(wants(std::vector<std::string>{event}, "crm.project.deleted")) << event;
}

// Of the specification's reference libraries.
TEST(Message, ItIsSignedAsTheStandardHasIt) {
  Secret const secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  auto const at = TimePoint(std::chrono::seconds(1614265330));
  EXPECT_EQ(sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, R"({"test": 2432232314})").value(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_TRUE(sign(Secret("whsec_!"), "msg_1", at, "{}").has_error());
  EXPECT_TRUE(sign(Secret("c2VjcmV0"), "msg_1", at, "{}").has_error());
}

TEST(Retries, ThePausesGrowToEightHoursAndAreDrawnFromAllOfTheSpan) {
  SeededRandom random(3);
  for (std::int64_t tries = 1; tries < 30; ++tries) {
    auto longest = 0ms;
    auto shortest = Milliseconds(24h);
    for (int i = 0; i < 200; ++i) {
      auto const pause = pauseAfter(tries, std::nullopt, random);
      longest = std::max(longest, pause);
      shortest = std::min(shortest, pause);
    }
    EXPECT_LE(longest, 8h);
    EXPECT_LT(shortest, longest / 5) << "full jitter";
    if (tries == 1) EXPECT_LE(longest, 5s);
    if (tries >= 9) EXPECT_GT(longest, 7h);
  }
}

TEST(Retries, WhatTheReceiverAsksForIsHeardUpToEightHours) {
  SeededRandom random(3);
  EXPECT_EQ(pauseAfter(1, 10min, random), 10min);
  EXPECT_EQ(pauseAfter(1, 10 * 24h, random), 8h);
  EXPECT_GE(pauseAfter(1, -5s, random), 0s);
}

TEST(Retries, AnEndpointRestsFromASecondToAMinute) {
  EXPECT_EQ(restAfter(1), 1s);
  EXPECT_EQ(restAfter(3), 4s);
  EXPECT_EQ(restAfter(1'000'000), 60s);
}

} // namespace
} // namespace garland::notify
