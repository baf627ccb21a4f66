// The connector against its twin: thousands of jobs in, edits on both sides, lost answers, and at the end
// the truth is the same everywhere.
//
// With GARLAND_TAVE_EXCHANGES in the environment, every request and its answer is added to that file, one
// JSON object a line; contract/run holds them against what is publicly known of the API.
#include "scripted_studio.h"
#include "tests/places/places.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>

namespace garland::tave {
namespace {

namespace json = boost::json;
using testing::FakeHost;
using testing::HttpFailure;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using testing::Outcome;

constexpr std::string_view origin = "http://127.0.0.1:9";

class TaveTwin : public ::testing::Test {
protected:
  TaveTwin() {
    connector.serve([this](HttpRequest const& request) { return pass(request); });
    if (auto const* const path = std::getenv("GARLAND_TAVE_EXCHANGES")) exchanges.open(path, std::ios::app);
  }

  void begin(int volume) {
    ASSERT_TRUE(twin.open({{"seed", 7}, {"volume", volume}}).ok());
    ASSERT_TRUE(connector.open({{"url", std::string(origin) + "/api/v2"}, {"amounts", "minor"}}).ok());
  }

  // As the host does it: with the key, on the provider's clock.
  HttpReply pass(HttpRequest const& request) {
    ++requests;
    auto const target = request.url.substr(origin.size());
    auto answer = ask(request.method, target, request.body, key);
    if (exchanges.is_open())
      exchanges << json::serialize(json::object{{"method", request.method},
                                                {"target", target},
                                                {"body", request.body},
                                                {"status", answer.status},
                                                {"answer", answer.body}})
                << "\n";
    if (lose_writes_every != 0 && request.method != "GET" && ++writes % lose_writes_every == 0)
      return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "the answer was lost"};
    return answer;
  }
  HttpResponse ask(std::string const& method, std::string const& target, std::string const& body = {},
                   std::string const& with_key = "twin-key") {
    clock += std::chrono::milliseconds(pace);
    json::object request{{"method", method}, {"target", target}, {"now", now()}, {"origin", origin}};
    request["headers"] = json::array{json::object{{"name", "X-API-KEY"}, {"value", with_key}},
                                     json::object{{"name", "Content-Type"}, {"value", "application/json"}}};
    if (!body.empty()) request["body"] = body;
    auto const outcome = twin.run("twin.serve/1", request);
    if (!outcome.ok()) throw std::runtime_error("the twin failed: " + outcome.message);
    HttpResponse response;
    response.status = static_cast<int>(outcome.result.at("status").as_int64());
    for (auto const& header : outcome.result.at("headers").as_array()) {
      response.headers.emplace_back(header.at("name").as_string(), header.at("value").as_string());
      if (header.at("name") == "Retry-After")
        response.retry_after = std::chrono::seconds(std::stoi(std::string(header.at("value").as_string())));
    }
    if (auto const* text = outcome.result.as_object().if_contains("body")) response.body = text->as_string();
    if (auto const* told = outcome.result.as_object().if_contains("webhooks"))
      for (auto const& notice : told->as_array()) notices.push_back(notice);
    twin.clear();
    return response;
  }
  json::value answer(std::string const& method, std::string const& target,
                     json::value const& body = nullptr) {
    auto const response = ask(method, target, body.is_null() ? std::string() : json::serialize(body));
    EXPECT_LT(response.status, 300) << method << " " << target << ": " << response.body;
    return response.body.empty() ? json::value() : json::parse(response.body);
  }
  std::string now() const {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(clock);
    char text[48];
    std::snprintf(text, sizeof text, "2026-01-01T%02d:%02d:%02d.%03dZ",
                  static_cast<int>(seconds.count() / 3600), static_cast<int>(seconds.count() / 60 % 60),
                  static_cast<int>(seconds.count() % 60), static_cast<int>(clock.count() % 1000));
    return text;
  }

