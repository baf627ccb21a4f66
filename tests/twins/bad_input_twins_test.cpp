// Whatever a provider answers: the error is told with its place, nothing is lost, nothing crashes, and the
// sync completes once the answers are right again. One row for each kind of rubbish; served twins, a real
// garlandd.
#include "host/base/clock.h"
#include "tests/twins/served_twin.h"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <future>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

enum class Comes { notTheKind, notTheItem, in };

struct Rubbish {
  char const* name;
  std::string fault; // for POST /_twin/fault
  Comes comes;
  std::string says; // in `garland sync status`
};

class BadAnswers : public ::testing::Test {
protected:
  // The answers at `path` are spoilt, then `change` happens at the provider.
  struct Provider {
    std::string name;
    std::vector<std::string> settings;
    std::string key;
    std::string path;
    std::string kind;
    std::string place; // what a status says of the path
    std::function<void(int row)> change;
    std::function<bool(int row, json::value const& data)> shows;
  };

  void connect(Provider provider) {
    provider_ = std::move(provider);
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", provider_.name, "--vendor", vendor_}).exit_code, 0);
    std::vector<std::string> words{"connections", "connect",          provider_.name,           "--vendor",
                                   vendor_,       "--password-stdin", "--allow-private-network"};
    for (auto const& setting : provider_.settings) words.insert(words.end(), {"--set", setting});
    connection_ = textOr(host_.ask(words, 0, provider_.key + "\n"), "/id", "");
    ASSERT_EQ(textOr(sync(0), "/state", ""), "done");
  }

  static std::string curl(std::vector<std::string> words) {
    words.insert(words.begin(), {"curl", "-sSf"});
    auto const done = runProgram(words, {}, "");
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.out;
  }
  std::string twin(std::string const& path, std::string const& body) {
    return curl(
        {"-H", "content-type: application/json", "--data-binary", body, twin_->url() + "/_twin/" + path});
  }
  json::value sync(int expected_exit) {
    twin("clock", R"({"advance_ms":20000})");
    auto run = std::async(std::launch::async,
                          [&] { return host_.ask({"sync", "run", connection_}, expected_exit); });
    // Some take only few requests a second, and the clock there stands unless it is moved.
    while (run.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready)
      twin("clock", R"({"advance_ms":500})");
    return run.get();
  }
  bool isHere(int row) {
    for (auto const& record : host_.records(vendor_, provider_.kind))
      if (provider_.shows(row, record.at("data"))) return true;
    return false;
  }

  void endure(int row, Rubbish const& rubbish) {
    SCOPED_TRACE(provider_.name + ": " + rubbish.name);
    auto const before = host_.records(vendor_).size();
    provider_.change(row);
    twin("fault", R"({"method":"GET","times":1000,"path":")" + provider_.path + "\"," + rubbish.fault + "}");
    auto const run = sync(rubbish.comes == Comes::in ? 0 : 1);
    EXPECT_EQ(textOr(run, "/state", ""), rubbish.comes == Comes::notTheKind ? "partly failed" : "done")
        << canonicalJson(run);
    EXPECT_EQ(number(run, "/pulled/failed"), rubbish.comes == Comes::notTheItem ? 1 : 0);
    EXPECT_EQ(isHere(row), rubbish.comes == Comes::in);
    auto const status = host_.run({"sync", "status", connection_}).out;
    EXPECT_THAT(status, HasSubstr(rubbish.says));
    if (rubbish.comes == Comes::notTheKind) {
      EXPECT_THAT(status, HasSubstr("the sync failed in part: " + provider_.kind + " was not synced: "));
      EXPECT_THAT(status, HasSubstr(provider_.place));
    }
    EXPECT_GE(host_.records(vendor_).size(), before) << "something was lost";
    curl({"-X", "DELETE", twin_->url() + "/_twin/fault"});
    EXPECT_EQ(textOr(sync(0), "/state", ""), "done") << host_.run({"sync", "status", connection_}).out;
    EXPECT_TRUE(isHere(row)) << "it was not caught up";
    EXPECT_TRUE(host_.daemon().running());
    EXPECT_TRUE(twin_->program().running()) << readFile(twin_->log());
    EXPECT_EQ(number(run, "/worker_restarts"), 0);
  }

  std::unique_ptr<ServedTwin> twin_;
  Host host_;
  Provider provider_;
  std::string vendor_;
  std::string connection_;
};

