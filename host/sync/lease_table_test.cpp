// Nodes and leases on a real PostgreSQL: each daemon is a store of its own, with sessions of its own.
#include "host/sync/lease_table.h"
#include "host/sync/sql.h"
#include "host/sync/testing/house.h"

#include <gmock/gmock.h>

#include <set>

namespace garland::sync::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Milliseconds kLasts{15'000};

class Lease : public ::testing::Test {
protected:
  struct Daemon {
    Daemon(Lease& test, std::string const& id, std::string const& name,
           std::set<std::string> const& plugins = {})
        : store(test.open()), table(*store, id, NodeName{name, "1.0"}, {"key"}, kLasts) {
      table.serves(plugins);
      test.run(table.signOn()).value();
      test.run(table.adopt()).value();
    }
    std::unique_ptr<store::Store> store;
    LeaseTable table;
  };

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    spawn(std::move(task), [&out](Result<T> result) { out = std::move(result); });
    drive([&out] { return out.has_value(); });
    return std::move(*out);
  }
  template <class T, class Done> void spawn(Task<T> task, Done done) {
    asio::co_spawn(loop_, std::move(task), [done](std::exception_ptr failed, Result<T> result) mutable {
      if (failed) std::rethrow_exception(failed);
      done(std::move(result));
    });
  }
  template <class Done> void drive(Done done) {
    while (!done()) loop_.run_one();
  }
  std::unique_ptr<store::Store> open() {
    store::Options options;
    options.url = url_;
    return run(store::Store::open(loop_.get_executor(), options, migrations())).value();
  }
  std::vector<store::Row> rows(std::string sql) {
    return run(admin_->read(store::Statement(std::move(sql)))).value().rows;
  }
  void admin(std::string sql) {
    store::Unit unit;
    unit.emplace_back(std::move(sql));
    run(admin_->commit(std::move(unit))).value();
  }
  void connections(int count) {
    for (int i = 0; i < count; ++i)
      admin("INSERT INTO connections (vendor_id,connection_id,plugin_id,account_name,account_key,settings,"
            "allow_private_network,state,state_reason,created,next_due,confirm_deletes) VALUES ('ven','con" +
            std::to_string(100 + i) + "','p','','" + std::to_string(i) + "','{}',0,'connected','',0,0,0)");
  }
  // As if it had said nothing for so long.
  void gone(Daemon const& daemon) {
    admin("UPDATE nodes SET expires=0 WHERE node_id='" + daemon.table.nodeId() + "'");
  }
  std::vector<sync::Lease> take(Daemon& daemon, std::int64_t most = 1000) {
    return run(daemon.table.takeFree(most)).value();
  }
  // What an owner would write.
  store::Unit rename(Daemon const& by, sync::Lease const& lease, std::string const& name) {
    store::Unit unit;
    unit.push_back(by.table.fence(lease));
    unit.emplace_back("UPDATE connections SET account_name=$1 WHERE connection_id=$2",
                      std::vector<store::Value>{name, lease.owner.connection_id});
    return unit;
  }
  std::string nameOf(sync::Lease const& lease) {
    return rows("SELECT account_name FROM connections WHERE connection_id='" + lease.owner.connection_id +
                "'")[0]
        .text(0);
  }

  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  std::string url_ = databaseUrl()("");
  std::unique_ptr<store::Store> admin_ = open();
};

TEST_F(Lease, WhatIsFreeIsTakenInBatches) {
  connections(5);
  Daemon a(*this, "nod_a", "a");
  EXPECT_THAT(take(a, 3), SizeIs(3));
  EXPECT_THAT(take(a, 3), SizeIs(2));
  EXPECT_THAT(take(a, 3), IsEmpty());
  EXPECT_THAT(run(a.table.mine()).value(), SizeIs(5));
}

TEST_F(Lease, OfALivingNodeNothingIsTaken) {
  connections(2);
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  EXPECT_THAT(take(a), SizeIs(2));
  EXPECT_THAT(take(b), IsEmpty());
}

