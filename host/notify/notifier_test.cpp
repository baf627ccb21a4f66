// What endpoints are told, how it is signed, and what is tried again until when.
#include "host/notify/testing/studio.h"

#include <set>

namespace garland::notify {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Studio;
using namespace std::chrono_literals;

struct Notify : ::testing::Test, Studio {};

TEST_F(Notify, AChangeIsToldAtOnceSignedAndWithoutWhatTheRecordHolds) {
  auto const made = addEndpoint();
  auto const record = addEvent("a");
  ASSERT_EQ(sent().size(), 1U);
  auto const& request = sent()[0];
  EXPECT_TRUE(verifies(request, made.secret));
  auto const body = parseJson(request.body).value();
  EXPECT_EQ(textOr(body, "/type", ""), "calendar.event.created");
  EXPECT_EQ(textOr(body, "/timestamp", ""), rfc3339(house.clock.now()));
  EXPECT_EQ(textOr(body, "/data/record_id", ""), record);
  EXPECT_EQ(integerOr(body, "/data/sequence", 0), 1);
  EXPECT_THAT(request.body, Not(HasSubstr("Wedding")));
  auto const told = deliveries(made.endpoint.id);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].state, DeliveryState::delivered);
  EXPECT_EQ(told[0].id, header(request, "webhook-id"));
  EXPECT_EQ(told[0].status, 204);
  EXPECT_EQ(endpoint(made.endpoint.id).last_success, house.clock.now());
  EXPECT_THAT(outcomes, ElementsAre("delivered"));
}

TEST_F(Notify, ItGoesWhereItMayAndNoFurther) {
  addEndpoint();
  addEvent("a");
  ASSERT_EQ(house.egress.policies.size(), 1U);
  EXPECT_FALSE(house.egress.policies[0].allow_private_network);
  EXPECT_EQ(house.egress.policies[0].max_redirects, 0);
  EXPECT_THAT(house.egress.policies[0].allowed_hosts, IsEmpty());
  EXPECT_THAT(house.egress.secrets, ElementsAre("https://studio.example/hooks?key=sesame"));
  EXPECT_EQ(sent()[0].url, "") << "the address goes with the credential, which nobody logs";
}

TEST_F(Notify, EveryRequestIsInTheAuditChainByItsEndpoint) {
  answer = [](egress::Request const& request) { return status(sequenceOf(request) == 1 ? 500 : 204); };
  auto const made = addEndpoint();
  addEvent("a");
  wait(10s); // it rests after a failure
  addEvent("b");
  house.run(house.book->seal()).value(); // what was noted is written
  std::int64_t told = 0;
  for (auto const& entry : house.told("request")) {
    EXPECT_EQ(textOr(entry, "/subject", ""), made.endpoint.id);
    told += integerOr(entry, "/facts/times", 1); // equal ones are one row
  }
  EXPECT_GE(told, 2);
  EXPECT_EQ(told, std::ssize(sent()));
}

TEST_F(Notify, NeitherSecretNorAddressIsLoggedAndTheSecretIsStoredSealed) {
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  addEvent("a");
  auto const secret = std::string(made.secret.reveal()).substr(6);
  EXPECT_THAT(house.log_text, Not(HasSubstr(secret)));
  EXPECT_THAT(house.log_text, Not(HasSubstr("sesame")));
  auto const rows = house.rows("SELECT sealed FROM notify_endpoints");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].text(0), Not(HasSubstr(secret)));
}

TEST_F(Notify, OnlyWhatItAskedForIsTold) {
  NewEndpoint asked;
  asked.events = {"crm.*", "calendar.event.updated"};
  auto const made = addEndpoint(asked);
  auto const record = addEvent("a");
  EXPECT_THAT(sent(), IsEmpty());
  editEvent(record, "a", "Another title");
  EXPECT_THAT(sequences(), ElementsAre(2));
  EXPECT_EQ(endpoint(made.endpoint.id).place, 2);
}

TEST_F(Notify, WhatItHasAskedForSinceTheFeedWasReadIsTold) {
  NewEndpoint asked;
  asked.events = {"crm.*"};
  auto const made = addEndpoint(asked);
  EndpointChange change;
  change.events.emplace();
  store->before_commit = [&] { return notifier->change(made.endpoint.id, change); };
  addEvent("a");
  EXPECT_FALSE(store->before_commit) << "there was a commit, and the change came before it";
  EXPECT_THAT(sequences(), ElementsAre(1));
}

