// The engine is thrown away at every commit of an action in turn, and the store goes away under it.
// Whatever the moment, nothing takes place twice, and what may have taken place is never called failed.
#include "host/sync/testing/fake_bank.h"

namespace garland::sync {
namespace {

using testing::FakeBank;
using testing::House;

struct Story {
  Action action;
  std::size_t charges = 0;
  bool cut = false; // the moment was reached
};

class Teller {
public:
  Teller() : vendor_(house.vendor()), connection_(house.connect(vendor_, "bank")) {
    house.run(house.engine->start()).value();
  }

  Result<AcceptedAction> accept(std::string const& operation) {
    ActionRequest request;
    request.connection_id = connection_;
    request.operation = operation;
    request.key = "invoice-7";
    request.input = json::object{{"amount", 1200}};
    return house.run(house.engine->actions().accept(request));
  }
  Action get(std::string const& id) { return house.run(house.engine->actions().one(id)).value(); }
  // Time goes on until nothing more is done about it by itself.
  Action ended(std::string const& id) {
    auto const give_up = std::chrono::steady_clock::now() + testing::kPatience;
    while (std::chrono::steady_clock::now() < give_up) {
      auto action = get(id);
      if (action.state != ActionState::sent && !action.next_attempt) return action;
      if (house.clock.sleepers() >= 2) house.clock.advance(Milliseconds(1'000));
    }
    throw std::runtime_error("the action does not end");
  }

  House house;
  FakeBank bank{house};

private:
  std::string vendor_;
  std::string connection_;
};

// One action, with the store cut at its k-th commit (0: never) before or after that became durable. Whoever
// asked for it asks again with its key, as one does who has no answer.
Story play(std::string const& operation, int k, bool applied_first) {
  Teller teller;
  if (k > 0) teller.house.cut->cut_at = teller.house.cut->commits + k;
  teller.house.cut->applied_first = applied_first;
  auto const first = teller.accept(operation);
  if (k == 0) return Story{teller.ended(first.value().action.id), teller.bank.charges.size(), false};
  auto const give_up = std::chrono::steady_clock::now() + testing::kPatience;
  while (!teller.house.cut->dead && std::chrono::steady_clock::now() < give_up) {
    auto const row = teller.house.rows("SELECT 1 FROM actions WHERE state IN ('done','failed')");
    if (!row.empty()) break;
  }
  Story story;
  story.cut = teller.house.cut->dead;
  teller.house.restart();
  auto const again = teller.accept(operation).value();
  if (first) EXPECT_EQ(again.action.id, first->action.id);
  story.action = teller.ended(again.action.id);
  story.charges = teller.bank.charges.size();
  std::size_t told = 0;
  for (auto const& entry : teller.house.told("change")) told += textOr(entry, "/act", "") == "action.sent";
  EXPECT_GE(told, story.charges) << "the audit chain tells of it before a byte of it leaves";
  EXPECT_EQ(teller.house.verdict().faults_in_all, 0);
  return story;
}

// `can_find_out`: the connector says how the truth is found.
void crashEverywhere(std::string const& operation, bool can_find_out) {
  auto const undisturbed = play(operation, 0, false);
  EXPECT_EQ(undisturbed.action.state, ActionState::done);
  int points = 0;
  for (int k = 1;; ++k) {
    bool reached = false;
    for (bool const applied_first : {false, true}) {
      auto const story = play(operation, k, applied_first);
      reached = story.cut;
      auto const where = "cut at commit " + std::to_string(k) + (applied_first ? ", after" : ", before") +
                         " it became durable";
      if (story.action.state == ActionState::done || can_find_out) {
        EXPECT_EQ(story.action.state, ActionState::done) << where;
        EXPECT_EQ(story.charges, 1U) << where;
      } else {
        EXPECT_EQ(story.action.state, ActionState::unknown) << where;
        EXPECT_LE(story.charges, 1U) << where;
        EXPECT_NE(noticeOf(story.action), "") << where;
      }
    }
    if (!reached) break;
    ++points;
  }
  EXPECT_EQ(points, 4) << "it was taken in, sent, its request recorded, and answered";
}

TEST(ActionCrash, AtAnyMomentOfOneThatCanBeLookedUpItTakesPlaceOnce) {
  crashEverywhere("test.charge/1", true);
}

TEST(ActionCrash, AtAnyMomentOfOneThatMayBeRepeatedItTakesPlaceOnce) { crashEverywhere("test.send/1", true); }

TEST(ActionCrash, AtAnyMomentOfOneThatNobodyCanFindOutItTakesPlaceAtMostOnce) {
  crashEverywhere("test.post/1", false);
}

// Killed between the commit of "sent" and the call.
TEST(ActionCrash, BeforeTheCallItIsUnknownLikeAfterAndTheLookupTellsThemApart) {
  auto const story = play("test.charge/1", 2, true);
  EXPECT_TRUE(story.cut);
  EXPECT_EQ(story.action.state, ActionState::done);
  EXPECT_EQ(story.action.attempts, 2) << "the first never left";
}

// Killed between the call and the commit of its result.
TEST(ActionCrash, AfterTheCallTheLookupFindsItAndNothingIsSentAgain) {
  auto const story = play("test.charge/1", 4, false);
  EXPECT_TRUE(story.cut);
  EXPECT_EQ(story.action.attempts, 1);
  EXPECT_EQ(story.action.known_by, "lookup");
}

Task<void> away() { co_return Error(ErrorKind::transient, "the database is away"); }

TEST(ActionCrash, AStoreThatIsAwayForAMomentDoesNotCostAnAnswer) {
  Teller teller;
  teller.bank.during = [&] {
    teller.house.cut->before_commit = away; // the commit of the result
    return testing::nothing();
  };
  auto const action = teller.ended(teller.accept("test.post/1").value().action.id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.known_by, "answer");
  EXPECT_EQ(action.attempts, 1);
  EXPECT_EQ(teller.bank.charges.size(), 1U);
}

TEST(ActionCrash, WhatCouldNotBeMarkedAsSentIsNotSent) {
  Teller teller;
  teller.bank.turns.push_back(FakeBank::refused(Error(ErrorKind::transient, "no connection")));
  auto const id = teller.accept("test.post/1").value().action.id;
  while (teller.get(id).attempts < 1 || teller.get(id).state != ActionState::waiting) {
  }
  teller.house.cut->before_commit = away; // the commit of the second "sent"
  auto const action = teller.ended(id);
  EXPECT_EQ(action.state, ActionState::done);
  EXPECT_EQ(action.attempts, 2);
  EXPECT_EQ(teller.bank.keys.size(), 2U);
  EXPECT_EQ(teller.house.cut->before_commit, nullptr);
}

} // namespace
} // namespace garland::sync
