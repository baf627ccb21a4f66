// Endpoints by HTTP: what is asked for reaches the notifier, and what it says is shown; a secret once.
#include "host/api/testing/harness.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

using testing::Answer;
using testing::Harness;

struct EndpointRoutes : ::testing::Test {
  Answer add(std::string const& more = "") {
    return house.ask("POST", root,
                     R"({"vendor_id":")" + vendor + R"(","url":"https://studio.example/hooks")" + more + "}");
  }
  static std::string idOf(Answer const& answer) { return textOr(answer.json(), "/id", ""); }

  Harness house;
  std::string root = "/api/integrations/endpoints";
  std::string vendor = "ven_00000000000000000000000000";
};

TEST_F(EndpointRoutes, ASecretIsShownWhenItIsMadeAndNeverAgain) {
  auto const made = add();
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(textOr(made.json(), "/secret", ""), "whsec_c2VjcmV0");
  auto const shown = house.ask("GET", root + "/" + idOf(made));
  EXPECT_EQ(find(shown.json(), "/secret"), nullptr) << shown.body;
  auto const rotated = house.ask("POST", root + "/" + idOf(made) + "/rotate", R"({"overlap_seconds":60})");
  EXPECT_EQ(textOr(rotated.json(), "/secret", ""), "whsec_bmV3");
  EXPECT_EQ(textOr(rotated.json(), "/old_secret_until", ""),
            rfc3339(house.clock.now() + std::chrono::seconds(60)));
  EXPECT_EQ(house.logText().find("whsec_"), std::string::npos);
}

TEST_F(EndpointRoutes, WhatIsAskedForReachesTheNotifier) {
  auto const made = add(R"(,"events":["crm.*"],"ordered":true,"after":7,"description":"the studio's own")");
  auto const kept = house.onLoop([&] { return house.notifier.all.at(idOf(made)); });
  EXPECT_EQ(kept.events, std::vector<std::string>{"crm.*"});
  EXPECT_TRUE(kept.ordered);
  EXPECT_FALSE(kept.allow_private_network);
  EXPECT_EQ(kept.place, 7);
  EXPECT_EQ(kept.description, "the studio's own");
  auto const changed = house.ask("PATCH", root + "/" + idOf(made), R"({"events":[],"ordered":false})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_TRUE(changed.json().at("events").as_array().empty());
  EXPECT_FALSE(changed.json().at("ordered").as_bool());
}

TEST_F(EndpointRoutes, ARangeHasToSayWhich) {
  auto const id = idOf(add());
  EXPECT_EQ(house.ask("POST", root + "/" + id + "/resend", R"({"until":"2026-01-01T00:00:00Z"})").status,
            400);
  EXPECT_EQ(house.ask("POST", root + "/" + id + "/resend", R"({"state":"lost"})").status, 400);
  auto const resent =
      house.ask("POST", root + "/" + id + "/resend", R"({"state":"failed","from":"2026-01-01T00:00:00Z"})");
  EXPECT_EQ(integerOr(resent.json(), "/resent", 0), 3) << resent.body;
  auto const range = house.onLoop([&] { return house.notifier.ranges.at(0); });
  EXPECT_EQ(range.state, notify::DeliveryState::failed);
  EXPECT_EQ(range.from, parseRfc3339("2026-01-01T00:00:00Z").value());
  EXPECT_EQ(integerOr(resent.json(), "/next_after", 0), 40) << "where to go on";
  auto const rest = house.ask("POST", root + "/" + id + "/resend", R"({"state":"failed","after":40})");
  EXPECT_TRUE(rest.json().at("next_after").is_null()) << rest.body;
  EXPECT_EQ(house.onLoop([&] { return house.notifier.ranges.at(1).after; }), 40);
}

TEST_F(EndpointRoutes, WhatAnEndpointMissedIsShown) {
  auto const id = idOf(add());
  EXPECT_TRUE(house.ask("GET", root + "/" + id).json().at("missed").is_null());
  house.onLoop([&] {
    notify::Missed missed;
    missed.first = 3;
    missed.last = 9;
    missed.at = house.clock.now();
    house.notifier.all.at(id).missed = missed;
  });
  auto const shown = house.ask("GET", root + "/" + id);
  EXPECT_EQ(integerOr(shown.json(), "/missed/first", 0), 3) << shown.body;
  EXPECT_EQ(integerOr(shown.json(), "/missed/last", 0), 9);
}

TEST_F(EndpointRoutes, HealthCountsWhatIsDisabled) {
  auto const id = idOf(add());
  EXPECT_EQ(integerOr(house.ask("GET", "/health").json(), "/endpoints/disabled", -1), 0);
  house.ask("POST", root + "/" + id + "/disable", R"({"why":"a test"})");
  EXPECT_EQ(integerOr(house.ask("GET", "/health").json(), "/endpoints/disabled", -1), 1);
}

TEST_F(EndpointRoutes, NonsenseInPlaceOfAnIdIsNotFound) {
  for (auto const* path :
       {"/epo_1", "/x", "/whk_00000000000000000000000000", "/epo_00000000000000000000000000"})
    EXPECT_EQ(house.ask("GET", root + path).status, 404) << path;
}

} // namespace
} // namespace garland::api
