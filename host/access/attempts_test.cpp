#include "host/access/access.h"

#include <gtest/gtest.h>

namespace garland::access {
namespace {

using std::chrono::seconds;

class AttemptsTest : public ::testing::Test {
protected:
  static Attempts::Limits limits() {
    Attempts::Limits some;
    some.burst = 3;
    some.each = seconds(6);
    some.addresses = 4;
    return some;
  }
  void fail(std::string_view address, int times) {
    for (int i = 0; i < times; ++i) attempts_.failed(address);
  }
  VirtualClock clock_{TimePoint(Milliseconds(0))};
  Attempts attempts_{clock_, limits()};
};

TEST_F(AttemptsTest, AFewWrongKeysAreForgiven) {
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(0));
  fail("192.0.2.1", 2);
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(0));
}

TEST_F(AttemptsTest, MoreOfThemWaitUntilATokenIsBack) {
  fail("192.0.2.1", 3);
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(6));
  clock_.advance(seconds(5));
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(0));
  fail("192.0.2.1", 1);
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(6)) << "one token came back, not all";
}

TEST_F(AttemptsTest, WhatWasNoWrongKeyAfterAllIsGivenBack) {
  fail("192.0.2.1", 3);
  attempts_.forgive("192.0.2.1");
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(0));
  fail("192.0.2.1", 1);
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(6)) << "one, not all";
  for (int i = 0; i < 5; ++i) attempts_.forgive("192.0.2.1");
  EXPECT_EQ(attempts_.remembered(), 0U);
  fail("192.0.2.1", 3);
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(6)) << "nobody has more of them than there are";
}

TEST_F(AttemptsTest, OneAddressDoesNotWaitForAnother) {
  fail("192.0.2.1", 3);
  EXPECT_EQ(attempts_.wait("192.0.2.2"), seconds(0));
}

TEST_F(AttemptsTest, WhoHasLeastToWaitIsForgottenFirst) {
  fail("192.0.2.1", 3);
  fail("192.0.2.2", 1);
  fail("192.0.2.3", 3);
  fail("192.0.2.4", 3);
  fail("192.0.2.5", 3);
  EXPECT_EQ(attempts_.remembered(), 4U);
  EXPECT_EQ(attempts_.wait("192.0.2.1"), seconds(6));
  EXPECT_EQ(attempts_.wait("192.0.2.5"), seconds(6));
}

TEST_F(AttemptsTest, WhoseBucketIsFullAgainTakesNoRoom) {
  for (auto const* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}) fail(address, 2);
  clock_.advance(seconds(12));
  fail("192.0.2.5", 1);
  EXPECT_EQ(attempts_.remembered(), 1U);
}

} // namespace
} // namespace garland::access