  // Pulls and keeps what came, as the sync engine would.
  Outcome pull(std::string const& entity) {
    connector.clear();
    auto outcome = connector.run("crm.pull/1", {{"entity", entity}, {"cursor", cursors[entity]}});
    if (!connector.checkpoints().empty()) cursors[entity] = connector.checkpoints().back();
    auto& mine = records[entity];
    std::set<std::string> listed;
    bool complete = false;
    for (auto const& [kind, record] : connector.emitted()) {
      if (kind == entity) mine[std::string(record.at("id").as_string())] = record;
      if (kind != "garland.listing") continue;
      if (complete) listed.clear();
      for (auto const& id : record.at("ids").as_array()) listed.emplace(id.as_string());
      complete = record.at("last").as_bool();
    }
    if (complete) std::erase_if(mine, [&](auto const& one) { return !listed.contains(one.first); });
    return outcome;
  }
  Outcome upsert(std::string const& key_of_write, std::optional<std::string> const& id,
                 json::value const& data) {
    json::object input{{"entity", "crm.project"}, {"key", key_of_write}, {"data", data}};
    if (id) input["id"] = *id;
    return connector.run("crm.upsert/1", input);
  }
  // What the twin holds, read by another connector's eyes: nothing was pulled before.
  std::map<std::string, json::value> truth(std::string const& entity) {
    auto const kept = std::exchange(cursors[entity], nullptr);
    auto const mine = std::exchange(records[entity], {});
    EXPECT_TRUE(pull(entity).ok());
    cursors[entity] = kept;
    return std::exchange(records[entity], mine);
  }
  std::int64_t ledgerCount(std::string const& what) {
    std::int64_t count = 0;
    for (std::int64_t after = 0, last = 1; after < last;) {
      auto const page = answer("GET", "/_twin/ledger?after=" + std::to_string(after));
      last = page.at("last").as_int64();
      for (auto const& entry : page.at("entries").as_array()) {
        after = entry.at("seq").as_int64();
        count += entry.at("what") == json::value(what) ? 1 : 0;
      }
      if (page.at("entries").as_array().empty()) break;
    }
    return count;
  }

