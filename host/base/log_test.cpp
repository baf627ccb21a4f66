#include "host/base/log.h"

#include "host/base/bytes.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

struct Fixture {
  VirtualClock clock{TimePoint(std::chrono::milliseconds(0))};
  Redactor redactor;
  std::string out;
  Log log{clock, redactor, LogLevel::info, [this](std::string_view line) { out += line; }};
};

TEST(Log, ALineIsOneJsonObject) {
  Fixture f;
  f.log.info("started", {{"port", 7480}});
  auto const line = parseJson(f.out);
  ASSERT_TRUE(line) << f.out;
  EXPECT_EQ(canonicalJson(*line),
            R"({"at":"1970-01-01T00:00:00.000Z","level":"info","message":"started","port":7480})");
  f.log.debug("not shown");
  EXPECT_EQ(f.out.find("not shown"), std::string::npos);
}

TEST(Log, WhatIsCostlyToSayIsAskedForFirst) {
  Fixture f;
  EXPECT_FALSE(f.log.writes(LogLevel::debug));
  EXPECT_TRUE(f.log.writes(LogLevel::info));
  EXPECT_TRUE(f.log.writes(LogLevel::error));
}

TEST(Log, ASecretIsScrubbedInEveryFormItMayTake) {
  Fixture f;
  std::string const secret = "pa\"ss wörd+/=";
  f.redactor.add(secret);
  f.log.warn("tried " + secret, {{"b64", base64(secret)}, {"url", percentEncode(secret)}});
  EXPECT_EQ(f.out.find("pa"), std::string::npos) << f.out;
  EXPECT_EQ(f.out.find(base64(secret)), std::string::npos) << f.out;
  EXPECT_EQ(f.out.find(percentEncode(secret)), std::string::npos) << f.out;
}

TEST(Log, ASecretIsScrubbedAsJsonWritesItWhateverIsInIt) {
  for (int c = 0; c < 256; ++c) {
    Redactor redactor;
    auto const secret = "before" + std::string(1, static_cast<char>(c)) + "behind";
    redactor.add(secret);
    EXPECT_EQ(redactor.scrub(json::serialize(json::string(secret))), "\"[secret]\"") << c;
  }
}

TEST(Log, ASecretAddedTwiceStaysHiddenUntilRemovedTwice) {
  Redactor redactor;
  redactor.add("hunter22");
  redactor.add("hunter22");
  redactor.remove("hunter22");
  EXPECT_EQ(redactor.scrub("hunter22"), "[secret]");
  redactor.remove("hunter22");
  EXPECT_EQ(redactor.scrub("hunter22"), "hunter22");
}

TEST(Log, OfTwoSecretsTheLongerIsHiddenWhole) {
  Redactor redactor;
  redactor.add("token");
  redactor.add("token-and-more");
  EXPECT_EQ(redactor.scrub("x token-and-more y"), "x [secret] y");
}

TEST(Log, SecretsThatOverlapAreHiddenAsOne) {
  Redactor redactor;
  redactor.add("token-of");
  redactor.add("of-joy");
  EXPECT_EQ(redactor.scrub("x token-of-joy y, of-joy"), "x [secret] y, [secret]");
}

TEST(Log, WhatIsHiddenStaysAsItIsWhateverIsASecret) {
  Redactor redactor;
  for (auto const* secret : {"secret", "[secret", "hunter22"}) redactor.add(secret);
  EXPECT_EQ(redactor.scrub("hunter22 is no secret"), "[secret] is no [secret]");
  EXPECT_EQ(redactor.scrub(redactor.scrub("hunter22 is no secret")), "[secret] is no [secret]");
  EXPECT_EQ(redactor.scrub("secret"), "[secret]");
  redactor.add("[secret]-and-more");
  EXPECT_EQ(redactor.scrub("[secret]-and-more"), "[secret]");
}

} // namespace
} // namespace garland
