// Error answers by table.
#include <garland/sdk/errors.hpp>

#include <gmock/gmock.h>

namespace garland::sdk {
namespace {

using errors::DelayHeader;
using ::testing::HasSubstr;

constexpr errors::Meaning meanings[] = {{402, "card_declined", Kind::invalidInput, Effect::notApplied},
                                        {409, "idempotency_key_in_use", Kind::transient, Effect::unknown},
                                        {0, "token_expired", Kind::authExpired}};
constexpr DelayHeader delays[] = {{"X-RateLimit-Reset", DelayHeader::Form::seconds},
                                  {"X-Retry-Ms", DelayHeader::Form::milliseconds},
                                  {"X-Until", DelayHeader::Form::unixSeconds}};
constexpr errors::Mapper mapper{.code = "/error/code",
                                .message = "/error/message",
                                .field = "/error/param",
                                .meanings = meanings,
                                .delays = delays};
TimePoint const now = *parseRfc3339("2026-06-13T12:00:00Z");

Failure failed(int status, std::string_view body, std::vector<Response::Field> headers = {}) {
  Request const request{.method = "POST", .url = "https://api.example.com/charges?secret=1"};
  return errors::failureOf(mapper, request, {status, std::move(headers), body, {}}, now);
}

TEST(Errors, ARowThatFitsDecides) {
  auto const declined =
      failed(402, R"({"error": {"code": "card_declined", "message": "No.", "param": "amount"}})");
  EXPECT_EQ(declined.kind, Kind::invalidInput);
  EXPECT_EQ(declined.effect, Effect::notApplied);
  EXPECT_EQ(declined.provider_code, "card_declined");
  EXPECT_EQ(declined.message, "POST https://api.example.com/charges was answered with status 402: No.");
  EXPECT_EQ(declined.detail.at("parameter"), "amount");
  EXPECT_EQ(failed(409, R"({"error": {"code": "idempotency_key_in_use"}})").effect, Effect::unknown);
  EXPECT_EQ(failed(400, R"({"error": {"code": "token_expired"}})").kind, Kind::authExpired);
}

TEST(Errors, WithoutOneTheStatusDecides) {
  EXPECT_EQ(failed(402, "{}").kind, Kind::quota);
  EXPECT_EQ(failed(503, "<html>down</html>").kind, Kind::transient);
  EXPECT_EQ(failed(503, "<html>down</html>").effect, std::nullopt);
}

TEST(Errors, AnAnswerMaySayMore) {
  static constexpr errors::Meaning shown[] = {{402, "", Kind::invalidInput, Effect::notApplied, true}};
  static constexpr errors::Detail details[] = {{"reason", "/decline"}, {"payment", "/payment/id"}};
  constexpr errors::Mapper more{.code = "/code",
                                .type = "/type",
                                .message = "/message",
                                .meanings = shown,
                                .details = details,
                                .retry = "Should-Retry"};
  auto const told = [&](int status, std::string_view body, std::vector<Response::Field> headers = {}) {
    Request const request{.method = "POST", .url = "https://api.example.com/charges"};
    return errors::failureOf(more, request, {status, std::move(headers), body, {}}, now);
  };
  auto const declined =
      told(402, R"({"type": "card", "message": "No.", "decline": "lost", "payment": {"id": "p1"}})");
  EXPECT_EQ(declined.provider_code, "card"); // there is no other
  EXPECT_EQ(declined.user_message, "No.");
  EXPECT_EQ(declined.detail, (json::object{{"reason", "lost"}, {"payment", "p1"}}));
  auto const bad = told(400, R"({"type": "request", "code": "missing", "message": "No."})");
  EXPECT_EQ(bad.provider_code, "missing");
  EXPECT_EQ(bad.user_message, "");
  // The header outweighs the status, both ways.
  EXPECT_EQ(told(400, "", {{"should-retry", "true"}}).kind, Kind::transient);
  EXPECT_EQ(told(500, "", {{"should-retry", "false"}}).kind, Kind::providerBug);
  EXPECT_EQ(told(429, "", {{"should-retry", "true"}}).kind, Kind::rateLimited);
  EXPECT_EQ(told(402, "", {{"should-retry", "false"}}).kind, Kind::invalidInput);
  EXPECT_EQ(told(500, "", {{"should-retry", "perhaps"}}).kind, Kind::transient);
}

TEST(Errors, ALongMessageIsCutBetweenCharacters) {
  std::string words;
  for (int i = 0; i < 400; ++i) words += "\xC3\xA9";
  auto const message = failed(400, R"({"error": {"message": ")" + words + "\"}}").message;
  EXPECT_LE(message.size(), 500U);
  EXPECT_TRUE(message.ends_with("\xC3\xA9"));
}

TEST(Errors, WhenToComeAgainIsReadInEveryForm) {
  auto const delay = [](std::vector<Response::Field> headers) {
    return failed(429, "", std::move(headers)).retry_after;
  };
  EXPECT_EQ(delay({{"x-ratelimit-reset", "1.5"}}), Milliseconds(1500));
  EXPECT_EQ(delay({{"X-Retry-Ms", "250"}}), Milliseconds(250));
  EXPECT_EQ(delay({{"X-Until", "1781352007"}}), Milliseconds(7000));
  EXPECT_EQ(delay({{"X-Until", "1"}}), Milliseconds(0));
  EXPECT_EQ(delay({{"X-RateLimit-Reset", "soon"}, {"X-Retry-Ms", "9"}}), Milliseconds(9));
  EXPECT_EQ(delay({{"X-RateLimit-Reset", "-1"}}), std::nullopt);
  EXPECT_EQ(delay({{"X-RateLimit-Reset", "nan"}}), std::nullopt);
  EXPECT_EQ(delay({}), std::nullopt);
  using Form = DelayHeader::Form;
  EXPECT_EQ(errors::delayOf("Sat, 13 Jun 2026 12:00:05 GMT", Form::date, now), Milliseconds(5000));
  EXPECT_EQ(errors::delayOf("2026-06-13T12:00:05Z", Form::date, now), Milliseconds(5000));
  EXPECT_EQ(errors::delayOf("tomorrow", Form::date, now), std::nullopt);
}

TEST(Errors, AnErrorMayComeWithStatus200) {
  constexpr errors::Mapper slack{.code = "/error", .success = "/ok"};
  Request const request{.method = "POST", .url = "https://slack.com/api/x"};
  EXPECT_FALSE(
      attempt([&] { errors::expectSuccess(slack, request, {200, {}, R"({"ok": true})", {}}, now); }));
  auto const failure = attempt([&] {
    errors::expectSuccess(slack, request, {200, {}, R"({"ok": false, "error": "no_text"})", {}}, now);
  });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->provider_code, "no_text");
}

} // namespace
} // namespace garland::sdk
