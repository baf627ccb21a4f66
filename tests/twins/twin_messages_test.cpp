// Mails through a real garlandd to the twin of Resend: each is sent once, whatever becomes of the answer, and
// a scheduled one can be called back. What really happened, the twin's ledger says.
#include "host/base/clock.h"
#include "tests/twins/served_twin.h"

#include <gtest/gtest.h>

#include <csignal>

namespace garland::testing {
namespace {

constexpr char const* kMail = R"({"to":["ada@example.com"],"subject":"Your offer","text":"Dear Ada"})";

class TwinMessages : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_NE(twin_.url(), "") << readFile(twin_.log());
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", "resend", "--vendor", vendor_}).exit_code, 0);
    connection_ = textOr(host_.ask({"connections", "connect", "resend", "--vendor", vendor_, "--set",
                                    "url=" + twin_.url(), "--set", "from=Studio <studio@example.com>",
                                    "--password-stdin", "--allow-private-network"},
                                   0, "re_twin\n"),
                         "/id", "");
  }

  json::value twin(std::string const& path, std::string const& body = "") {
    std::vector<std::string> words{"curl", "-sS", twin_.url() + "/_twin/" + path};
    if (!body.empty()) words.insert(words.end(), {"-d", body});
    auto const done = runProgram(words, {}, "");
    auto answer = parseJson(done.out);
    EXPECT_TRUE(answer) << done.out << done.err;
    return answer ? std::move(*answer) : json::value();
  }
  int happened(std::string const& what) {
    int count = 0;
    auto const ledger = twin("ledger?limit=1000");
    for (auto const& entry : ledger.at("entries").as_array()) count += textOr(entry, "/what", "") == what;
    return count;
  }

  // Two requests a second are taken there, and its clock stands unless it is moved.
  void letTimePass() { twin("clock", R"({"advance_ms":500})"); }
  json::value ask(std::string const& operation, std::string const& key, std::string const& input) {
    letTimePass();
    letTimePass();
    return host_.ask({"actions", "run", connection_, operation, "--key", key, "--input", "-"}, 0, input);
  }
  json::value settled(std::string const& id) {
    json::value action;
    EXPECT_TRUE(eventually(
        [&] {
          letTimePass();
          // Its exit code says how it stands.
          auto const shown = host_.run({"actions", "show", id, "--json"});
          if (auto parsed = parseJson(shown.out)) action = std::move(*parsed);
          return textOr(action, "/state", "") == "done" || textOr(action, "/state", "") == "failed";
        },
        90))
        << canonicalJson(action) << readFile(twin_.log());
    return action;
  }
  void expectFoundAndSentOnce(json::value const& action) {
    EXPECT_EQ(textOr(action, "/state", ""), "done") << canonicalJson(action);
    EXPECT_EQ(textOr(action, "/known_by", ""), "lookup") << canonicalJson(action);
    EXPECT_EQ(number(action, "/attempts"), 1);
    EXPECT_EQ(happened("email.created"), 1);
    EXPECT_NE(textOr(action, "/output/id", ""), "");
  }

  ServedTwin twin_{{"resend", "--seed", "7", "--volume", "30", "--now", rfc3339(SystemClock().now())}};
  Host host_;
  std::string vendor_;
  std::string connection_;
};

TEST_F(TwinMessages, ASenderThatIsNoAddressIsRefused) {
  auto const done = host_.run(
      {"connections", "connect", "resend", "--vendor", vendor_, "--set", "from=nonsense", "--password-stdin"},
      "re_twin\n");
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_NE(done.err.find("--set from: "), std::string::npos) << done.err;
}

TEST_F(TwinMessages, AMailWhoseAnswerWasLostIsFoundAndNotSentAgain) {
  twin("fault", R"({"fault":"reset","applied":true,"method":"POST","path":"/emails"})");
  expectFoundAndSentOnce(settled(textOr(ask("messaging.send/1", "offer-7", kMail), "/id", "")));
  auto const again = ask("messaging.send/1", "offer-7", kMail);
  EXPECT_EQ(textOr(again, "/state", ""), "done");
  EXPECT_EQ(happened("email.created"), 1);
}

TEST_F(TwinMessages, AMailWhoseWorkerWasKilledBeforeTheAnswerIsFoundAndNotSentAgain) {
  twin("fault", R"({"fault":"no_answer","applied":true,"method":"POST","path":"/emails"})");
  auto const id = textOr(ask("messaging.send/1", "offer-8", kMail), "/id", "");
  ASSERT_TRUE(eventually([&] { return happened("email.created") == 1; }));
  auto const workers = host_.workers();
  ASSERT_FALSE(workers.empty());
  for (auto const pid : workers) ASSERT_EQ(::kill(pid, SIGKILL), 0);
  expectFoundAndSentOnce(settled(id));
}

TEST_F(TwinMessages, AMailThatIsNeverAnsweredIsLookedForAfterHalfAMinute) {
  twin("fault", R"({"fault":"no_answer","applied":true,"method":"POST","path":"/emails"})");
  expectFoundAndSentOnce(settled(textOr(ask("messaging.send/1", "offer-9", kMail), "/id", "")));
}

TEST_F(TwinMessages, AScheduledMailIsCalledBackAndNeverSent) {
  auto const first = settled(textOr(
      ask("messaging.send/1", "later",
          R"({"to":["ada@example.com"],"subject":"Soon","text":"Dear Ada","scheduled":"2199-01-01T00:00:00Z"})"),
      "/id", ""));
  EXPECT_EQ(textOr(first, "/state", ""), "failed") << "Resend takes 30 days ahead: " << canonicalJson(first);
  auto const day =
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()) + std::chrono::days(2);
  std::chrono::year_month_day const date{day};
  char when[48];
  std::snprintf(when, sizeof when, "%04d-%02u-%02uT12:00:00Z", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  auto const sent =
      settled(textOr(ask("messaging.send/1", "soon",
                         R"({"to":["ada@example.com"],"subject":"Soon","text":"Dear Ada","scheduled":")" +
                             std::string(when) + "\"}"),
                     "/id", ""));
  auto const mail = textOr(sent, "/output/id", "");
  ASSERT_NE(mail, "") << canonicalJson(sent);
  EXPECT_EQ(happened("email.scheduled"), 1);
  twin("fault", R"({"fault":"reset","applied":true,"method":"POST","path":"/emails/*/cancel"})");
  auto const called =
      settled(textOr(ask("messaging.cancel/1", "not-soon", R"({"message":")" + mail + "\"}"), "/id", ""));
  EXPECT_EQ(textOr(called, "/state", ""), "done") << canonicalJson(called);
  EXPECT_EQ(textOr(called, "/known_by", ""), "lookup");
  EXPECT_EQ(happened("email.canceled"), 1);
  EXPECT_EQ(happened("email.sent"), 0);
}

} // namespace
} // namespace garland::testing
