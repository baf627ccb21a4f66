// A twin as the host sees it: requests in, answers out, checked against the schemas of twin.serve/1.
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view morning = "2026-06-01T08:00:00Z";
std::string const folder = inBuild("/tests/twins/test.todo-twin/");

struct Ask {
  std::string method = "GET";
  std::string target = "/tasks";
  std::string body = {};
  std::string now = std::string(morning);
  HeaderList headers = {};
};

class Todo : public ::testing::Test {
protected:
  void SetUp() override { begin(7, 3); }
  void begin(std::int64_t seed, std::int64_t volume) {
    ASSERT_TRUE(host_.open({{"seed", seed}, {"volume", volume}}).ok());
  }

  json::value raw(Ask const& ask) {
    json::object request{{"method", ask.method}, {"target", ask.target}, {"now", ask.now}};
    auto& headers = request["headers"].emplace_array();
    headers.push_back(json::object{{"name", "authorization"}, {"value", "Bearer todo-key"}});
    for (auto const& [name, value] : ask.headers)
      headers.push_back(json::object{{"name", name}, {"value", value}});
    request["body"] = ask.body;
    EXPECT_TRUE(schemaProblems("twin.serve.1.in.json", request).empty());
    auto outcome = host_.run("twin.serve/1", request); // the result is checked by its schema
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.result;
  }
  json::value ask(Ask const& ask, int status = 200) {
    auto const answer = raw(ask);
    EXPECT_EQ(answer.at("status"), status) << json::serialize(answer);
    std::string const body(answer.at("body").get_string());
    return body.empty() ? json::value() : json::parse(body);
  }
  json::value create(std::string const& title, HeaderList headers = {}) {
    return ask({"POST", "/tasks", R"({"title":")" + title + "\"}", std::string(morning), std::move(headers)},
               201);
  }
  json::value order(std::string const& fault, int status = 200) {
    return ask({"POST", "/_twin/fault", fault}, status);
  }
  json::array ledger(std::string const& query = "") {
    return ask({"GET", "/_twin/ledger" + query}).at("entries").as_array();
  }
  std::string firstTask() { return std::string(ask({}).at("tasks").at(0).at("id").get_string()); }

  FakeHost host_{loadConnector(folder + "connector.so"), readFile(folder + "connector.json")};
};

// A day at the provider, as one text.
std::string day(std::function<json::value(Ask const&)> const& raw) {
  std::string all;
  for (auto const& step : std::vector<Ask>{{"POST", "/hooks", R"({"url":"http://x.example/","secret":"s"})"},
                                           {"POST", "/tasks", R"({"title":"one"})"},
                                           {"POST", "/tasks", "{", "2026-06-01T08:00:01Z"},
                                           {"GET", "/tasks?limit=100"},
                                           {"GET", "/_twin/ledger"},
                                           {"GET", "/_twin/state"}})
    all += json::serialize(raw(step)) + "\n";
  return all;
}

TEST_F(Todo, TheSameSeedAndRequestsGiveTheSameBytes) {
  auto const run = [this](Ask const& ask) { return raw(ask); };
  auto const first = day(run);
  begin(7, 3);
  EXPECT_EQ(day(run), first);
  begin(8, 3);
  EXPECT_NE(day(run), first);
}

TEST_F(Todo, TheSeedMeansTheSameOnEveryMachine) { EXPECT_EQ(firstTask(), "task_lBWFEmSP"); }

TEST_F(Todo, VolumeIsHowMuchThereIsToBeginWith) {
  begin(7, 2000);
  EXPECT_EQ(ask({"GET", "/_twin/state"}).at("twin").at("tasks"), 2000);
}

TEST_F(Todo, PagesFollowEachOtherToTheEnd) {
  auto const first = ask({"GET", "/tasks?limit=2"});
  EXPECT_EQ(first.at("tasks").as_array().size(), 2U);
  std::string const next(first.at("next").get_string());
  EXPECT_TRUE(next.starts_with("http://twin.invalid/tasks?")) << next;
  auto const second = ask({"GET", next.substr(std::string("http://twin.invalid").size())});
  EXPECT_EQ(second.at("tasks").as_array().size(), 1U);
  EXPECT_TRUE(second.at("next").is_null());
}

TEST_F(Todo, TheLedgerTellsWhatHappenedAndIsReadInPages) {
  for (auto const* const title : {"a", "b", "c"}) create(title);
  ask({"DELETE", "/tasks/" + firstTask()}, 204);
  ask({"POST", "/tasks", "{}"}, 422);
  auto const all = ledger();
  ASSERT_EQ(all.size(), 4U) << "what changed nothing is not in it";
  EXPECT_EQ(all[0].at("seq"), 1);
  EXPECT_EQ(all[0].at("at").get_string(), morning);
  EXPECT_EQ(all[0].at("what"), "task.created");
  EXPECT_EQ(all[3].at("what"), "task.removed");
  auto const page = ledger("?after=1&limit=2");
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].at("seq"), 2);
  EXPECT_EQ(ledger("?after=4").size(), 0U);
  EXPECT_EQ(ledger("?after=-3&limit=99999").size(), 4U);
  ask({"GET", "/_twin/ledger?after=soon"}, 400);
}

