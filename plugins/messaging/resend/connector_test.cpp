// The connector alone: what it puts on the wire, how it reads Resend's records, what it makes of errors.
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace garland::resend {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using testing::HeaderList;
using testing::HttpFailure;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using testing::Outcome;

json::object mail(json::object more = {}) {
  json::object message{{"to", {"ada@example.com"}}, {"subject", "Your offer"}, {"text", "Dear Ada"}};
  for (auto const& [name, value] : more) message[name] = value;
  return message;
}

class ResendWire : public ::testing::Test {
protected:
  ResendWire() {
    host.serve([this](HttpRequest const&) { return reply; });
    EXPECT_TRUE(host.open({{"from", "Studio <studio@example.com>"}}).ok());
  }
  void answer(int status, std::string body, HeaderList headers = {}) {
    reply = HttpResponse{status, std::move(headers), std::move(body), {}};
  }
  Outcome send(json::object more = {}) {
    auto input = mail(std::move(more));
    input["idempotency_key"] = "key-1";
    return host.run("messaging.send/1", input);
  }
  Outcome batch(json::array messages) {
    return host.run("messaging.send_batch/1",
                    {{"idempotency_key", "key-1"}, {"messages", std::move(messages)}});
  }
  json::value sent() { return json::parse(host.requests().back().body); }

  testing::FakeHost host{&garland_entry_v1,
                         testing::readFile(inSources("/plugins/messaging/resend/connector.json"))};
  HttpReply reply = HttpResponse{200, {}, R"({"id": "m1"})", {}};
};

TEST_F(ResendWire, AMailCarriesItsKeyInTheHeaderAndInATag) {
  auto const outcome = send({{"cc", {"bo@example.com"}},
                             {"reply_to", {"office@example.com"}},
                             {"scheduled", "2026-01-02T08:30:00Z"},
                             {"tags", {{"supplier", "7"}}},
                             {"headers", {{"X-Wedding", "7"}}},
                             {"attachments", {{{"filename", "offer.pdf"}, {"content", "JVBERg=="}}}}});
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(outcome.result, (json::value{{"id", "m1"}}));
  auto const& request = host.requests().back();
  EXPECT_EQ(request.method + " " + request.url, "POST https://api.resend.com/emails");
  EXPECT_EQ(request.idempotency_key, "key-1");
  EXPECT_EQ(request.credential_slot, "key");
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(sent(), json::parse(R"({
      "from": "Studio <studio@example.com>", "to": ["ada@example.com"], "cc": ["bo@example.com"],
      "reply_to": ["office@example.com"], "subject": "Your offer", "text": "Dear Ada",
      "scheduled_at": "2026-01-02T08:30:00Z", "headers": {"X-Wedding": "7"},
      "attachments": [{"filename": "offer.pdf", "content": "JVBERg=="}],
      "tags": [{"name": "supplier", "value": "7"}, {"name": "garland_key", "value": "key-1"}]})"));
}

TEST_F(ResendWire, TheSenderIsTheMailsOwnOrElseTheConnections) {
  ASSERT_TRUE(send({{"from", "Ada <ada@studio.example.com>"}}).ok());
  EXPECT_EQ(sent().at("from"), "Ada <ada@studio.example.com>");
  ASSERT_TRUE(host.open().ok());
  host.clear();
  auto const outcome = send();
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_THAT(outcome.message, HasSubstr("/from: is missing"));
  EXPECT_TRUE(host.requests().empty());
}

TEST(ResendSettings, ASenderIsAnAddressWithANameBeforeItOrWithout) {
  auto const manifest = json::parse(testing::readFile(inSources("/plugins/messaging/resend/connector.json")));
  std::regex const form(manifest.at_pointer("/settings/properties/from/pattern").as_string().c_str());
  for (auto const* good :
       {"ada@example.com", "Ada <ada@example.com>", "Ada, of \"Studio\" <a.b+c@mail.example.com>"})
    EXPECT_TRUE(std::regex_search(good, form)) << good;
  for (auto const* bad :
       {"nonsense", "ada@", "ada@localhost", "@example.com", "Ada ada@example.com", "Ada <ada>",
        "a@example.com, b@example.com", "Ada <a@example.com", "A\r\nBcc: <b@example.com>"})
    EXPECT_FALSE(std::regex_search(bad, form)) << bad;
}

TEST_F(ResendWire, WhatCannotBeSentIsRefusedByItsPlaceBeforeAnythingIsSent) {
  host.clear();
  auto outcome = send({{"subject", ""}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_THAT(outcome.message, HasSubstr("/subject"));
  outcome = send({{"tags", {{"garland_key", "x"}}}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT) << "ours could not be found behind it";
  EXPECT_THAT(outcome.message, HasSubstr("/tags"));
  for (auto const* subject : {"Your offer\r\nBcc: all@example.com", "Your\noffer"}) {
    outcome = send({{"subject", subject}});
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
    EXPECT_THAT(outcome.message, HasSubstr("/subject"));
  }
  for (auto const* content : {"!!!not base64", "JVBERg=", "JV=ERg==", "JVBE===="}) {
    json::array const files{json::object{{"filename", "a.txt"}, {"content", "JVBE\r\nRg=="}},
                            json::object{{"filename", "b.txt"}, {"content", content}}};
    outcome = send({{"attachments", files}});
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT) << content;
    EXPECT_THAT(outcome.message, HasSubstr("/attachments/1/content"));
  }
  outcome = batch({mail(), mail({{"to", "ada"}})});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_THAT(outcome.message, HasSubstr("/messages/1"));
  EXPECT_THAT(outcome.message, HasSubstr("/to"));
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(host.run("messaging.send/1", mail()).status, GARLAND_E_INVALID_INPUT) << "there is no key";
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(ResendWire, ABatchNamesThePlaceOfEachMailAndIsNotHeldBackByOne) {
  answer(200, R"({"data": [{"id": "m0"}, {"id": "m2"}],
                  "errors": [{"index": 1, "message": "Invalid `to` field."}]})");
  auto const outcome = batch({mail(), mail({{"to", {"nobody"}}}), mail()});
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(outcome.result, json::parse(R"({"messages": [{"id": "m0"}, {"problem": "Invalid `to` field."},
                                                         {"id": "m2"}]})"));
  auto const& request = host.requests().back();
  EXPECT_EQ(request.url, "https://api.resend.com/emails/batch");
  EXPECT_EQ(request.header("x-batch-validation"), "permissive");
  EXPECT_EQ(request.idempotency_key, "key-1");
  EXPECT_EQ(sent().at(2).at("tags"), json::parse(R"([{"name": "garland_key", "value": "key-1"},
                                                     {"name": "garland_place", "value": "2"}])"));
}

TEST_F(ResendWire, AnAnswerToABatchThatDoesNotFitIsNotGuessedAt) {
  for (auto const* body :
       {R"({"data": [{"id": "m0"}]})", R"({"data": [{"id": "a"}, {"id": "b"}, {"id": "c"}]})",
        R"({"data": [{"id": "a"}], "errors": [{"index": 2, "message": "No."}]})",
        R"({"data": [{"id": "a"}, {}]})", R"({"data": "none"})", "<html>fine</html>"}) {
    answer(200, body);
    auto const outcome = batch({mail(), mail()});
    EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG) << body;
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN) << body;
  }
}