TEST_F(Lease, ExpiredLeaseIsTakenOverOnce) {
  connections(60);
  Daemon a(*this, "nod_a", "a");
  ASSERT_THAT(take(a), SizeIs(60));
  Daemon b(*this, "nod_b", "b");
  Daemon c(*this, "nod_c", "c");
  gone(a);
  std::multiset<std::string> taken;
  int answered = 0;
  int asked = 0;
  while (taken.size() < 60 && asked < 1000) {
    for (auto* daemon : {&b, &c}) {
      ++asked;
      spawn(daemon->table.takeFree(4), [&](Result<std::vector<sync::Lease>> leases) {
        ++answered;
        for (auto const& lease : leases.value()) {
          EXPECT_EQ(lease.epoch, 2);
          taken.insert(lease.owner.connection_id);
        }
      });
    }
    drive([&] { return answered == asked; });
  }
  EXPECT_THAT(taken, SizeIs(60));
  EXPECT_THAT(std::set<std::string>(taken.begin(), taken.end()), SizeIs(60)) << "none was taken twice";
  EXPECT_THAT(run(a.table.mine()).value(), IsEmpty());
}

TEST_F(Lease, WhoLostItCommitsNothing) {
  connections(1);
  Daemon a(*this, "nod_a", "a");
  auto const old = take(a).at(0);
  EXPECT_TRUE(run(a.store->commit(rename(a, old, "by a"))));
  Daemon b(*this, "nod_b", "b");
  gone(a);
  auto const taken = take(b).at(0);
  auto const refused = run(a.store->commit(rename(a, old, "by a, too late")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(refused.error().effect, Effect::notApplied);
  EXPECT_EQ(nameOf(old), "by a");
  EXPECT_TRUE(run(b.store->commit(rename(b, taken, "by b"))));
  EXPECT_EQ(nameOf(old), "by b");
}

TEST_F(Lease, WhoHasItAgainCannotUseTheNumberOfBefore) {
  connections(1);
  Daemon a(*this, "nod_a", "a");
  auto const old = take(a).at(0);
  ASSERT_TRUE(run(a.table.give(old, "")).value());
  auto const again = take(a).at(0);
  EXPECT_EQ(again.epoch, old.epoch + 2);
  EXPECT_FALSE(run(a.store->commit(rename(a, old, "by what was begun before"))));
  EXPECT_TRUE(run(a.store->commit(rename(a, again, "by what is begun now"))));
}

TEST_F(Lease, AUnitUnderWayKeepsItsLeaseUntilItIsDurable) {
  connections(1);
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  auto const lease = take(a).at(0);
  gone(a);
  // The unit of `a` has shown its number, and then waits for a lock that another session holds.
  auto const gate = open();
  auto const atGate = [&](char const* what) {
    store::Unit unit;
    unit.emplace_back(std::string("SELECT ") + what + "(7)");
    run(gate->commit(std::move(unit))).value();
  };
  atGate("pg_advisory_lock");
  auto unit = rename(a, lease, "by a");
  unit.emplace_back("SELECT pg_advisory_xact_lock(7)");
  std::optional<Result<std::vector<store::Rows>>> done;
  spawn(a.store->commit(std::move(unit)),
        [&done](Result<std::vector<store::Rows>> result) { done = std::move(result); });
  while (rows("SELECT COUNT(*) FROM pg_locks WHERE locktype='advisory' AND NOT granted")[0].integer(0) == 0)
    ASSERT_FALSE(done);
  EXPECT_THAT(take(b), IsEmpty()) << "it is passed over, not waited for";
  atGate("pg_advisory_unlock");
  drive([&done] { return done.has_value(); });
  EXPECT_TRUE(*done) << "nobody had it meanwhile";
  EXPECT_THAT(take(b), SizeIs(1));
}

TEST_F(Lease, OfADaemonThatBeginsAgainEverythingIsFreeAtOnce) {
  connections(2);
  Daemon first(*this, "nod_1", "studio:/var/lib/garland");
  ASSERT_THAT(take(first), SizeIs(2));
  Daemon other(*this, "nod_2", "elsewhere:/var/lib/garland");
  EXPECT_THAT(take(other), IsEmpty());
  Daemon again(*this, "nod_3", "studio:/var/lib/garland");
  EXPECT_THAT(take(again), SizeIs(2));
}

TEST_F(Lease, WhoIsAskedForOneGivesItOnce) {
  connections(1);
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  auto const lease = take(a).at(0);
  run(b.table.want(lease.owner)).value();
  auto const pulse = run(a.table.beat()).value();
  ASSERT_THAT(pulse.wanted, SizeIs(1));
  EXPECT_EQ(pulse.wanted[0].owner.connection_id, lease.owner.connection_id);
  EXPECT_EQ(pulse.wanted[0].node_id, "nod_b");
  EXPECT_TRUE(run(a.table.give(lease, "nod_b")).value());
  EXPECT_FALSE(run(a.table.give(lease, "nod_b")).value());
  auto const of_b = run(b.table.mine()).value();
  ASSERT_THAT(of_b, SizeIs(1));
  EXPECT_EQ(of_b[0].epoch, lease.epoch + 1);
  EXPECT_THAT(run(b.table.beat()).value().wanted, IsEmpty());
}

TEST_F(Lease, WhatIsGivenToANodeThatHasSignedOffIsNobodys) {
  connections(1);
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  auto const lease = take(a).at(0);
  run(b.table.signOff()).value();
  EXPECT_TRUE(run(a.table.give(lease, "nod_b")).value());
  EXPECT_THAT(rows("SELECT 1 FROM leases WHERE node_id=''"), SizeIs(1));
  EXPECT_THAT(take(a), SizeIs(1));
}

TEST_F(Lease, WhoSignsOffWaitsForWhatIsBeingGivenToItAndLeavesThatToo) {
  connections(1);
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  ASSERT_THAT(take(a), SizeIs(1));
  // The unit of `a` has seen that `b` is there, and waits for a lock that another session holds.
  auto const gate = open();
  auto const atGate = [&](char const* what) {
    store::Unit unit;
    unit.emplace_back(std::string("SELECT ") + what + "(7)");
    run(gate->commit(std::move(unit))).value();
  };
  atGate("pg_advisory_lock");
  store::Unit unit;
  unit.emplace_back("SELECT 1 FROM nodes WHERE node_id='nod_b' FOR KEY SHARE");
  unit.emplace_back("SELECT pg_advisory_xact_lock(7)");
  unit.emplace_back("UPDATE leases SET node_id='nod_b'");
  int ended = 0;
  spawn(a.store->commit(std::move(unit)), [&ended](Result<std::vector<store::Rows>> done) {
    EXPECT_TRUE(done);
    ++ended;
  });
  auto const waiting = [&] { return rows("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")[0].integer(0); };
  while (waiting() < 1) ASSERT_EQ(ended, 0);
  spawn(b.table.signOff(), [&ended](Result<void> done) {
    EXPECT_TRUE(done);
    ++ended;
  });
  while (waiting() < 2) ASSERT_EQ(ended, 0) << "it does not wait";
  atGate("pg_advisory_unlock");
  drive([&ended] { return ended == 2; });
  EXPECT_THAT(rows("SELECT 1 FROM leases WHERE node_id=''"), SizeIs(1));
}

TEST_F(Lease, APulseTellsWhoLivesAndWhetherALeaseCameOrWent) {
  connections(2);
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  auto const leases = take(a);
  auto const before = run(a.table.beat()).value();
  EXPECT_THAT(before.nodes, ElementsAre("nod_a", "nod_b"));
  EXPECT_EQ(before.count, 2);
  EXPECT_EQ(before.epochs, 2);
  EXPECT_GE(toMillis(before.now), rows("SELECT MAX(started) FROM nodes")[0].integer(0));
  ASSERT_TRUE(run(a.table.give(leases[0], "nod_b")).value());
  ASSERT_TRUE(run(b.table.give(run(b.table.mine()).value().at(0), "nod_a")).value());
  auto const after = run(a.table.beat()).value();
  EXPECT_EQ(after.count, 2);
  EXPECT_EQ(after.epochs, 4) << "one is another than before";
  gone(b);
  EXPECT_THAT(run(a.table.beat()).value().nodes, ElementsAre("nod_a"));
  EXPECT_THAT(run(b.table.beat()).value().nodes, ElementsAre("nod_a", "nod_b")) << "it lives after all";
}

TEST_F(Lease, WhoIsGoneDoesNotLiveOnByWhatTheDatabasesClockWasSetBack) {
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  admin("UPDATE nodes SET expires=expires+86400000 WHERE node_id='nod_a'");
  EXPECT_THAT(run(b.table.beat()).value().nodes, ElementsAre("nod_a", "nod_b")) << "it may live";
  auto const left =
      rows("SELECT expires-CAST(EXTRACT(EPOCH FROM clock_timestamp())*1000 AS BIGINT) FROM nodes "
           "WHERE node_id='nod_a'")
          .at(0)
          .integer(0);
  EXPECT_LE(left, 2 * kLasts.count());
}

TEST_F(Lease, WhoSignsOffLeavesEverythingToTheOthers) {
  connections(3);
  Daemon a(*this, "nod_a", "a");
  Daemon b(*this, "nod_b", "b");
  auto const leases = take(a);
  run(a.table.signOff()).value();
  EXPECT_FALSE(run(a.store->commit(rename(a, leases.at(0), "by a"))));
  EXPECT_THAT(take(b), SizeIs(3));
  auto const nodes = run(b.table.nodes()).value();
  ASSERT_THAT(nodes, SizeIs(1));
  EXPECT_EQ(nodes[0].name, "b");
  EXPECT_EQ(nodes[0].connections, 3);
  EXPECT_TRUE(nodes[0].lives && nodes[0].is_this);
}

TEST_F(Lease, WhatNeedsAConnectorIsLeftToANodeThatHasIt) {
  connections(3);
  Daemon with(*this, "n1", "one", {"p", "q"});
  Daemon without(*this, "n2", "two", {"q"});
  EXPECT_THAT(take(without), IsEmpty());
  EXPECT_THAT(take(with), SizeIs(3));
  gone(with);
  EXPECT_THAT(take(without), SizeIs(3)) << "nobody has it, and somebody has to say so";
  EXPECT_THAT(run(without.table.strange()).value(), IsEmpty());
  Daemon again(*this, "n3", "three", {"p"});
  auto const strange = run(without.table.strange()).value();
  ASSERT_THAT(strange, SizeIs(3));
  EXPECT_EQ(strange[0].node_id, "n3");
}

TEST_F(Lease, WhoAsksForOneGetsItWithoutItsConnector) {
  connections(2);
  Daemon with(*this, "n1", "one", {"p"});
  Daemon without(*this, "n2", "two");
  run(without.table.want(Owner{"ven", "con100"})).value();
  auto const taken = take(without);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].owner.connection_id, "con100");
}