TEST_F(Notify, ANewEndpointIsToldFromNowOnOrFromAPlace) {
  addEvent("a");
  addEvent("b");
  addEndpoint();
  wait(10s);
  EXPECT_THAT(sequences(), IsEmpty());
  NewEndpoint asked;
  asked.after = 1;
  addEndpoint(asked);
  EXPECT_THAT(sequences(), ElementsAre(2));
  asked.after = 3;
  asked.vendor_id = vendor;
  asked.url = "https://studio.example/";
  EXPECT_EQ(house.run(notifier->add(asked)).error().field, "/after");
}

TEST_F(Notify, WithoutAWordFromTheEngineTheFeedIsLookedAtAllTheSame) {
  addEndpoint();
  deafen();
  addEvent("a");
  EXPECT_THAT(sequences(), IsEmpty());
  wait(2s);
  EXPECT_THAT(sequences(), ElementsAre(1));
}

TEST_F(Notify, AnAttemptThatFailedIsMadeAgainUnderItsIdWithItsBytes) {
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  addEvent("a");
  ASSERT_EQ(sent().size(), 1U);
  auto const waiting = deliveries(made.endpoint.id)[0];
  EXPECT_EQ(waiting.state, DeliveryState::waiting);
  EXPECT_THAT(waiting.problem, HasSubstr("500"));
  EXPECT_EQ(endpoint(made.endpoint.id).failing_since, house.clock.now());
  answer = [](egress::Request const&) { return status(200); };
  wait(10s);
  ASSERT_EQ(sent().size(), 2U);
  EXPECT_EQ(header(sent()[0], "webhook-id"), header(sent()[1], "webhook-id"));
  EXPECT_EQ(sent()[0].body, sent()[1].body);
  EXPECT_NE(header(sent()[0], "webhook-timestamp"), header(sent()[1], "webhook-timestamp"));
  EXPECT_TRUE(verifies(sent()[1], made.secret));
  auto const detail = house.run(notifier->delivery(made.endpoint.id, waiting.id)).value();
  EXPECT_EQ(detail.delivery.state, DeliveryState::delivered);
  ASSERT_EQ(detail.attempts.size(), 2U);
  EXPECT_EQ(detail.attempts[0].status, 500);
  EXPECT_EQ(detail.attempts[1].problem, "");
  EXPECT_EQ(endpoint(made.endpoint.id).failing_since, std::nullopt);
}

TEST_F(Notify, ADeliveryThatIsNeverTakenIsTriedForADayAtLeastWhileOthersAre) {
  std::vector<TimePoint> tries;
  answer = [&](egress::Request const& request) {
    if (sequenceOf(request) != 1) return status(200);
    tries.push_back(house.clock.now());
    return status(500);
  };
  auto const made = addEndpoint();
  auto const record = addEvent("a");
  for (int hour = 0; hour < 60; ++hour) {
    wait(1h, 20s);
    editEvent(record, "a", "Title " + std::to_string(hour));
  }
  auto const all = deliveries(made.endpoint.id);
  ASSERT_EQ(all.size(), 61U);
  EXPECT_EQ(all[0].state, DeliveryState::failed);
  EXPECT_GE(tries.back() - tries.front(), 24h);
  EXPECT_LE(tries.back() - tries.front(), 33h);
  EXPECT_GE(tries.size(), 9U);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].state, DeliveryState::delivered) << i;
  EXPECT_TRUE(endpoint(made.endpoint.id).enabled);
  EXPECT_THAT(outcomes, Contains("given up"));
}

TEST_F(Notify, AnEndpointThatFailsForADayIsDisabledAndGoesOnWhereItStopped) {
  answer = [](egress::Request const&) {
    return Result<egress::Response>(Error(ErrorKind::transient, "studio.example cannot be reached"));
  };
  auto const made = addEndpoint();
  addEvent("a");
  wait(23h, 20s);
  EXPECT_TRUE(endpoint(made.endpoint.id).enabled);
  wait(10h, 20s);
  auto const disabled = endpoint(made.endpoint.id);
  EXPECT_FALSE(disabled.enabled);
  EXPECT_THAT(disabled.reason, HasSubstr("cannot be reached"));
  EXPECT_THAT(house.log_text, HasSubstr("an endpoint is disabled"));
  EXPECT_THAT(outcomes, Contains("disabled"));
  std::vector<std::string> causes;
  for (auto const& change : house.told("change", "endpoint.disable"))
    causes.push_back(textOr(change, "/facts/why", ""));
  EXPECT_THAT(causes, ElementsAre("failing"));
  EXPECT_EQ(house.run(notifier->counts()).value().disabled, 1);
  auto const before = sent().size();
  addEvent("b");
  wait(24h, 60s);
  EXPECT_EQ(sent().size(), before) << "it is left alone";
  answer = [](egress::Request const&) { return status(200); };
  house.run(notifier->enable(made.endpoint.id, false)).value();
  settle();
  EXPECT_EQ(sent().size(), before + 2);
  for (auto const& delivery : deliveries(made.endpoint.id))
    EXPECT_EQ(delivery.state, DeliveryState::delivered);
  EXPECT_EQ(house.run(notifier->counts()).value().disabled, 0);
}

