#include "host/cli/typed_place.h"

#include <gtest/gtest.h>

namespace garland::cli {
namespace {

std::string said(std::string const& message, std::string const& field) {
  return inTypedWords(Error(ErrorKind::invalidInput, message, field));
}

TEST(TypedPlace, APlaceIsTheOptionThatWasTyped) {
  EXPECT_EQ(typedPlace("?state"), "--state");
  EXPECT_EQ(typedPlace("?vendor_id"), "--vendor");
  EXPECT_EQ(typedPlace("/idempotency_key"), "--key");
  EXPECT_EQ(typedPlace("/settings/url"), "--set url");
  EXPECT_EQ(typedPlace("/parameters/channel_id"), "--set channel_id");
  EXPECT_EQ(typedPlace("/input/amount/currency"), "/amount/currency in --input");
  for (auto const* untyped : {"", "/source", "/secret", "/plugin", "/credentials/login/password"})
    EXPECT_EQ(typedPlace(untyped), "") << untyped;
}

TEST(TypedPlace, ASentenceOfTheDaemonSaysItInsteadOfItsOwnWord) {
  EXPECT_EQ(said("the body: /idempotency_key: must not be empty", "/idempotency_key"),
            "--key: must not be empty");
  EXPECT_EQ(said("payments.authorize/1: /amount/amount: must be a whole number", "/input/amount/amount"),
            "/amount/amount in --input: must be a whole number");
  EXPECT_EQ(said("settings: /account: does not have the form", "/settings/account"),
            "--set account: does not have the form");
  EXPECT_EQ(said("query parameter \"zone\" is longer than 512 bytes", "?zone"),
            "--zone is longer than 512 bytes");
  EXPECT_EQ(said("must be a time such as 2026-06-13T12:00:00Z", "/from"),
            "--from: must be a time such as 2026-06-13T12:00:00Z");
  EXPECT_EQ(said("the address in /settings/url holds a password", "/settings/url"),
            "the address in --set url holds a password");
  EXPECT_EQ(said("\"lost\" is no state", "?state"), "\"lost\" is no state (at --state)");
}

TEST(TypedPlace, WhatWasNotTypedIsNotNamed) {
  EXPECT_EQ(said("CalDAV takes nothing in by csv", "/source"), "CalDAV takes nothing in by csv");
  EXPECT_EQ(said("the body: the member \"x\" is missing", ""), "the member \"x\" is missing");
}

} // namespace
} // namespace garland::cli