// What can be wrong with a document of any provider.
std::vector<Rubbish> const documents{
    {"malformed JSON", R"("fault":"malformed_json")", Comes::notTheKind, "not JSON: syntax error at byte 15"},
    {"half of the JSON", R"("fault":"truncated")", Comes::notTheKind, "not JSON: incomplete JSON at byte"},
    {"HTML instead of JSON", R"("fault":"html")", Comes::notTheKind, "(a web page)"},
    {"10,000-deep nesting", R"("fault":"deep_nesting")", Comes::notTheKind, "not JSON: too deep at byte"},
    {"another charset", R"("fault":"wrong_charset")", Comes::notTheKind, "not JSON: syntax error at byte 12"},
    {"a zip bomb", R"("fault":"zip_bomb")", Comes::notTheKind, "is larger than the 16777216 bytes allowed"},
    {"a text instead of all", R"("fault":"answer","status":200,"body":"hello")", Comes::notTheKind,
     "not JSON: syntax error at byte 0"},
};

TEST_F(BadAnswers, OfVscoWorkspace) {
  twin_ = std::make_unique<ServedTwin>(std::vector<std::string>{"garland.tave", "--seed", "7", "--volume",
                                                                "5", "--now", "2026-06-01T00:00:00Z"});
  auto const list =
      parseJson(curl({"-H", "x-api-key: twin-key", twin_->url() + "/api/v2/job?pageSize=100"})).value();
  auto const job = textOr(list, "/items/0/id", "?");
  auto const nameOf = [](int row) { return "Wedding no. " + std::to_string(row); };
  connect(
      {.name = "tave",
       .settings = {"url=" + twin_->url() + "/api/v2", "amounts=minor"},
       .key = "twin-key",
       .path = "/api/v2/job",
       .kind = "crm.project",
       .place = "job",
       .change =
           [&](int row) {
             json::object const set{{"name", nameOf(row)}, {"guestCount", 100 + row}};
             twin("edit", json::serialize(json::object{{"list", "job"}, {"id", job}, {"set", set}}));
           },
       .shows = [&](int row, json::value const& data) { return textOr(data, "/name", "") == nameOf(row); }});
  auto rows = documents;
  auto const change = [](std::string const& what) { return R"("fault":"change",)" + what; };
  rows.insert(
      rows.end(),
      {{"no list", change(R"("remove":["/items"])"), Comes::notTheKind, "/items"},
       {"null instead of the list", change(R"("set":{"/items":null})"), Comes::notTheKind, "/items"},
       {"an object instead of the list", change(R"("set":{"/items":{}})"), Comes::notTheKind, "/items"},
       {"no name", change(R"("remove":["/items/0/name"])"), Comes::notTheItem, job},
       {"null as a name", change(R"("set":{"/items/0/name":null})"), Comes::notTheItem, "/name"},
       {"a list as a name", change(R"("set":{"/items/0/name":["a"]})"), Comes::notTheItem, "/name"},
       {"a text as a number", change(R"("set":{"/items/0/guestCount":"many"})"), Comes::notTheItem,
        "/guestCount"},
       {"a number as a text", change(R"("set":{"/items/0/guestCount":"120"})"), Comes::in, ""},
       {"an unknown stage", change(R"("set":{"/items/0/stage":"daydream"})"), Comes::in, ""},
       {"an unknown member", change(R"("set":{"/items/0/mood":{"x":[1]}})"), Comes::in, ""}});
  for (std::size_t i = 0; i < rows.size(); ++i) endure(static_cast<int>(i), rows[i]);
}

