// Webhooks of Stripe as hints, and the records that they name, read again.
#include "twin_fixture.h"

namespace garland::stripe {
namespace {

using ::testing::HasSubstr;

json::array oneHint(std::string_view kind, std::string_view id) {
  return {json::object{{"kind", kind}, {"external_id", id}}};
}

class StripeHints : public StripeTwin {
protected:
  Outcome parse(std::string const& body) {
    return connector.run("webhooks.parse/1", {{"headers", json::object()},
                                              {"query", json::object()},
                                              {"content_type", "application/json"},
                                              {"body", body}});
  }
  // The newest event at Stripe, as it would be delivered.
  std::string newest(std::string const& account = {}) {
    testing::HeaderList headers{{"Authorization", "Bearer sk_test_twin"}};
    if (!account.empty()) headers.emplace_back("Stripe-Account", account);
    auto const list = json::parse(ask("GET", "/v1/events?limit=1", "", headers).body);
    return json::serialize(list.at("data").at(0));
  }
  json::value hintsOf(std::string const& body) {
    auto const outcome = parse(body);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.ok() ? outcome.result.at("hints") : json::value();
  }
  Outcome get(std::string const& entity, json::array ids) {
    connector.clear();
    return connector.run("records.get/1", {{"entity", entity}, {"ids", std::move(ids)}});
  }
};

TEST_F(StripeHints, EachKindOfEventNamesTheRecordThatItIsAbout) {
  begin(5); // so that there is something to pay out
  auto const payment = idOf(authorize("k"));
  EXPECT_EQ(hintsOf(newest()), oneHint("payments.payment", payment));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", payment}}).ok());
  auto const refund =
      idOf(act("refund", {{"idempotency_key", "r"}, {"payment", payment}, {"amount", eur(100)}}));
  EXPECT_EQ(hintsOf(newest()), oneHint("payments.refund", refund));
  auto const transfer =
      idOf(act("transfer", {{"idempotency_key", "t"}, {"amount", eur(100)}, {"destination", "acct_dj"}}));
  EXPECT_EQ(hintsOf(newest()), oneHint("payments.transfer", transfer));
  auto const dispute = edit({{"id", payment}, {"dispute", "fraudulent"}}).at("id");
  EXPECT_EQ(hintsOf(newest()), oneHint("payments.dispute", dispute.as_string()));
  wait(std::chrono::hours(8 * 24));
  auto const payout = edit({{"payout", "eur"}}).at("id");
  EXPECT_EQ(hintsOf(newest()), oneHint("payments.payout", payout.as_string()));
}

TEST_F(StripeHints, TheEventsIdMakesARepetitionKnown) {
  begin();
  idOf(authorize("k"));
  auto const body = newest();
  auto const outcome = parse(body);
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(outcome.result.at("event"), "payment_intent.amount_capturable_updated");
  EXPECT_EQ(outcome.result.at("id"), json::parse(body).at("id"));
  EXPECT_EQ(outcome.result.at("dedupe_key"), outcome.result.at("id"));
  EXPECT_TRUE(connector.requests().back().method != "GET") << "nobody is asked";
}

TEST_F(StripeHints, WhatConcernsUsNotHasNoHints) {
  begin();
  EXPECT_EQ(hintsOf(R"({"id":"evt_1","type":"customer.created","data":{"object":{"id":"cus_1"}}})"),
            json::array());
  auto const of = [](std::string const& account) {
    return R"({"id":"evt_1","type":"payout.paid","account":")" + account +
           R"(","data":{"object":{"id":"po_1"}}})";
  };
  EXPECT_EQ(hintsOf(of("acct_dj")), json::array()) << "it is a connected account's, and this is the platform";
}

TEST_F(StripeHints, AConnectedAccountTakesItsOwnEventsOnly) {
  begin(0, {{"account", "acct_dj"}});
  idOf(authorize("k"));
  EXPECT_EQ(hintsOf(newest("acct_dj")).as_array().size(), 1U);
  auto other = json::parse(newest("acct_dj"));
  other.as_object()["account"] = "acct_band";
  EXPECT_EQ(hintsOf(json::serialize(other)), json::array());
}

TEST_F(StripeHints, WhatCannotBeReadIsAFailureWithItsPlace) {
  begin();
  for (auto const& [body, place] :
       std::map<std::string, std::string>{{"<html>", "at byte"},
                                          {R"({"id":"evt_1"})", "/type: is missing"},
                                          {R"({"type":"payout.paid","data":{"object":null}})",
                                           "payout.paid: /data/object/id: is missing"}}) {
    auto const outcome = parse(body);
    EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG) << body;
    EXPECT_THAT(outcome.message, HasSubstr(place));
  }
}

TEST_F(StripeHints, RecordsAreReadByTheirIdsAndGoneOnesAreTold) {
  begin();
  auto const first = idOf(authorize("a"));
  auto const second = idOf(authorize("b"));
  ASSERT_TRUE(get("payments.payment", {first, "pi_gone"}).ok());
  auto const emitted = connector.emitted("payments.payment");
  ASSERT_EQ(emitted.size(), 2U);
  EXPECT_EQ(emitted[0].at("id"), json::value(first));
  EXPECT_EQ(emitted[0].at("data").at("status"), "authorized");
  EXPECT_EQ(emitted[1].at("id"), "pi_gone");
  EXPECT_EQ(emitted[1].at("deleted"), true);
  EXPECT_TRUE(connector.checkpoints().empty());
}

TEST_F(StripeHints, OneRecordThatCannotBeReadDoesNotKeepTheOthersBack) {
  begin();
  auto const first = idOf(authorize("a"));
  auto const second = idOf(authorize("b"));
  connector.serve([&](HttpRequest const& request) -> HttpReply {
    if (request.url.ends_with(first))
      return HttpResponse{200, {{"Content-Type", "text/html"}}, "<html></html>"};
    return pass(request);
  });
  ASSERT_TRUE(get("payments.payment", {first, second}).ok());
  EXPECT_EQ(connector.emitted("payments.payment").size(), 1U);
  auto const problems = connector.emitted("garland.problem");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].at("id"), json::value(first));
}

} // namespace
} // namespace garland::stripe
