// What comes in by itself: kept before it is read, read once, never lost.
#include "host/sync/testing/fake_form.h"

#include "host/sync/waiting.h"

namespace garland::sync {
namespace {

using testing::client;
using testing::FakeForm;
using testing::House;

constexpr Milliseconds kDay{86'400'000};

class IntakeTest : public ::testing::Test {
protected:
  House house;
  FakeForm form{house};

  void SetUp() override { house.run(house.engine->start()).value(); }

  IntakeItem sent(json::value body, std::string key = {}) {
    return form.settled(form.send(std::move(body), std::move(key)).value().id);
  }
  static json::object ada() {
    return client("c1", {{"kind", "person"}, {"name", "Ada"}, {"email", "ada@x.test"}});
  }
  Delivery unsent(json::value body) {
    Delivery delivery;
    delivery.connection_id = form.connection;
    delivery.dedupe_key = "rehearsed";
    delivery.content = json::object{{"content_type", ""}, {"query", json::object()}};
    delivery.content.as_object()["json"] = std::move(body);
    return delivery;
  }
  json::value only() {
    auto const records = house.records(form.vendor);
    EXPECT_EQ(records.size(), 1U);
    return records.empty() ? json::value() : records[0].data;
  }
  // It waits for a later attempt: its time comes.
  IntakeItem comesDue(IntakeItem const& item) {
    while (house.clock.sleepers() < 2) house.loop.run_one();
    house.clock.advance(*item.next_attempt - house.clock.now());
    return form.settled(item.id);
  }
  Storage stored() { return *house.run(house.engine->connection(form.connection)).value().stored; }
};

Error problem(ErrorKind kind, std::string code = {}) {
  Error error(kind, "the reading ended badly");
  error.provider_code = std::move(code);
  return error;
}

TEST_F(IntakeTest, AnItemIsReadAndItsRecordStored) {
  auto const accepted = form.send(ada()).value();
  EXPECT_FALSE(accepted.known);
  auto const item = form.settled(accepted.id);
  EXPECT_EQ(item.state, IntakeState::taken);
  EXPECT_EQ(item.records, 1);
  EXPECT_EQ(item.attempts, 1);
  EXPECT_TRUE(item.finished);
  EXPECT_EQ(textOr(only(), "/email", ""), "ada@x.test");
  auto const changes = house.run(house.engine->changes(form.vendor, 0, 10)).value();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].origin, form.connection);
  EXPECT_EQ(house.run(form.intake().contentOf(item.id)).value().raw, json::serialize(ada()));
}

TEST_F(IntakeTest, TheSameKeyAgainIsTheSameItem) {
  auto const first = sent(ada(), "delivery-1");
  auto const again = form.send(client("c2", {{"kind", "person"}, {"name", "Bo"}}), "delivery-1").value();
  EXPECT_TRUE(again.known);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(form.read.size(), 1U);
}

TEST_F(IntakeTest, TheSameBytesAreTheSameItemForADayAndThenAnother) {
  auto const first = sent(ada());
  house.clock.advance(kDay - Milliseconds(1));
  EXPECT_TRUE(form.send(ada()).value().known);
  house.clock.advance(Milliseconds(2));
  auto const later = form.send(ada()).value();
  EXPECT_FALSE(later.known);
  EXPECT_NE(later.id, first.id);
  EXPECT_EQ(form.settled(later.id).state, IntakeState::taken);
  EXPECT_EQ(house.records(form.vendor).size(), 1U);
}

TEST_F(IntakeTest, TwoOfOneKeyAtTheSameMomentAreOne) {
  std::optional<Result<AcceptedItem>> other;
  Delivery delivery;
  delivery.connection_id = form.connection;
  delivery.dedupe_key = "delivery-1";
  delivery.content = json::object{{"content_type", ""}, {"query", json::object()}, {"json", ada()}};
  asio::co_spawn(house.loop, form.intake().accept(delivery),
                 [&](std::exception_ptr, Result<AcceptedItem> result) { other = std::move(result); });
  auto const one = house.run(form.intake().accept(delivery)).value();
  while (!other) house.loop.run_one();
  ASSERT_TRUE(*other) << other->error().message;
  EXPECT_EQ((*other)->id, one.id);
  EXPECT_NE((*other)->known, one.known);
  form.settled(one.id);
  EXPECT_EQ(form.read.size(), 1U);
}

