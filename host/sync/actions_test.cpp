#include "host/sync/testing/one_bank.h"

#include "host/sync/sql.h"
#include "host/sync/waiting.h"

#include <set>

namespace garland::sync {
namespace {

using testing::FakeBank;

class ActionTest : public testing::OneBank {
protected:
  // Nothing more is done about it by itself.
  Action ended(std::string const& id) {
    return until(id, [](Action const& a) { return a.state != ActionState::sent && !a.next_attempt; });
  }
  // Of another vendor: by then the loop has passed over what waits.
  Action anotherIsDone() {
    auto wanted = request("test.charge/1", "of-another");
    wanted.connection_id = house.connect(house.vendor(), "bank");
    return ended(house.run(actions().accept(wanted)).value().action.id);
  }
  std::vector<std::string> ids(ActionQuery const& query) {
    std::vector<std::string> out;
    for (auto const& action : house.run(actions().list(query)).value()) out.push_back(action.id);
    return out;
  }
};

Error declined() {
  Error error(ErrorKind::invalidInput, "the card was declined");
  error.http_status = 402;
  error.provider_code = "card_declined";
  return error;
}

TEST_F(ActionTest, IsDoneOnceAndItsOutputIsKept) {
  auto const accepted = house.run(actions().accept(request("test.charge/1"))).value();
  EXPECT_FALSE(accepted.known);
  auto const action = ended(accepted.action.id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(effectOf(action.state), Effect::applied);
  EXPECT_EQ(action.known_by, "answer");
  EXPECT_EQ(textOr(action.output, "/id", ""), "pay_1");
  EXPECT_EQ(action.attempts, 1);
  EXPECT_TRUE(action.finished);
  EXPECT_EQ(bank.charges.size(), 1U);
  EXPECT_EQ(bank.keys.at(0), action.provider_key);
}

TEST_F(ActionTest, UnderTheSameKeyIsTheSameAction) {
  auto const id = accept("test.charge/1");
  ended(id);
  auto const again = house.run(actions().accept(request("test.charge/1"))).value();
  EXPECT_TRUE(again.known);
  EXPECT_EQ(again.action.id, id);
  EXPECT_EQ(again.action.state, ActionState::done);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, TakenInTwiceAtTheSameMomentIsOneAction) {
  std::optional<Result<AcceptedAction>> other;
  asio::co_spawn(house.loop, actions().accept(request("test.charge/1")),
                 [&](std::exception_ptr, Result<AcceptedAction> result) { other = std::move(result); });
  auto const one = house.run(actions().accept(request("test.charge/1"))).value();
  while (!other) house.loop.run_one();
  ASSERT_TRUE(*other) << other->error().message;
  EXPECT_EQ((*other)->action.id, one.action.id);
  EXPECT_NE((*other)->known, one.known);
  ended(one.action.id);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, WithAKeyThatMeantSomethingElseIsAConflict) {
  auto const id = accept("test.charge/1");
  for (auto const& other : {request("test.charge/1", "invoice-7", 9900), request("test.send/1")}) {
    auto const refused = house.run(actions().accept(other));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_EQ(refused.error().field, "/idempotency_key");
    EXPECT_EQ(textOr(refused.error().detail, "/action", ""), id);
  }
  ended(id);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, OfTwoVendorsWithTheSameKeyAreTwoForTheProviderToo) {
  auto const first = ended(accept("test.charge/1"));
  auto const other = house.vendor();
  auto wanted = request("test.charge/1");
  wanted.connection_id = house.connect(other, "bank");
  auto const second = ended(house.run(actions().accept(wanted)).value().action.id);
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(second.state, ActionState::done);
  ASSERT_EQ(bank.charges.size(), 2U);
  EXPECT_NE(bank.charges[0].key, bank.charges[1].key);
}

TEST_F(ActionTest, ThatWasNotAppliedIsTriedAgainUnderItsKeyWhenTheProviderAllows) {
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(60'000))));
  auto const id = accept("test.charge/1");
  auto const waiting = later(id);
  EXPECT_EQ(waiting.state, ActionState::waiting);
  EXPECT_EQ(waiting.error->kind, ErrorKind::rateLimited);
  EXPECT_GE(*waiting.next_attempt, house.clock.now() + Milliseconds(60'000));
  comesDue(waiting);
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.attempts, 2);
  EXPECT_FALSE(action.error);
  EXPECT_EQ(bank.keys.at(0), bank.keys.at(1));
}

TEST_F(ActionTest, IsNotTriedForEver) {
  Error away(ErrorKind::transient, "the bank is closed");
  for (int i = 0; i < 20; ++i) bank.turns.push_back(FakeBank::refused(away));
  auto const id = accept("test.charge/1");
  auto const before = [](Action const& a, std::int64_t attempts) { return a.attempts >= attempts; };
  for (int tries = 1; tries < 10; ++tries)
    comesDue(until(id, [&](Action const& a) { return before(a, tries) && a.state == ActionState::waiting; }));
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(effectOf(action.state), Effect::notApplied);
  EXPECT_EQ(action.attempts, 10);
  EXPECT_EQ(action.error->message, "the bank is closed");
}

TEST_F(ActionTest, ThatTheProviderRefusesFailsAtOnceAndSaysWhy) {
  auto refusal = declined();
  refusal.detail = json::object{{"decline_code", "insufficient_funds"}};
  bank.turns.push_back(FakeBank::refused(std::move(refusal)));
  auto const action = ended(accept("test.charge/1"));
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.known_by, "answer");
  EXPECT_EQ(action.error->provider_code, "card_declined");
  EXPECT_EQ(textOr(action.error->detail, "/decline_code", ""), "insufficient_funds");
  EXPECT_EQ(action.attempts, 1);
}

TEST_F(ActionTest, ThatNeedsAnotherSignInWaitsForItAndGoesOnWithIt) {
  bank.turns.push_back(FakeBank::refused(Error(ErrorKind::authRevoked, "the bank knows this token no more")));
  auto const id = accept("test.charge/1");
  auto const told = [&] { return house.run(house.engine->connection(connection)).value(); };
  while (told().state == "connected") house.loop.poll_one();
  EXPECT_EQ(told().state, "reconnect needed");
  auto const in_chain = house.told("change", "connection.state");
  ASSERT_EQ(in_chain.size(), 1U);
  EXPECT_EQ(textOr(in_chain[0], "/facts/state", ""), "reconnect needed");
  EXPECT_EQ(textOr(in_chain[0], "/facts/why", ""), "auth_revoked");
  auto const waiting = get(id);
  EXPECT_EQ(waiting.state, ActionState::waiting);
  EXPECT_EQ(waiting.waits_for, "its account to be connected again: the bank knows this token no more");
  EXPECT_EQ(waiting.attempts, 1);
  house.clock.advance(std::chrono::hours(48));
  auto const later = accept("test.charge/1", "invoice-8");
  EXPECT_EQ(anotherIsDone().state, ActionState::done);
  EXPECT_EQ(get(id).attempts, 1) << "nobody is asked with what was refused";
  EXPECT_EQ(get(later).state, ActionState::waiting);
  EXPECT_EQ(house.connect(vendor, "bank"), connection);
  EXPECT_EQ(ended(id).state, ActionState::done);
  EXPECT_EQ(ended(later).state, ActionState::done);
  EXPECT_EQ(bank.charges.size(), 3U);
}

TEST_F(ActionTest, OfAConnectionThatWasRevokedWaitsAndSaysWhy) {
  house.run(house.engine->revoke(connection)).value();
  auto const id = accept("test.charge/1");
  EXPECT_EQ(anotherIsDone().state, ActionState::done);
  auto const waiting = get(id);
  EXPECT_EQ(waiting.state, ActionState::waiting);
  EXPECT_EQ(waiting.attempts, 0);
  EXPECT_FALSE(waiting.error);
  EXPECT_NE(waiting.waits_for.find("its sign-in was taken back here on 2026-01-01"), std::string::npos);
  ActionQuery all;
  all.connection_id = connection;
  EXPECT_EQ(house.run(actions().list(all)).value().at(0).waits_for, waiting.waits_for);
  EXPECT_EQ(house.connect(vendor, "bank"), connection);
  EXPECT_EQ(ended(id).state, ActionState::done);
}

TEST_F(ActionTest, WhoseReceiptCannotBeReadIsLookedUpAndHasItsOutputFromThere) {
  FakeBank::Turn turn;
  turn.error = Error(ErrorKind::providerBug, "the receipt cannot be read").withEffect(Effect::applied);
  bank.turns.push_back(turn);
  auto const id = accept("test.charge/1");
  auto const unknown = later(id);
  EXPECT_EQ(unknown.state, ActionState::unknown);
  EXPECT_EQ(unknown.error->message, "the receipt cannot be read");
  comesDue(unknown);
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.known_by, "lookup");
  EXPECT_EQ(textOr(action.output, "/id", ""), "pay_1");
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, WhoseReceiptCannotBeReadAndThatIsNowhereIsSentAgain) {
  FakeBank::Turn turn;
  turn.arrives = false;
  turn.error = Error(ErrorKind::providerBug, "a web page came").withEffect(Effect::applied);
  bank.turns.push_back(turn);
  auto const id = accept("test.charge/1");
  auto const unknown = later(id);
  ASSERT_EQ(unknown.state, ActionState::unknown);
  comesDue(unknown);
  auto const waiting = until(id, [](Action const& a) { return a.state == ActionState::waiting; });
  comesDue(waiting);
  EXPECT_EQ(ended(id).state, ActionState::done);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, WhoseCallEndedBeforeAnyRequestWentOutCertainlyDidNotTakePlace) {
  auto turn = FakeBank::lostOnTheWay();
  turn.asks = false;
  bank.turns.push_back(turn);
  auto const id = accept("test.post/1");
  auto const waiting = later(id);
  EXPECT_EQ(waiting.state, ActionState::waiting);
  EXPECT_EQ(waiting.error->effect, Effect::notApplied);
  comesDue(waiting);
  EXPECT_EQ(ended(id).state, ActionState::done);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, WhoseAnswerGotLostIsLookedUpAndNotSentAgain) {
  bank.turns.push_back(FakeBank::lostOnTheWayBack());
  auto const id = accept("test.charge/1");
  auto const unknown = later(id);
  EXPECT_EQ(unknown.state, ActionState::unknown);
  EXPECT_EQ(effectOf(unknown.state), Effect::unknown);
  comesDue(unknown);
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.known_by, "lookup");
  EXPECT_EQ(textOr(action.output, "/id", ""), "pay_1");
  EXPECT_EQ(bank.charges.size(), 1U);
  EXPECT_EQ(bank.keys.size(), 1U);
  EXPECT_EQ(textOr(bank.last_lookup, "/idempotency_key", ""), action.provider_key);
  EXPECT_EQ(textOr(bank.last_lookup, "/operation", ""), "test.charge/1");
  EXPECT_EQ(integerOr(bank.last_lookup, "/input/amount", 0), 1200);
  EXPECT_EQ(textOr(bank.last_lookup, "/sent_at", ""), rfc3339(*action.last_sent));
}

TEST_F(ActionTest, ThatIsNotFoundYetIsLookedUpAgainLaterAndSentAgainOnlyWhenThatIsFinal) {
  bank.turns.push_back(FakeBank::lostOnTheWay());
  bank.lookup_answers.push_back(json::object{{"found", false}, {"final", false}});
  auto const id = accept("test.charge/1");
  auto const first = later(id);
  comesDue(first);
  auto const second = until(id, [](Action const& a) { return a.lookups == 1; });
  EXPECT_EQ(second.state, ActionState::unknown);
  EXPECT_GT(*second.next_attempt, *first.next_attempt);
  EXPECT_EQ(bank.keys.size(), 1U);
  comesDue(second);
  auto const waiting = until(id, [](Action const& a) { return a.state != ActionState::unknown; });
  if (waiting.state == ActionState::waiting && *waiting.next_attempt > house.clock.now()) comesDue(waiting);
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.attempts, 2);
  EXPECT_EQ(bank.lookups, 2);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, WhoseLookupFailsStaysUnknownAndIsLookedUpAgain) {
  bank.turns.push_back(FakeBank::lostOnTheWayBack());
  bank.refuse_lookups = Error(ErrorKind::transient, "the bank is closed");
  auto const id = accept("test.charge/1");
  comesDue(later(id));
  auto const unknown = until(id, [](Action const& a) { return a.lookups == 1; });
  EXPECT_EQ(unknown.state, ActionState::unknown);
  EXPECT_EQ(unknown.lookup_problem, "the bank is closed");
  EXPECT_EQ(unknown.error->message, "the bank did not answer in time");
  bank.refuse_lookups.reset();
  bank.lookup_answers.push_back(json::object{{"fund", true}});
  comesDue(unknown);
  auto const odd = until(id, [](Action const& a) { return a.lookups == 2; });
  EXPECT_NE(odd.lookup_problem.find("has to answer"), std::string::npos) << odd.lookup_problem;
  comesDue(odd);
  EXPECT_EQ(ended(id).state, ActionState::done);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, WhoseAnswerGotLostIsRepeatedUnderItsKeyWhereTheProviderKnowsIt) {
  bank.turns.push_back(FakeBank::lostOnTheWayBack());
  auto const id = accept("test.send/1");
  comesDue(later(id));
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.attempts, 2);
  EXPECT_EQ(bank.charges.size(), 1U);
  EXPECT_EQ(bank.keys.at(0), bank.keys.at(1));
}

