// What people ask of endpoints and deliveries: sent again, changed, removed, refused.
#include "host/notify/testing/studio.h"

namespace garland::notify {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing::Studio;
using namespace std::chrono_literals;

struct Asked : ::testing::Test, Studio {
  std::vector<json::value> changesOfEndpoints() {
    auto changes = house.told("change");
    std::erase_if(changes, [](json::value const& change) {
      return !textOr(change, "/act", "").starts_with("endpoint.");
    });
    return changes;
  }
};

TEST_F(Asked, WhatWasTakenIsSentAgainOnRequestUnderItsId) {
  auto const made = addEndpoint();
  addEvent("a");
  addEvent("b");
  auto const first = deliveries(made.endpoint.id)[0];
  house.run(notifier->resend(made.endpoint.id, first.id)).value();
  settle();
  EXPECT_THAT(sequences(), ElementsAre(1, 2, 1));
  EXPECT_EQ(header(sent()[2], "webhook-id"), header(sent()[0], "webhook-id"));
  ResendRange range;
  range.endpoint_id = made.endpoint.id;
  range.state = DeliveryState::delivered;
  EXPECT_EQ(house.run(notifier->resendRange(range)).value().count, 2);
  settle();
  EXPECT_EQ(sent().size(), 5U);
  EXPECT_EQ(house.run(notifier->resend(made.endpoint.id, "msg_0_1")).error().kind, ErrorKind::notFound);
  house.run(notifier->disable(made.endpoint.id, "")).value();
  EXPECT_EQ(house.run(notifier->resend(made.endpoint.id, first.id)).error().kind, ErrorKind::conflict);
}

// Somebody is quicker than the end of an attempt.
Task<Endpoint> resendFirst(Notifier& notifier, std::string endpoint_id, std::string id) {
  CO_TRY_VOID(co_await notifier.resend(endpoint_id, std::move(id)));
  co_return co_await notifier.one(std::move(endpoint_id));
}

TEST_F(Asked, WhatIsResentWhileItIsOnItsWayIsSentAgainHoweverThatOneEnds) {
  for (int const code : {204, 500}) {
    auto const made = addEndpoint();
    int asked = 0;
    answer = [&](egress::Request const& request) {
      if (++asked > 1) return status(204);
      store->before_commit = [&, id = header(request, "webhook-id")] {
        return resendFirst(*notifier, made.endpoint.id, id);
      };
      return status(code);
    };
    addEvent(std::to_string(code));
    if (code == 500) EXPECT_EQ(deliveries(made.endpoint.id)[0].next_attempt, house.clock.now());
    wait(4s); // after a failure it rests for one
    EXPECT_EQ(asked, 2) << code;
    auto const delivery = deliveries(made.endpoint.id)[0];
    EXPECT_EQ(delivery.state, DeliveryState::delivered) << code;
    EXPECT_EQ(delivery.attempts, 2) << code;
    house.run(notifier->remove(made.endpoint.id)).value();
  }
}

TEST_F(Asked, NoMoreAreResentThanMayWaitAndTheRestIsNamed) {
  close();
  limits.waiting = 3;
  open();
  auto const made = addEndpoint();
  for (int i = 0; i < 5; ++i) addEvent(std::to_string(i));
  answer = [](egress::Request const&) { return status(500); };
  ResendRange range;
  range.endpoint_id = made.endpoint.id;
  range.from = TimePoint();
  auto const some = house.run(notifier->resendRange(range)).value();
  settle();
  EXPECT_EQ(some.count, 3);
  EXPECT_EQ(some.next_after, 3);
  range.after = 3;
  auto const none = house.run(notifier->resendRange(range)).value();
  EXPECT_EQ(none.count, 0);
  EXPECT_EQ(none.next_after, 3) << "three wait";
  answer = [](egress::Request const&) { return status(204); };
  wait(1min);
  auto const rest = house.run(notifier->resendRange(range)).value();
  EXPECT_EQ(rest.count, 2);
  EXPECT_EQ(rest.next_after, std::nullopt);
}

TEST_F(Asked, AnEndpointThatIsRemovedIsToldNothingAndLeavesNothing) {
  auto const made = addEndpoint();
  addEvent("a");
  house.run(notifier->remove(made.endpoint.id)).value();
  addEvent("b");
  EXPECT_EQ(sent().size(), 1U);
  for (auto const* table : {"notify_endpoints", "notify_deliveries", "notify_attempts"})
    EXPECT_THAT(house.rows("SELECT 1 FROM " + std::string(table)), IsEmpty());
  EXPECT_EQ(house.run(notifier->one(made.endpoint.id)).error().kind, ErrorKind::notFound);
}

TEST_F(Asked, AChangedAddressIsUsedFromTheNextAttemptOn) {
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  addEvent("a");
  EndpointChange change;
  change.url = "https://new.example/hooks";
  EXPECT_EQ(house.run(notifier->change(made.endpoint.id, change)).value().url, *change.url);
  wait(10s);
  EXPECT_EQ(house.egress.secrets.back(), "https://new.example/hooks");
}

TEST_F(Asked, WhatPeopleDoToAnEndpointGoesIntoTheAuditTrailWithoutItsAddress) {
  auto const made = addEndpoint();
  auto const& id = made.endpoint.id;
  addEvent("a");
  EndpointChange change;
  change.url = "https://new.example/hooks?key=sesame";
  change.allow_private_network = true;
  house.run(notifier->change(id, change)).value();
  house.run(notifier->rotate(id, 1h)).value();
  house.run(notifier->resend(id, deliveries(id)[0].id)).value();
  house.run(notifier->disable(id, "it moves")).value();
  house.run(notifier->disable(id, "it moves again")).value(); // which it does not: it is disabled already
  house.run(notifier->enable(id, false)).value();
  EXPECT_TRUE(house.run(notifier->enable(id, false)).has_error()) << "which leaves no trace";
  house.run(notifier->remove(id)).value();
  std::vector<std::string> acts;
  for (auto const& told : changesOfEndpoints()) {
    acts.push_back(textOr(told, "/act", "") + ": " + textOr(told, "/facts/detail", ""));
    EXPECT_EQ(textOr(told, "/subject", ""), id);
    EXPECT_EQ(textOr(told, "/vendor", ""), vendor);
  }
  EXPECT_THAT(acts, ::testing::ElementsAre("endpoint.add: at studio.example",
                                           "endpoint.change: url, private networks allowed",
                                           "endpoint.rotate: the secret before signs for 3600000 ms",
                                           "endpoint.resend: msg_" + id.substr(4) + "_1",
                                           "endpoint.disable: ", "endpoint.enable: where it stopped",
                                           "endpoint.remove: at new.example"));
}

TEST_F(Asked, AnEndpointThatIsDisabledByItselfIsTheHostsActAndQuotesNobody) {
  answer = [](egress::Request const&) { return status(410); };
  auto const made = addEndpoint();
  addEvent("a");
  auto const changes = changesOfEndpoints();
  ASSERT_THAT(changes, SizeIs(2)) << "that it was added, and that it was disabled";
  EXPECT_EQ(textOr(changes[1], "/act", ""), "endpoint.disable");
  EXPECT_EQ(textOr(changes[1], "/vendor", ""), vendor);
  EXPECT_EQ(textOr(changes[1], "/subject", ""), made.endpoint.id);
  EXPECT_EQ(changes[1].at("facts"), (json::object{{"by", "host"}, {"why", "gone"}}));
}

TEST_F(Asked, AddressesThatProveNothingOrLeadNowhereAreRefused) {
  NewEndpoint asked;
  asked.vendor_id = vendor;
  for (auto const* url : {"http://studio.example/hooks", "ftp://studio.example", "https://", "https:///hooks",
                          "https://rosa:secret@studio.example/", "https://studio.example/a b",
                          "https://studio.example/#part", "studio.example"}) {
    asked.url = url;
    auto const refused = house.run(notifier->add(asked));
    ASSERT_TRUE(refused.has_error()) << url;
    EXPECT_EQ(refused.error().field, "/url") << url;
    EXPECT_THAT(refused.error().message, Not(HasSubstr("secret"))) << url;
  }
  asked.url = "http://127.0.0.1:8080/hooks";
  asked.allow_private_network = true;
  EXPECT_TRUE(house.run(notifier->add(asked)));
}

TEST_F(Asked, AFilterThatNothingCanMatchIsRefused) {
  NewEndpoint asked;
  asked.vendor_id = vendor;
  asked.url = "https://studio.example/";
  for (auto const* event : {"calender.event", "calendar.even", "*", "", "calendar.event.moved"}) {
    asked.events = {"crm.*", event};
    EXPECT_EQ(house.run(notifier->add(asked)).error().field, "/events/1") << event;
  }
}

TEST_F(Asked, AVendorHasOnlySoManyEndpoints) {
  close();
  limits.endpoints = 1;
  open();
  addEndpoint();
  NewEndpoint asked;
  asked.vendor_id = vendor;
  asked.url = "https://studio.example/";
  EXPECT_EQ(house.run(notifier->add(asked)).error().kind, ErrorKind::quota);
  asked.vendor_id = "ven_nobody";
  EXPECT_EQ(house.run(notifier->add(asked)).error().kind, ErrorKind::notFound);
}

} // namespace
} // namespace garland::notify