// What Resend answers to a write, and what becomes of it.
struct Refusal {
  int status;
  char const* name;
  garland_status kind;
  garland_effect effect;
};

TEST_F(ResendWire, ErrorsMeanWhatTheTableSays) {
  constexpr auto not_applied = GARLAND_EFFECT_NOT_APPLIED;
  constexpr auto unknown = GARLAND_EFFECT_UNKNOWN;
  constexpr Refusal refusals[] = {
      {400, "invalid_idempotency_key", GARLAND_E_INVALID_INPUT, not_applied},
      {400, "validation_error", GARLAND_E_INVALID_INPUT, not_applied},
      {401, "missing_api_key", GARLAND_E_AUTH_REVOKED, not_applied},
      {401, "restricted_api_key", GARLAND_E_FORBIDDEN, not_applied},
      {403, "invalid_api_key", GARLAND_E_AUTH_REVOKED, not_applied},
      {403, "validation_error", GARLAND_E_FORBIDDEN, not_applied},
      {404, "not_found", GARLAND_E_NOT_FOUND, not_applied},
      {405, "method_not_allowed", GARLAND_E_UNSUPPORTED, not_applied},
      {409, "invalid_idempotent_request", GARLAND_E_CONFLICT, unknown},
      {409, "concurrent_idempotent_requests", GARLAND_E_TRANSIENT, unknown},
      {422, "missing_required_field", GARLAND_E_INVALID_INPUT, not_applied},
      {422, "invalid_from_address", GARLAND_E_INVALID_INPUT, not_applied},
      {429, "rate_limit_exceeded", GARLAND_E_RATE_LIMITED, not_applied},
      {429, "daily_quota_exceeded", GARLAND_E_QUOTA, not_applied},
      {429, "monthly_quota_exceeded", GARLAND_E_QUOTA, not_applied},
      {451, "security_error", GARLAND_E_FORBIDDEN, not_applied},
      {500, "application_error", GARLAND_E_TRANSIENT, unknown},
      {503, "", GARLAND_E_TRANSIENT, unknown},
  };
  for (auto const& refusal : refusals) {
    answer(refusal.status, json::serialize(json::object{
                               {"statusCode", refusal.status}, {"name", refusal.name}, {"message", "No."}}));
    auto const outcome = send();
    auto const what = std::to_string(refusal.status) + " " + refusal.name;
    EXPECT_EQ(outcome.status, refusal.kind) << what;
    EXPECT_EQ(outcome.effect, refusal.effect) << what;
    EXPECT_EQ(outcome.provider_code, refusal.name);
    EXPECT_EQ(outcome.http_status, refusal.status);
  }
}

