// The connector alone: what it puts on the wire, how it reads Stripe's records, what it makes of errors.
#include "tests/places/places.h"

#include <garland/sdk/advice.hpp>
#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace garland::stripe {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using testing::HeaderList;
using testing::HttpFailure;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using testing::Outcome;

constexpr auto payment =
    R"({"id": "pi_1", "amount": 250000, "amount_capturable": 250000, "amount_received": 0,
    "currency": "eur", "status": "requires_capture", "metadata": {}})";
constexpr auto dispute = R"({"id": "dp_1", "amount": 1, "currency": "eur", "status": "under_review"})";

class StripeWire : public ::testing::Test {
protected:
  StripeWire() {
    host.serve([this](HttpRequest const&) { return reply; });
    EXPECT_TRUE(host.open().ok());
  }
  void answer(int status, std::string body, HeaderList headers = {}) {
    reply = HttpResponse{status, std::move(headers), std::move(body), {}};
  }
  Outcome authorize(json::object more = {}) {
    json::object input{{"idempotency_key", "idem-1"}, {"method", "pm_1"}};
    input["amount"] = {{"amount", 250'000}, {"currency", "USD"}};
    for (auto const& [name, value] : more) input[name] = value;
    return host.run("payments.authorize/1", input);
  }

  testing::FakeHost host{&garland_entry_v1,
                         testing::readFile(inSources("/plugins/payments/stripe/connector.json"))};
  HttpReply reply = HttpResponse{200, {}, payment, {}};
};

TEST_F(StripeWire, ARequestCarriesKeyVersionAndForm) {
  auto const outcome =
      authorize({{"split", {{"destination", "acct_1"}, {"fee", {{"amount", 2500}, {"currency", "USD"}}}}},
                 {"reference", "w & 1"},
                 {"off_session", true}});
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  auto const& sent = host.requests().back();
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "https://api.stripe.com/v1/payment_intents");
  EXPECT_EQ(sent.idempotency_key, "idem-1");
  EXPECT_EQ(sent.timeout, std::chrono::seconds(30)) << "it is looked for afterwards";
  EXPECT_EQ(sent.credential_slot, "key");
  EXPECT_EQ(sent.header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(sent.header("stripe-version"), "2023-08-16");
  EXPECT_EQ(sent.header("stripe-account"), "");
  EXPECT_EQ(sent.body, "amount=250000&currency=usd&payment_method=pm_1&transfer_data[destination]=acct_1&"
                       "application_fee_amount=2500&off_session=true&"
                       "metadata[garland_reference]=w%20%26%201&metadata[garland_key]=idem-1&"
                       "capture_method=manual&confirm=true&payment_method_types[0]=card");
}

TEST_F(StripeWire, AConnectedAccountIsNamed) {
  ASSERT_TRUE(host.open({{"account", "acct_2"}}).ok());
  ASSERT_TRUE(host.run("payments.refund/1", {{"idempotency_key", "k"}, {"payment", "pi_1"}}).ok());
  EXPECT_EQ(host.requests().back().header("stripe-account"), "acct_2");
  EXPECT_EQ(host.requests().back().body, "payment_intent=pi_1&metadata[garland_key]=k");
}

TEST_F(StripeWire, EvidenceIsSentAsTheOfficialLibrarySendsIt) {
  answer(200, dispute);
  ASSERT_TRUE(host.run("payments.dispute_evidence/1", {{"idempotency_key", "k"},
                                                       {"dispute", "dp_1"},
                                                       {"evidence", {{"customer_name", "Ann & Bo"}}},
                                                       {"submit", true}})
                  .ok());
  EXPECT_EQ(host.requests().back().url, "https://api.stripe.com/v1/disputes/dp_1");
  EXPECT_EQ(host.requests().back().body,
            "evidence[customer_name]=Ann%20%26%20Bo&submit=true&metadata[garland_evidence]=k");
}

TEST_F(StripeWire, AnIdIsOneStepOfThePath) {
  ASSERT_TRUE(host.run("payments.cancel/1", {{"idempotency_key", "k"}, {"payment", "../refunds?a=b"}}).ok());
  EXPECT_EQ(host.requests().back().url,
            "https://api.stripe.com/v1/payment_intents/..%2Frefunds%3Fa%3Db/cancel");
}

TEST_F(StripeWire, WithoutAKeyNothingIsSent) {
  auto const outcome = host.run("payments.cancel/1", {{"payment", "pi_1"}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_TRUE(host.requests().empty());
}

// What Stripe answers to a write, and what becomes of it.
struct Refusal {
  int status;
  char const* error; // members of "error"
  garland_status kind;
  garland_effect effect;
  char const* code;
  HeaderList headers = {};
};

TEST_F(StripeWire, ErrorsMeanWhatTheTableSays) {
  constexpr auto not_applied = GARLAND_EFFECT_NOT_APPLIED;
  constexpr auto unknown = GARLAND_EFFECT_UNKNOWN;
  Refusal const refusals[] = {
      {400, R"("type": "invalid_request_error", "code": "parameter_missing")", GARLAND_E_INVALID_INPUT,
       not_applied, "parameter_missing"},
      {400, R"("type": "idempotency_error")", GARLAND_E_CONFLICT, unknown, "idempotency_error"},
      {400, R"("type": "invalid_request_error", "code": "balance_insufficient")", GARLAND_E_QUOTA,
       not_applied, "balance_insufficient"},
      {400, R"("type": "invalid_request_error", "code": "resource_missing")", GARLAND_E_NOT_FOUND,
       not_applied, "resource_missing"},
      {401, R"("type": "invalid_request_error")", GARLAND_E_AUTH_REVOKED, not_applied,
       "invalid_request_error"},
      {402, R"("type": "card_error", "code": "card_declined")", GARLAND_E_INVALID_INPUT, not_applied,
       "card_declined"},
      {403, R"("type": "invalid_request_error")", GARLAND_E_FORBIDDEN, not_applied, "invalid_request_error"},
      {404, R"("code": "resource_missing")", GARLAND_E_NOT_FOUND, not_applied, "resource_missing"},
      {409, R"("type": "idempotency_error", "code": "idempotency_key_in_use")", GARLAND_E_TRANSIENT, unknown,
       "idempotency_key_in_use"},
      {429, R"("code": "lock_timeout")", GARLAND_E_TRANSIENT, not_applied, "lock_timeout"},
      {429, R"("code": "rate_limit")", GARLAND_E_RATE_LIMITED, not_applied, "rate_limit"},
      {500, R"("type": "api_error")", GARLAND_E_TRANSIENT, unknown, "api_error"},
      {503, "", GARLAND_E_TRANSIENT, unknown, ""},
      // Stripe itself says whether sending it again is of use.
      {500, "", GARLAND_E_PROVIDER_BUG, unknown, "", {{"Stripe-Should-Retry", "false"}}},
      {400, "", GARLAND_E_TRANSIENT, not_applied, "", {{"Stripe-Should-Retry", "true"}}},
      {429, "", GARLAND_E_RATE_LIMITED, not_applied, "", {{"Stripe-Should-Retry", "true"}}},
  };
  for (auto const& refusal : refusals) {
    answer(refusal.status, R"({"error": {)" + std::string(refusal.error) + "}}", refusal.headers);
    auto const outcome = authorize();
    auto const what = std::to_string(refusal.status) + " " + refusal.error;
    EXPECT_EQ(outcome.status, refusal.kind) << what;
    EXPECT_EQ(outcome.effect, refusal.effect) << what;
    EXPECT_EQ(outcome.provider_code, refusal.code) << what;
    EXPECT_EQ(outcome.http_status, refusal.status);
  }
}

TEST_F(StripeWire, OnlyWhatIsMeantForPeopleIsShownToThem) {
  answer(402, R"({"error": {"type": "card_error", "code": "expired_card", "message": "Your card has expired.",
                            "param": "exp_month", "decline_code": "expired_card",
                            "payment_intent": {"id": "pi_9", "status": "requires_payment_method"}}})");
  auto outcome = authorize();
  EXPECT_EQ(outcome.user_message, "Your card has expired.");
  EXPECT_EQ(outcome.detail.at("decline_code"), "expired_card");
  EXPECT_EQ(outcome.detail.at("payment"), "pi_9");
  answer(
      400,
      R"({"error": {"code": "parameter_unknown", "message": "Received unknown parameter: a", "param": "a"}})");
  outcome = authorize();
  EXPECT_EQ(outcome.user_message, sdk::adviceFor(sdk::Kind::invalidInput));
  EXPECT_THAT(outcome.message, HasSubstr("unknown parameter: a"));
  EXPECT_EQ(outcome.detail.at("parameter"), "a");
}

TEST_F(StripeWire, ADeclineIsSortedIntoWhatTheClientCanDo) {
  for (auto const& [code, sorted] :
       {std::pair{"issuer_not_available", "retry"}, std::pair{"expired_card", "other_method"},
        std::pair{"stolen_card", "never"}, std::pair{"a_code_of_tomorrow", "never"}}) {
    answer(
        402,
        R"({"error": {"type": "card_error", "code": "card_declined", "message": "No.", "decline_code": ")" +
            std::string(code) + "\"}}");
    EXPECT_EQ(authorize().detail.at("decline_class"), sorted) << code;
  }
}

TEST_F(StripeWire, ACardNumberIsRefusedBeforeAnythingIsSentAndIsNotTold) {
  for (auto const* number : {"4242424242424242", "3782 822463 10005", "pay 5555-5555-5555-4444 now"}) {
    auto const before = host.requests().size();
    auto const outcome = authorize({{"description", number}});
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT) << number;
    EXPECT_EQ(outcome.detail.at("field"), "/description");
    EXPECT_THAT(outcome.message, ::testing::Not(HasSubstr("4242")));
    EXPECT_EQ(host.requests().size(), before);
  }
  EXPECT_TRUE(authorize({{"description", "booking 4242424242424241"}}).ok()) << "no card has this number";
}