TEST_F(BadAnswers, OfStripe) {
  twin_ = std::make_unique<ServedTwin>(std::vector<std::string>{
      "garland.payments.stripe", "--seed", "7", "--volume", "5", "--now", "2026-06-01T00:00:00Z"});
  std::string const key = "sk_test_twin";
  connect({.name = "stripe",
           .settings = {"url=" + twin_->url() + "/v1"},
           .key = key,
           .path = "/v1/payment_intents/*",
           .kind = "payments.payment",
           .place = "payment_intents/pi_",
           .change =
               [&](int row) {
                 curl({"-H", "authorization: Bearer " + key, "-d",
                       "amount=" + std::to_string(10'000 + row) +
                           "&currency=eur&payment_method=pm_card_visa&confirm=true&capture_method=manual",
                       twin_->url() + "/v1/payment_intents"});
               },
           .shows = [](int row,
                       json::value const& data) { return number(data, "/amount/amount") == 10'000 + row; }});
  auto rows = documents;
  // Payments are asked for one by one. What is over the host's limits ends the kind, whatever is asked for.
  for (auto& row : rows)
    if (row.fault.find("zip_bomb") == std::string::npos) row.comes = Comes::notTheItem;
  auto const change = [](std::string const& what) { return R"("fault":"change",)" + what; };
  rows.insert(
      rows.end(),
      {{"no amount", change(R"("remove":["/amount"])"), Comes::notTheItem, "/amount"},
       {"null as an amount", change(R"("set":{"/amount":null})"), Comes::notTheItem, "/amount"},
       {"a text as an amount", change(R"("set":{"/amount":"10.00"})"), Comes::notTheItem, "/amount"},
       {"a fraction", change(R"("set":{"/amount":10.5})"), Comes::notTheItem, "/amount"},
       {"no currency", change(R"("remove":["/currency"])"), Comes::notTheItem, "/currency"},
       {"no such currency", change(R"("set":{"/currency":"gold"})"), Comes::notTheItem, "/currency"},
       {"a list as a status", change(R"("set":{"/status":["a"]})"), Comes::notTheItem, "/status"},
       {"an unknown status", change(R"("set":{"/status":"levitating"})"), Comes::in, ""},
       {"a time as a text", change(R"("set":{"/created":"yesterday"})"), Comes::notTheItem, "/created"}});
  for (std::size_t i = 0; i < rows.size(); ++i) endure(static_cast<int>(i), rows[i]);
}

TEST_F(BadAnswers, OfResend) {
  // Mails are looked at again for a week, by our clock.
  twin_ = std::make_unique<ServedTwin>(
      std::vector<std::string>{"resend", "--seed", "7", "--now", rfc3339(SystemClock().now())});
  auto const subjectOf = [](int row) { return "Offer no. " + std::to_string(row); };
  connect({.name = "resend",
           .settings = {"url=" + twin_->url(), "from=Studio <studio@example.com>"},
           .key = "re_twin",
           .path = "/emails",
           .kind = "messaging.message",
           .place = "emails",
           .change =
               [&](int row) {
                 json::object const mail{{"from", "studio@example.com"},
                                         {"to", "ada@example.com"},
                                         {"subject", subjectOf(row)},
                                         {"text", "Dear Ada"}};
                 curl({"-H", "authorization: Bearer re_elsewhere", "-H", "content-type: application/json",
                       "-d", json::serialize(mail), twin_->url() + "/emails"});
               },
           .shows = [&](int row,
                        json::value const& data) { return textOr(data, "/subject", "") == subjectOf(row); }});
  auto rows = documents;
  auto const change = [](std::string const& what) { return R"("fault":"change",)" + what; };
  rows.insert(rows.end(),
              {{"no list", change(R"("remove":["/data"])"), Comes::notTheKind, "/data"},
               {"null instead of the list", change(R"("set":{"/data":null})"), Comes::notTheKind, "/data"},
               {"an object instead of the list", change(R"("set":{"/data":{}})"), Comes::notTheKind, "/data"},
               {"no sender", change(R"("remove":["/data/0/from"])"), Comes::notTheItem, "/from"},
               {"null as a sender", change(R"("set":{"/data/0/from":null})"), Comes::notTheItem, "/from"},
               {"a list as a sender", change(R"("set":{"/data/0/from":["a"]})"), Comes::notTheItem, "/from"},
               {"no recipients", change(R"("remove":["/data/0/to"])"), Comes::notTheItem, "/to"},
               {"an unknown event", change(R"("set":{"/data/0/last_event":"teleported"})"), Comes::in, ""},
               {"an unknown member", change(R"("set":{"/data/0/mood":{"x":[1]}})"), Comes::in, ""}});
  for (std::size_t i = 0; i < rows.size(); ++i) endure(static_cast<int>(i), rows[i]);
}

} // namespace
} // namespace garland::testing