TEST_F(ResendWire, OnlyWhatIsMeantForPeopleIsShownToThem) {
  answer(403, R"({"name": "validation_error", "message": "The barn.example domain is not verified."})");
  EXPECT_EQ(send().user_message, "The barn.example domain is not verified.");
  answer(403, R"({"name": "invalid_api_key", "message": "API key is invalid"})");
  EXPECT_EQ(send().user_message.find("API key is invalid"), std::string::npos);
}

TEST_F(ResendWire, TheWaitIsTheOneThatIsAskedFor) {
  reply = HttpResponse{429, {}, R"({"name": "rate_limit_exceeded"})", std::chrono::seconds(3)};
  EXPECT_EQ(send().retry_after, std::chrono::seconds(3));
  answer(429, R"({"name": "rate_limit_exceeded"})", {{"ratelimit-reset", "2"}});
  EXPECT_EQ(send().retry_after, std::chrono::seconds(2));
}

TEST_F(ResendWire, AnAnswerThatCannotBeReadSaysNothingOfTheSending) {
  for (auto const* body : {"<html>fine</html>", "{", "", "[]", R"({"id": null})"}) {
    answer(200, body);
    auto const outcome = send();
    EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG) << body;
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN) << body;
  }
  reply = HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "no answer"};
  EXPECT_EQ(send().effect, GARLAND_EFFECT_UNKNOWN);
  reply = HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_NOT_APPLIED, "refused"};
  EXPECT_EQ(send().effect, GARLAND_EFFECT_NOT_APPLIED);
}

TEST_F(ResendWire, AnIdIsOneStepOfThePath) {
  ASSERT_TRUE(host.run("messaging.cancel/1", {{"idempotency_key", "k"}, {"message", "../domains?a=b"}}).ok());
  EXPECT_EQ(host.requests().back().url, "https://api.resend.com/emails/..%2Fdomains%3Fa%3Db/cancel");
  EXPECT_EQ(host.requests().back().body, "");
}

TEST_F(ResendWire, TheHealthCheckNamesADomainThatMaySend) {
  answer(
      200,
      R"({"data": [{"name": "a.example", "status": "pending"}, {"name": "b.example", "status": "verified"}]})");
  EXPECT_EQ(host.run("health.check/1").result.at("account"), "b.example");
  EXPECT_EQ(host.requests().back().url, "https://api.resend.com/domains");
  answer(200, R"({"data": []})");
  EXPECT_EQ(host.run("health.check/1").result.at("account"), "no verified domain");
  answer(401,
         R"({"name": "restricted_api_key", "message": "This API key is restricted to only send emails"})");
  auto const outcome = host.run("health.check/1");
  EXPECT_EQ(outcome.status, GARLAND_E_FORBIDDEN);
  EXPECT_THAT(outcome.message, HasSubstr("restricted to only send"));
}

// An id is asked for again, so nothing else may stand in its place.
TEST_F(ResendWire, AMailWithoutAnIdIsToldWithoutOne) {
  answer(200, R"({"data": [{"subject": "Who am I?"}], "has_more": false})");
  ASSERT_TRUE(host.run("messaging.pull/1", {{"entity", "messaging.message"}, {"cursor", nullptr}}).ok());
  auto const problems = host.emitted("garland.problem");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].at("id"), "");
  EXPECT_THAT(std::string(problems[0].at("message").as_string()), HasSubstr("has no /id"));
}

TEST_F(ResendWire, TheFixturesAreReadAsTheySay) {
  auto const fixtures =
      json::parse(testing::readFile(inSources("/plugins/messaging/resend/fixtures/records.json")));
  for (auto const& fixture : fixtures.as_array()) {
    auto const& entity = fixture.at("entity");
    host.serve([&](HttpRequest const& request) -> HttpReply {
      auto const whole = json::object{{"data", json::array{fixture.at("theirs")}}, {"has_more", false}};
      bool const one = request.url.find("limit=") == std::string::npos;
      return HttpResponse{200, {}, json::serialize(one ? fixture.at("theirs") : json::value(whole)), {}};
    });
    host.clear();
    ASSERT_TRUE(host.run("messaging.pull/1", {{"entity", entity}, {"cursor", nullptr}}).ok()) << fixture;
    auto const records = host.emitted(std::string_view(entity.as_string()));
    auto const problems = host.emitted("garland.problem");
    if (auto const* const problem = fixture.as_object().if_contains("problem")) {
      ASSERT_EQ(problems.size(), 1U) << fixture;
      EXPECT_EQ(problems.front().at("message"), *problem);
      continue;
    }
    ASSERT_EQ(records.size(), 1U) << fixture;
    EXPECT_EQ(records.front().at("data"), fixture.at("ours"));
    EXPECT_THAT(testing::schemaProblems("record." + std::string(entity.as_string()) + ".json",
                                        records.front().at("data")),
                ::testing::IsEmpty());
  }
}

} // namespace
} // namespace garland::resend