TEST_F(IntakeTest, WhatAnItemLeavesOutStaysAsItWas) {
  sent(ada());
  sent(client("c1", {{"phones", {{"mobile", "+15550100"}}}}));
  EXPECT_EQ(textOr(only(), "/email", ""), "ada@x.test");
  EXPECT_EQ(textOr(only(), "/phones/mobile", ""), "+15550100");
}

TEST_F(IntakeTest, AnEditMadeHereOutlivesAnItemThatSaysNothingOfIt) {
  sent(ada());
  auto record = house.records(form.vendor).at(0);
  record.data.as_object()["name"] = "Ada Lovelace";
  house.run(house.engine->putRecord(form.vendor, record.id, record.data, 0)).value();
  sent(client("c1", {{"job_title", "countess"}}));
  EXPECT_EQ(textOr(only(), "/name", ""), "Ada Lovelace");
  EXPECT_EQ(textOr(only(), "/job_title", ""), "countess");
}

TEST_F(IntakeTest, WhatTheConnectorDoesNotKnowWaitsForAPersonAndIsReadAgainOnRequest) {
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  auto const item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_EQ(item.reason, "no rule fits");
  EXPECT_TRUE(house.records(form.vendor).empty()) << "what was emitted of it does not count";
  EXPECT_EQ(house.run(form.intake().counts("")).value().review, 1);
  auto const told = house.told("change", "intake.review");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(textOr(told[0], "/subject", ""), item.id);
  EXPECT_EQ(told[0].at("facts"), (json::object{{"by", "host"}}));
  form.answers.reset();
  EXPECT_EQ(house.run(form.intake().retry(item.id)).value().state, IntakeState::waiting);
  EXPECT_EQ(form.settled(item.id).state, IntakeState::taken);
  EXPECT_EQ(house.run(form.intake().counts("")).value().review, 0);
  EXPECT_EQ(textOr(only(), "/name", ""), "Ada");
  EXPECT_EQ(house.run(form.intake().retry(item.id)).error().kind, ErrorKind::conflict);
}

TEST_F(IntakeTest, WhatOnlyLacksAProofIsTakenOnAPersonsWordWhichIsKept) {
  form.asks_for_proof = true;
  auto const item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_EQ(item.reason, "nobody proves it");
  EXPECT_TRUE(item.acceptable);
  house.run(form.intake().retry(item.id)).value();
  EXPECT_EQ(form.settled(item.id).state, IntakeState::review) << "reading it again proves nothing";
  EXPECT_TRUE(form.get(item.id).acceptable);
  auto const accepted = house.run(form.intake().acceptAsGenuine(item.id, "rosa@studio.example")).value();
  EXPECT_EQ(accepted.state, IntakeState::waiting);
  auto const done = form.settled(item.id);
  EXPECT_EQ(done.state, IntakeState::taken) << done.reason;
  EXPECT_EQ(done.accepted_by, "rosa@studio.example");
  EXPECT_EQ(done.accepted, accepted.accepted);
  EXPECT_FALSE(done.acceptable);
  EXPECT_EQ(textOr(only(), "/email", ""), "ada@x.test");
  std::vector<json::value> told;
  for (auto& change : house.told("change"))
    if (textOr(change, "/act", "") == "intake.accept") told.push_back(std::move(change));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(textOr(told[0], "/subject", ""), item.id);
  EXPECT_EQ(textOr(told[0], "/connection", ""), form.connection);
  EXPECT_EQ(textOr(told[0], "/person", ""), house.book->pseudonym(" Rosa@studio.example"));
  EXPECT_EQ(json::serialize(told[0]).find("rosa"), std::string::npos) << "a person is a pseudonym there";
}