TEST_F(Lease, ADaemonWithAnotherMasterKeyIsRefusedAsLongAsTheOtherLives) {
  Daemon first(*this, "n1", "one");
  auto const store = open();
  LeaseTable other(*store, "n2", NodeName{"two", "1.0"}, {"another"}, kLasts);
  auto const refused = run(other.signOn());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("one"));
  EXPECT_THAT(rows("SELECT 1 FROM nodes"), SizeIs(1)) << "nothing is left of it";
  gone(first);
  EXPECT_TRUE(run(other.signOn()));
}

TEST_F(Lease, DaemonsThatHoldEachOthersKeysMaySealWithDifferentOnes) {
  auto const store = open();
  auto const signsOn = [&](std::string const& id, std::vector<std::string> const& keys) {
    return run(LeaseTable(*store, id, NodeName{id, "1.0"}, keys, kLasts).signOn()).has_value();
  };
  EXPECT_TRUE(signsOn("n1", {"aa", "bb"}));
  EXPECT_TRUE(signsOn("n2", {"bb", "aa"})) << "in the middle of a rotation";
  EXPECT_FALSE(signsOn("n3", {"bb"})) << "it could not read what n1 seals";
  EXPECT_FALSE(signsOn("n4", {"cc", "bb", "aa"})) << "they could not read what it seals";
  EXPECT_FALSE(signsOn("n5", {"a", "b"})) << "a part of an id is no id";
  EXPECT_TRUE(signsOn("n1", {"bb", "aa"})) << "it has begun again";
}

} // namespace
} // namespace garland::sync::testing