TEST_F(StripeWire, MoneyInDisputeIsNotPassedOn) {
  json::object const input{{"idempotency_key", "t-1"},
                           {"amount", {{"amount", 100}, {"currency", "EUR"}}},
                           {"destination", "acct_1"},
                           {"source", "ch_1"}};
  host.serve([](HttpRequest const& request) -> HttpReply {
    bool const disputes = request.url.find("/disputes?charge=ch_1") != std::string::npos;
    return HttpResponse{200,
                        {},
                        disputes ? R"({"data": [)" + std::string(dispute) + R"(], "has_more": false})"
                                 : R"({"data": [], "has_more": false})",
                        {}};
  });
  auto const outcome = host.run("payments.transfer/1", input);
  EXPECT_EQ(outcome.status, GARLAND_E_CONFLICT) << outcome.message;
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  for (auto const& request : host.requests()) EXPECT_EQ(request.method, "GET");
}

TEST_F(StripeWire, AnAnswerThatCannotBeReadSaysNothingOfTheWrite) {
  for (auto const* body : {"<html>fine</html>", "{", "{}", "", "[]", R"({"id": "pi_1"})",
                           R"({"id": "pi_1", "amount": "much", "currency": "eur", "status": "succeeded"})"}) {
    answer(200, body);
    auto const outcome = authorize();
    EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG) << body;
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN) << body;
  }
  answer(200, std::string(10'000, '['));
  EXPECT_EQ(authorize().effect, GARLAND_EFFECT_UNKNOWN);
}

TEST_F(StripeWire, ALostAnswerIsUnknownAndARequestThatNeverLeftIsNot) {
  reply = HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "no answer"};
  EXPECT_EQ(authorize().effect, GARLAND_EFFECT_UNKNOWN);
  reply = HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_NOT_APPLIED, "refused"};
  EXPECT_EQ(authorize().effect, GARLAND_EFFECT_NOT_APPLIED);
}