TEST_F(IntakeTest, APersonsWordHoldsUntilItIsReadWhateverComesBetween) {
  form.asks_for_proof = true;
  auto const item = sent(ada());
  form.errors = {problem(ErrorKind::transient), problem(ErrorKind::pluginBug)};
  house.run(form.intake().acceptAsGenuine(item.id, "rosa")).value();
  auto later = form.settled(item.id);
  EXPECT_EQ(later.state, IntakeState::waiting);
  later = comesDue(later);
  EXPECT_EQ(later.state, IntakeState::review) << "an error that does not pass";
  EXPECT_FALSE(later.acceptable);
  house.run(form.intake().retry(item.id)).value();
  EXPECT_EQ(form.settled(item.id).state, IntakeState::taken);
  EXPECT_EQ(form.get(item.id).accepted_by, "rosa");
}

TEST_F(IntakeTest, NobodysWordMakesARecordOfWhatIsNotUnderstood) {
  auto const refusal = [this](std::string const& id, std::string const& who = "rosa") {
    auto const refused = house.run(form.intake().acceptAsGenuine(id, who));
    return refused ? Error(ErrorKind::pluginBug, "it was accepted") : refused.error();
  };
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  auto const unknown = sent(ada(), "unknown");
  EXPECT_FALSE(unknown.acceptable);
  auto const told = refusal(unknown.id);
  EXPECT_EQ(told.kind, ErrorKind::conflict);
  for (auto const* part : {"no rule fits", "garland intake retry itm_", "dismiss"})
    EXPECT_NE(told.message.find(part), std::string::npos) << part << " in: " << told.message;
  EXPECT_EQ(form.get(unknown.id).state, IntakeState::review);

  // Nor does it count twice: a connector that goes on asking is not asked for ever.
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "still"}, {"acceptable", true}};
  auto const stubborn = sent(ada(), "stubborn");
  EXPECT_TRUE(stubborn.acceptable);
  EXPECT_EQ(refusal(stubborn.id, " ").kind, ErrorKind::invalidInput) << "somebody has to say it";
  house.run(form.intake().acceptAsGenuine(stubborn.id, "rosa")).value();
  EXPECT_EQ(form.settled(stubborn.id).state, IntakeState::review);
  EXPECT_EQ(refusal(stubborn.id).kind, ErrorKind::conflict);

  form.answers.reset();
  EXPECT_EQ(refusal(sent(ada(), "taken").id).kind, ErrorKind::conflict);
  house.run(form.intake().dismiss(unknown.id, "a test")).value();
  EXPECT_NE(refusal(unknown.id).message.find("only what is in review"), std::string::npos);
}

TEST_F(IntakeTest, ARehearsalTellsWhatWouldComeAndKeepsNothing) {
  auto const rehearsed = [this](json::value body) {
    return house.run(form.intake().rehearse(unsent(std::move(body))));
  };
  auto const good = rehearsed(ada()).value();
  EXPECT_EQ(good.state, IntakeState::taken);
  EXPECT_EQ(good.records, (std::map<std::string, std::int64_t>{{"crm.client", 1}}));
  auto const partial = rehearsed(client("c1", {{"email", "ada@x.test"}})).value();
  EXPECT_EQ(partial.state, IntakeState::review) << "no client is known of which this is a part";
  EXPECT_FALSE(partial.reason.empty());
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  EXPECT_EQ(rehearsed(ada()).value().reason, "no rule fits");
  form.answers.reset();
  form.errors = {problem(ErrorKind::transient)};
  EXPECT_EQ(rehearsed(ada()).error().kind, ErrorKind::transient);
  EXPECT_TRUE(house.rows("SELECT 1 FROM inbox").empty());
  EXPECT_TRUE(house.records(form.vendor).empty());
  sent(ada());
  EXPECT_EQ(rehearsed(client("c1", {{"email", "ada@y.test"}})).value().state, IntakeState::taken)
      << "as it would come now";
  EXPECT_EQ(textOr(only(), "/email", ""), "ada@x.test");
}

