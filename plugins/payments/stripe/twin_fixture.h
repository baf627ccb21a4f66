// The connector and the twin of Stripe, back to back on one virtual clock: what the tests share.
//
// With GARLAND_STRIPE_EXCHANGES in the environment, every request and its answer is added to that file, one
// JSON object a line; contract/run holds them against Stripe's published description.
#pragma once

#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>

namespace garland::stripe {

namespace json = boost::json;
using testing::FakeHost;
using testing::HttpFailure;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using testing::Outcome;

constexpr std::string_view origin = "http://127.0.0.1:9";

inline json::value eur(std::int64_t amount) { return {{"amount", amount}, {"currency", "EUR"}}; }

class StripeTwin : public ::testing::Test {
protected:
  StripeTwin() {
    connector.serve([this](HttpRequest const& request) { return pass(request); });
    if (auto const* const path = std::getenv("GARLAND_STRIPE_EXCHANGES")) exchanges.open(path, std::ios::app);
  }

  void begin(int volume = 0, json::object settings = {}) {
    ASSERT_TRUE(twin.open({{"seed", 7}, {"volume", volume}}).ok());
    settings["url"] = std::string(origin) + "/v1";
    ASSERT_TRUE(connector.open(std::move(settings)).ok());
  }

  // The next write is carried out, and its answer is lost; or it does not even arrive.
  void loseNextAnswer() { lose_answer = true; }
  void loseNextRequest() { lose_request = true; }

  // As the host does it: with the key, the idempotency key, and its own clock.
  HttpReply pass(HttpRequest const& request) {
    bool const write = request.method != "GET";
    if (write && std::exchange(lose_request, false))
      return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "the connection was lost"};
    auto headers = request.headers;
    headers.emplace_back("Authorization", "Bearer sk_test_twin");
    if (!request.idempotency_key.empty()) headers.emplace_back("Idempotency-Key", request.idempotency_key);
    auto answer = ask(request.method, request.url.substr(origin.size()), request.body, headers);
    if (exchanges.is_open())
      exchanges << json::serialize(json::object{{"method", request.method},
                                                {"target", request.url.substr(origin.size())},
                                                {"body", request.body},
                                                {"status", answer.status},
                                                {"answer", answer.body}})
                << "\n";
    if (write && std::exchange(lose_answer, false))
      return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "the connection was lost"};
    return answer;
  }

  HttpResponse ask(std::string const& method, std::string const& target, std::string const& body,
                   testing::HeaderList const& headers) {
    json::object request{{"method", method}, {"target", target}, {"now", now()}, {"origin", origin}};
    auto& list = request["headers"].emplace_array();
    for (auto const& [name, value] : headers) list.push_back(json::object{{"name", name}, {"value", value}});
    if (!body.empty()) request["body"] = body;
    auto const outcome = twin.run("twin.serve/1", request);
    if (!outcome.ok()) throw std::runtime_error("the twin failed: " + outcome.message);
    HttpResponse response;
    response.status = static_cast<int>(outcome.result.at("status").as_int64());
    for (auto const& header : outcome.result.at("headers").as_array())
      response.headers.emplace_back(header.at("name").as_string(), header.at("value").as_string());
    if (auto const* text = outcome.result.as_object().if_contains("body")) response.body = text->as_string();
    twin.clear();
    return response;
  }
  // What happens at Stripe without us.
  json::value edit(json::object const& change) {
    auto const answer =
        ask("POST", "/_twin/edit", json::serialize(change), {{"Content-Type", "application/json"}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }
  // How often this happened at Stripe, by the twin's ledger.
  int happened(std::string_view what) {
    int count = 0;
    auto const ledger = json::parse(ask("GET", "/_twin/ledger?limit=1000", "", {}).body);
    for (auto const& entry : ledger.at("entries").as_array())
      count += entry.at("what") == json::value(what) ? 1 : 0;
    return count;
  }

  // The connector's clock is the provider's.
  void wait(std::chrono::milliseconds span) {
    connector.advance(span);
    clock += span;
  }
  std::string now() const {
    auto const day = std::chrono::floor<std::chrono::days>(clock);
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const time{clock - day};
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return text;
  }

  Outcome authorize(std::string const& key, json::object more = {}) {
    json::object input{{"idempotency_key", key}, {"amount", eur(250'000)}, {"method", "pm_card_visa"}};
    for (auto const& [name, value] : more) input[name] = value;
    last_input = input;
    return connector.run("payments.authorize/1", input);
  }
  Outcome act(std::string const& verb, json::object input) {
    last_input = input;
    return connector.run("payments." + verb + "/1", std::move(input));
  }
  // Looks for what was done last.
  json::value find(std::string const& verb, std::optional<std::string> const& sent_at = {}) {
    json::object input{{"operation", "payments." + verb + "/1"}, {"input", last_input}};
    input["idempotency_key"] = last_input.at("idempotency_key");
    if (sent_at) input["sent_at"] = *sent_at;
    auto const outcome = connector.run("payments.find/1", std::move(input));
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.result;
  }
  std::string idOf(Outcome const& outcome) {
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.ok() ? std::string(outcome.result.at("id").as_string()) : std::string();
  }

  // Pulls and keeps what came, as the sync engine would.
  Outcome pull(std::string const& name) {
    auto const entity = "payments." + name;
    connector.clear();
    auto outcome = connector.run("payments.pull/1", {{"entity", entity}, {"cursor", cursors[name]}});
    if (!connector.checkpoints().empty()) cursors[name] = connector.checkpoints().back();
    for (auto const& record : connector.emitted(entity)) {
      records[name][std::string(record.at("id").as_string())] = record.at("data");
      for (auto const& problem : testing::schemaProblems("record." + entity + ".json", record.at("data")))
        ADD_FAILURE() << entity << ": " << problem;
    }
    EXPECT_TRUE(connector.emitted("garland.problem").empty()) << entity;
    return outcome;
  }

  FakeHost twin{testing::loadConnector(inBuild("/twins/garland.payments.stripe-twin/connector.so")),
                testing::readFile(inBuild("/twins/garland.payments.stripe-twin/connector.json"))};
  FakeHost connector{&garland_entry_v1,
                     testing::readFile(inSources("/plugins/payments/stripe/connector.json"))};
  std::map<std::string, json::value> cursors;
  std::map<std::string, std::map<std::string, json::value>> records;
  json::object last_input;
  std::chrono::sys_time<std::chrono::milliseconds> clock{std::chrono::milliseconds(1'767'225'600'000)};
  bool lose_answer = false;
  bool lose_request = false;
  std::ofstream exchanges;
};

} // namespace garland::stripe