TEST_F(Todo, AKeyThatWasSeenGivesTheFirstAnswerAgain) {
  auto const first = create("once", {{"idempotency-key", "k1"}});
  EXPECT_EQ(create("once", {{"idempotency-key", "k1"}}), first);
  EXPECT_EQ(ledger().size(), 1U);
  ask({"POST", "/tasks", R"({"title":"twice"})", std::string(morning), {{"idempotency-key", "k1"}}}, 409);
}

TEST_F(Todo, TheLimitIsKeptOnTheClockOfTheRequests) {
  for (int i = 0; i < 20; ++i) ask({});
  ask({}, 429);
  ask({"GET", "/tasks", "", "2026-06-01T08:00:00.499Z"}, 429);
  ask({"GET", "/tasks", "", "2026-06-01T08:00:00.500Z"});
}

TEST_F(Todo, TheClockNeverRunsBackwards) {
  ask({"GET", "/tasks", "", "2026-06-02T00:00:00Z"});
  EXPECT_EQ(ask({"GET", "/_twin/state"}).at("now"), "2026-06-02T00:00:00Z");
}

TEST_F(Todo, SomebodyElsesEditIsInTheLedger) {
  auto const task = firstTask();
  ask({"POST", "/_twin/edit", R"({"task":")" + task + R"(","title":"theirs"})"});
  EXPECT_EQ(ask({"GET", "/tasks/" + task}).at("title"), "theirs");
  EXPECT_EQ(ledger().at(0).at("what"), "task.renamed");
  ask({"POST", "/_twin/edit", R"({"task":"none","title":"x"})"}, 404);
  ask({"POST", "/_twin/edit", "[]"}, 400);
}