TEST_F(IntakeTest, AllThatWaitsOfAConnectionCanBeReadAgainAtOnce) {
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(sent(ada(), "d" + std::to_string(i)).id);
  form.answers.reset();
  EXPECT_EQ(house.run(form.intake().retryAll(form.connection)).value(), 3);
  for (auto const& id : ids) EXPECT_EQ(form.settled(id).state, IntakeState::taken);
}

TEST_F(IntakeTest, ADismissedItemIsDoneAndCanStillBeReadAgain) {
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  auto const item = sent(ada());
  auto const dismissed = house.run(form.intake().dismiss(item.id, "a test")).value();
  EXPECT_EQ(dismissed.state, IntakeState::dismissed);
  EXPECT_EQ(form.get(item.id).reason, "a test");
  EXPECT_TRUE(form.get(item.id).finished);
  house.run(form.intake().dismiss(item.id, "")).value();
  EXPECT_EQ(form.get(item.id).reason, "a test");
  EXPECT_EQ(house.run(form.intake().dismiss(item.id, "a second test")).value().reason, "a second test");
  EXPECT_EQ(form.get(item.id).reason, "a second test");
  form.answers.reset();
  house.run(form.intake().retry(item.id)).value();
  EXPECT_EQ(form.settled(item.id).state, IntakeState::taken);
  EXPECT_EQ(house.run(form.intake().dismiss(item.id, "no")).error().kind, ErrorKind::conflict);
}

TEST_F(IntakeTest, ARecordThatDoesNotConformMakesItWaitAndTheGoodOnesAreStored) {
  auto const item = sent({{"client", {{"id", "c1"}, {"kind", "person"}, {"name", "Ada"}}},
                          {"project", {{"id", "p1"}, {"name", "Wedding"}, {"stage", "perhaps"}}}});
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_EQ(house.told("change", "intake.review").size(), 1U);
  EXPECT_NE(item.reason.find("p1"), std::string::npos) << item.reason;
  EXPECT_NE(item.reason.find("stage"), std::string::npos) << item.reason;
  EXPECT_EQ(item.records, 1);
  EXPECT_EQ(textOr(only(), "/name", ""), "Ada");
}

TEST_F(IntakeTest, ARecordThatDoesNotConformIsToldWithItsPlaceInTheItem) {
  auto const emitted = [](json::object data) {
    json::object record{{"id", "of " + json::serialize(data)}, {"version", ""}, {"deleted", false}};
    record["scope"] = "crm.client";
    record["data"] = std::move(data);
    record["places"] = json::object{{"", "row 4"}, {"/phones", "row 4, column phone"}};
    return json::serialize(record);
  };
  form.extra_emits = {
      {"crm.client", emitted({{"kind", "person"}})},
      {"crm.client", emitted({{"kind", "person"}, {"name", ""}})},
      {"crm.client", emitted({{"kind", "person"}, {"name", "Bo"}, {"phones", {{"work", "?"}}}})}};
  auto const item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_NE(item.reason.find("row 4: crm.client: the member \"name\" is missing"), std::string::npos)
      << item.reason;
  EXPECT_NE(item.reason.find("row 4: crm.client: /name: must not be empty"), std::string::npos)
      << item.reason;
  EXPECT_NE(item.reason.find("row 4, column phone: crm.client: /phones/work: "), std::string::npos)
      << item.reason;
  EXPECT_EQ(item.records, 1);
}

TEST_F(IntakeTest, WhatItMustNotBringMakesItWait) {
  form.extra_emits = {{"calendar.event", R"({"id":"e1","version":"","scope":"","deleted":false,"data":{}})"}};
  auto const item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_NE(item.reason.find("calendar.event"), std::string::npos) << item.reason;
}

