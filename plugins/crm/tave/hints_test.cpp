// Hooks of the studio as hints, and the records that they name, read again.
#include "fixture.h"

namespace garland::tave {
namespace {

using ::testing::HasSubstr;

json::array oneHint(std::string_view kind, std::string_view id) {
  return {json::object{{"kind", kind}, {"external_id", id}}};
}

class TaveHints : public TaveTest {
protected:
  // A hook, delivered to the address that was registered for `event`.
  testing::Outcome parse(std::string const& event, std::string const& body) {
    json::object query;
    if (!event.empty()) query["event"] = event;
    return host.run("webhooks.parse/1", {{"headers", json::object()},
                                         {"query", std::move(query)},
                                         {"content_type", "application/json"},
                                         {"body", body}});
  }
};

TEST_F(TaveHints, TheEventOfTheAddressSaysWhatKindOfRecordTheBodyIs) {
  std::map<std::string, std::string> const kinds{{"contact.created", "crm.client"},
                                                 {"job.created", "crm.project"},
                                                 {"order.booked", "crm.order"},
                                                 {"payment.created", "crm.payment"}};
  for (auto const& [event, kind] : kinds) {
    auto const outcome = parse(event, R"({"id":"01ABC","name":"Ada & Bo"})");
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_EQ(outcome.result.at("event"), json::value(event));
    EXPECT_EQ(outcome.result.at("hints"), oneHint(kind, "01ABC"));
    EXPECT_EQ(outcome.result.as_object().if_contains("dedupe_key"), nullptr) << "hooks have no ids";
  }
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(TaveHints, AnotherEventConcernsUsNot) {
  auto const outcome = parse("gallery.viewed", R"({"id":"01ABC"})");
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(outcome.result.at("hints"), json::array());
}

TEST_F(TaveHints, WhatCannotBeReadIsAFailureWithItsPlace) {
  auto const said = [&](std::string const& event, std::string const& body) {
    auto const outcome = parse(event, body);
    EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG);
    return outcome.message;
  };
  EXPECT_THAT(said("", R"({"id":"01ABC"})"), HasSubstr("the parameter event of its address: is missing"));
  EXPECT_THAT(said("job.created", "[]"), HasSubstr("must be an object"));
  EXPECT_THAT(said("job.created", R"({"name":"x"})"), HasSubstr("/id: is missing"));
}

TEST_F(TaveHints, RecordsAreReadByTheirIdsAndGoneOnesAreTold) {
  auto const first = addJob("Ada & Bo");
  addJob("Cy & Di");
  host.clear();
  ASSERT_TRUE(host.run("records.get/1", {{"entity", "crm.project"}, {"ids", {first, "01GONE"}}}).ok());
  EXPECT_EQ(names("crm.project"), (std::multiset<std::string>{"Ada & Bo", "-01GONE"}));
  EXPECT_TRUE(host.checkpoints().empty());
}

} // namespace
} // namespace garland::tave
