// Each act with a value for every row of its table, so that contract/run holds every member that the
// connector can send against what Stripe publishes; and what of it stands at the twin afterwards.
#include "tables.h"
#include "twin_fixture.h"

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <stdexcept>

namespace garland::stripe {
namespace {

using ::testing::HasSubstr;

class WholeAct : public StripeTwin {
protected:
  // As act(), but the input may leave no row of the act's table out. The body that was sent is kept in
  // `sent`.
  Outcome whole(std::string const& verb, json::object input) {
    auto const row = std::ranges::find_if(acts, [&](sdk::payments::Act const& one) {
      return verb == boost::describe::enum_to_string(one.verb, "");
    });
    if (row == acts.end()) throw std::invalid_argument("there is no act " + verb);
    json::value const given(input);
    for (auto const& field : row->map)
      EXPECT_NE(sdk::find(given, field.ours), nullptr) << verb << " is tried without " << field.ours;
    connector.clear();
    auto outcome = act(verb, std::move(input));
    EXPECT_TRUE(outcome.ok()) << verb << ": " << outcome.message;
    for (auto const& request : connector.requests())
      if (request.method == "POST") sent = request.body;
    return outcome;
  }
  std::string customer() {
    auto const made = ask(
        "POST", "/v1/customers", "name=Ann",
        {{"Authorization", "Bearer sk_test_twin"}, {"Content-Type", "application/x-www-form-urlencoded"}});
    return std::string(json::parse(made.body).at("id").as_string());
  }
  json::object authorization(std::string const& key) {
    return {{"idempotency_key", key},
            {"amount", eur(100'000)},
            {"method", "pm_card_visa"},
            {"customer", customer()},
            {"description", "Spring wedding"},
            {"receipt_email", "ann@example.com"},
            {"statement", "WEDDING 7"},
            {"group", "wedding-7"},
            {"split", {{"destination", "acct_dj"}, {"fee", eur(10'000)}}},
            {"off_session", true},
            {"return_url", "https://studio.example.com/thanks"},
            {"reference", "deposit"}};
  }
  std::string captured() {
    auto const id = idOf(authorize("held"));
    EXPECT_TRUE(act("capture", {{"idempotency_key", "taken"}, {"payment", id}}).ok());
    return id;
  }

  std::string sent;
};

TEST_F(WholeAct, AnAuthorisationIsAllThatWasSaidOfIt) {
  begin();
  auto const input = authorization("k");
  auto const outcome = whole("authorize", input);
  auto const& data = outcome.result.at("data");
  for (auto const* member : {"customer", "description", "group", "split", "reference"})
    EXPECT_EQ(data.at(member), input.at(member)) << member;
  for (auto const* part : {"receipt_email=ann%40example.com", "statement_descriptor_suffix=WEDDING%207",
                           "off_session=true", "return_url="})
    EXPECT_THAT(sent, HasSubstr(part));
  EXPECT_EQ(find("authorize").at("found"), true) << "among those of its customer";
  EXPECT_THAT(connector.requests().back().url, HasSubstr("customer=cus_"));
}

TEST_F(WholeAct, ACaptureMayKeepAnotherFee) {
  begin();
  auto const id = idOf(act("authorize", authorization("k")));
  auto const outcome = whole(
      "capture", {{"idempotency_key", "c"}, {"payment", id}, {"amount", eur(80'000)}, {"fee", eur(8'000)}});
  EXPECT_EQ(outcome.result.at("data").at("captured"), eur(80'000));
  EXPECT_EQ(outcome.result.at("data").at("split").at("fee"), eur(8'000));
}

TEST_F(WholeAct, ACancellationHasItsReason) {
  begin();
  auto const id = idOf(authorize("k"));
  auto const outcome = whole("cancel", {{"idempotency_key", "c"}, {"payment", id}, {"reason", "abandoned"}});
  EXPECT_EQ(outcome.result.at("data").at("cancel_reason"), "abandoned");
}

TEST_F(WholeAct, ARefundHasItsReasonAndOurNameForIt) {
  begin();
  auto const id = idOf(act("authorize", authorization("k")));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", id}}).ok());
  auto const outcome = whole("refund", {{"idempotency_key", "r"},
                                        {"payment", id},
                                        {"amount", eur(50'000)},
                                        {"reason", "requested"},
                                        {"reverse_transfer", true},
                                        {"return_fee", true},
                                        {"reference", "rain"}});
  EXPECT_EQ(outcome.result.at("data").at("reason"), "requested");
  EXPECT_EQ(outcome.result.at("data").at("reference"), "rain");
}

TEST_F(WholeAct, ATransferOfACertainPaymentIsNotMadeWhileThatIsDisputed) {
  begin();
  auto const id = captured();
  ASSERT_TRUE(pull("payment").ok());
  json::object input{{"idempotency_key", "t"},   {"amount", eur(1'000)},
                     {"destination", "acct_dj"}, {"source", records["payment"].at(id).at("charge")},
                     {"group", "wedding-7"},     {"description", "Music"},
                     {"reference", "dj"}};
  auto const outcome = whole("transfer", input);
  auto const& data = outcome.result.at("data");
  for (auto const* member : {"source", "group", "description", "reference"})
    EXPECT_EQ(data.at(member), input.at(member)) << member;
  EXPECT_THAT(connector.requests().front().url, HasSubstr("/v1/disputes?charge=ch_"));

  edit({{"id", id}, {"dispute", "fraudulent"}});
  input["idempotency_key"] = "t2";
  EXPECT_EQ(act("transfer", input).status, GARLAND_E_CONFLICT);
  EXPECT_EQ(happened("transfer.created"), 1);
}

TEST_F(WholeAct, EvidenceOfEveryKindArrives) {
  begin();
  auto const id = captured();
  auto const dispute = edit({{"id", id}, {"dispute", "fraudulent"}}).at("id");
  json::object const evidence{{"customer_name", "Ann & Bo"},
                              {"customer_email", "ann@example.com"},
                              {"billing_address", "1 Elm Street"},
                              {"product", "A day of photographs"},
                              {"service_date", "2026-06-13"},
                              {"cancellation_policy", "In the offer."},
                              {"cancellation_rebuttal", "It was too late."},
                              {"refund_policy", "In the offer, too."},
                              {"refund_refusal", "The day took place."},
                              {"duplicate_explanation", "One is the deposit."},
                              {"access_log", "The gallery was opened."},
                              {"text", "They danced."},
                              {"files",
                               {{"contract", "file_1"},
                                {"communication", "file_2"},
                                {"receipt", "file_3"},
                                {"service", "file_4"},
                                {"other", "file_5"}}}};
  auto const outcome =
      whole("dispute_evidence",
            {{"idempotency_key", "e"}, {"dispute", dispute}, {"evidence", evidence}, {"submit", true}});
  EXPECT_EQ(outcome.result.at("data").at("status"), "under_review");
  auto const kept = json::parse(ask("GET", "/v1/disputes/" + std::string(dispute.as_string()), "",
                                    {{"Authorization", "Bearer sk_test_twin"}})
                                    .body)
                        .at("evidence")
                        .as_object();
  auto const told = std::ranges::count_if(kept, [](auto const& one) { return !one.value().is_null(); });
  EXPECT_EQ(static_cast<std::size_t>(told), evidence.size() - 1 + evidence.at("files").as_object().size());
}

TEST_F(WholeAct, EachRecordIsReadByItsId) {
  begin();
  auto const id = captured();
  ASSERT_TRUE(act("refund", {{"idempotency_key", "r"}, {"payment", id}, {"amount", eur(100)}}).ok());
  ASSERT_TRUE(
      act("transfer", {{"idempotency_key", "t"}, {"amount", eur(100)}, {"destination", "acct_dj"}}).ok());
  wait(std::chrono::hours(8 * 24));
  edit({{"payout", "eur"}});
  auto const other = idOf(authorize("other"));
  ASSERT_TRUE(act("capture", {{"idempotency_key", "c"}, {"payment", other}}).ok());
  edit({{"id", other}, {"dispute", "fraudulent"}});
  for (auto const& entity : entities) {
    auto const name = std::string(entity.name.substr(entity.name.find('.') + 1));
    ASSERT_TRUE(pull(name).ok()) << name;
    ASSERT_FALSE(records[name].empty()) << name;
    auto const& [known, data] = *records[name].begin();
    connector.clear();
    auto const read =
        connector.run("records.get/1", {{"entity", entity.name}, {"ids", json::array{json::value(known)}}});
    ASSERT_TRUE(read.ok()) << read.message;
    auto const came = connector.emitted(entity.name);
    ASSERT_EQ(came.size(), 1U) << name;
    EXPECT_EQ(came[0].at("data"), data) << name;
  }
}

} // namespace
} // namespace garland::stripe