TEST_F(IntakeTest, APartThatCannotBeReadIsTold) {
  form.extra_emits = {
      {"garland.problem", R"({"id":"row 7","kind":"invalid_input","message":"no day: 31 June"})"}};
  auto const item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_NE(item.reason.find("row 7"), std::string::npos) << item.reason;
  EXPECT_NE(item.reason.find("31 June"), std::string::npos) << item.reason;
  EXPECT_EQ(house.records(form.vendor).size(), 1U);
}

TEST_F(IntakeTest, TakenWithoutARecordWaitsForAPerson) {
  auto const item = sent(json::object{{"nobody", 1}});
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_FALSE(item.reason.empty());
}

TEST_F(IntakeTest, IgnoredSaysWhy) {
  form.answers = json::object{{"outcome", "ignored"}, {"reason", "a test of the Zap"}};
  auto const item = sent(json::object{{"test", true}});
  EXPECT_EQ(item.state, IntakeState::ignored);
  EXPECT_EQ(item.reason, "a test of the Zap");
  EXPECT_EQ(sent(ada()).state, IntakeState::review) << "with a record it is a contradiction";
}

TEST_F(IntakeTest, WhatItsContentCallsTheSameIsTakenOnce) {
  form.answers = json::object{{"outcome", "taken"}, {"dedupe_key", "inquiry 77"}};
  auto const first = sent(ada(), "by-hook");
  auto const second = sent(client("c1", {{"name", "Someone"}, {"kind", "person"}}), "by-mail");
  EXPECT_EQ(first.state, IntakeState::taken);
  EXPECT_EQ(second.state, IntakeState::ignored);
  EXPECT_NE(second.reason.find(first.id), std::string::npos) << second.reason;
  EXPECT_EQ(textOr(only(), "/name", ""), "Ada");
}

TEST_F(IntakeTest, WhatWasNotTakenAsAWholeStandsBeforeNothingThatIsTheSame) {
  form.answers = json::object{{"outcome", "taken"}, {"dedupe_key", "inquiry 77"}};
  form.extra_emits = {{"garland.problem", R"({"id":"hook","kind":"invalid_input","message":"no day"})"}};
  auto const first = sent(ada(), "garbled");
  EXPECT_EQ(first.state, IntakeState::review);
  form.extra_emits.clear();
  EXPECT_EQ(sent(ada(), "corrected").state, IntakeState::taken);
  house.run(form.intake().retry(first.id)).value();
  EXPECT_EQ(form.settled(first.id).state, IntakeState::ignored);
}

TEST_F(IntakeTest, TwoRecordsOfOneIdInAnItemAreOneThatHasTheMembersOfBoth) {
  form.extra_emits = {
      {"crm.client",
       R"({"id":"c1","version":"","scope":"crm.client","deleted":false,"data":{"name":"Ada L","job_title":"countess"}})"}};
  auto const item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::taken) << item.reason;
  EXPECT_EQ(textOr(only(), "/email", ""), "ada@x.test");
  EXPECT_EQ(textOr(only(), "/name", ""), "Ada L");
  EXPECT_EQ(textOr(only(), "/job_title", ""), "countess");
}

// A zero byte is well-formed JSON, and no text of a database.
TEST_F(IntakeTest, WhatCannotBeStoredWaitsForAPersonAndHoldsNobodyUp) {
  std::string const zero("a\0b", 3);
  auto const by_id = sent(client(zero, {{"kind", "person"}, {"name", "Ada"}}), "id");
  EXPECT_EQ(by_id.state, IntakeState::review);
  EXPECT_NE(by_id.reason.find("control characters"), std::string::npos) << by_id.reason;
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no amount: " + zero + "\n"}};
  auto const by_reason = sent(ada(), "reason");
  EXPECT_EQ(by_reason.state, IntakeState::review);
  EXPECT_EQ(by_reason.reason, "no amount: a b ");
  form.answers = json::object{{"outcome", "taken"}, {"dedupe_key", zero}};
  auto const by_key = sent(ada(), "key");
  EXPECT_EQ(by_key.state, IntakeState::review);
  EXPECT_NE(by_key.reason.find("could not be stored"), std::string::npos) << by_key.reason;
  EXPECT_EQ(by_key.attempts, 1);
  form.answers.reset();
  FakeForm other(house, "other");
  auto const accepted = other.send(ada()).value();
  EXPECT_EQ(other.settled(accepted.id).state, IntakeState::taken) << "without waiting for anything";
  EXPECT_EQ(sent(ada(), "next").state, IntakeState::taken);
}

