// Money by the connector at the twin: held, taken, given back, passed on, disputed, paid out; with answers
// and requests lost on the way, and every cent accounted for at the end.
#include "twin_fixture.h"

namespace garland::stripe {
namespace {

using ::testing::HasSubstr;

std::int64_t amountAt(json::value const& record, std::string_view member) {
  return record.at(member).at("amount").as_int64();
}
json::value statusOf(Outcome const& outcome) { return outcome.result.at("data").at("status"); }

class Reconciled : public StripeTwin {
protected:
  // All lines of a payout, page by page.
  std::vector<json::value> linesOf(std::string const& payout) {
    std::vector<json::value> lines;
    json::object input{{"payout", payout}};
    while (true) {
      auto const outcome = connector.run("payments.settlement/1", input);
      EXPECT_TRUE(outcome.ok()) << outcome.message;
      if (!outcome.ok()) return lines;
      for (auto const& line : outcome.result.at("lines").as_array()) lines.push_back(line.at("data"));
      auto const* const after = outcome.result.as_object().if_contains("after");
      if (after == nullptr) return lines;
      input["after"] = *after;
    }
  }
  static std::int64_t sum(std::vector<json::value> const& lines, std::string_view kind,
                          std::string_view member) {
    std::int64_t total = 0;
    for (auto const& line : lines)
      if (line.at("kind") == json::value(kind)) total += amountAt(line, member);
    return total;
  }
};

TEST_F(Reconciled, ToTheCentThoughAnAnswerAndARequestWereLost) {
  begin(120); // more than a page of lines
  // Held, and nobody hears of it.
  loseNextAnswer();
  auto outcome = authorize("auth-1", {{"reference", "wedding-7"}});
  EXPECT_EQ(outcome.status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN);
  auto const held = find("authorize");
  EXPECT_EQ(held.at("found"), true);
  EXPECT_EQ(held.at("final"), true);
  auto const& payment = held.at("output").at("data");
  EXPECT_EQ(payment.at("status"), "authorized");
  EXPECT_EQ(payment.at("authorized"), eur(250'000));
  EXPECT_EQ(payment.at("reference"), "wedding-7");
  std::string const id(held.at("output").at("id").as_string());
  EXPECT_EQ(idOf(authorize("auth-1", {{"reference", "wedding-7"}})), id);
  EXPECT_EQ(happened("payment_intent.created"), 1);

  // Taken, but the request never arrived.
  auto const sent_at = now();
  loseNextRequest();
  json::object const taking{{"idempotency_key", "capture-1"}, {"payment", id}, {"amount", eur(200'050)}};
  outcome = act("capture", taking);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN);
  auto looked = find("capture", sent_at);
  EXPECT_EQ(looked, json::value({{"found", false}, {"final", false}})); // it may be on its way
  wait(std::chrono::minutes(11));
  looked = find("capture", sent_at);
  EXPECT_EQ(looked, json::value({{"found", false}, {"final", true}}));
  outcome = act("capture", taking);
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(statusOf(outcome), "captured");
  EXPECT_EQ(outcome.result.at("data").at("captured"), eur(200'050));

  // A part given back, and nobody hears of that either.
  loseNextAnswer();
  json::object const giving{{"idempotency_key", "refund-1"}, {"payment", id}, {"amount", eur(50'025)}};
  outcome = act("refund", giving);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN);
  looked = find("refund");
  EXPECT_EQ(looked.at("found"), true);
  EXPECT_EQ(looked.at("output").at("data").at("amount"), eur(50'025));
  EXPECT_EQ(idOf(act("refund", giving)), looked.at("output").at("id").as_string());
  EXPECT_EQ(happened("refund.created"), 1);

  // A week later it is paid out.
  wait(std::chrono::hours(8 * 24));
  edit({{"payout", "eur"}});
  for (auto const* entity : {"payment", "refund", "payout", "balance_transaction"})
    ASSERT_TRUE(pull(entity).ok()) << entity;
  ASSERT_EQ(records["payment"].size(), 121U);
  ASSERT_EQ(records["payout"].size(), 1U);
  auto const& [payout_id, payout] = *records["payout"].begin();
  auto const lines = linesOf(payout_id);
  EXPECT_EQ(lines.size(), 121U + 1U + 1U); // charges, a refund, the payout itself

  // Every line has its record, with the same amount; every record its line.
  std::int64_t taken = 0;
  std::int64_t fees = 0;
  std::map<std::string, std::int64_t> expected;
  for (auto const& [ours, data] : records["payment"]) {
    auto const amount = amountAt(data, "captured");
    taken += amount;
    fees += amount * 29 / 1000 + 30;
    expected[std::string(data.at("charge").as_string())] = amount;
  }
  for (auto const& [ours, data] : records["refund"]) expected[ours] = -amountAt(data, "amount");
  expected[payout_id] = -amountAt(payout, "amount");
  std::map<std::string, std::int64_t> booked;
  for (auto const& line : lines)
    booked[std::string(line.at("source").as_string())] = amountAt(line, "amount");
  EXPECT_EQ(booked, expected);

  EXPECT_EQ(sum(lines, "charge", "amount"), taken);
  EXPECT_EQ(sum(lines, "charge", "fee"), fees);
  EXPECT_EQ(sum(lines, "refund", "amount"), -50'025);
  EXPECT_EQ(amountAt(payout, "amount"), taken - fees - 50'025);
  std::int64_t left = 0;
  for (auto const& [line, data] : records["balance_transaction"]) left += amountAt(data, "net");
  EXPECT_EQ(left, 0); // the account is empty after the payout
}

TEST_F(StripeTwin, ADeclineSaysWhyAndNothingIsHeld) {
  begin();
  auto const outcome = authorize("k", {{"method", "pm_card_visa_chargeDeclinedInsufficientFunds"}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(outcome.http_status, 402);
  EXPECT_EQ(outcome.provider_code, "card_declined");
  EXPECT_EQ(outcome.detail.at("decline_code"), "insufficient_funds");
  EXPECT_EQ(outcome.user_message, "Your card has insufficient funds.");
  auto const looked = find("authorize");
  EXPECT_EQ(looked.at("found"), true);
  EXPECT_EQ(looked.at("final"), true);
  EXPECT_EQ(looked.at("output").at("data").at("status"), "unpaid");
  EXPECT_EQ(looked.at("output").at("data").at("decline").at("reason"), "insufficient_funds");
  EXPECT_EQ(looked.at("output").at("data").at("authorized"), eur(0));
  // It tells what the answer told.
  auto const& refused = looked.at("refused");
  EXPECT_EQ(refused.at("code"), json::value(outcome.provider_code));
  EXPECT_EQ(refused.at("user_message"), json::value(outcome.user_message));
  for (auto const* member : {"decline_code", "decline_class"})
    EXPECT_EQ(refused.at("detail").at(member), outcome.detail.at(member)) << member;
  // The same key gives the same answer; another card needs another key.
  EXPECT_EQ(authorize("k", {{"method", "pm_card_visa_chargeDeclinedInsufficientFunds"}}).provider_code,
            "card_declined");
  EXPECT_EQ(happened("payment_intent.payment_failed"), 1);
  EXPECT_TRUE(authorize("k2").ok());
}

TEST_F(StripeTwin, AMethodThatDoesNotExistIsRefusedAndNothingIsHeld) {
  begin();
  for (auto const* method : {"pm_nope", "pm_card", "visa"}) {
    auto const outcome = authorize(std::string("k-") + method, {{"method", method}});
    EXPECT_EQ(outcome.status, GARLAND_E_NOT_FOUND) << method;
    EXPECT_EQ(outcome.provider_code, "resource_missing") << method;
  }
  EXPECT_EQ(happened("payment_intent.created"), 0);
  EXPECT_TRUE(authorize("k", {{"method", "pm_card_mastercard"}}).ok());
}

TEST_F(StripeTwin, AnEditThatItDoesNotUnderstandChangesNothing) {
  begin();
  auto const id = idOf(authorize("k"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", id}}).ok());
  for (auto const& change :
       {json::object{{"id", id}, {"refund", 1}, {"foo", 1}}, json::object{{"id", id}, {"refund", "1"}},
        json::object{{"id", id}, {"dispute", "nope"}}, json::object{{"id", id}, {"cancel", false}}})
    EXPECT_EQ(ask("POST", "/_twin/edit", json::serialize(change), {}).status, 400) << json::serialize(change);
  EXPECT_EQ(happened("refund.created"), 0);
  EXPECT_EQ(happened("charge.dispute.created"), 0);
}

TEST_F(StripeTwin, AClientMayHaveToConfirm) {
  begin();
  auto const outcome = authorize("k", {{"method", "pm_card_authenticationRequired"},
                                       {"return_url", "https://studio.example.com/thanks"}});
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(statusOf(outcome), "action_required");
  EXPECT_EQ(outcome.result.at("data").at("action_url"), "http://127.0.0.1:9/authenticate");
}

TEST_F(StripeTwin, AKeyThatWasUsedForSomethingElseIsInDoubt) {
  begin();
  ASSERT_TRUE(authorize("k").ok());
  auto const outcome = authorize("k", {{"amount", eur(1)}});
  EXPECT_EQ(outcome.status, GARLAND_E_CONFLICT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(outcome.provider_code, "idempotency_error");
}

TEST_F(StripeTwin, EveryCurrencyIsCountedAsStripeDoesAndComesBackAsOurs) {
  begin();
  struct Case {
    char const* currency;
    std::int64_t ours;
    std::int64_t theirs;
  };
  for (auto const& one :
       {Case{"EUR", 12'050, 12'050}, Case{"JPY", 12'050, 12'050}, Case{"KWD", 12'050, 12'050},
        Case{"ISK", 500, 50'000}, Case{"UGX", 5'000, 500'000}, Case{"MGA", 50'000, 500}}) {
    json::value const amount{{"amount", one.ours}, {"currency", one.currency}};
    connector.clear();
    auto const outcome = authorize(one.currency, {{"amount", amount}});
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_EQ(outcome.result.at("data").at("amount"), amount);
    EXPECT_THAT(connector.requests().back().body, HasSubstr("amount=" + std::to_string(one.theirs) + "&"));
  }
}

TEST_F(StripeTwin, WhatStripeCannotHoldIsNotSent) {
  begin();
  for (auto const& [currency, amount] : {std::pair{"KWD", 12'055}, {"MGA", 50'050}}) {
    auto const outcome = authorize("k", {{"amount", {{"amount", amount}, {"currency", currency}}}});
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
    EXPECT_THAT(outcome.message, HasSubstr("/amount: is finer"));
    EXPECT_EQ(outcome.detail.at("field"), "/amount");
  }
  EXPECT_TRUE(connector.requests().empty());
}

TEST_F(StripeTwin, ACurrencyThatStripeDoesNotKnowIsRefusedWithThoseThatItKnows) {
  begin();
  auto const outcome = authorize("k", {{"amount", {{"amount", 12'050}, {"currency", "QQQ"}}}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("Invalid currency: qqq"), HasSubstr("usd, aed")));
}

TEST_F(StripeTwin, AnAmountInAnotherCurrencyThanThePaymentIsNotSent) {
  begin();
  auto const id = idOf(authorize("k"));
  json::value const dollars{{"amount", 100}, {"currency", "USD"}};
  for (auto const* verb : {"capture", "refund"}) {
    auto const outcome = act(verb, {{"idempotency_key", verb}, {"payment", id}, {"amount", dollars}});
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
    EXPECT_EQ(outcome.message, "/amount: is in USD, where EUR is counted");
    EXPECT_EQ(connector.requests().back().method, "GET");
  }
}

TEST_F(StripeTwin, AFormOfZeroBytesIsRefusedWithoutRepeatingIt) {
  begin();
  std::string const zeros(3'000'000, '\0');
  for (auto const& body : {zeros, "description=" + zeros, "currency=eur&amount=" + zeros}) {
    auto const answer = ask("POST", "/v1/payment_intents", body, {{"Authorization", "Bearer sk_test_twin"}});
    EXPECT_EQ(answer.status, 400);
    EXPECT_LT(answer.body.size(), 1'000U);
  }
}

TEST_F(StripeTwin, ACancelledPaymentIsFoundByItsStateAndNeverCaptured) {
  begin();
  auto const id = idOf(authorize("k"));
  loseNextAnswer();
  json::object const letting_go{{"idempotency_key", "c"}, {"payment", id}, {"reason", "requested"}};
  EXPECT_EQ(act("cancel", letting_go).effect, GARLAND_EFFECT_UNKNOWN);
  auto looked = find("cancel");
  EXPECT_EQ(looked.at("found"), true);
  EXPECT_EQ(looked.at("output").at("data").at("cancel_reason"), "requested");
  auto const outcome = act("capture", {{"idempotency_key", "t"}, {"payment", id}});
  EXPECT_EQ(outcome.status, GARLAND_E_CONFLICT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(outcome.provider_code, "payment_intent_unexpected_state");
  looked = find("capture"); // it cannot come about any more, however long ago it was sent
  EXPECT_EQ(looked, json::value({{"found", false}, {"final", true}}));
}

TEST_F(StripeTwin, EachActIsFoundByItsOwnKey) {
  begin();
  auto const first = idOf(authorize("a"));
  auto const second = idOf(authorize("b"));
  EXPECT_EQ(find("authorize").at("output").at("id"), json::value(second));
  last_input["idempotency_key"] = "a";
  EXPECT_EQ(find("authorize").at("output").at("id"), json::value(first));
  last_input["idempotency_key"] = "c";
  EXPECT_EQ(find("authorize").at("found"), false);
}

TEST_F(StripeTwin, ACaptureBySomebodyElseIsNotOurs) {
  begin();
  auto const id = idOf(authorize("k"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "theirs"}, {"payment", id}}).ok());
  EXPECT_EQ(act("capture", {{"idempotency_key", "ours"}, {"payment", id}}).status, GARLAND_E_CONFLICT);
  EXPECT_EQ(find("capture"), json::value({{"found", false}, {"final", true}}));
}

TEST_F(StripeTwin, MoneyIsPassedOnToAConnectedAccountThatHasBooksOfItsOwn) {
  begin(5);
  loseNextAnswer();
  json::object const passing{{"idempotency_key", "t"},
                             {"amount", eur(10'000)},
                             {"destination", "acct_florist"},
                             {"group", "wedding-7"},
                             {"reference", "flowers"}};
  EXPECT_EQ(act("transfer", passing).effect, GARLAND_EFFECT_UNKNOWN);
  auto const looked = find("transfer");
  EXPECT_EQ(looked.at("found"), true);
  EXPECT_EQ(looked.at("output").at("data").at("reference"), "flowers");
  EXPECT_EQ(happened("transfer.created"), 1);
  auto too_much = passing;
  too_much["idempotency_key"] = "t2";
  too_much["amount"] = eur(99'000'000);
  auto const refused = act("transfer", too_much);
  EXPECT_EQ(refused.status, GARLAND_E_QUOTA);
  EXPECT_EQ(refused.effect, GARLAND_EFFECT_NOT_APPLIED);

  ASSERT_TRUE(connector.open({{"url", std::string(origin) + "/v1"}, {"account", "acct_florist"}}).ok());
  EXPECT_EQ(connector.run("health.check/1").result.at("account"), "studio@example.com");
  EXPECT_EQ(connector.requests().back().header("Stripe-Account"), "acct_florist");
  ASSERT_TRUE(pull("balance_transaction").ok());
  ASSERT_EQ(records["balance_transaction"].size(), 1U);
  EXPECT_EQ(records["balance_transaction"].begin()->second.at("amount"), eur(10'000));
  ASSERT_TRUE(pull("payment").ok());
  EXPECT_TRUE(records["payment"].empty());
}

TEST_F(StripeTwin, ASplitPaymentIsSplitAndGivenBackWithItsFee) {
  begin();
  auto const id = idOf(authorize(
      "k", {{"amount", eur(100'000)}, {"split", {{"destination", "acct_dj"}, {"fee", eur(10'000)}}}}));
  auto const outcome = act("capture", {{"idempotency_key", "c"}, {"payment", id}});
  EXPECT_EQ(outcome.result.at("data").at("split"),
            json::value({{"destination", "acct_dj"}, {"fee", eur(10'000)}}));
  ASSERT_TRUE(act("refund", {{"idempotency_key", "r"},
                             {"payment", id},
                             {"amount", eur(50'000)},
                             {"reverse_transfer", true},
                             {"return_fee", true}})
                  .ok());
  ASSERT_TRUE(pull("balance_transaction").ok());
  std::int64_t left = 0;
  for (auto const& [line, data] : records["balance_transaction"]) left += amountAt(data, "net");
  EXPECT_EQ(left, 10'000 - 5'000 - (100'000 * 29 / 1000 + 30)); // half of our fee, less Stripe's
}

TEST_F(StripeTwin, ADisputeIsAnsweredOnce) {
  begin();
  auto const id = idOf(authorize("k"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", id}}).ok());
  ASSERT_TRUE(pull("dispute").ok());
  edit({{"id", id}, {"dispute", "product_not_received"}});
  ASSERT_TRUE(pull("dispute").ok());
  ASSERT_EQ(records["dispute"].size(), 1U);
  auto const& [dispute, data] = *records["dispute"].begin();
  EXPECT_EQ(data.at("status"), "needs_response");
  EXPECT_EQ(data.at("due"), "2026-01-10T00:00:00Z");
  EXPECT_EQ(act("refund", {{"idempotency_key", "r"}, {"payment", id}}).provider_code, "charge_disputed");

  json::object answer{{"idempotency_key", "e"}, {"dispute", dispute}, {"submit", true}};
  answer["evidence"] = {{"customer_name", "Ann & Bo"}, {"text", "They danced."}};
  loseNextAnswer();
  EXPECT_EQ(act("dispute_evidence", answer).effect, GARLAND_EFFECT_UNKNOWN);
  auto const looked = find("dispute_evidence");
  EXPECT_EQ(looked.at("found"), true);
  EXPECT_EQ(looked.at("output").at("data").at("status"), "under_review");
  EXPECT_EQ(looked.at("output").at("data").at("submissions"), 1);
  answer["idempotency_key"] = "e2";
  EXPECT_EQ(act("dispute_evidence", answer).status, GARLAND_E_INVALID_INPUT);
  edit({{"dispute", dispute}, {"won", true}});
  ASSERT_TRUE(pull("dispute").ok());
  EXPECT_EQ(records["dispute"].begin()->second.at("status"), "won");
}

TEST_F(StripeTwin, ARateLimitIsToldAndNothingIsApplied) {
  begin();
  for (int i = 0; i < 100; ++i) ask("GET", "/v1/account", "", {{"Authorization", "Bearer sk_test_twin"}});
  auto const outcome = authorize("k");
  EXPECT_EQ(outcome.status, GARLAND_E_RATE_LIMITED);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  wait(std::chrono::seconds(1));
  EXPECT_TRUE(authorize("k").ok());
}

class Refusals : public StripeTwin {
protected:
  HttpResponse send(std::string const& method, std::string const& target, std::string const& form = "") {
    testing::HeaderList headers{{"Authorization", "Bearer sk_test_twin"}};
    if (!form.empty()) headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return ask(method, target, form, headers);
  }
  json::value errorOf(HttpResponse const& answer) { return json::parse(answer.body).at("error"); }
};

TEST_F(Refusals, ACustomerWhomTheAccountDoesNotHaveIsMissing) {
  begin();
  auto const refused = send("POST", "/v1/payment_intents", "amount=100&currency=eur&customer=cus_nobody");
  EXPECT_EQ(refused.status, 400);
  auto const error = errorOf(refused);
  EXPECT_EQ(error.at("type"), "invalid_request_error");
  EXPECT_EQ(error.at("code"), "resource_missing");
  EXPECT_EQ(error.at("param"), "customer");
  EXPECT_EQ(error.at("message"), "No such customer: 'cus_nobody'");
  EXPECT_EQ(send("GET", "/v1/payment_intents?customer=cus_nobody").status, 400);
  EXPECT_EQ(send("GET", "/v1/customers/cus_nobody").status, 404);
  EXPECT_EQ(happened("payment_intent.created"), 0);

  auto const made = json::parse(send("POST", "/v1/customers", "name=Ann&metadata[wedding]=w1").body);
  std::string const id(made.at("id").as_string());
  EXPECT_EQ(made.at("metadata").at("wedding"), "w1");
  EXPECT_EQ(json::parse(send("GET", "/v1/customers/" + id).body), made);
  auto const payment = send("POST", "/v1/payment_intents", "amount=100&currency=eur&customer=" + id);
  EXPECT_EQ(payment.status, 200);
  EXPECT_EQ(json::parse(payment.body).at("customer"), made.at("id"));
}

TEST_F(Refusals, ACurrencyThatStripeDoesNotTakeIsInvalid) {
  begin();
  for (std::string const currency : {"xxx", "XXX", "eu", "euro", "sd+", "", "usd+aed"}) {
    auto const refused = send("POST", "/v1/payment_intents", "amount=100&currency=" + currency);
    ASSERT_EQ(refused.status, 400) << currency;
    auto const error = errorOf(refused);
    EXPECT_EQ(error.at("type"), "invalid_request_error") << currency;
    EXPECT_EQ(error.at("param"), "currency") << currency;
    EXPECT_FALSE(error.as_object().contains("code")) << currency;
    EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr("Invalid currency: ")) << currency;
  }
  for (std::string const currency : {"usd", "EUR", "zmw", "jpy", "kwd"})
    EXPECT_EQ(send("POST", "/v1/payment_intents", "amount=100&currency=" + currency).status, 200) << currency;
}

} // namespace
} // namespace garland::stripe