TEST_F(ActionTest, InDoubtStaysSoThoughARepetitionCouldNotBeSent) {
  bank.turns.push_back(FakeBank::lostOnTheWayBack());
  bank.turns.push_back(FakeBank::refused(Error(ErrorKind::transient, "no connection to the bank")));
  auto const id = accept("test.send/1");
  comesDue(later(id));
  auto const still = until(id, [](Action const& a) { return a.attempts == 2 && a.next_attempt; });
  EXPECT_EQ(still.state, ActionState::unknown);
  comesDue(still);
  EXPECT_EQ(ended(id).state, ActionState::done);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, IsNotRepeatedOnceTheProviderHasForgottenItsKey) {
  bank.turns.push_back(FakeBank::lostOnTheWayBack());
  auto const id = accept("test.send/1");
  auto const unknown = later(id);
  while (house.clock.sleepers() < 2) house.loop.run_one();
  house.clock.advance(std::chrono::hours(24));
  auto const action = ended(id);
  EXPECT_EQ(action.state, ActionState::unknown);
  EXPECT_EQ(action.attempts, 1);
  EXPECT_EQ(bank.keys.size(), 1U);
  EXPECT_NE(noticeOf(action).find("garland actions settle " + id), std::string::npos) << noticeOf(action);
  EXPECT_NE(house.log_text.find(id), std::string::npos);
}