TEST_F(Todo, NoticesAreHandedToTheHostWithWhatSignsThem) {
  ask({"POST", "/hooks", R"({"url":"https://x.example/in","secret":"whsec_1"})"}, 201);
  auto const answer = raw({"POST", "/tasks", R"({"title":"told"})"});
  auto const& notice = answer.at("webhooks").at(0);
  EXPECT_EQ(notice.at("url"), "https://x.example/in");
  EXPECT_EQ(notice.at("scheme"), "standard-webhooks");
  EXPECT_EQ(notice.at("secret"), "whsec_1");
  EXPECT_THAT(std::string(notice.at("body").get_string()), HasSubstr("\"told\""));
}

TEST_F(Todo, FormBodiesAreRead) {
  auto const path = "/tasks/" + firstTask();
  EXPECT_EQ(ask({"PATCH", path, "done=true"}).at("done"), true);
  ask({"PATCH", path, "done=true&done[x]=1"}, 400);
}

TEST_F(Todo, WhatIsNotThereIsRefusedInTheTwinsOwnWords) {
  ask({"GET", "/nowhere"}, 404);
  ask({"PUT", "/tasks"}, 405);
  auto const nowhere = ask({"GET", "/_twin/nowhere"}, 404);
  EXPECT_EQ(nowhere.at("error"), "there is ledger, state, clock, edit and fault under /_twin/, not nowhere");
  ask({"POST", "/_twin/ledger"}, 405);
  ask({"GET", "/tasks?limit=many"}, 400);
}

TEST_F(Todo, BodiesThatCannotBeReadAreRefused) {
  auto const deep = std::string(10'000, '[') + std::string(10'000, ']');
  for (auto const& body :
       {std::string(), std::string("{"), std::string("[1]"), std::string("{\"title\":1}}"), deep})
    ask({"POST", "/tasks", body}, 400);
  ask({"POST", "/tasks", R"({"title":7})"}, 422);
  EXPECT_EQ(ledger().size(), 0U);
}

TEST_F(Todo, BytesThatAreNoTextGoThroughWhole) {
  json::object request{
      {"method", "POST"}, {"target", "/tasks"}, {"now", morning}, {"body_base64", "eyJ0aXRsZSI6Iv8ifQ=="}};
  request["headers"] = json::array{json::object{{"name", "Authorization"}, {"value", "Bearer todo-key"}}};
  EXPECT_EQ(host_.run("twin.serve/1", request).result.at("status"), 400) << "0xFF is not UTF-8";
  request["body_base64"] = "&";
  EXPECT_EQ(host_.run("twin.serve/1", request).status, GARLAND_E_INVALID_INPUT);
}

TEST_F(Todo, PathsAndParametersAreText) {
  ask({"GET", "/tasks/%FF"}, 400);
  ask({"GET", "/tasks?after=%C3%28"}, 400);
  ask({"PATCH", "/tasks/" + firstTask(), "done=%FF"}, 400);
  ask({"GET", "/tasks/%E2%9C%93"}, 404);
}

// ---------------------------------------------------------------- faults

TEST_F(Todo, AFaultMeetsTheRequestsItNamesAndNoOthers) {
  order(
      R"({"fault":"answer","status":503,"method":"POST","path":"/ta*s","times":2,"skip":1,"headers":{"retry-after":"3"},"body":"busy"})");
  ask({});
  create("goes well");
  for (int i = 0; i < 2; ++i) {
    auto const answer = raw({"POST", "/tasks", R"({"title":"x"})"});
    EXPECT_EQ(answer.at("status"), 503);
    EXPECT_EQ(answer.at("body"), "busy");
    EXPECT_THAT(json::serialize(answer.at("headers")), HasSubstr(R"({"name":"retry-after","value":"3"})"));
  }
  create("again");
  EXPECT_EQ(ledger().size(), 2U);
  EXPECT_EQ(ask({"GET", "/_twin/fault"}).at("faults").as_array().size(), 0U);
}

TEST_F(Todo, AResetMayComeBeforeOrAfterTheEffect) {
  order(R"({"fault":"reset"})");
  EXPECT_EQ(raw({"POST", "/tasks", R"({"title":"lost"})"}).at("transport").at("kind"), "reset");
  EXPECT_EQ(ledger().size(), 0U);
  order(R"({"fault":"reset","applied":true})");
  EXPECT_EQ(raw({"POST", "/tasks", R"({"title":"kept"})"}).at("transport").at("kind"), "reset");
  EXPECT_EQ(ledger().size(), 1U);
}

TEST_F(Todo, AnswersAreSpoiltAsOrdered) {
  auto const spoilt = [this](std::string const& fault) {
    order(R"({"fault":")" + fault + "\"}");
    return raw({});
  };
  json::error_code broken;
  json::parse(std::string_view(spoilt("malformed_json").at("body").get_string()), broken);
  EXPECT_TRUE(broken);
  json::parse(std::string_view(spoilt("truncated").at("body").get_string()), broken);
  EXPECT_TRUE(broken);
  EXPECT_THAT(std::string(spoilt("html").at("body").get_string()), HasSubstr("<html>"));
  EXPECT_EQ(spoilt("deep_nesting").at("body").get_string().size(), 20'000U);
  EXPECT_NE(spoilt("wrong_charset").as_object().if_contains("body_base64"), nullptr);
  EXPECT_EQ(spoilt("zip_bomb").at("transport").at("bytes"), 256 << 20);
  EXPECT_EQ(spoilt("no_answer").at("transport").at("kind"), "no_answer");
  EXPECT_EQ(spoilt("slow_body").at("transport").at("delay_ms"), 1000);
  EXPECT_EQ(spoilt("reset_mid_body").at("transport").at("kind"), "reset_mid_body");
  EXPECT_EQ(spoilt("reset_after_headers").at("transport").at("kind"), "reset_after_headers");
}

TEST_F(Todo, MembersOfAnAnswerCanBeChangedAndRemoved) {
  order(
      R"({"fault":"change","set":{"/tasks/0/done":"yes","/a~1b":1},"remove":["/tasks/0/title","/next","/not/there"]})");
  auto const answer = ask({});
  EXPECT_EQ(answer.at("tasks").at(0).at("done"), "yes");
  EXPECT_EQ(answer.at("a/b"), 1);
  EXPECT_EQ(answer.at("tasks").at(0).as_object().if_contains("title"), nullptr);
  EXPECT_EQ(answer.as_object().if_contains("next"), nullptr);
}

TEST_F(Todo, AnImpossibleFaultIsRefused) {
  EXPECT_THAT(json::serialize(order(R"({"fault":"gremlins"})", 400)), HasSubstr("zip_bomb"));
  order(R"({"fault":"truncated","applied":false})", 400);
  order(R"({"fault":"reset","times":0})", 400);
  order(R"({"fault":"answer","status":99})", 400);
  order(R"({"times":1})", 400);
  order("nonsense", 400);
  EXPECT_THAT(json::serialize(order(R"({"fault":"reset","aplied":true})", 400)),
              AllOf(HasSubstr("/aplied"), HasSubstr("applied, ")));
  order(R"({"fault":"reset"})");
  ask({"DELETE", "/_twin/fault"});
  ask({});
}

} // namespace
} // namespace garland::testing
