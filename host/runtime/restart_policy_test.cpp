#include "host/runtime/restart_policy.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;
using Gate = RestartPolicy::Gate;
using State = RestartPolicy::State;

class Restarts : public testing::Test {
protected:
  // Five deaths within ten seconds.
  void dieOften() {
    for (int i = 1; i < 5; ++i) {
      now += 2s;
      EXPECT_FALSE(policy.died(now)) << i;
      EXPECT_EQ(policy.state(), State::open);
    }
    now += 2s;
    EXPECT_TRUE(policy.died(now));
  }

  SeededRandom random{3};
  RestartPolicy policy{100ms, 30s, random};
  Monotonic now{1h};
};

TEST_F(Restarts, TheFirstDeathCostsNothingTheSecondAPause) {
  EXPECT_EQ(policy.gate(now), Gate::go);
  policy.died(now);
  EXPECT_EQ(policy.gate(now), Gate::go);
  policy.died(now);
  EXPECT_EQ(policy.gate(now), Gate::pause);
  EXPECT_GE(policy.nextTry(), now + 50ms);
  EXPECT_LE(policy.nextTry(), now + 100ms);
}

TEST_F(Restarts, FiveDeathsInAMinuteLetOneCallThroughEvery30Seconds) {
  dieOften();
  EXPECT_EQ(policy.state(), State::halfOpen);
  EXPECT_EQ(policy.gate(now + 29s), Gate::away);
  EXPECT_EQ(policy.nextTry(), now + 30s);
  now += 30s;
  EXPECT_EQ(policy.gate(now), Gate::trial);
  policy.beginTrial(now);
  EXPECT_EQ(policy.gate(now), Gate::away) << "one at a time";
  EXPECT_EQ(policy.gate(now + 1h), Gate::away);
}

TEST_F(Restarts, DeathsThatAreFarApartNeverAddUp) {
  for (int i = 0; i < 50; ++i, now += 15s) EXPECT_FALSE(policy.died(now));
  EXPECT_EQ(policy.state(), State::open);
}

TEST_F(Restarts, ATrialThatSurvivesOpensAndForgets) {
  dieOften();
  now += 30s;
  policy.beginTrial(now);
  policy.trialPassed();
  EXPECT_EQ(policy.gate(now), Gate::go);
  EXPECT_FALSE(policy.died(now)) << "counted from the start again";
  EXPECT_EQ(policy.gate(now), Gate::go);
}

TEST_F(Restarts, ThreeTrialsThatDieQuarantineTheBuild) {
  dieOften();
  for (int trial = 1; trial <= 3; ++trial) {
    EXPECT_EQ(policy.state(), State::halfOpen);
    now += 30s;
    ASSERT_EQ(policy.gate(now), Gate::trial) << trial;
    policy.beginTrial(now);
    EXPECT_EQ(policy.died(now), trial == 3);
    policy.trialDropped(now); // its call ends after the death
  }
  EXPECT_EQ(policy.state(), State::quarantined);
  EXPECT_EQ(policy.gate(now + 24h), Gate::never);
}

TEST_F(Restarts, ATrialThatWasCancelledSaysNothing) {
  dieOften();
  now += 30s;
  policy.beginTrial(now);
  policy.trialDropped(now);
  EXPECT_EQ(policy.gate(now), Gate::trial);
  EXPECT_EQ(policy.failedTrials(), 0);
}

} // namespace
} // namespace garland::runtime