TEST_F(ActionTest, ThatNobodyCanFindOutStaysUnknownUntilAnOperatorSettlesIt) {
  for (bool const applied : {true, false}) {
    bank.turns.push_back(FakeBank::lostOnTheWayBack());
    auto const id = accept("test.post/1", applied ? "a" : "b");
    auto const unknown = ended(id);
    EXPECT_EQ(unknown.state, ActionState::unknown);
    EXPECT_NE(noticeOf(unknown), "");
    auto const settled = house.run(actions().settle(id, Settlement{applied, nullptr})).value();
    EXPECT_EQ(settled.state, applied ? ActionState::done : ActionState::failed);
    EXPECT_EQ(settled.known_by, "operator");
    EXPECT_EQ(noticeOf(settled), "");
    EXPECT_TRUE(get(id).finished);
    EXPECT_TRUE(house.run(actions().settle(id, Settlement{applied, nullptr})));
    auto const other = house.run(actions().settle(id, Settlement{!applied, nullptr}));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::conflict);
  }
  EXPECT_EQ(bank.keys.size(), 2U);
}

TEST_F(ActionTest, ThatWaitsCanBeCalledOffButNotBeSaidToHaveTakenPlace) {
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(60'000))));
  auto const id = accept("test.charge/1");
  later(id);
  EXPECT_FALSE(house.run(actions().settle(id, Settlement{true, nullptr})));
  auto const off = house.run(actions().settle(id, Settlement{false, nullptr})).value();
  EXPECT_EQ(off.state, ActionState::failed);
  EXPECT_EQ(bank.charges.size(), 0U);
}

TEST_F(ActionTest, OnItsWayCannotBeSettled) {
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  bank.during = [&] { return reached(&here, &go); };
  auto const id = accept("test.charge/1");
  house.run(here.wait()).value();
  auto const refused = house.run(actions().settle(id, Settlement{false, nullptr}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(get(id).state, ActionState::sent);
  go.set();
  EXPECT_EQ(ended(id).state, ActionState::done);
}

TEST_F(ActionTest, WithALongQueueLeavesRoomForOtherConnections) {
  Event go(house.loop.get_executor());
  bank.during = [&] { return go.wait(); };
  std::vector<std::string> queue;
  for (int i = 0; i < 9; ++i) {
    queue.push_back(accept("test.charge/1", "k" + std::to_string(i)));
    house.clock.advance(Milliseconds(1));
  }
  while (bank.in_hand < 1) house.loop.run_one();
  auto wanted = request("test.charge/1");
  wanted.connection_id = house.connect(house.vendor(), "bank");
  auto const other = house.run(actions().accept(wanted)).value().action;
  while (bank.in_hand < 2) house.loop.run_one();
  EXPECT_EQ(bank.charges.back().key, other.provider_key);
  go.set();
  for (auto const& id : queue) EXPECT_EQ(ended(id).state, ActionState::done);
  EXPECT_EQ(ended(other.id).state, ActionState::done);
  ASSERT_EQ(bank.charges.size(), 10U);
  // In the order in which they were asked for.
  std::vector<std::string> keys;
  for (auto const& key : bank.keys)
    if (key != other.provider_key) keys.push_back(key);
  for (std::size_t i = 0; i < queue.size(); ++i) EXPECT_EQ(keys.at(i), get(queue[i]).provider_key);
}

// More of one connection than are looked at together.
TEST_F(ActionTest, WithAQueueOfAThousandHidesNoOtherConnection) {
  Event go(house.loop.get_executor());
  bank.during = [&] { return go.wait(); };
  auto const first = accept("test.charge/1", "k");
  while (bank.in_hand < 1) house.loop.run_one();
  store::Unit unit;
  unit.emplace_back(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1100) "
      "INSERT INTO actions (vendor_id,action_id,connection_id,operation,idempotency_key,"
      "provider_key,input,state,known_by,output,error,attempts,lookups,lookup_problem,revision,"
      "next_attempt,created,first_sent,last_sent,finished) "
      "SELECT a.vendor_id, a.action_id || '_' || CAST(n.i AS TEXT), a.connection_id, a.operation, "
      "'k' || CAST(n.i AS TEXT), a.provider_key, a.input, 'waiting', '', 'null', '', 0, 0, '', 0, "
      "a.created, a.created, NULL, NULL, NULL FROM actions a CROSS JOIN n",
      Values{});
  house.run(house.store->commit(std::move(unit))).value();
  house.clock.advance(Milliseconds(1));
  auto wanted = request("test.charge/1");
  wanted.connection_id = house.connect(house.vendor(), "bank");
  auto const other = house.run(actions().accept(wanted)).value().action;
  while (bank.in_hand < 2) house.loop.run_one();
  EXPECT_EQ(bank.charges.back().key, other.provider_key);
  bank.during = nullptr;
  go.set();
  EXPECT_EQ(ended(other.id).state, ActionState::done);
  EXPECT_EQ(ended(first).state, ActionState::done);
}

Task<void> thrown() {
  throw std::runtime_error("there is no memory");
  co_return Result<void>();
}

TEST_F(ActionTest, WhoseCallEndsByAnExceptionHoldsUpNoOtherAndNoDisconnecting) {
  bank.during = [this] {
    bank.during = nullptr;
    return thrown();
  };
  auto const first = accept("test.charge/1", "a");
  auto const second = accept("test.charge/1", "b");
  until(second, [this](Action const& a) {
    if (house.clock.sleepers() >= 2) house.clock.advance(Milliseconds(1'000));
    return a.state == ActionState::done;
  });
  EXPECT_NE(get(first).state, ActionState::sent) << "nobody would look into it";
  EXPECT_NE(get(first).state, ActionState::waiting);
  house.run(house.engine->disconnect(connection, true)).value();
}

TEST_F(ActionTest, WhoseCallEndsByAnExceptionIsLookedUpLikeOneWhoseAnswerGotLost) {
  bank.during = [this] {
    bank.during = nullptr;
    return thrown();
  };
  auto const id = accept("test.charge/1");
  auto const action = until(id, [this](Action const& a) {
    if (house.clock.sleepers() >= 2) house.clock.advance(Milliseconds(1'000));
    return a.finished.has_value();
  });
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_GE(bank.lookups, 1);
}

TEST_F(ActionTest, IsForgottenLongAfterItsEndAndNeverWithoutOne) {
  bank.turns.push_back(FakeBank::lostOnTheWayBack());
  auto const unknown = accept("test.post/1", "a");
  ended(unknown);
  auto const old = accept("test.charge/1", "b");
  ended(old);
  constexpr Milliseconds kDay{86'400'000};
  auto const pass = [this](Milliseconds span) {
    while (house.clock.sleepers() < 1) house.loop.run_one();
    house.clock.advance(span);
    while (house.clock.sleepers() < 1) house.loop.run_one(); // what is due by then is done
  };
  pass(kActionsKept - kDay);
  EXPECT_EQ(accept("test.charge/1", "b"), old);
  pass(2 * kDay);
  EXPECT_EQ(house.run(actions().one(old)).error().kind, ErrorKind::notFound);
  EXPECT_EQ(house.forgotten("actions"), std::vector<std::int64_t>{1});
  EXPECT_EQ(get(unknown).state, ActionState::unknown);
  EXPECT_NE(accept("test.charge/1", "b"), old) << "its key is forgotten with it";
}

TEST_F(ActionTest, IsForgottenThoughTheTimeOfDayWasSetBack) {
  auto const old = accept("test.charge/1");
  ended(old);
  while (house.clock.sleepers() < 1) house.loop.run_one(); // what is old now is forgotten
  house.write("UPDATE actions SET finished=0");
  house.clock.set(house.clock.now() - std::chrono::days(1));
  house.clock.advance(Milliseconds(300'000));
  while (house.clock.sleepers() < 1) house.loop.run_one();
  EXPECT_EQ(house.run(actions().one(old)).error().kind, ErrorKind::notFound);
}

TEST_F(ActionTest, IsRefusedIfTheConnectorHasNoneOfThatName) {
  auto const refused = house.run(actions().accept(request("calendar.pull/1")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(refused.error().field, "/operation");
  EXPECT_NE(refused.error().message.find("test.charge/1"), std::string::npos) << refused.error().message;
}

TEST_F(ActionTest, IsRefusedIfItsInputIsNotWhatTheOperationTakes) {
  auto wanted = request("payments.refund/1");
  wanted.input = json::object{{"payment", 7}};
  auto refused = house.run(actions().accept(wanted));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_EQ(refused.error().field, "/input/payment");
  wanted.input = json::object{{"payment", "pay_1"}, {"reson", "requested"}};
  refused = house.run(actions().accept(wanted));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("reverse_transfer"), std::string::npos) << refused.error().message;
  EXPECT_EQ(refused.error().message.find("idempotency_key"), std::string::npos)
      << "what is not taken in the input must not be told as its member: " << refused.error().message;
  wanted.input = json::object{{"payment", "pay_1"}, {"idempotency_key", "mine"}};
  refused = house.run(actions().accept(wanted));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "/input/idempotency_key");
  wanted.input = json::array();
  EXPECT_FALSE(house.run(actions().accept(wanted)));
  EXPECT_TRUE(house.rows("SELECT 1 FROM actions").empty());
}

TEST_F(ActionTest, NeedsAKeyThatCanBeTyped) {
  for (auto const& key :
       {std::string(), std::string("two words"), std::string(201, 'k'), std::string("\xc3\xa9")}) {
    auto const refused = house.run(actions().accept(request("test.charge/1", key)));
    ASSERT_FALSE(refused) << key;
    EXPECT_EQ(refused.error().field, "/idempotency_key");
  }
}

TEST_F(ActionTest, WithoutAnEndIsLostByDisconnectingOnlyIfAskedTo) {
  bank.turns.push_back(FakeBank::lostOnTheWayBack());
  auto const unknown = accept("test.post/1", "a");
  ended(unknown);
  bank.turns.push_back(FakeBank::refused(limited(Milliseconds(60'000))));
  auto const waiting = accept("test.charge/1", "b");
  later(waiting);
  auto const refused = house.run(house.engine->disconnect(connection, false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(integerOr(refused.error().detail, "/open_actions", 0), 2);
  house.run(house.engine->disconnect(connection, true)).value();
  EXPECT_EQ(get(waiting).state, ActionState::failed);
  EXPECT_EQ(get(waiting).known_by, "host");
  EXPECT_EQ(get(unknown).state, ActionState::unknown);
  EXPECT_FALSE(get(unknown).next_attempt);
  EXPECT_EQ(bank.charges.size(), 1U);
}

TEST_F(ActionTest, AreListedByVendorConnectionAndState) {
  auto const done = accept("test.charge/1", "a");
  ended(done);
  bank.turns.push_back(FakeBank::refused(declined()));
  auto const failed = accept("test.charge/1", "b");
  ended(failed);
  ActionQuery query;
  EXPECT_EQ(ids(query), (std::vector<std::string>{done, failed}));
  query.vendor_id = vendor;
  query.state = ActionState::failed;
  EXPECT_EQ(ids(query), std::vector<std::string>{failed});
  query.state.reset();
  query.after_id = done;
  EXPECT_EQ(ids(query), std::vector<std::string>{failed});
  query.vendor_id = house.vendor();
  query.after_id.clear();
  EXPECT_TRUE(ids(query).empty());
}

} // namespace
} // namespace garland::sync
