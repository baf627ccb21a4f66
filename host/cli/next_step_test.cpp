#include "host/cli/next_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

json::value plugin(json::array operations, json::array intake, json::array auth = {}) {
  json::object out;
  out["operations"] = std::move(operations);
  out["intake"] = std::move(intake);
  out["auth"] = std::move(auth);
  return out;
}

TEST(NextStep, AProviderThatIsAskedIsSynced) {
  auto const caldav = plugin({"health.check/1", "calendar.pull/1"}, {});
  EXPECT_EQ(waysIn(caldav, "con_1"), "bring everything in with: garland sync run con_1");
  EXPECT_THAT(afterChange(caldav, "con_1"), HasSubstr("garland sync run con_1"));
}

TEST(NextStep, OneThatSendsByItselfIsGivenAnAddress) {
  auto const hook = plugin({"health.check/1", "intake.parse/1"}, {"hook", "csv"});
  EXPECT_THAT(waysIn(hook, "con_1"),
              AllOf(HasSubstr("garland connections hook con_1"), HasSubstr("garland import csv con_1 FILE"),
                    Not(HasSubstr("sync run"))));
  auto const mail = plugin({"health.check/1", "intake.parse/1"}, {"mail"});
  EXPECT_THAT(waysIn(mail, "con_1"),
              AllOf(HasSubstr("garland connections mailbox con_1"),
                    HasSubstr("garland connections imap con_1"), Not(HasSubstr("sync run"))));
  EXPECT_THAT(afterChange(mail, "con_1"),
              AllOf(HasSubstr("garland intake retry con_1"), Not(HasSubstr("sync run"))));
}

TEST(NextStep, OneThatDoesBothIsToldBoth) {
  EXPECT_THAT(waysIn(plugin({"crm.pull/1", "intake.parse/1"}, {"csv"}), "con_1"),
              AllOf(HasSubstr("garland sync run con_1"), HasSubstr("garland import csv con_1 FILE")));
  EXPECT_EQ(waysIn(plugin({"health.check/1"}, {}), "con_1"), "");
}

TEST(NextStep, ACredentialIsSpokenOfWhereThereIsOne) {
  EXPECT_FALSE(signsIn(plugin({}, {"hook"})));
  EXPECT_TRUE(signsIn(plugin({}, {}, {json::object{{"slot", "login"}}})));
}

TEST(NextStep, AFileIsRefusedBeforeItIsReadWhereNobodyReadsIt) {
  auto studio = plugin({"intake.parse/1"}, {"hook", "csv"});
  studio.as_object()["brings"] = json::array{"crm.lead", "crm.client"};
  EXPECT_TRUE(checkTakesCsv(studio, "con_1", ""));
  EXPECT_TRUE(checkTakesCsv(studio, "con_1", "crm.client"));
  EXPECT_THAT(checkTakesCsv(studio, "con_1", "calendar.event").error().message,
              AllOf(HasSubstr("brings no records of kind"), HasSubstr("crm.lead, crm.client")));
  auto const caldav = plugin({"calendar.pull/1"}, {});
  EXPECT_THAT(checkTakesCsv(caldav, "con_1", "").error().message,
              AllOf(HasSubstr("reads no CSV files"), HasSubstr("garland sync run con_1")));
}

TEST(NextStep, AnAccountIsConnectedAgainInItsOwnWordsAndWhereItSignsIn) {
  auto const connection = parseJson(R"({"id":"con_1","vendor_id":"ven_1","plugin":"test.guests",
    "settings":{"url":"http://127.0.0.1/api"},"allow_private_network":true})")
                              .value();
  auto const with_page = plugin({}, {}, {json::object{{"fields", json::array{"client_id"}}, {"page", true}}});
  EXPECT_EQ(reconnecting(with_page, connection),
            "garland connections authorize test.guests --vendor ven_1 --set url=http://127.0.0.1/api "
            "--allow-private-network");
  auto const typed = plugin({}, {}, {json::object{{"fields", json::array{"username", "password"}}}});
  EXPECT_EQ(reconnecting(typed, connection),
            "garland connections connect test.guests --vendor ven_1 --set url=http://127.0.0.1/api "
            "--allow-private-network --username NAME");
  auto const by_token = plugin({}, {}, {json::object{{"fields", json::array{"token"}}}});
  EXPECT_THAT(reconnecting(by_token, connection), Not(HasSubstr("--username")));
}

TEST(NextStep, APausedAccountStandsAsResumingWouldLeaveIt) {
  auto const standing = [](std::string state, std::string condition) {
    return json::value(json::object{{"state", std::move(state)},
                                    {"condition", json::object{{"state", std::move(condition)}}}});
  };
  EXPECT_EQ(standingOf(standing("paused", "paused")), "paused");
  EXPECT_EQ(standingOf(standing("paused", "revoked")), "revoked");
  EXPECT_EQ(standingOf(standing("failing", "retrying")), "failing");
}

TEST(NextStep, WhatIsNotPausedAnyMoreGoesOnUnlessSomebodyHasToSignIn) {
  auto const standing = [](std::string state) {
    return json::value(
        json::object{{"id", "con_1"}, {"state", std::move(state)}, {"state_reason", "the cause"}});
  };
  EXPECT_EQ(afterResume(standing("connected")), "it goes on; see how with: garland sync status con_1");
  for (auto const* state : {"revoked", "reconnect needed"})
    EXPECT_THAT(afterResume(standing(state)),
                AllOf(HasSubstr(state), HasSubstr("the cause"), Not(HasSubstr("it goes on"))));
}

} // namespace
} // namespace garland::cli