TEST_F(Notify, ADayInWhichNobodyTriedCountsNeitherAgainstAnEndpointNorAgainstADelivery) {
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  addEvent("a");
  wait(1s);
  close();
  house.clock.advance(72h);
  open();
  wait(2s);
  ASSERT_GE(sent().size(), 2U);
  EXPECT_TRUE(endpoint(made.endpoint.id).enabled);
  EXPECT_EQ(deliveries(made.endpoint.id)[0].state, DeliveryState::waiting);
  wait(24h, 20s);
  EXPECT_FALSE(endpoint(made.endpoint.id).enabled) << "it was tried often enough since";
  EXPECT_EQ(sent().size(), 8U);
}

TEST_F(Notify, ADayInWhichNobodyTriedDisablesNothingHoweverManyDeliveriesWait) {
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  for (int i = 0; i < 20; ++i) addEvent(std::to_string(i));
  wait(2s);
  close();
  house.clock.advance(25h);
  open();
  auto const before = sent().size();
  wait(10min);
  EXPECT_GE(sent().size(), before + 8);
  EXPECT_TRUE(endpoint(made.endpoint.id).enabled);
}

TEST_F(Notify, EnabledFromNowOnItIsToldNothingOfWhatHappenedMeanwhile) {
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  addEvent("a");
  house.run(notifier->disable(made.endpoint.id, "the studio moves")).value();
  addEvent("b");
  answer = [](egress::Request const&) { return status(200); };
  auto const before = sent().size();
  house.run(notifier->enable(made.endpoint.id, true)).value();
  wait(1h, 60s);
  EXPECT_EQ(sent().size(), before);
  EXPECT_EQ(deliveries(made.endpoint.id)[0].state, DeliveryState::dropped);
  addEvent("c");
  EXPECT_EQ(sent().size(), before + 1);
  EXPECT_EQ(house.run(notifier->enable(made.endpoint.id, false)).error().kind, ErrorKind::conflict);
}

// As another daemon does between reading and writing.
Task<Endpoint> moveOn(store::Store& real, Notifier& notifier, std::string id) {
  std::vector<store::Value> args;
  args.emplace_back(id);
  store::Unit unit;
  unit.emplace_back("UPDATE notify_endpoints SET place=2 WHERE endpoint_id=$1", std::move(args));
  CO_TRY_VOID(co_await real.commit(std::move(unit)));
  co_return co_await notifier.one(std::move(id));
}

TEST_F(Notify, EnabledItGoesOnWhereItStoppedEvenIfThatIsFurtherThanWasRead) {
  auto const made = addEndpoint();
  house.run(notifier->disable(made.endpoint.id, "")).value();
  for (auto const* uid : {"a", "b", "c"}) addEvent(uid);
  store->before_commit = [&] { return moveOn(*house.store, *notifier, made.endpoint.id); };
  house.run(notifier->enable(made.endpoint.id, false)).value();
  settle();
  EXPECT_THAT(sequences(), ElementsAre(3));
}

TEST_F(Notify, WhatTheFeedHoldsNoMoreIsShownAsMissedUntilTheEndpointIsEnabledAgain) {
  auto const made = addEndpoint();
  auto const again = [&] {
    house.run(notifier->disable(made.endpoint.id, "")).value();
    addEvent(std::to_string(house.rows("SELECT 1 FROM changes").size() + 10));
  };
  again();
  addEvent("a");
  addEvent("b");
  store::Unit unit;
  unit.emplace_back("DELETE FROM changes WHERE sequence<3");
  house.run(house.store->commit(std::move(unit))).value();
  house.run(notifier->enable(made.endpoint.id, false)).value();
  settle();
  EXPECT_THAT(sequences(), ElementsAre(3));
  auto const missed = endpoint(made.endpoint.id).missed;
  ASSERT_TRUE(missed);
  EXPECT_EQ(missed->first, 1);
  EXPECT_EQ(missed->last, 2);
  EXPECT_EQ(missed->at, house.clock.now());
  EXPECT_THAT(house.log_text, HasSubstr("garland endpoints show " + made.endpoint.id));
  again();
  house.run(notifier->enable(made.endpoint.id, false)).value();
  settle();
  EXPECT_FALSE(endpoint(made.endpoint.id).missed);
  EXPECT_THAT(sequences(), ElementsAre(3, 4));
}

