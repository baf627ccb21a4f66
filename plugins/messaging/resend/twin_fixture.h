// The connector and the twin of Resend, back to back on one virtual clock: what the tests share.
//
// With GARLAND_RESEND_EXCHANGES in the environment, every request and its answer is added to that file, one
// JSON object a line; contract/run holds them against Resend's published description.
#pragma once

#include "tests/places/places.h"

#include <garland/sdk/time.hpp>
#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

namespace garland::resend {

namespace json = boost::json;
using testing::FakeHost;
using testing::HttpFailure;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using testing::Outcome;

constexpr std::string_view origin = "http://127.0.0.1:9";

inline json::object mail(json::object more = {}) {
  json::object message{{"to", {"ada@example.com"}}, {"subject", "Your offer"}, {"text", "Dear Ada"}};
  for (auto const& [name, value] : more) message[name] = value;
  return message;
}

class ResendTwin : public ::testing::Test {
protected:
  ResendTwin() {
    connector.serve([this](HttpRequest const& request) { return pass(request); });
    if (auto const* const path = std::getenv("GARLAND_RESEND_EXCHANGES")) exchanges.open(path, std::ios::app);
  }

  void begin(int volume = 0) {
    ASSERT_TRUE(twin.open({{"seed", 7}, {"volume", volume}}).ok());
    ASSERT_TRUE(connector.open({{"url", origin}, {"from", "Studio <studio@example.com>"}}).ok());
  }

  // As the host does it: with the key, the idempotency key, and its own clock.
  HttpReply pass(HttpRequest const& request) {
    bool const write = request.method != "GET";
    if (write && std::exchange(lose_request, false))
      return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "the connection was lost"};
    auto headers = request.headers;
    headers.emplace_back("Authorization", "Bearer " + api_key);
    if (!request.idempotency_key.empty()) headers.emplace_back("Idempotency-Key", request.idempotency_key);
    auto const target = request.url.substr(origin.size());
    auto answer = ask(request.method, target, request.body, headers);
    if (exchanges.is_open())
      exchanges << json::serialize(json::object{{"method", request.method},
                                                {"target", target},
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
    for (auto const& header : outcome.result.at("headers").as_array()) {
      response.headers.emplace_back(header.at("name").as_string(), header.at("value").as_string());
      if (header.at("name") == "retry-after")
        response.retry_after = std::chrono::seconds(std::stoi(std::string(header.at("value").as_string())));
    }
    if (auto const* text = outcome.result.as_object().if_contains("body")) response.body = text->as_string();
    if (auto const* told = outcome.result.as_object().if_contains("webhooks"))
      notices.insert(notices.end(), told->as_array().begin(), told->as_array().end());
    twin.clear();
    return response;
  }
  // Straight to the twin, signed in, a second after whatever was before.
  HttpResponse raw(std::string const& method, std::string const& target, json::value const& body = nullptr,
                   testing::HeaderList headers = {}) {
    wait(std::chrono::seconds(1));
    headers.emplace_back("Authorization", "Bearer " + api_key);
    return ask(method, target, body.is_null() ? "" : json::serialize(body), headers);
  }
  // What others do.
  json::value edit(json::object const& change) {
    auto const answer = ask("POST", "/_twin/edit", json::serialize(change), {});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }
  // How often this happened at Resend, by the twin's ledger.
  int happened(std::string_view what) {
    int count = 0;
    auto const ledger = json::parse(ask("GET", "/_twin/ledger?limit=1000", "", {}).body);
    for (auto const& entry : ledger.at("entries").as_array()) count += entry.at("what") == json::value(what);
    return count;
  }

  // The mails that were read by their ids since clear().
  std::set<std::string> read() const {
    std::set<std::string> urls;
    for (auto const& request : connector.requests())
      if (request.url.find("/emails/") != std::string::npos) urls.insert(request.url);
    return urls;
  }

  // The connector's clock is the provider's; it may sleep.
  void wait(std::chrono::milliseconds span) {
    connector.advance(span);
    waited += span;
  }
  std::string now() const { return sdk::rfc3339(start + waited + connector.slept()); }

  Outcome send(std::string const& key, json::object more = {}) {
    return act("send", key, mail(std::move(more)));
  }
  Outcome act(std::string const& verb, std::string const& key, json::object input) {
    wait(std::chrono::seconds(1));
    input["idempotency_key"] = key;
    last_verb = "messaging." + verb + "/1";
    last_input = input;
    last_sent = now();
    return connector.run(last_verb, std::move(input));
  }
  // Looks for what was done last.
  json::value find() {
    auto const outcome =
        connector.run("messaging.find/1", {{"operation", last_verb},
                                           {"input", last_input},
                                           {"idempotency_key", last_input.at("idempotency_key")},
                                           {"sent_at", last_sent}});
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.result;
  }
  std::string idOf(Outcome const& outcome) {
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.ok() ? std::string(outcome.result.at("id").as_string()) : std::string();
  }

  // Pulls and keeps what came, as the sync engine would; how many records came.
  std::size_t pull(std::string const& name) {
    auto const entity = "messaging." + name;
    waited += connector.slept();
    connector.clear();
    auto const outcome = connector.run("messaging.pull/1", {{"entity", entity}, {"cursor", cursors[name]}});
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    if (!connector.checkpoints().empty()) cursors[name] = connector.checkpoints().back();
    auto const came = connector.emitted(entity);
    for (auto const& record : came) {
      records[name][std::string(record.at("id").as_string())] = record.at("data");
      for (auto const& problem : testing::schemaProblems("record." + entity + ".json", record.at("data")))
        ADD_FAILURE() << entity << ": " << problem;
    }
    EXPECT_TRUE(connector.emitted("garland.problem").empty()) << entity;
    return came.size();
  }

  FakeHost twin{testing::loadConnector(inBuild("/twins/garland.messaging.resend-twin/connector.so")),
                testing::readFile(inBuild("/twins/garland.messaging.resend-twin/connector.json"))};
  FakeHost connector{&garland_entry_v1,
                     testing::readFile(inSources("/plugins/messaging/resend/connector.json"))};
  std::map<std::string, json::value> cursors;
  std::map<std::string, std::map<std::string, json::value>> records;
  std::string last_verb, last_sent;
  json::object last_input;
  sdk::TimePoint start{std::chrono::milliseconds(1'767'225'600'000)};
  std::chrono::milliseconds waited{0};
  std::string api_key = "re_twin";
  std::vector<json::value> notices; // webhooks, in their order
  bool lose_answer = false;         // the next write is carried out, and nobody hears of it;
  bool lose_request = false;        // or it does not even arrive
  std::ofstream exchanges;
};

} // namespace garland::resend
