// What the audit chain has of keys, sessions, mail and plugins: what was changed and for whom, in ids and set
// words.
#include "host/daemon/audit_events.h"

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

TEST(PluginEvents, WhatIsAsItWasOrIsThereAtAStartIsNoChange) {
  using Outcome = runtime::Adoption::Outcome;
  runtime::Adoption one;
  one.plugin_id = "calendar.example";
  one.version = "1.2.0";
  one.outcome = Outcome::installed;
  EXPECT_FALSE(auditOf(one, true));
  ASSERT_TRUE(auditOf(one, false));
  EXPECT_EQ(auditOf(one, false)->act, "plugin.installed");
  EXPECT_EQ(auditOf(one, false)->facts, (json::object{{"version", "1.2.0"}}));
  one.outcome = Outcome::refused;
  EXPECT_EQ(auditOf(one, true).value().kind, audit::Kind::refusal) << "at a start, too";
  one.outcome = Outcome::unchanged;
  EXPECT_FALSE(auditOf(one, false));
}

TEST(KeyEvents, NameTheKeyItsRoleAndWhatTakesItsPlace) {
  access::Key key;
  key.id = "key_1";
  key.vendor_id = "vnd_1";
  key.name = "Rosa's laptop";
  key.role = access::Role::vendor;
  key.replaced_by = "key_2";
  auto const told = auditOf("key.rotate", key);
  EXPECT_EQ(told.act, "key.rotate");
  EXPECT_EQ(told.subject, "key_1");
  EXPECT_EQ(told.facts, (json::object{{"role", "vendor"}, {"replaced_by", "key_2"}}));
}

TEST(SessionEvents, HaveTheirPersonAsOneSoThatThereIsAPseudonymOfIt) {
  access::Session session;
  session.id = "ses_1";
  session.subject = "rosa@studio.example";
  session.role = access::Role::auditor;
  auto const told = auditOf("sign_in", session);
  EXPECT_EQ(told.kind, audit::Kind::signIn);
  EXPECT_EQ(told.act, "oidc.sign_in");
  EXPECT_EQ(told.person, "rosa@studio.example");
  EXPECT_EQ(told.facts, (json::object{{"role", "auditor"}}));
  EXPECT_EQ(auditOf("sign_out", session).kind, audit::Kind::change);
}

TEST(PluginEvents, AWorkerThatWasReplacedChangesNothing) {
  for (auto const kind : {Kind::crashed, Kind::restarted, Kind::replaced})
    EXPECT_FALSE(auditOf(happened(kind))) << runtime::name(kind);
}

} // namespace
} // namespace garland::daemon
