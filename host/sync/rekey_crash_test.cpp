// Everything moves to another master key, and the daemon ends at each commit of that in turn. Whatever the
// moment, every secret can be opened with the two keys together, and once it is recorded as done with the new
// one alone.
#include "host/custody/mover.h"
#include "host/sync/testing/sealed_house.h"

#include <chrono>

namespace garland::sync {
namespace {

using custody::Mover;
using custody::Moves;
using custody::MoveState;
using custody::Step;
using testing::CutStore;
using testing::SealedHouse;

constexpr int kCredentials = 120; // more than two units of work

class Rotation : public SealedHouse {
public:
  Rotation() {
    addEverything();
    commit("DELETE FROM credentials", {});
    addCredentials(kCredentials);
    both = rotated();
  }
  // As long as there is something to do and the store lives. The last step, or how it failed.
  Result<Step> moveOn(store::Store& store) {
    auto const dependencies = with(*both, &store);
    Mover mover(dependencies);
    for (int steps = 0; steps < 100; ++steps) {
      auto const step = house.run(mover.step());
      if (!step || *step == Step::ended) return step;
    }
    return Error(ErrorKind::transient, "it never ends");
  }
  Result<void> begin(store::Store& store) {
    auto const dependencies = with(*both, &store);
    return house.run(Moves(dependencies).begin(both->keyId()));
  }
  MoveState state() {
    auto const dependencies = with(*both);
    auto const row = house.run(Moves(dependencies).to(both->keyId())).value();
    return row ? row->move.state : MoveState::left;
  }
  std::size_t openedBy(vault::Vault& vault) {
    std::size_t count = 0;
    for (auto const& [place, secret] : secrets(vault)) count += secret.empty() ? 0 : 1;
    return count;
  }

