// Webhooks of the twin of Stripe, taken in by a real garlandd: the payment is here after its event, kill -9
// at any moment loses nothing and doubles nothing, and a forgery does nothing.
#include "host/base/clock.h"
#include "host/webhooks/webhooks.h"
#include "tests/twins/served_twin.h"

#include <gmock/gmock.h>

#include <set>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

constexpr char const* kOurSecret = "whsec_made_up_for_this_test";

class StripeWebhooks : public ::testing::Test {
protected:
  void SetUp() override {
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    enable("enable");
    connection_ =
        textOr(host_.ask({"connections", "connect", "stripe", "--vendor", vendor_, "--set",
                          "url=" + twin_.url() + "/v1", "--password-stdin", "--allow-private-network"},
                         0, "sk_test_twin\n"),
               "/id", "");
    auto const url = textOr(host_.ask({"connections", "webhook", connection_}), "/url", "");
    path_ = url.substr(url.find("/api/"));
  }
  void enable(std::string const& word) {
    ASSERT_EQ(host_.run({"plugins", word, "stripe", "--vendor", vendor_}).exit_code, 0);
  }
  // One secret, ours or the twin's; its answer.
  json::value keep(std::string const& secret) {
    return host_.ask({"connections", "webhook", connection_, "--secret-stdin"}, 0, secret + "\n");
  }
  static Finished curl(std::vector<std::string> words) {
    words.insert(words.begin(), {"curl", "-sS", "-m", "20"});
    return runProgram(words, {}, "");
  }
  json::value stripe(std::string const& path, std::string const& form = "") {
    std::vector<std::string> words{"-gf", "-H", "authorization: Bearer sk_test_twin", twin_.url() + path};
    if (!form.empty()) words.insert(words.end(), {"-d", form});
    auto const done = curl(words);
    EXPECT_EQ(done.exit_code, 0) << path << done.err << done.out;
    return parseJson(done.out).value();
  }
  void pay(int amount) {
    stripe("/v1/payment_intents",
           "amount=" + std::to_string(amount) + "&currency=eur&payment_method=pm_card_visa&confirm=true");
  }
  // Every event at Stripe, as it would be delivered.
  std::vector<std::string> events() {
    std::vector<std::string> bodies;
    auto const list = stripe("/v1/events?limit=100");
    for (auto const& event : list.at("data").as_array()) bodies.push_back(json::serialize(event));
    return bodies;
  }
  // Status and body of the answer; "" if there is none.
  std::string deliver(std::string const& body, std::string const& secret = kOurSecret,
                      std::string path = "") {
    webhooks::Request request;
    request.body = body;
    auto const scheme = webhooks::Scheme::named("stripe").value();
    std::vector<std::string> words{
        "-w", "%{http_code}", "-H", "Content-Type: application/json", "--data-binary", body};
    for (auto const& [name, value] :
         webhooks::sign(scheme, request, "", Secret(secret), SystemClock().now()).value())
      words.insert(words.end(), {"-H", name + ": " + value});
    words.push_back(host_.url() + (path.empty() ? path_ : path));
    return curl(words).out;
  }
  json::array deliveries() {
    auto const page = host_.ask({"webhooks", "ls", "--limit", "1000"});
    return page.at("items").as_array();
  }
  bool allDone() {
    for (auto const& delivery : deliveries())
      if (textOr(delivery, "/state", "") != "done") return false;
    return true;
  }
  std::multiset<std::int64_t> amounts() {
    std::multiset<std::int64_t> found;
    for (auto const& record : host_.records(vendor_, "payments.payment"))
      found.insert(number(record, "/data/amount/amount"));
    return found;
  }
  // By the change feed: how often a record was created.
  std::size_t created() {
    std::size_t count = 0;
    auto const changes = host_.ask({"changes", "--vendor", vendor_});
    for (auto const& change : changes.at("items").as_array())
      if (textOr(change, "/action", "") == "created" && textOr(change, "/kind", "") == "payments.payment")
        ++count;
    return count;
  }

  // In real time, since signatures bear the time.
  ServedTwin twin_{{"garland.payments.stripe", "--seed", "7"}};
  Host host_;
  std::string vendor_, connection_, path_;
};