TEST_F(IntakeTest, ContentAsDeepAsAnythingThatIsParsedCanBeReadAgain) {
  json::value deep("bottom");
  for (int i = 0; i < 60; ++i) deep = json::object{{"in", std::move(deep)}};
  auto body = ada();
  body["deep"] = std::move(deep);
  auto const item = sent(body);
  EXPECT_EQ(house.run(form.intake().contentOf(item.id)).value().content.at("json"), json::value(body));
}

TEST_F(IntakeTest, AnErrorThatPassesIsTriedAgainLater) {
  form.errors = {problem(ErrorKind::transient), problem(ErrorKind::pluginBug, "worker_died")};
  auto item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::waiting);
  EXPECT_LE(*item.next_attempt - house.clock.now(), Milliseconds(5'000));
  EXPECT_FALSE(item.reason.empty());
  item = comesDue(item);
  EXPECT_EQ(item.state, IntakeState::waiting);
  EXPECT_LE(*item.next_attempt - house.clock.now(), Milliseconds(10'000));
  item = comesDue(item);
  EXPECT_EQ(item.state, IntakeState::taken);
  EXPECT_EQ(item.attempts, 3);
  EXPECT_EQ(item.reason, "");
}

TEST_F(IntakeTest, AnErrorThatDoesNotPassMakesItWaitForAPerson) {
  for (int i = 0; i < 8; ++i) form.errors.push_back(problem(ErrorKind::transient));
  auto item = sent(ada());
  while (item.state == IntakeState::waiting) item = comesDue(item);
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_EQ(item.attempts, 8);
  form.errors = {problem(ErrorKind::pluginBug)};
  EXPECT_EQ(sent(ada(), "another").state, IntakeState::review);
}

TEST_F(IntakeTest, ItemsOfOneConnectionAreReadOneByOneInTheirOrder) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    house.clock.advance(Milliseconds(1));
    ids.push_back(
        form.send(client("c" + std::to_string(i), {{"kind", "person"}, {"name", "Ada"}})).value().id);
  }
  for (auto const& id : ids) EXPECT_EQ(form.settled(id).state, IntakeState::taken);
  EXPECT_EQ(form.read, ids);
  EXPECT_EQ(form.most_at_once, 1);
}

TEST_F(IntakeTest, ItemsAndRehearsalsOfOneConnectionTakeTurnsAndWhoWaitsCanBeDismissed) {
  Event here(house.loop.get_executor());
  Event go(house.loop.get_executor());
  form.during = [&] {
    here.set();
    return go.wait();
  };
  bool rehearsed = false;
  asio::co_spawn(house.loop, form.intake().rehearse(unsent(ada())),
                 [&](std::exception_ptr, Result<Rehearsal> result) {
                   EXPECT_TRUE(result);
                   rehearsed = true;
                 });
  house.run(here.wait()).value();
  auto const first = form.send(ada(), "a").value().id;
  house.drive([&] { return house.engine->load().turns_waiting == 1; });
  EXPECT_EQ(form.read.size(), 1U);
  house.run(form.intake().dismiss(first, "a test")).value();
  auto const second = form.send(client("c2", {{"kind", "person"}, {"name", "Bo"}}), "b").value().id;
  go.set();
  EXPECT_EQ(form.settled(second).state, IntakeState::taken);
  EXPECT_EQ(form.get(first).state, IntakeState::dismissed);
  EXPECT_TRUE(rehearsed);
  EXPECT_EQ(form.read.size(), 2U) << "the rehearsed one and the second";
  EXPECT_EQ(form.most_at_once, 1);
}

TEST_F(IntakeTest, AnOldItemThatIsReadAgainDoesNotUndoAYoungerOne) {
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  auto const old = sent(client("c1", {{"kind", "person"}, {"name", "Ada"}, {"company", "Analytical"}}));
  form.answers.reset();
  house.clock.advance(Milliseconds(1));
  sent(client("c1", {{"kind", "person"}, {"name", "Ada Lovelace"}}));
  house.run(form.intake().retry(old.id)).value();
  EXPECT_EQ(form.settled(old.id).state, IntakeState::taken);
  EXPECT_EQ(textOr(only(), "/name", ""), "Ada Lovelace");
  EXPECT_EQ(textOr(only(), "/company", ""), "Analytical") << "nobody has said otherwise since";
}

TEST_F(IntakeTest, OnlyWhatTheManifestNamesComesIn) {
  Delivery delivery;
  delivery.connection_id = form.connection;
  delivery.source = IntakeSource::mail;
  delivery.dedupe_key = "m1";
  delivery.content = json::object();
  auto const refused = house.run(form.intake().accept(delivery));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  delivery.source = IntakeSource::csv;
  EXPECT_EQ(house.run(form.intake().accept(delivery)).error().kind, ErrorKind::invalidInput) << "no rows";
  delivery.connection_id = house.connect(form.vendor, "calendar");
  EXPECT_EQ(house.run(form.intake().accept(delivery)).error().kind, ErrorKind::invalidInput) << "no intake";
  EXPECT_TRUE(house.rows("SELECT 1 FROM inbox").empty());
}

TEST_F(IntakeTest, WhatComesWhileItsConnectorIsSwitchedOffIsKeptForLater) {
  house.run(house.engine->disablePlugin(form.vendor, "test.crm.form")).value();
  auto const item = sent(ada());
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_FALSE(item.reason.empty());
  house.run(house.engine->enablePlugin(form.vendor, "test.crm.form")).value();
  house.run(form.intake().retryAll(form.connection)).value();
  EXPECT_EQ(form.settled(item.id).state, IntakeState::taken);
}

TEST_F(IntakeTest, AConnectionMayKeepSoMuchAndWhatHasItsEndMakesRoom) {
  house.limits.items = 3;
  house.restart();
  for (int i = 0; i < 3; ++i) {
    sent(client("c1", {{"kind", "person"}, {"name", std::to_string(i)}}));
    house.clock.advance(Milliseconds(1)); // ids are ordered by time
  }
  EXPECT_EQ(stored().items, 3);
  auto const fourth = sent(ada());
  EXPECT_EQ(fourth.state, IntakeState::taken);
  EXPECT_EQ(stored().items, 3) << "the oldest made room, and no other";
  auto const told = house.told("change", "retention.forget");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(textOr(told[0], "/connection", ""), form.connection);
  EXPECT_EQ(textOr(told[0], "/subject", ""), "items");
  EXPECT_EQ(told[0].at("facts"), (json::object{{"by", "host"}, {"count", 1}, {"why", "room"}}));
  EXPECT_TRUE(form.send(client("c1", {{"kind", "person"}, {"name", "2"}})).value().known);
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  sent(ada(), "a");
  sent(ada(), "b");
  sent(ada(), "c");
  auto const refused = form.send(ada(), "d");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::quota);
  EXPECT_EQ(stored().items, 3) << "those that wait for a person stay";
  EXPECT_EQ(stored().item_bytes, house.rows("SELECT SUM(bytes) FROM inbox").at(0).integer(0));
}