  std::unique_ptr<vault::Vault> both;
};

constexpr std::size_t kSecrets = kCredentials + 3; // and one of the hook, the mailbox, the webhook

// False: there is no commit of that number.
bool play(int k, bool applied_first) {
  SCOPED_TRACE("cut at commit " + std::to_string(k) + (applied_first ? ", applied" : ", lost"));
  Rotation rotation;
  auto const before = rotation.secrets(*rotation.both);
  EXPECT_EQ(before.size(), kSecrets);
  CutStore cut(*rotation.house.store);
  cut.cut_at = k;
  cut.applied_first = applied_first;
  if (rotation.begin(cut)) static_cast<void>(rotation.moveOn(cut));
  bool const was_cut = cut.dead;
  EXPECT_EQ(rotation.secrets(*rotation.both), before) << "with both keys";
  if (rotation.state() == MoveState::done)
    EXPECT_EQ(rotation.openedBy(*rotation.onlyNew()), kSecrets) << "recorded as done, and it is not";

  CutStore next(*rotation.house.store); // the next process
  EXPECT_TRUE(rotation.begin(next));
  EXPECT_EQ(rotation.moveOn(next).value(), Step::ended);
  EXPECT_EQ(rotation.state(), MoveState::done);
  EXPECT_EQ(rotation.secrets(*rotation.onlyNew()), before) << "with the new key alone";
  EXPECT_EQ(rotation.openedBy(*rotation.house.vault), 0U) << "with the old key alone";
  return was_cut;
}

TEST(RekeyCrash, AtAnyMomentEverySecretCanBeOpenedAndTheMoveGoesOn) {
  int k = 1;
  while (play(k, false) && !::testing::Test::HasFailure()) {
    play(k, true);
    ASSERT_LT(++k, 50) << "it never ends";
  }
  EXPECT_GT(k, 7) << "its begin, three units of credentials, the other tables, its end";
}

TEST(Rekey, GoesOnWhereItWasInsteadOfBeginningAnew) {
  Rotation rotation;
  CutStore cut(*rotation.house.store);
  ASSERT_TRUE(rotation.begin(cut));
  cut.cut_at = cut.commits + 2;
  EXPECT_FALSE(rotation.moveOn(cut));
  auto const left = rotation.openedBy(*rotation.house.vault);
  EXPECT_EQ(left, kSecrets - 50) << "one unit of work is done";
  auto const place = rotation.house.rows("SELECT place FROM vault_moves")[0].text(0);
  ASSERT_TRUE(rotation.begin(*rotation.house.store));
  EXPECT_EQ(rotation.house.rows("SELECT place FROM vault_moves")[0].text(0), place);
}

Task<void> change(store::Store& store, std::string sealed) {
  store::Unit unit;
  unit.emplace_back("UPDATE credentials SET sealed=$1 WHERE connection_id='con_0'",
                    std::vector<store::Value>{std::move(sealed)});
  CO_TRY_VOID(co_await store.commit(std::move(unit)));
  co_return Result<void>();
}

TEST(Rekey, WhoChangesASecretMeanwhileHasTheLastWord) {
  Rotation rotation;
  CutStore cut(*rotation.house.store);
  ASSERT_TRUE(rotation.begin(cut));
  auto const changed = rotation.sealed("changed"); // by a daemon that seals with the old key yet
  cut.before_commit = [&rotation, changed] { return change(*rotation.house.store, changed); };
  EXPECT_EQ(rotation.moveOn(cut).value(), Step::ended);
  EXPECT_EQ(rotation.state(), MoveState::done);
  auto const after = rotation.secrets(*rotation.onlyNew());
  EXPECT_EQ(after.at("credentials ven_1/con_0/login"), "changed");
}

Task<void> stepOf(Mover& mover) {
  auto const step = co_await mover.step();
  if (!step) co_return step.error();
  co_return Result<void>();
}

TEST(Rekey, TwoDaemonsMayMoveAtOnce) {
  Rotation rotation;
  auto const before = rotation.secrets(*rotation.both);
  ASSERT_TRUE(rotation.begin(*rotation.house.store));
  auto const one = rotation.with(*rotation.both);
  CutStore cut(*rotation.house.store);
  auto const two = rotation.with(*rotation.both, &cut);
  Mover first(one);
  Mover second(two);
  for (int steps = 0; steps < 20; ++steps) {
    // The other one is quicker, each time.
    cut.before_commit = [&first] { return stepOf(first); };
    auto const step = rotation.house.run(second.step());
    ASSERT_TRUE(step) << step.error().message;
    if (*step == Step::ended) break;
  }
  EXPECT_EQ(rotation.state(), MoveState::done);
  EXPECT_EQ(rotation.secrets(*rotation.onlyNew()), before);
}

TEST(Rekey, ADamagedSecretIsNamedAndTheOthersAreMoved) {
  Rotation rotation;
  rotation.commit("UPDATE credentials SET sealed='gv1.nothing of the kind' WHERE connection_id='con_7'", {});
  ASSERT_TRUE(rotation.begin(*rotation.house.store));
  EXPECT_EQ(rotation.moveOn(*rotation.house.store).value(), Step::ended);
  EXPECT_EQ(rotation.state(), MoveState::stuck);
  EXPECT_EQ(rotation.house.rows("SELECT problem FROM vault_moves")[0].text(0),
            "credentials ven_1/con_7/login");
  EXPECT_EQ(rotation.openedBy(*rotation.onlyNew()), kSecrets - 1);

  rotation.commit("UPDATE credentials SET sealed=$1 WHERE connection_id='con_7'",
                  {rotation.sealed("entered again")});
  ASSERT_TRUE(rotation.begin(*rotation.house.store));
  EXPECT_EQ(rotation.moveOn(*rotation.house.store).value(), Step::ended);
  EXPECT_EQ(rotation.state(), MoveState::done);
}

Task<void> stopping(std::shared_ptr<custody::Custody> keeper) {
  co_await keeper->stop();
  co_return Result<void>();
}

TEST(Rekey, RunsBesideEverythingElseAndItsStateIsTold) {
  Rotation rotation;
  auto const keeper = custody::Custody::create(rotation.with(*rotation.both));
  auto const told = rotation.house.run(keeper->rekey()).value();
  ASSERT_TRUE(told.move);
  EXPECT_EQ(told.move->state, MoveState::running);
  auto const ended = [&] {
    rotation.house.clock.advance(Milliseconds(20));
    return rotation.state() == MoveState::done;
  };
  auto const give_up = std::chrono::steady_clock::now() + testing::kPatience;
  while (!ended() && std::chrono::steady_clock::now() < give_up) {
  }
  auto const status = rotation.house.run(keeper->status()).value();
  ASSERT_EQ(status.keys.size(), 2U);
  EXPECT_EQ(status.keys[0].id, rotation.both->keyId());
  EXPECT_TRUE(status.keys[0].seals && status.keys[0].held);
  EXPECT_EQ(status.keys[0].secrets, std::int64_t{kSecrets});
  EXPECT_EQ(status.keys[1].id, rotation.house.vault->keyId());
  EXPECT_EQ(status.keys[1].secrets, 0);
  EXPECT_EQ(status.move->state, MoveState::done);
  rotation.house.run(stopping(keeper)).value();
}

TEST(Rekey, IsNoMoreToldOnceItsKeyIsNotThereAnyMore) {
  Rotation rotation;
  ASSERT_TRUE(rotation.begin(*rotation.house.store));
  auto const told = [&](vault::Vault& vault) {
    return rotation.house.run(custody::Custody::create(rotation.with(vault))->status()).value().move;
  };
  EXPECT_EQ(rotation.moveOn(*rotation.house.store).value(), Step::ended);
  EXPECT_TRUE(told(*rotation.onlyNew()));
  EXPECT_TRUE(told(*rotation.house.vault)) << "secrets are under it, held or not";
  // As after a restore under another key: nothing is left of the one before.
  for (auto const& table : secretTables())
    if (table.sealed) rotation.commit("UPDATE " + table.name + " SET sealed=''", {});
  EXPECT_TRUE(told(*rotation.onlyNew())) << "it is held";
  EXPECT_FALSE(told(*rotation.house.vault));
}

TEST(Rekey, IsRefusedWhileSomethingIsUnderAKeyThatIsNotHere) {
  Rotation rotation;
  auto const only = rotation.onlyNew();
  auto const keeper = custody::Custody::create(rotation.with(*only));
  auto const refused = rotation.house.run(keeper->rekey());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_NE(refused.error().message.find(rotation.house.vault->keyId()), std::string::npos);
  EXPECT_NE(refused.error().message.find(std::to_string(kSecrets)), std::string::npos);
  auto const status = rotation.house.run(keeper->status()).value();
  ASSERT_EQ(status.keys.size(), 2U);
  EXPECT_FALSE(status.keys[1].held);
}

} // namespace
} // namespace garland::sync