TEST_F(Notify, WhoeverAnswers410IsDisabledAtOnce) {
  answer = [](egress::Request const&) { return status(410); };
  auto const made = addEndpoint();
  addEvent("a");
  EXPECT_FALSE(endpoint(made.endpoint.id).enabled);
  EXPECT_THAT(endpoint(made.endpoint.id).reason, HasSubstr("410"));
  wait(1h, 60s);
  EXPECT_EQ(sent().size(), 1U);
}

TEST_F(Notify, WhoeverAsksToBeLeftAloneForAWhileIs) {
  answer = [](egress::Request const&) {
    auto response = status(503);
    response.retry_after = 10min;
    return response;
  };
  addEndpoint();
  addEvent("a");
  answer = [](egress::Request const&) { return status(200); };
  addEvent("b");
  wait(598s);
  EXPECT_EQ(sent().size(), 1U) << "nor is it told of anything else";
  wait(10s);
  EXPECT_THAT(sequences(), ::testing::UnorderedElementsAre(1, 1, 2));
}

TEST_F(Notify, AnEndpointThatIsDownIsTriedWithOneAttemptAtATime) {
  answer = [](egress::Request const&) { return status(500); };
  addEndpoint();
  for (int i = 0; i < 100; ++i) addEvent(std::to_string(i));
  wait(10min);
  EXPECT_LT(sent().size(), 60U);
  answer = [](egress::Request const&) { return status(200); };
  wait(5min);
  std::set<std::int64_t> told;
  for (auto const sequence : sequences()) told.insert(sequence);
  EXPECT_EQ(told.size(), 100U);
}

TEST_F(Notify, ARedirectIsAFailureThatSaysWhatToDo) {
  answer = [](egress::Request const&) { return status(302); };
  auto const made = addEndpoint();
  addEvent("a");
  EXPECT_THAT(deliveries(made.endpoint.id)[0].problem, HasSubstr("new address"));
}

TEST_F(Notify, WhileASecretIsRotatedRequestsAreSignedWithBoth) {
  auto const made = addEndpoint();
  auto const rotated = house.run(notifier->rotate(made.endpoint.id, 1h)).value();
  EXPECT_EQ(rotated.endpoint.old_secret_until, house.clock.now() + 1h);
  addEvent("a");
  EXPECT_TRUE(verifies(sent()[0], made.secret));
  EXPECT_TRUE(verifies(sent()[0], rotated.secret));
  wait(1h, 60s);
  addEvent("b");
  EXPECT_FALSE(verifies(sent()[1], made.secret));
  EXPECT_TRUE(verifies(sent()[1], rotated.secret));
  auto const again = house.run(notifier->rotate(made.endpoint.id, 0ms)).value();
  addEvent("c");
  EXPECT_FALSE(verifies(sent()[2], rotated.secret)) << "it ends at once if there is to be no overlap";
  EXPECT_TRUE(verifies(sent()[2], again.secret));
}

TEST_F(Notify, OfARecordTheNextIsToldWhenTheOneBeforeWasTakenIfThatIsAskedFor) {
  answer = [](egress::Request const& request) { return status(sequenceOf(request) == 1 ? 500 : 200); };
  NewEndpoint asked;
  asked.ordered = true;
  addEndpoint(asked);
  auto const record = addEvent("a");
  editEvent(record, "a", "Second");
  addEvent("b");
  wait(4s);
  EXPECT_THAT(sequences(), Contains(3)) << "another record does not wait";
  EXPECT_THAT(sequences(), Not(Contains(2)));
  answer = [](egress::Request const&) { return status(200); };
  wait(2min);
  EXPECT_THAT(sequences(), Contains(2));
  EXPECT_EQ(sequences().back(), 2);
}