TEST_F(IntakeTest, RecordsBeyondTheLimitMakeItWaitForAPerson) {
  house.limits.records = 1;
  house.restart();
  sent(ada());
  auto const item = sent(client("c2", {{"kind", "person"}, {"name", "Bo"}}));
  EXPECT_EQ(item.state, IntakeState::review);
  EXPECT_NE(item.reason.find("[limits]"), std::string::npos) << item.reason;
}

TEST_F(IntakeTest, AConnectionWithUnreadItemsIsNotDisconnectedUnlessTheyAreDiscarded) {
  form.answers = json::object{{"outcome", "unknown"}, {"reason", "no rule fits"}};
  sent(ada());
  auto const door = house.run(form.intake().openDoor(form.connection, IntakeSource::hook, false)).value();
  auto const refused = house.run(house.engine->disconnect(form.connection, false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(integerOr(refused.error().detail, "/open_items", 0), 1);
  house.run(house.engine->disconnect(form.connection, true)).value();
  EXPECT_TRUE(house.rows("SELECT 1 FROM inbox").empty());
  EXPECT_TRUE(house.rows("SELECT 1 FROM intake_doors").empty());
  EXPECT_FALSE(form.intake().findDoor(IntakeSource::hook, door.token.reveal()));
}

TEST_F(IntakeTest, ASyncOfAConnectionThatOnlyTakesInSucceedsAndWritesNothing) {
  sent(ada());
  auto record = house.records(form.vendor).at(0);
  record.data.as_object()["name"] = "Ada Lovelace";
  house.run(house.engine->putRecord(form.vendor, record.id, record.data, 0)).value();
  auto const run = house.sync(form.connection);
  EXPECT_EQ(run.state, "done");
  auto const kept = house.run(house.engine->record(form.vendor, record.id)).value();
  EXPECT_TRUE(kept.waiting.empty());
  EXPECT_EQ(kept.data.at("name"), "Ada Lovelace");
  EXPECT_EQ(house.run(house.engine->connection(form.connection)).value().state, "connected");
}

TEST_F(IntakeTest, ADoorIsShownOnceKeptAsAHashAndRotated) {
  auto& intake = form.intake();
  auto const made = house.run(intake.openDoor(form.connection, IntakeSource::hook, false)).value();
  std::string const token(made.token.reveal());
  EXPECT_EQ(token.size(), 52U);
  EXPECT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
  EXPECT_TRUE(house.run(intake.openDoor(form.connection, IntakeSource::hook, false)).value().token.empty());
  for (auto const& row : house.rows("SELECT token_hash FROM intake_doors"))
    EXPECT_EQ(row.text(0), vault::sha256Hex(token));
  EXPECT_EQ(intake.findDoor(IntakeSource::hook, token)->connection_id, form.connection);
  EXPECT_FALSE(intake.findDoor(IntakeSource::mail, token));
  house.restart();
  EXPECT_TRUE(form.intake().findDoor(IntakeSource::hook, token)) << "also after a restart";
  auto const other = house.run(form.intake().openDoor(form.connection, IntakeSource::hook, true)).value();
  EXPECT_FALSE(form.intake().findDoor(IntakeSource::hook, token));
  EXPECT_TRUE(form.intake().findDoor(IntakeSource::hook, other.token.reveal()));
}

TEST_F(IntakeTest, ASigningSecretIsSealedAndOutlivesARotation) {
  auto& intake = form.intake();
  json::value const scheme{{"signature", "github"}};
  EXPECT_EQ(house.run(intake.sign(form.connection, scheme, Secret("s3cret"))).error().kind,
            ErrorKind::notFound);
  house.run(intake.openDoor(form.connection, IntakeSource::hook, false)).value();
  house.run(intake.sign(form.connection, scheme, Secret("s3cret"))).value();
  auto const door = house.run(intake.openDoor(form.connection, IntakeSource::hook, true)).value().door;
  EXPECT_EQ(door.signing, scheme);
  EXPECT_EQ(house.run(intake.signingSecret(door)).value().reveal(), "s3cret");
  for (auto const& row : house.rows("SELECT sealed FROM intake_doors"))
    EXPECT_EQ(row.text(0).find("s3cret"), std::string::npos);
  house.run(intake.sign(form.connection, nullptr, Secret())).value();
  EXPECT_TRUE(house.run(intake.signingSecret(door)).value().empty());
}

} // namespace
} // namespace garland::sync
