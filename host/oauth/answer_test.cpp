// What answers mean: those of RFC 6749, and those of providers that have ways of their own.
#include "host/oauth/answer.h"

#include <gmock/gmock.h>

namespace garland::oauth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Answer read(int status, std::string body, Provider const& provider = {}) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return readAnswer(provider, reply);
}

TEST(TokenAnswer, GivesTokensAndTheirLife) {
  auto const full = read(200, R"({"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"x"})");
  ASSERT_EQ(full.verdict, Verdict::given);
  EXPECT_EQ(full.access.reveal(), "a");
  EXPECT_EQ(full.refresh.reveal(), "r");
  EXPECT_EQ(full.life, std::chrono::hours(1));
  auto const as_text = read(200, R"({"access_token":"a","expires_in":"5184000"})");
  EXPECT_EQ(as_text.life, std::chrono::hours(24 * 60));
  EXPECT_TRUE(as_text.refresh.empty());
  EXPECT_EQ(read(200, R"({"access_token":"a","expires_in":0})").life, std::nullopt);
  EXPECT_EQ(read(200, R"({"access_token":"a","expires_in":99999999999})").life, std::chrono::hours(24 * 366));
}

TEST(TokenAnswer, OnlyInvalidGrantAndWhatTheManifestCallsSoEndsASignIn) {
  EXPECT_EQ(read(400, R"({"error":"invalid_grant"})").verdict, Verdict::grantRefused);
  EXPECT_EQ(read(200, R"({"ok":false,"error":"invalid_grant"})").verdict, Verdict::grantRefused);
  auto const own = R"({"error":{"type":"OAuthException","code":190}})";
  EXPECT_EQ(read(400, own).verdict, Verdict::later);
  Provider meta;
  meta.refusals = {"190"};
  EXPECT_EQ(read(400, own, meta).verdict, Verdict::grantRefused);
  for (auto const* code : {"invalid_request", "invalid_scope", "unsupported_grant_type", "access_denied"})
    EXPECT_EQ(read(400, R"({"error":")" + std::string(code) + R"("})").verdict, Verdict::later) << code;
  EXPECT_EQ(read(401, "").verdict, Verdict::later);
  EXPECT_EQ(read(403, "<html>").verdict, Verdict::later);
}

TEST(TokenAnswer, AServersOwnTroubleNeverEndsASignIn) {
  for (int const status : {500, 502, 503, 504, 429}) {
    auto const answer = read(status, R"({"error":"invalid_grant"})");
    EXPECT_EQ(answer.verdict, Verdict::later) << status;
    EXPECT_EQ(answer.in_doubt, status != 429) << status << ": it may have given a token";
  }
}

TEST(TokenAnswer, AClientThatIsRefusedIsNotTheAccountsFault) {
  EXPECT_EQ(read(401, R"({"error":"invalid_client"})").verdict, Verdict::clientRefused);
  EXPECT_EQ(read(400, R"({"error":"unauthorized_client"})").verdict, Verdict::clientRefused);
}

TEST(TokenAnswer, AYesWithoutATokenLeavesADoubt) {
  for (auto const* body : {"", "<html>", "[]", "{}", R"({"access_token":""})", R"({"access_token":7})",
                           R"({"access_token":"a b"})", R"({"access_token":"a\r\nX: y"})",
                           R"({"access_token":"a","refresh_token":"\u0001"})"}) {
    auto const answer = read(200, body);
    EXPECT_EQ(answer.verdict, Verdict::later) << body;
    EXPECT_TRUE(answer.in_doubt) << body;
  }
}

TEST(TokenAnswer, WhatItSaysIsToldOnlyIfItIsAWord) {
  EXPECT_THAT(read(400, R"({"error":"invalid_scope"})").why, HasSubstr("400 invalid_scope"));
  EXPECT_THAT(read(400, R"({"error":"no token sekret here"})").why, Not(HasSubstr("sekret")));
  EXPECT_THAT(read(400, R"({"error_description":"sekret"})").why, Not(HasSubstr("sekret")));
}

TEST(TokenAnswer, WithoutOneWhetherItLeftDecidesTheDoubt) {
  Error refused(ErrorKind::transient, "refused");
  refused.provider_code = "refused";
  EXPECT_FALSE(noAnswer(refused).in_doubt);
  EXPECT_THAT(noAnswer(refused).why, HasSubstr("(refused)"));
  EXPECT_EQ(noAnswer(refused).by, "network");
  EXPECT_TRUE(noAnswer(std::move(refused).withEffect(Effect::unknown)).in_doubt);
}

TEST(TokenAnswer, IsKeptAsItCameWhateverItsBytes) {
  Reply reply;
  reply.status = 200;
  reply.retry_after = Milliseconds(1500);
  reply.body = std::string("\xff\0\"\n", 4);
  auto const again = replyFrom(textOf(reply)).value();
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.retry_after, Milliseconds(1500));
  EXPECT_EQ(again.body, reply.body);
  EXPECT_FALSE(replyFrom(Secret("{}")));
}

} // namespace
} // namespace garland::oauth
