// Webhooks of the twins of VSCO Workspace and of Resend, taken in by a real garlandd: what happened there is
// here long before the next poll, and what is not genuine does nothing.
#include "tests/twins/served_twin.h"

#include <gmock/gmock.h>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

constexpr char const* kNobody = "X-Nothing: 1"; // no key

class Webhooks : public ::testing::Test {
protected:
  // Connected, and all that was there before is here.
  void connect(std::string const& plugin, ServedTwin const& twin, std::vector<std::string> const& settings,
               std::string const& key) {
    ASSERT_NE(twin.url(), "") << readFile(twin.log());
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", plugin, "--vendor", vendor_}).exit_code, 0);
    std::vector<std::string> words{"connections", "connect", plugin, "--vendor", vendor_};
    for (auto const& setting : settings) words.insert(words.end(), {"--set", setting});
    words.insert(words.end(), {"--password-stdin", "--allow-private-network"});
    connection_ = textOr(host_.ask(words, 0, key + "\n"), "/id", "");
    EXPECT_TRUE(eventually([&] { return host_.run({"sync", "run", connection_}).exit_code == 0; }, 60));
    auto const url = textOr(host_.ask({"connections", "webhook", connection_}), "/url", "");
    address_ = host_.url() + url.substr(url.find("/api/"));
  }
  static std::string post(std::string const& url, std::string const& header, std::string const& body) {
    auto const done = runProgram({"curl", "-sS", "-m", "20", "-w", "%{http_code}", "-H", header, "-H",
                                  "Content-Type: application/json", "-d", body, url},
                                 {}, "");
    EXPECT_EQ(done.exit_code, 0) << url << done.err;
    return done.out;
  }
  // The answer without its status, which is to be a good one.
  static json::value posted(std::string const& url, std::string const& header, json::value const& body) {
    auto const answer = post(url, header, json::serialize(body));
    auto const end = answer.size() < 3 ? 0 : answer.size() - 3;
    EXPECT_EQ(answer.substr(end, 1), "2") << url << answer;
    return parseJson(answer.substr(0, end)).value();
  }
  // How often a record of the kind says so at the place.
  std::int64_t count(std::string const& kind, std::string const& place, std::string const& text) {
    std::int64_t found = 0;
    for (auto const& record : host_.records(vendor_, kind)) found += textOr(record, place, "") == text;
    return found;
  }
  bool arrives(std::string const& kind, std::string const& place, std::string const& text) {
    return eventually([&] { return count(kind, place, text) == 1; }, 60);
  }
  json::array deliveries() {
    auto const page = host_.ask({"webhooks", "ls", "--limit", "100"});
    return page.at("items").as_array();
  }
  bool allDone(std::size_t how_many) {
    auto const all = deliveries();
    std::size_t done = 0;
    for (auto const& delivery : all) done += textOr(delivery, "/state", "") == "done" ? 1U : 0U;
    return done == how_many && all.size() == how_many;
  }

  Host host_;
  std::string vendor_, connection_;
  std::string address_; // that the provider is to call
};

// In real time, since signatures bear the time.

TEST_F(Webhooks, AJobAContactAndABookedOrderAreHereAfterTheStudioHasToldOfThem) {
  ServedTwin const twin{{"tave", "--seed", "7", "--volume", "3"}};
  connect("tave", twin, {"url=" + twin.url() + "/api/v2", "amounts=minor"}, "twin-key");
  for (std::string const event : {"contact.created", "job.created", "order.booked"})
    posted(twin.url() + "/api/v2/rest-hook", "X-API-KEY: twin-key",
           json::object{{"event", event}, {"url", address_ + "&event=" + event}});
  auto const happens = [&](std::string const& list, json::object set) {
    return posted(twin.url() + "/_twin/edit", kNobody, json::object{{"list", list}, {"set", std::move(set)}});
  };
  auto const job = happens("job", {{"name", "The hooked wedding"}, {"stage", "lead"}});
  happens("address-book", {{"kind", "person"}, {"firstName", "Nora"}, {"lastName", "Neu"}});
  happens("order", {{"name", "The hooked album"},
                    {"status", "open"},
                    {"jobId", job.at("id")},
                    {"total", 50'000},
                    {"bookedOn", "2026-06-01"}});
  EXPECT_TRUE(arrives("crm.project", "/data/name", "The hooked wedding"))
      << host_.log() << readFile(twin.log());
  EXPECT_TRUE(arrives("crm.client", "/data/last_name", "Neu")) << host_.log();
  EXPECT_TRUE(arrives("crm.order", "/data/name", "The hooked album")) << host_.log();
  EXPECT_TRUE(eventually([&] { return allDone(3); }, 60)) << canonicalJson(deliveries());

  auto const secret = address_.find("secret=");
  ASSERT_NE(secret, std::string::npos) << "the studio does not sign: its secret is in the address";
  auto const forged = address_.substr(0, secret) + "secret=guessed&event=job.created";
  EXPECT_THAT(post(forged, kNobody, R"({"id":"01abc"})"), HasSubstr("403"));
  EXPECT_EQ(deliveries().size(), 3U);
}

TEST_F(Webhooks, AMailIsHereAfterResendHasToldOfItAndAForgeryIsRefused) {
  ServedTwin const twin{{"resend", "--seed", "7"}};
  connect("resend", twin, {"url=" + twin.url(), "from=Studio <studio@example.com>"}, "re_twin");
  auto const hook = posted(twin.url() + "/webhooks", "Authorization: Bearer re_twin_hooks",
                           json::object{{"endpoint", address_}, {"events", json::array{"email.received"}}});
  auto const secret = textOr(hook, "/signing_secret", "");
  ASSERT_NE(secret, "") << canonicalJson(hook);
  host_.ask({"connections", "webhook", connection_, "--secret-stdin"}, 0, secret + "\n");
  json::object mail{{"from", "nora@example.com"}, {"to", "studio@example.com"}};
  mail["subject"] = "Is June free?";
  mail["text"] = "Hello";
  posted(twin.url() + "/_twin/edit", kNobody, json::object{{"receive", std::move(mail)}});
  EXPECT_TRUE(arrives("messaging.received", "/data/subject", "Is June free?"))
      << host_.log() << readFile(twin.log());
  EXPECT_TRUE(eventually([&] { return allDone(1); }, 60)) << canonicalJson(deliveries());

  EXPECT_THAT(post(address_, "svix-id: msg_1", R"({"type":"email.received","data":{"email_id":"x"}})"),
              HasSubstr("403"));
  EXPECT_EQ(deliveries().size(), 1U);
  EXPECT_EQ(host_.log().find(secret), std::string::npos);
}

} // namespace
} // namespace garland::testing
