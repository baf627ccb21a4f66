// A client that vouches for itself: what it says, and that it is signed.
#include "host/oauth/assertion.h"
#include "host/oauth/testing/robot.h"

#include <gtest/gtest.h>

namespace garland::oauth {
namespace {

using testing::kRobotKey;
using testing::partsOf;

Use use() {
  Use use;
  use.client_id = "robot@x.example";
  use.client_secret = Secret(kRobotKey);
  use.provider.token_url = "https://x.example/token";
  use.provider.scope = "calendar";
  use.provider.claims.emplace_back("sub", "ada@x.example");
  return use;
}

TEST(Assertion, SaysWhoAsksForWhatAndUntilWhen) {
  auto const now = parseRfc3339("2026-06-13T12:00:00Z").value();
  auto const made = assertionFor(use(), "tok_1", now);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->reveal().find_first_of("+/= \n"), std::string_view::npos);
  auto const parts = partsOf(made->reveal());
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0], R"({"alg":"RS256","typ":"JWT"})");
  EXPECT_EQ(parts[1],
            R"({"aud":"https://x.example/token","exp":1781352300,"iat":1781351990,"iss":"robot@x.example",)"
            R"("jti":"tok_1","scope":"calendar","sub":"ada@x.example"})");
  auto const signed_part = made->reveal().substr(0, made->reveal().rfind('.'));
  EXPECT_EQ(parts[2], vault::signRs256(Secret(kRobotKey), signed_part).value());
}

TEST(Assertion, TheKeyMayBeTypedAsItStandsInJson) {
  auto what = use();
  what.client_secret = Secret(boost::algorithm::replace_all_copy(kRobotKey, "\n", "\\n"));
  EXPECT_TRUE(assertionFor(what, "tok_1", TimePoint()));
  what.client_secret = Secret("a password");
  auto const refused = assertionFor(what, "tok_1", TimePoint());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
}

} // namespace
} // namespace garland::oauth