  FakeHost twin{testing::loadConnector(inBuild("/twins/garland.tave-twin/connector.so")),
                testing::readFile(inBuild("/twins/garland.tave-twin/connector.json"))};
  FakeHost connector{&garland_entry_v1, testing::readFile(inSources("/plugins/crm/tave/connector.json"))};
  std::ofstream exchanges;
  json::array notices; // hooks that it told
  std::map<std::string, json::value> cursors;
  std::map<std::string, std::map<std::string, json::value>> records;
  std::chrono::milliseconds clock{0};
  std::string key = "twin-key";
  int pace = 40; // ms from request to request
  int requests = 0;
  int writes = 0;
  int lose_writes_every = 0;
};

TEST_F(TaveTwin, TakesBackWhatItGives) {
  begin(20);
  for (auto const* list : {"job", "address-book", "job-contact", "event", "payment"}) {
    auto const page = answer("GET", std::string("/api/v2/") + list + "?page=1&pageSize=10");
    EXPECT_EQ(page.at("meta").at("rows"), page.at("items").as_array().size());
    for (auto const& item : page.at("items").as_array()) {
      auto const target = std::string("/api/v2/") + list + "/" + std::string(item.at("id").as_string());
      auto after = answer("PUT", target, item).as_object();
      auto before = item.as_object();
      before.erase("modified");
      after.erase("modified");
      EXPECT_EQ(after, before) << list;
    }
  }
}

TEST_F(TaveTwin, RefusesWhatNobodyDocumented) {
  begin(1);
  auto const post = [this](json::value const& body) {
    return ask("POST", "/api/v2/job", json::serialize(body));
  };
  EXPECT_EQ(post({{"name", "a"}, {"stage", "lead"}}).status, 201);
  for (auto const& body : {json::value{{"nmae", "a"}},
                           {{"stage", "won"}},
                           {{"guestCount", "80"}},
                           {{"eventDate", "soon"}},
                           {{"externalMappings", {{{"id", "a"}, {"url", "x"}}}}}}) {
    auto const response = post(body);
    EXPECT_EQ(response.status, 400) << json::serialize(body);
    EXPECT_EQ(json::parse(response.body).at("type"), "validation-error");
  }
  EXPECT_EQ(ask("GET", "/api/v2/job?pageSize=1000").status, 400);
  EXPECT_EQ(ask("GET", "/api/v2/address-book?externalMappingId=k").status, 400) << "only by e-mail address";
  EXPECT_EQ(ask("GET", "/api/v2/job/none").status, 404);
  EXPECT_EQ(ask("GET", "/api/v2/job", "", "wrong").status, 401);
  EXPECT_EQ(ask("POST", "/api/v2/job", "{}", "twin-read-only").status, 403);
}

TEST_F(TaveTwin, AnEditKeepsTheTypesAndTheIdOfARecord) {
  begin(1);
  auto const edited = [this](json::value const& edit) {
    return ask("POST", "/_twin/edit", json::serialize(edit)).status;
  };
  auto const made = answer("POST", "/_twin/edit", {{"list", "job"}, {"set", {{"name", "a"}}}});
  EXPECT_EQ(made.at("stage"), "lead") << "a job is at some stage";
  auto const id = made.at("id");
  for (auto const& [name, value] : json::object{{"name", 5},
                                                {"guestCount", "80"},
                                                {"stage", "won"},
                                                {"totalRevenue", "1.00"},
                                                {"id", "other"},
                                                {"modified", "2026-01-01T00:00:00Z"},
                                                {"nmae", "a"}}) {
    json::object set;
    set[name] = value;
    EXPECT_EQ(edited({{"list", "job"}, {"id", id}, {"set", set}}), 400) << name;
  }
  EXPECT_EQ(edited({{"list", "job"}, {"id", id}, {"delete", false}}), 400);
  auto const order =
      answer("POST", "/_twin/edit", {{"list", "order"}, {"set", {{"name", "Album"}, {"total", 100}}}})
          .at("id");
  EXPECT_EQ(edited({{"list", "order"}, {"id", order}, {"set", {{"total", "100"}}}}), 400);
  EXPECT_EQ(edited({{"list", "order"}, {"id", order}, {"set", {{"total", 200}}}}), 200);
  auto const job = answer("GET", "/api/v2/job/" + std::string(id.as_string()));
  EXPECT_EQ(job.at("name"), "a");
  EXPECT_EQ(job.at("id"), id);
}

TEST_F(TaveTwin, IsTheSameForTheSameSeed) {
  begin(50);
  auto const first = ask("GET", "/api/v2/job?sortBy=modified%20desc").body;
  begin(50);
  EXPECT_EQ(ask("GET", "/api/v2/job?sortBy=modified%20desc").body, first);
}

TEST_F(TaveTwin, ARateLimitIsToldWithItsDelay) {
  begin(3);
  pace = 0;
  for (int i = 0; i < 600; ++i) ask("GET", "/api/v2/studio/me");
  auto const outcome = pull("crm.project");
  EXPECT_EQ(outcome.status, GARLAND_E_RATE_LIMITED);
  EXPECT_EQ(outcome.provider_code, "quota-limit");
  EXPECT_EQ(outcome.retry_after, testing::Milliseconds(1000));
  clock += std::chrono::seconds(1);
  EXPECT_TRUE(pull("crm.project").ok());
  EXPECT_EQ(records["crm.project"].size(), 3U);
}

TEST_F(TaveTwin, AWrongKeyIsToldAsSuchAndAReadOnlyKeyReads) {
  begin(3);
  key = "wrong";
  EXPECT_EQ(connector.run("health.check/1").status, GARLAND_E_AUTH_REVOKED);
  key = "twin-read-only";
  EXPECT_TRUE(pull("crm.project").ok());
  auto const outcome = upsert("k", {}, {{"name", "a"}, {"stage", "lead"}});
  EXPECT_EQ(outcome.status, GARLAND_E_FORBIDDEN);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
}

TEST_F(TaveTwin, EveryEntityComesInWithoutAProblem) {
  begin(120);
  for (auto const* entity : {"crm.client", "crm.project", "crm.participant", "crm.event", "crm.order",
                             "crm.payment", "crm.note"}) {
    auto const outcome = pull(entity);
    ASSERT_TRUE(outcome.ok()) << entity << ": " << outcome.message;
    EXPECT_TRUE(connector.emitted("garland.problem").empty()) << entity;
    EXPECT_FALSE(records[entity].empty()) << entity;
  }
  EXPECT_EQ(records["crm.client"].size(), 120U);
  EXPECT_EQ(records["crm.event"].begin()->second.at("data").at("start").at("zone"), "America/New_York");
}

TEST_F(TaveTwin, AHookTellsOfItsEventAndOfNoOther) {
  begin(1);
  auto const registered = [this](std::string const& event) {
    answer("POST", "/api/v2/rest-hook", {{"event", event}, {"url", "http://127.0.0.1:7/in?event=" + event}});
  };
  for (auto const* event : {"contact.created", "job.created", "order.booked", "payment.created"})
    registered(event);
  auto const told = [this](json::value const& edit) {
    notices.clear();
    auto const record = answer("POST", "/_twin/edit", edit);
    std::string events;
    for (auto const& notice : notices) {
      EXPECT_EQ(json::parse(notice.at("body").as_string()).at("id"), record.at("id"));
      events += std::string(notice.at("url").as_string())
                    .substr(std::string("http://127.0.0.1:7/in?event=").size());
    }
    return std::pair(record.at("id"), events);
  };
  EXPECT_EQ(told({{"list", "job"}, {"set", {{"name", "a"}}}}).second, "job.created");
  EXPECT_EQ(told({{"list", "address-book"}, {"set", {{"kind", "person"}}}}).second, "contact.created");
  EXPECT_EQ(told({{"list", "payment"}, {"set", {{"amount", 1}}}}).second, "payment.created");
  EXPECT_EQ(told({{"list", "event"}, {"set", {{"name", "a"}}}}).second, "");
  auto const [order, nothing] = told({{"list", "order"}, {"set", {{"name", "Album"}}}});
  EXPECT_EQ(nothing, "") << "it is not booked yet";
  json::object booked{{"list", "order"}, {"id", order}, {"set", {{"bookedOn", "2026-01-01"}}}};
  EXPECT_EQ(told(booked).second, "order.booked");
  EXPECT_EQ(told(booked).second, "") << "it was booked before";
}

TEST_F(TaveTwin, AHookThatIsToBeLimitedIsRefusedSinceNobodyKnowsHow) {
  begin(1);
  auto const response =
      ask("POST", "/api/v2/rest-hook",
          R"({"event":"job.created","url":"http://127.0.0.1:7/in","limitTo":{"brandId":"01abc"}})");
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("limitTo"), std::string::npos) << response.body;
}

// The README's own line, as somebody would type it.
TEST_F(TaveTwin, AHookIsRegisteredAsTheReadmeSays) {
  begin(1);
  auto const readme = testing::readFile(inSources("/plugins/crm/tave/README.md"));
  auto const line = readme.find("curl https://workspace.vsco.co/api/v2/rest-hook -H \"X-API-KEY: $KEY\"");
  ASSERT_NE(line, std::string::npos);
  auto const first = readme.find("'{", line) + 1;
  auto const body = readme.substr(first, readme.find("}'", first) + 1 - first);
  auto const response = ask("POST", "/api/v2/rest-hook", body);
  EXPECT_EQ(response.status, 201) << body << response.body;
  auto const hook = json::parse(response.body);
  EXPECT_TRUE(std::string(hook.at("url").as_string())
                  .ends_with("&event=" + std::string(hook.at("event").as_string())));
}

TEST_F(TaveTwin, ManyJobsAndEditsOnBothSidesEndEqual) {
  constexpr int volume = 2000;
  constexpr std::size_t edits = 400; // on each side
  begin(volume);
  ASSERT_TRUE(pull("crm.project").ok());
  ASSERT_EQ(records["crm.project"].size(), volume);
  std::vector<std::string> ids;
  for (auto const& [id, record] : records["crm.project"]) ids.push_back(id);

  lose_writes_every = 10;
  int created = 0;
  for (std::size_t i = 0; i < edits; ++i) {
    // The studio's side: another job each, some deleted, some made.
    auto const& theirs = ids[i * 2];
    json::object edit{{"list", "job"}, {"id", theirs}};
    if (i % 25 == 0)
      edit["delete"] = true;
    else
      edit["set"] = {{"name", "theirs " + std::to_string(i)}, {"guestCount", i}};
    answer("POST", "/_twin/edit", edit);
    if (i % 20 == 0)
      answer("POST", "/_twin/edit",
             {{"list", "job"}, {"set", {{"name", "made by them"}, {"stage", "lead"}}}});
    // Ours: changes and creations, of which every tenth answer is lost; then it is tried again.
    auto const& mine = ids[1000 + i * 2];
    auto data = records["crm.project"][mine].at("data").as_object();
    data["name"] = "ours " + std::to_string(i);
    auto const key_of_write = "op-" + std::to_string(i);
    bool const creates = i % 10 == 0;
    created += creates ? 1 : 0;
    if (creates) data = {{"name", "new " + std::to_string(i)}, {"stage", "booked"}};
    auto const id = creates ? std::optional<std::string>() : std::optional(mine);
    auto outcome = upsert(key_of_write, id, data);
    if (!outcome.ok()) {
      EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN) << outcome.message;
      outcome = upsert(key_of_write, id, data);
    }
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    if (i % 100 == 0) {
      ASSERT_TRUE(pull("crm.project").ok());
    }
  }
  lose_writes_every = 0;
  auto const before = requests;
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_LT(requests - before, 60);

  EXPECT_EQ(ledgerCount("job.created"), created + 20);
  EXPECT_EQ(ledgerCount("job.deleted"), 16);
  EXPECT_EQ(records["crm.project"].size(), volume + static_cast<std::size_t>(created) + 20U - 16U);
  EXPECT_TRUE(records["crm.project"] == truth("crm.project")); // too long to be shown
}

} // namespace
} // namespace garland::tave