TEST_F(StripeWire, TheHealthCheckNamesTheAccount) {
  for (
      auto const& [account, name] :
      {std::pair{
           R"({"id": "acct_1", "email": "a@example.com", "settings": {"dashboard": {"display_name": "Barn"}}})",
           "Barn"},
       {R"({"id": "acct_1", "email": "a@example.com", "business_profile": {"name": "Barn Ltd"}})",
        "Barn Ltd"},
       {R"({"id": "acct_1", "email": null})", "acct_1"}}) {
    answer(200, account);
    auto const told = host.run("health.check/1").result;
    EXPECT_EQ(told.at("account"), name);
    EXPECT_EQ(told.at("id"), "acct_1");
  }
  EXPECT_EQ(host.requests().back().url, "https://api.stripe.com/v1/account");
}

TEST_F(StripeWire, WhatIsNotFoundMayStillArrive) {
  json::object input{{"operation", "payments.authorize/1"}, {"idempotency_key", "k"}};
  input["input"] = {{"idempotency_key", "k"}, {"customer", "cus_1"}};
  answer(200, R"({"data": [], "has_more": false})");
  EXPECT_EQ(host.run("payments.find/1", input).result, json::value({{"found", false}, {"final", false}}));
  EXPECT_EQ(host.requests().back().url,
            "https://api.stripe.com/v1/payment_intents?created%5Bgte%5D=1767052500&"
            "customer=cus_1&limit=100");
  input["sent_at"] = "2025-12-31T23:00:00Z";
  EXPECT_EQ(host.run("payments.find/1", input).result, json::value({{"found", false}, {"final", true}}));
  input["operation"] = "payments.fly/1";
  EXPECT_EQ(host.run("payments.find/1", input).status, GARLAND_E_UNSUPPORTED);
}

TEST_F(StripeWire, WhatIsGoneWillNotBeChangedAnyMore) {
  json::object input{{"operation", "payments.capture/1"}, {"idempotency_key", "k"}};
  input["input"] = {{"idempotency_key", "k"}, {"payment", "pi_1"}};
  answer(404, R"({"error": {"code": "resource_missing"}})");
  EXPECT_EQ(host.run("payments.find/1", input).result, json::value({{"found", false}, {"final", true}}));
  answer(500, "");
  EXPECT_EQ(host.run("payments.find/1", input).status, GARLAND_E_TRANSIENT); // that says nothing
}

TEST_F(StripeWire, TheFixturesAreReadAsTheySay) {
  auto const fixtures =
      json::parse(testing::readFile(inSources("/plugins/payments/stripe/fixtures/records.json")));
  for (auto const& fixture : fixtures.as_array()) {
    auto const& entity = fixture.at("entity");
    host.serve([&](HttpRequest const& request) -> HttpReply {
      json::array data;
      if (request.url.find("/events?") == std::string::npos) data.push_back(fixture.at("theirs"));
      return HttpResponse{200, {}, json::serialize(json::object{{"data", data}, {"has_more", false}}), {}};
    });
    host.clear();
    ASSERT_TRUE(host.run("payments.pull/1", {{"entity", entity}, {"cursor", nullptr}}).ok());
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
} // namespace garland::stripe