TEST_F(Notify, WhatAnEndpointMayNotHaveWaitingStaysInTheFeed) {
  close();
  limits.waiting = 3;
  open();
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  for (int i = 0; i < 10; ++i) addEvent(std::to_string(i));
  EXPECT_EQ(deliveries(made.endpoint.id).size(), 3U);
  EXPECT_EQ(endpoint(made.endpoint.id).place, 3);
  answer = [](egress::Request const&) { return status(200); };
  wait(5min);
  auto const all = deliveries(made.endpoint.id);
  ASSERT_EQ(all.size(), 10U);
  for (auto const& delivery : all) EXPECT_EQ(delivery.state, DeliveryState::delivered);
}

TEST_F(Notify, WhatIsDoneIsForgottenAfterAWeek) {
  auto const made = addEndpoint();
  addEvent("a");
  wait(24h * 6, 1h);
  EXPECT_EQ(deliveries(made.endpoint.id).size(), 1U);
  wait(25h, 1h);
  EXPECT_THAT(deliveries(made.endpoint.id), IsEmpty());
  EXPECT_THAT(house.rows("SELECT 1 FROM notify_attempts"), IsEmpty());
}

TEST_F(Notify, WhatIsDoneIsForgottenThoughTheTimeOfDayWasSetBack) {
  auto const made = addEndpoint();
  addEvent("a");
  wait(1min);
  ASSERT_EQ(deliveries(made.endpoint.id).size(), 1U);
  house.write("UPDATE notify_deliveries SET finished=1");
  house.clock.set(house.clock.now() - 24h);
  wait(5min);
  EXPECT_THAT(deliveries(made.endpoint.id), IsEmpty());
}

TEST_F(Notify, WhatIsToBeSentAgainIsSentThoughTheTimeOfDayWasSetBack) {
  answer = [](egress::Request const&) { return status(500); };
  auto const made = addEndpoint();
  addEvent("a");
  ASSERT_EQ(sent().size(), 1U);
  auto const first =
      house.run(notifier->delivery(made.endpoint.id, deliveries(made.endpoint.id)[0].id)).value();
  answer = [](egress::Request const&) { return status(200); };
  house.clock.set(house.clock.now() - 24h);
  wait(1min + 10s);
  ASSERT_EQ(sent().size(), 2U);
  EXPECT_EQ(sent()[0].body, sent()[1].body);
  auto const again = house.run(notifier->delivery(made.endpoint.id, first.delivery.id)).value();
  EXPECT_EQ(again.delivery.state, DeliveryState::delivered);
  EXPECT_EQ(again.delivery.created, first.delivery.created) << "what it says of the past stays";
}

TEST_F(Notify, ManyThatAreDoneAreForgottenAsSoonAsFew) {
  auto const made = addEndpoint();
  store::Unit unit;
  unit.emplace_back(
      "INSERT INTO notify_deliveries (vendor_id,endpoint_id,sequence,record_id,type,body,state,"
      "attempts,tries,status,problem,created,finished) WITH RECURSIVE n(i) AS (SELECT 1 UNION "
      "ALL SELECT i+1 FROM n WHERE i<2500) SELECT $1,$2,i,'','','','delivered',1,1,200,'',"
      "CAST($3 AS BIGINT),CAST($3 AS BIGINT) FROM n",
      std::vector<store::Value>{vendor, made.endpoint.id, house.clock.now().time_since_epoch().count()});
  house.run(house.store->commit(std::move(unit))).value();
  wait(24h * 7, 1h);
  EXPECT_EQ(house.rows("SELECT 1 FROM notify_deliveries").size(), 2500U);
  wait(5min + 10s);
  EXPECT_THAT(house.rows("SELECT 1 FROM notify_deliveries"), IsEmpty());
  EXPECT_THAT(house.forgotten("deliveries"), ElementsAre(1'000, 1'000, 500)) << "each time as many as went";
}

TEST_F(Notify, AnAttemptWhoseEndNobodySawIsMadeAgainAfterTheRestart) {
  answer = [](egress::Request const&) {
    return Result<egress::Response>(Error(ErrorKind::cancelled, "the process is gone"));
  };
  auto const made = addEndpoint();
  addEvent("a");
  EXPECT_EQ(sent().size(), 1U);
  restart();
  answer = [](egress::Request const&) { return status(200); };
  wait(1min);
  ASSERT_EQ(sent().size(), 2U);
  EXPECT_EQ(header(sent()[0], "webhook-id"), header(sent()[1], "webhook-id"));
  auto const detail =
      house.run(notifier->delivery(made.endpoint.id, header(sent()[0], "webhook-id"))).value();
  ASSERT_EQ(detail.attempts.size(), 2U);
  EXPECT_EQ(detail.attempts[0].took, std::nullopt);
}

} // namespace
} // namespace garland::notify
