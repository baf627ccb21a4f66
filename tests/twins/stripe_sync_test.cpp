// A payment's whole life at the twin of Stripe, by the installed programs: held, taken and partly given back
// by `garland actions run`, with answers that get lost; then synced in and reconciled to the cent, in euros,
// in dollars, in yen (no minor unit) and in dinars (three digits).
#include "host/base/clock.h"
#include "tests/twins/served_twin.h"

#include <chrono>

namespace garland::testing {
namespace {

constexpr int kSettledBefore = 20;

struct Life {
  std::string currency;
  std::int64_t held;
  std::int64_t taken;
  std::int64_t back;
  // What becomes of the answers; each request takes effect.
  std::string authorize_fault;
  std::string capture_fault;
  std::string refund_fault;
};
Life const kLives[] = {
    {"EUR", 250'000, 200'050, 50'025, "", R"("fault":"reset")", ""},
    {"USD", 90'000, 70'000, 5'000, "", R"("fault":"no_answer")", ""}, // half a minute of silence
    {"JPY", 48'000, 48'000, 1'200, "", "", R"("fault":"reset_mid_body")"},
    {"KWD", 125'000, 100'010, 25'050, R"("fault":"reset")", R"("fault":"html","status":502)", ""},
};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

json::value money(std::int64_t amount, std::string const& currency) {
  return json::object{{"amount", amount}, {"currency", currency}};
}

class StripeSync : public ::testing::Test {
protected:
  void SetUp() override {
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", "stripe", "--vendor", vendor_}).exit_code, 0);
    connection_ =
        textOr(host_.ask({"connections", "connect", "stripe", "--vendor", vendor_, "--set",
                          "url=" + twin_.url() + "/v1", "--password-stdin", "--allow-private-network"},
                         0, "sk_test_twin\n"),
               "/id", "");
  }

  json::value twin(std::string const& path, std::string const& body = "") {
    std::vector<std::string> words{"curl", "-sSgf", "-H", "authorization: Bearer sk_test_twin",
                                   twin_.url() + path};
    if (!body.empty())
      words.insert(words.end(), {"-H", "content-type: application/json", "--data-binary", body});
    auto const done = runProgram(words, {}, "");
    EXPECT_EQ(done.exit_code, 0) << path << " " << body << done.err << done.out;
    return parseJson(done.out).value();
  }
  void later(std::chrono::milliseconds span) {
    twin("/_twin/clock", R"({"advance_ms":)" + std::to_string(span.count()) + "}");
  }
  void spoil(std::string const& fault, std::string const& path) {
    twin("/_twin/fault", "{" + fault + R"(,"applied":true,"method":"POST","path":")" + path + "\"}");
  }

  // Asks for it once and waits for its end; the provider's record. `fault`: its first answer is lost.
  json::value act(std::string const& operation, std::string const& key, json::object const& input,
                  std::string const& path, std::string const& fault) {
    if (!fault.empty()) spoil(fault, path);
    later(std::chrono::seconds(1));
    auto const first = host_.run(
        {"actions", "run", connection_, operation, "--key", key, "--input", "-", "--wait", "--json"},
        json::serialize(input));
    auto parsed = parseJson(first.out);
    json::value action;
    if (parsed) action = std::move(*parsed);
    EXPECT_EQ(textOr(action, "/state", ""), fault.empty() ? "done" : "unknown")
        << key << ": " << first.out << first.err;
    auto const id = textOr(action, "/id", "?");
    auto const settled = [&] {
      auto const shown = host_.run({"actions", "show", id, "--json"});
      if (auto answer = parseJson(shown.out)) action = std::move(*answer);
      return textOr(action, "/state", "") == "done";
    };
    EXPECT_TRUE(eventually(settled, 60)) << canonicalJson(action) << readFile(twin_.log());
    EXPECT_EQ(textOr(action, "/known_by", ""), fault.empty() ? "answer" : "lookup") << key;
    EXPECT_EQ(number(action, "/attempts"), 1) << key << " was sent again";
    return *find(action, "/output");
  }

  void sync() {
    later(std::chrono::seconds(1));
    auto const run = host_.ask({"sync", "run", connection_});
    EXPECT_EQ(textOr(run, "/state", ""), "done") << canonicalJson(run) << readFile(twin_.log());
  }
  std::vector<json::value> records(std::string const& entity, std::string const& currency) {
    std::vector<json::value> found;
    for (auto const& record : host_.records(vendor_, "payments." + entity))
      if (textOr(record, "/data/amount/currency", "") == currency) found.push_back(record.at("data"));
    return found;
  }
  // What happened at the provider, by its own books: in this currency, how often and how much together.
  std::pair<int, std::int64_t> happened(std::string const& what, std::string const& currency,
                                        std::string const& amount) {
    auto const ledger =
        runProgram({binFolder() + "/garland", "twin", "ledger", twin_.url(), "--json"}, {}, "");
    std::pair<int, std::int64_t> sum;
    auto const entries = parseJson(ledger.out).value();
    for (auto const& entry : entries.as_array()) {
      if (textOr(entry, "/what", "") != what || textOr(entry, "/data/currency", "") != lower(currency))
        continue;
      ++sum.first;
      sum.second += number(entry, amount);
    }
    return sum;
  }

  // The twin's clock stands still near ours, so that what is looked for since a moment is found.
  ServedTwin twin_{{"stripe", "--seed", "7", "--volume", std::to_string(kSettledBefore), "--now",
                    rfc3339(std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()))}};
  Host host_;
  std::string vendor_;
  std::string connection_;
};

TEST_F(StripeSync, PaymentsWithLostAnswersAreDoneOnceAndReconcileToTheCent) {
  sync();
  EXPECT_EQ(records("payment", "EUR").size(), static_cast<std::size_t>(kSettledBefore));

  std::map<std::string, std::string> refund_ids; // by currency
  for (auto const& [currency, held, taken, back, authorize_fault, capture_fault, refund_fault] : kLives) {
    SCOPED_TRACE(currency);
    auto const payment = act("payments.authorize/1", "hold-" + currency,
                             {{"amount", money(held, currency)}, {"method", "pm_card_visa"}},
                             "/v1/payment_intents", authorize_fault);
    EXPECT_EQ(textOr(payment, "/data/status", ""), "authorized");
    EXPECT_EQ(*find(payment, "/data/authorized"), money(held, currency));
    auto const id = textOr(payment, "/id", "?");
    auto const captured =
        act("payments.capture/1", "take-" + currency, {{"payment", id}, {"amount", money(taken, currency)}},
            "/v1/payment_intents/*/capture", capture_fault);
    EXPECT_EQ(textOr(captured, "/id", ""), id);
    EXPECT_EQ(*find(captured, "/data/captured"), money(taken, currency));
    auto const refund =
        act("payments.refund/1", "return-" + currency, {{"payment", id}, {"amount", money(back, currency)}},
            "/v1/refunds", refund_fault);
    EXPECT_EQ(*find(refund, "/data/amount"), money(back, currency));
    refund_ids[currency] = textOr(refund, "/id", "?");

    EXPECT_EQ(happened("payment_intent.created", currency, "/data/amount"), std::pair(1, held));
    EXPECT_EQ(happened("payment_intent.succeeded", currency, "/data/amount_received"), std::pair(1, taken));
    EXPECT_EQ(happened("refund.created", currency, "/data/amount"), std::pair(1, back));
  }

  later(std::chrono::hours(8 * 24)); // a week later the money may be paid out
  std::map<std::string, std::string> payouts;
  for (auto const& life : kLives)
    payouts[life.currency] =
        textOr(twin("/_twin/edit", R"({"payout":")" + lower(life.currency) + "\"}"), "/id", "?");
  sync();

  for (auto const& life : kLives) {
    SCOPED_TRACE(life.currency);
    // What each line should be, from the records of what it books.
    std::map<std::string, std::int64_t> expected;
    std::int64_t paid_out = 0;
    for (auto const& payment : records("payment", life.currency)) {
      auto const amount = number(payment, "/captured/amount");
      expected[textOr(payment, "/charge", "?")] = amount;
      paid_out += amount - (amount * 29 / 1000 + 30); // the twin's fee
    }
    EXPECT_EQ(expected.size(), life.currency == "EUR" ? kSettledBefore + 1U : 1U);
    auto const refunds = records("refund", life.currency);
    ASSERT_EQ(refunds.size(), 1U);
    EXPECT_EQ(number(refunds[0], "/amount/amount"), life.back);
    expected[refund_ids[life.currency]] = -life.back;
    paid_out -= life.back;
    auto const payout = records("payout", life.currency);
    ASSERT_EQ(payout.size(), 1U);
    EXPECT_EQ(*find(payout[0], "/amount"), money(paid_out, life.currency));
    expected[payouts[life.currency]] = -paid_out;

    std::map<std::string, std::int64_t> lines;
    std::int64_t left = 0;
    for (auto const& line : records("balance_transaction", life.currency)) {
      lines[textOr(line, "/source", "?")] = number(line, "/amount/amount");
      EXPECT_EQ(number(line, "/net/amount"), number(line, "/amount/amount") - number(line, "/fee/amount"));
      left += number(line, "/net/amount");
    }
    EXPECT_EQ(lines, expected);
    EXPECT_EQ(left, 0) << "all of it was paid out";
    EXPECT_EQ(happened("payout.paid", life.currency, "/data/amount"), std::pair(1, paid_out));
    // And by what the provider says that the payout consists of.
    std::map<std::string, std::int64_t> settled;
    auto const page = twin("/v1/balance_transactions?limit=100&payout=" + payouts[life.currency]);
    for (auto const& line : find(page, "/data")->as_array())
      settled[textOr(line, "/source", "?")] = number(line, "/amount");
    EXPECT_EQ(settled, lines);
  }
}

TEST_F(StripeSync, AHintFetchesTheRecordThatItNamesAndNoOther) {
  sync();
  std::vector<std::string> ids;
  for (auto const* key : {"hold-1", "hold-2"})
    ids.push_back(
        textOr(act("payments.authorize/1", key, {{"amount", money(5'000, "EUR")}, {"method", "pm_card_visa"}},
                   "/v1/payment_intents", ""),
               "/id", "?"));
  auto const run = host_.ask({"sync", "hint", connection_, "payments.payment", ids[1], "pi_never"});
  EXPECT_EQ(textOr(run, "/state", ""), "done") << canonicalJson(run);
  EXPECT_EQ(number(run, "/pulled/created"), 1);
  EXPECT_EQ(records("payment", "EUR").size(), kSettledBefore + 1U);
  sync();
  EXPECT_EQ(records("payment", "EUR").size(), kSettledBefore + 2U);
  auto const nowhere = host_.run({"sync", "hint", connection_, "payments.payment", "pi_never"});
  EXPECT_EQ(nowhere.exit_code, 1) << nowhere.out;
  EXPECT_NE(nowhere.out.find("nothing came in: the provider has no record of that id"), std::string::npos)
      << nowhere.out;
  auto const wrong = host_.run({"sync", "hint", connection_, "crm.project", "01A"});
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_NE(wrong.err.find("Stripe brings no records of kind \"crm.project\""), std::string::npos)
      << wrong.err;
}

} // namespace
} // namespace garland::testing