TEST_F(StripeWebhooks, APaymentIsHereAfterStripeHasToldOfIt) {
  auto const hook = stripe("/v1/webhook_endpoints", "enabled_events[]=*&url=" + host_.url() + path_);
  auto const told = keep(textOr(hook, "/secret", ""));
  EXPECT_EQ(number(told, "/secrets"), 1);
  pay(12'500);
  EXPECT_TRUE(eventually([&] { return amounts() == std::multiset<std::int64_t>{12'500}; }, 60))
      << host_.log() << readFile(twin_.log());
  ASSERT_TRUE(eventually([&] { return allDone(); }, 60));
  auto const seen = deliveries();
  ASSERT_FALSE(seen.empty());
  auto const shown = host_.run({"webhooks", "show", textOr(seen[0], "/id", "")});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("payment_intent."));
  EXPECT_EQ(created(), 1U);
}

TEST_F(StripeWebhooks, WhatWasAcknowledgedSurvivesKill9BeforeItWasRead) {
  keep(kOurSecret);
  for (int i = 1; i <= 4; ++i) pay(1'000 * i);
  auto const bodies = events();
  ASSERT_GE(bodies.size(), 4U);
  enable("disable"); // so that nothing is read before the end
  for (auto const& body : bodies) EXPECT_THAT(deliver(body), HasSubstr("received"));
  host_.kill9();
  host_.start();
  EXPECT_EQ(deliveries().size(), bodies.size());
  EXPECT_TRUE(amounts().empty());
  for (auto const& body : bodies)
    EXPECT_THAT(deliver(body), HasSubstr("received")) << "its sender did not hear";
  enable("enable");
  EXPECT_TRUE(eventually([&] { return allDone() && amounts().size() == 4; }, 60)) << host_.log();
  EXPECT_EQ(deliveries().size(), bodies.size());
  EXPECT_EQ(created(), 4U);
}

TEST_F(StripeWebhooks, Kill9AtAnyMomentLosesNothingAndDoublesNothing) {
  keep(kOurSecret);
  for (int i = 1; i <= 6; ++i) pay(1'000 * i);
  auto const bodies = events();
  std::size_t next = 0;
  for (auto const& body : bodies) {
    EXPECT_THAT(deliver(body), HasSubstr("received"));
    if (++next % 3 != 0) continue;
    host_.kill9();
    host_.start();
    EXPECT_THAT(deliver(body), HasSubstr("received"));
  }
  EXPECT_TRUE(eventually([&] { return allDone() && amounts().size() == 6; }, 60)) << host_.log();
  EXPECT_EQ(deliveries().size(), bodies.size());
  EXPECT_EQ(created(), 6U);
}

TEST_F(StripeWebhooks, AForgeryDoesNothingAndWhatNobodyCanReadWaitsForAPerson) {
  keep(kOurSecret);
  pay(5'000);
  auto const body = events().at(0);
  EXPECT_THAT(deliver(body, "whsec_another"), HasSubstr("403"));
  EXPECT_THAT(deliver(body, kOurSecret, "/api/integrations/webhook/stripe/nobody"), HasSubstr("403"));
  EXPECT_TRUE(deliveries().empty());
  auto const alarm = host_.run({"doctor"});
  EXPECT_EQ(alarm.exit_code, 1);
  EXPECT_THAT(alarm.out, HasSubstr("FIX  refused webhooks: 1 webhook of garland.payments.stripe, " +
                                   connection_ + ", was refused within the hour"));
  EXPECT_THAT(alarm.out, HasSubstr("garland connections webhook " + connection_ + " --secret"));
  EXPECT_THAT(alarm.out,
              HasSubstr("WEAK refused webhooks: 1 webhook of garland.payments.stripe was refused"));

  EXPECT_THAT(deliver("<html>"), HasSubstr("received"));
  EXPECT_THAT(host_.run({"doctor"}).out, HasSubstr("WEAK refused webhooks: 1 webhook of "
                                                   "garland.payments.stripe, " +
                                                   connection_ + ", was refused"));
  ASSERT_TRUE(eventually([&] { return textOr(deliveries().at(0), "/state", "") == "dead"; }, 60))
      << host_.log();
  auto const id = textOr(deliveries().at(0), "/id", "");
  EXPECT_THAT(host_.run({"dlq", "ls"}).out, HasSubstr(id));
  EXPECT_THAT(host_.run({"doctor"}).out, HasSubstr("garland dlq ls"));
  EXPECT_EQ(host_.run({"dlq", "retry", id}).exit_code, 1);
  EXPECT_EQ(host_.run({"dlq", "drop", id, "--why", "a test"}).exit_code, 0);
  EXPECT_THAT(host_.run({"dlq", "ls"}).out, HasSubstr("nothing is dead"));
  EXPECT_EQ(host_.log().find(kOurSecret), std::string::npos);
}

} // namespace
} // namespace garland::testing
