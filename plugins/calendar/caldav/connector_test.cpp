#include "scripted_server.h"
#include "tests/places/places.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace garland::caldav {
namespace {

using garland::testing::FakeHost;
using garland::testing::HttpFailure;
using garland::testing::HttpReply;
using garland::testing::HttpRequest;
using garland::testing::HttpResponse;
using garland::testing::Outcome;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace json = boost::json;

class CalDav : public ::testing::Test {
protected:
  CalDav() {
    host.serve([this](HttpRequest const& request) { return server.serve(request); });
    open(ScriptedServer::root);
  }

  void open(std::string const& url) { ASSERT_TRUE(host.open({{"url", url}}).ok()); }

  Outcome pull() {
    host.clear();
    auto outcome = host.run("calendar.pull/1", {{"cursor", cursor}, {"calendars", json::array()}});
    if (!host.checkpoints().empty()) cursor = host.checkpoints().back();
    return outcome;
  }

  std::set<std::string> titles() const {
    std::set<std::string> result;
    for (auto const& record : host.emitted("calendar.event"))
      result.insert(record.at("deleted").as_bool() ? "-" + std::string(record.at("id").as_string())
                                                   : std::string(record.at("data").at("title").as_string()));
    return result;
  }

  std::size_t count(std::string const& what) const {
    return static_cast<std::size_t>(
        std::count_if(host.requests().begin(), host.requests().end(), [&](auto const& request) {
          return request.method == what || request.body.find(what) != std::string::npos;
        }));
  }

  // Refuses requests of which the body has `part`.
  void refuse(std::string const& part, int status, std::string const& body = "") {
    server.instead = [=](HttpRequest const& request) -> ScriptedServer::Reply {
      if (request.body.find(part) == std::string::npos) return std::nullopt;
      return HttpResponse{status, {}, body, {}};
    };
  }

  // Answers requests for single items; a multiget is refused.
  void answerItems(std::function<ScriptedServer::Reply(std::string const& url)> const& answer) {
    server.instead = [answer](HttpRequest const& request) -> ScriptedServer::Reply {
      if (request.body.find("calendar-multiget") != std::string::npos) return HttpResponse{403, {}, "", {}};
      return request.method == "GET" ? answer(request.url) : std::nullopt;
    };
  }

  Outcome upsert(json::object input) {
    input["key"] = "k";
    return host.run("calendar.upsert/1", std::move(input));
  }
  json::value event(std::string const& title) {
    return {{"uid", "u"},
            {"title", title},
            {"status", "confirmed"},
            {"busy", true},
            {"start", {{"date", "2026-06-13"}}}};
  }

  ScriptedServer server;
  FakeHost host{&garland_entry_v1,
                garland::testing::readFile(inSources("/plugins/calendar/caldav/connector.json"))};
  json::value cursor;
};

std::string const token_report = "<d:sync-token>t";

TEST_F(CalDav, AListThatComesInPagesIsReadToItsEnd) {
  for (int i = 0; i < 7; ++i)
    server.put(std::to_string(i) + ".ics", simpleIcs(std::to_string(i), std::to_string(i)));
  server.page = 3;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles().size(), 7U);
  for (int i = 0; i < 5; ++i) server.put(std::to_string(i) + ".ics", simpleIcs(std::to_string(i), "new"));
  server.remove("6.ics");
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"new", "-" + server.url() + "6.ics"}));
  EXPECT_EQ(count("sync-collection"), 2U);
  ASSERT_TRUE(pull().ok());
  EXPECT_THAT(host.emitted(), IsEmpty());
}

TEST_F(CalDav, APageThatIsStoppedIsDoneAgainFromItsBeginning) {
  server.put("a.ics", simpleIcs("a", "a"));
  ASSERT_TRUE(pull().ok());
  for (int i = 0; i < 120; ++i)
    server.put(std::to_string(1000 + i) + ".ics", simpleIcs(std::to_string(i), std::to_string(i)));
  server.instead = [seen = 0](HttpRequest const& request) mutable -> ScriptedServer::Reply {
    if (request.body.find("calendar-multiget") == std::string::npos || seen++ < 1) return std::nullopt;
    return HttpFailure{};
  };
  EXPECT_FALSE(pull().ok());
  EXPECT_EQ(titles().size(), 50U);
  server.put("1000.ics", simpleIcs("0", "changed meanwhile"));
  server.instead = nullptr;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles().size(), 70U);
  EXPECT_FALSE(titles().contains("changed meanwhile"));
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"changed meanwhile"}));
}

TEST_F(CalDav, WhateverAServerAnswersToABadTokenTheCalendarIsListedAnew) {
  server.put("a.ics", simpleIcs("a", "a"));
  ASSERT_TRUE(pull().ok());
  auto const good = cursor;
  for (int const status : {400, 403, 404, 405, 409, 410, 412, 422, 500, 501, 507}) {
    cursor = good;
    server.put("a.ics", simpleIcs("a", "a"));
    refuse(token_report, status);
    auto const outcome = pull();
    EXPECT_TRUE(outcome.ok()) << status << ": " << outcome.message;
    EXPECT_EQ(titles(), (std::set<std::string>{"a"})) << status;
    EXPECT_EQ(host.emitted("garland.listing").size(), 1U) << status;
  }
  cursor = good;
  server.put("a.ics", simpleIcs("a", "a"));
  refuse(token_report, 200, "<html>what?</html>");
  EXPECT_TRUE(pull().ok());
}

TEST_F(CalDav, ARefusalThatConcernsTheAccountKeepsItsMeaning) {
  server.put("a.ics", simpleIcs("a", "a"));
  ASSERT_TRUE(pull().ok());
  server.put("a.ics", simpleIcs("a", "b"));
  for (auto const& [status, kind] :
       {std::pair{401, GARLAND_E_AUTH_REVOKED}, std::pair{429, GARLAND_E_RATE_LIMITED},
        std::pair{503, GARLAND_E_TRANSIENT}, std::pair{502, GARLAND_E_TRANSIENT}}) {
    refuse(token_report, status);
    EXPECT_EQ(pull().status, kind) << status;
    EXPECT_THAT(host.emitted(), IsEmpty());
  }
  server.instead = nullptr;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"b"})); // the token is still good
}

TEST_F(CalDav, AServerThatIsReallyBrokenIsReportedAndNothingIsTakenForDeleted) {
  server.put("a.ics", simpleIcs("a", "a"));
  ASSERT_TRUE(pull().ok());
  server.put("a.ics", simpleIcs("a", "b"));
  server.instead = [](HttpRequest const& request) -> ScriptedServer::Reply {
    bool const listing =
        request.method == "PROPFIND" && request.url.ends_with("studio/") && request.header("depth") == "1";
    if (!listing && request.body.find("sync-collection") == std::string::npos) return std::nullopt;
    return HttpResponse{500, {}, "", {}};
  };
  auto const outcome = pull();
  EXPECT_EQ(outcome.status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(outcome.http_status, 500);
  EXPECT_THAT(host.emitted(), IsEmpty());
}

TEST_F(CalDav, AnEmptyAnswerAboutTheHomeDeletesNothing) {
  server.put("a.ics", simpleIcs("a", "a"));
  ASSERT_TRUE(pull().ok());
  server.instead = [](HttpRequest const& request) -> ScriptedServer::Reply {
    if (request.url.ends_with("/cal/u%40example.com/")) return multistatus("");
    return std::nullopt;
  };
  EXPECT_EQ(pull().status, GARLAND_E_PROVIDER_BUG);
  EXPECT_THAT(host.emitted(), IsEmpty());
}

TEST_F(CalDav, OneItemHasOneIdHoweverTheServerSpellsIt) {
  server.put("with space.ics", simpleIcs("a", "a"));
  ASSERT_TRUE(pull().ok());
  ASSERT_EQ(host.emitted("calendar.event").size(), 1U);
  EXPECT_EQ(host.emitted("calendar.event")[0].at("id").as_string(), server.url() + "with%20space.ics");
  EXPECT_EQ(host.emitted("garland.listing")[0].at("ids").at(0).as_string(),
            server.url() + "with%20space.ics");
}

TEST_F(CalDav, WhatAMultigetLeavesOutIsAskedForByItself) {
  server.put("a.ics", simpleIcs("a", "a"));
  server.put("b.ics", simpleIcs("b", "b"));
  server.forgets_one_in_multiget = true;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(count("GET"), 1U);
}

TEST_F(CalDav, OnlyCalendarsThatTakeEventsAreOffered) {
  server.components = "<C:comp name=\"VTODO\"/>";
  auto found = host.run("calendar.discover/1");
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found.result.at("calendars").as_array().empty());
  server.components = "<C:comp name=\"VTODO\"/><C:comp name=\"VEVENT\"/>";
  server.privileges = "<x:privilege><x:read/></x:privilege>";
  found = host.run("calendar.discover/1");
  ASSERT_EQ(found.result.at("calendars").as_array().size(), 1U);
  EXPECT_FALSE(found.result.at("calendars").at(0).at("writable").as_bool());
  EXPECT_EQ(found.result.at("account").as_string(), "Anna (dav.example.com/p)");
  EXPECT_EQ(upsert({{"data", event("x")}}).status, GARLAND_E_FORBIDDEN);
  server.privileges += "<x:privilege><x:write-content/></x:privilege>";
  EXPECT_TRUE(host.run("calendar.discover/1").result.at("calendars").at(0).at("writable").as_bool());
}

TEST_F(CalDav, APageInsteadOfAnAnswerIsTheServersFault) {
  server.instead = [](HttpRequest const&) {
    return ScriptedServer::Reply(HttpResponse{200, {}, "<html></html>", {}});
  };
  auto const outcome = host.run("health.check/1");
  EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG);
  EXPECT_THAT(outcome.message, HasSubstr("is this a CalDAV server?"));
}

TEST_F(CalDav, NothingIsAskedOfAServerThatIsNotTheConnections) {
  server.put("a.ics", simpleIcs("a", "a"));
  for (std::string const elsewhere :
       {"https://169.254.169.254/cal/", "https://dav.example.com.evil.test/", "http://dav.example.com/cal/",
        "https://dav.example.com:8443/cal/", "https://p01-caldav.icloud.com/cal/"}) {
    server.instead = [elsewhere](HttpRequest const& request) -> ScriptedServer::Reply {
      if (!request.url.ends_with("/p/")) return std::nullopt;
      return multistatus("<x:response><x:href>/p/</x:href><x:propstat><x:prop><C:calendar-home-set><x:href>" +
                         elsewhere +
                         "</x:href></C:calendar-home-set></x:prop><x:status>HTTP/1.1 200 OK</x:status>"
                         "</x:propstat></x:response>");
    };
    auto const outcome = pull();
    EXPECT_EQ(outcome.status, GARLAND_E_FORBIDDEN) << elsewhere;
    EXPECT_THAT(outcome.message, HasSubstr(elsewhere));
    for (auto const& request : host.requests())
      EXPECT_TRUE(request.url.starts_with(ScriptedServer::root)) << request.url;
  }
  server.instead = nullptr;
  EXPECT_EQ(host.run("calendar.delete/1", {{"key", "k"}, {"id", "https://evil.test/a.ics"}}).status,
            GARLAND_E_FORBIDDEN);
}

TEST_F(CalDav, AnAddressWithoutCalDavIsSaidToBeWrong) {
  server.instead = [](HttpRequest const&) {
    return ScriptedServer::Reply(HttpResponse{405, {}, "<html></html>", {}});
  };
  auto const outcome = host.run("health.check/1");
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_THAT(outcome.message, HasSubstr("there is no CalDAV server at https://dav.example.com/"));
  EXPECT_EQ(outcome.detail.at("field").as_string(), "/url");
}

TEST_F(CalDav, AfterARedirectReferencesMeanThePlaceThatAnswered) {
  // The typed address leads to another host, which gives paths only.
  server.instead = [this](HttpRequest const& request) -> ScriptedServer::Reply {
    bool const typed = request.url.starts_with("https://caldav.icloud.com/");
    if (typed && request.url != "https://caldav.icloud.com/.well-known/caldav")
      return HttpResponse{404, {}, "", {}};
    if (!typed) return std::nullopt;
    auto moved = request;
    moved.url = "https://p01-caldav.icloud.com/";
    auto reply = std::get<HttpResponse>(server.serve(moved));
    reply.headers.emplace_back("Content-Location", moved.url);
    return reply;
  };
  open("https://caldav.icloud.com/");
  auto const found = host.run("calendar.discover/1");
  ASSERT_TRUE(found.ok()) << found.message;
  EXPECT_EQ(found.result.at("calendars").at(0).at("id").as_string(),
            "https://p01-caldav.icloud.com/cal/u%40example.com/studio/");
}

TEST_F(CalDav, ATagThatComesAsAPropertyOnlyIsFound) {
  server.tags_on_get = false;
  auto const created = upsert({{"scope", server.url()}, {"data", event("x")}});
  ASSERT_TRUE(created.ok()) << created.message;
  EXPECT_EQ(created.result.at("version").as_string(), "\"r1\"");
}

TEST_F(CalDav, AWeakTagStillGuardsAWrite) {
  server.put("u.ics", simpleIcs("u", "before"));
  auto const written =
      upsert({{"id", server.url() + "u.ics"}, {"version", "W/\"r1\""}, {"data", event("after")}});
  ASSERT_TRUE(written.ok()) << written.message;
  EXPECT_EQ(
      upsert({{"id", server.url() + "u.ics"}, {"version", "W/\"r1\""}, {"data", event("later")}}).status,
      GARLAND_E_CONFLICT);
}

TEST_F(CalDav, NothingIsWrittenWhenNothingChanged) {
  server.put("u.ics", simpleIcs("u", "same"));
  auto data = event("same");
  data.as_object()["start"] = {{"utc", "2026-06-13T12:00:00Z"}};
  auto const written = upsert({{"id", server.url() + "u.ics"}, {"data", data}});
  ASSERT_TRUE(written.ok()) << written.message;
  EXPECT_EQ(count("PUT"), 0U);
  EXPECT_EQ(written.result.at("version").as_string(), "\"r1\"");
}

TEST_F(CalDav, AnEventThatIsGoneCannotBeChanged) {
  EXPECT_EQ(upsert({{"id", server.url() + "gone.ics"}, {"data", event("x")}}).status, GARLAND_E_NOT_FOUND);
}

TEST_F(CalDav, AnEventThatCannotBeWrittenIsRefusedBeforeAnythingIsSent) {
  auto data = event("x");
  data.as_object()["start"] = {{"local", "2026-06-13T12:00:00"}, {"zone", "Europe/Berlin"}};
  auto const outcome = upsert({{"scope", server.url()}, {"data", data}});
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(count("PUT"), 0U);
}

TEST_F(CalDav, AServerErrorToAWriteLeavesTheEffectOpen) {
  server.instead = [](HttpRequest const& request) -> ScriptedServer::Reply {
    if (request.method != "PUT") return std::nullopt;
    return HttpResponse{500, {}, "", {}};
  };
  auto const outcome = upsert({{"scope", server.url()}, {"data", event("x")}});
  EXPECT_EQ(outcome.status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN);
}

TEST_F(CalDav, ACursorOfAnotherShapeIsAsGoodAsNone) {
  server.put("a.ics", simpleIcs("a", "a"));
  for (auto const* odd : {"[]", "17", R"({"calendars":{"x":{"token":5}}})"}) {
    cursor = json::parse(odd);
    EXPECT_TRUE(pull().ok()) << odd;
    EXPECT_EQ(titles(), (std::set<std::string>{"a"})) << odd;
  }
}

TEST_F(CalDav, ACutListIsReadOnHoweverTheServerSpellsTheCollection) {
  for (int i = 0; i < 7; ++i)
    server.put(std::to_string(i) + ".ics", simpleIcs(std::to_string(i), std::to_string(i)));
  server.page = 3;
  auto plain = server;
  server.instead = [plain](HttpRequest const& request) mutable -> ScriptedServer::Reply {
    if (request.body.find("sync-collection") == std::string::npos) return std::nullopt;
    auto reply = std::get<HttpResponse>(plain.serve(request));
    std::string const itself = plain.calendar + "</x:href><x:status>HTTP/1.1 507";
    if (auto const at = reply.body.find(itself); at != std::string::npos) reply.body.insert(at, "/alias");
    return reply;
  };
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles().size(), 7U);
}

TEST_F(CalDav, WithoutTokensACutListDeletesNothing) {
  server.put("a.ics", simpleIcs("a", "a"));
  server.instead = [](HttpRequest const& request) -> ScriptedServer::Reply {
    if (request.body.find("sync-collection") != std::string::npos) return HttpResponse{403, {}, "", {}};
    if (!request.url.ends_with("studio/") || request.header("depth") != "1") return std::nullopt;
    return multistatus("<x:response><x:href>/elsewhere/</x:href><x:status>HTTP/1.1 507 Cut</x:status>"
                       "</x:response>");
  };
  EXPECT_EQ(pull().status, GARLAND_E_TRANSIENT);
  EXPECT_THAT(host.emitted(), IsEmpty());
}

TEST_F(CalDav, WithoutTokensDeletionsAreLeftToTheHost) {
  server.put("a.ics", simpleIcs("a", "a"));
  server.put("b.ics", simpleIcs("b", "b"));
  refuse("sync-collection", 403);
  ASSERT_TRUE(pull().ok());
  server.remove("b.ics");
  ASSERT_TRUE(pull().ok());
  EXPECT_THAT(titles(), IsEmpty());
  ASSERT_EQ(host.emitted("garland.listing").size(), 1U);
  auto const ids = host.emitted("garland.listing")[0].at("ids");
  ASSERT_EQ(ids.as_array().size(), 1U);
  EXPECT_EQ(ids.at(0).as_string(), server.url() + "a.ics");
}

TEST_F(CalDav, AStaleAnswerInThePlaceOfAListEmptiesNoCalendar) {
  server.put("a.ics", simpleIcs("a", "a"));
  server.instead = [this](HttpRequest const& request) -> ScriptedServer::Reply {
    if (request.body.find("sync-collection") != std::string::npos) return HttpResponse{400, {}, "", {}};
    if (request.method != "PROPFIND" || request.header("depth") != "1" ||
        request.body.find("getetag") == std::string::npos)
      return std::nullopt;
    return multistatus(
        "<x:response><x:href>" + server.calendar +
        "</x:href><x:propstat><x:prop><S:getctag>c1</S:getctag></x:prop><x:status>HTTP/1.1 200 "
        "OK</x:status></x:propstat></x:response>");
  };
  EXPECT_EQ(pull().status, GARLAND_E_PROVIDER_BUG);
  EXPECT_THAT(host.emitted("garland.listing"), IsEmpty());
}

TEST_F(CalDav, InAFullListAnItemWithoutPropertiesIsThere) {
  server.put("a.ics", simpleIcs("a", "a"));
  server.instead = [this](HttpRequest const& request) -> ScriptedServer::Reply {
    if (request.body.find("sync-collection") == std::string::npos) return std::nullopt;
    return multistatus("<x:response><x:href>" + server.calendar +
                       "a.ics</x:href><x:propstat><x:prop><x:getetag/></x:prop><x:status>HTTP/1.1 404 None"
                       "</x:status></x:propstat></x:response><x:sync-token>t1</x:sync-token>");
  };
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"a"}));
}

TEST_F(CalDav, AMissingItemInsideAMultigetIsAskedForByItself) {
  server.put("a.ics", simpleIcs("a", "a"));
  server.instead = [this](HttpRequest const& request) -> ScriptedServer::Reply {
    if (request.body.find("calendar-multiget") == std::string::npos) return std::nullopt;
    return multistatus("<x:response><x:href>" + server.calendar +
                       "a.ics</x:href><x:status>HTTP/1.1 404 None</x:status></x:response>");
  };
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"a"}));
}

TEST_F(CalDav, ATagThatIsNoTextIsAskedForAsAProperty) {
  server.put("a.ics", simpleIcs("a", "a"));
  answerItems([](auto const&) { return HttpResponse{200, {{"ETag", "\"\xE9\""}}, simpleIcs("a", "a"), {}}; });
  ASSERT_TRUE(pull().ok());
  ASSERT_EQ(host.emitted("calendar.event").size(), 1U);
  EXPECT_EQ(host.emitted("calendar.event")[0].at("version").as_string(), "\"r1\"");
}

TEST_F(CalDav, AServerErrorDoesNotChangeWhichCalendarsThereAre) {
  server.put("a.ics", simpleIcs("a", "a"));
  ASSERT_TRUE(pull().ok());
  for (auto const& [status, kind] :
       {std::pair{500, GARLAND_E_TRANSIENT}, std::pair{403, GARLAND_E_FORBIDDEN}}) {
    HttpResponse const refusal{status, {}, "", {}};
    server.instead = [refusal](HttpRequest const& request) -> ScriptedServer::Reply {
      if (request.url != ScriptedServer::root) return std::nullopt;
      return refusal;
    };
    EXPECT_EQ(pull().status, kind) << status;
    EXPECT_THAT(host.emitted(), IsEmpty());
  }
  std::string const untold = "<x:propstat><x:prop><x:resourcetype/></x:prop><x:status>HTTP/1.1 500 Broken"
                             "</x:status></x:propstat>";
  for (auto const& said : {std::string("<x:status>HTTP/1.1 500 Broken</x:status>"),
                           std::string("<x:status>HTTP/1.1 507 Cut</x:status>"), untold}) {
    server.instead = [this, said](HttpRequest const& request) -> ScriptedServer::Reply {
      if (!request.url.ends_with("/cal/u%40example.com/")) return std::nullopt;
      return multistatus("<x:response><x:href>" + server.calendar + "</x:href>" + said + "</x:response>");
    };
    EXPECT_EQ(pull().status, GARLAND_E_TRANSIENT) << said;
    EXPECT_THAT(host.emitted(), IsEmpty());
  }
}

TEST_F(CalDav, MoreFailuresThanCanBeRememberedEndTheCallAndNoItemIsLost) {
  for (int i = 0; i < 1001; ++i)
    server.put(std::to_string(i) + ".ics", simpleIcs(std::to_string(i), std::to_string(i)));
  answerItems([](auto const&) { return HttpResponse{500, {}, "", {}}; });
  EXPECT_EQ(pull().status, GARLAND_E_TRANSIENT);
  server.instead = nullptr;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles().size(), 1001U);
}

TEST_F(CalDav, ItemsThatAreTooLargeTogetherComeOneByOne) {
  for (int i = 0; i < 5; ++i)
    server.put(std::to_string(i) + ".ics", simpleIcs(std::to_string(i), std::to_string(i)));
  server.instead = [](HttpRequest const& request) -> ScriptedServer::Reply {
    bool const one = request.url.ends_with("/3.ics");
    if (!one && request.body.find("calendar-multiget") == std::string::npos) return std::nullopt;
    return HttpFailure{GARLAND_E_HOST_LIMIT, GARLAND_EFFECT_NOT_APPLIED, "the answer is too large"};
  };
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"0", "1", "2", "4"}));
  EXPECT_EQ(host.emitted("garland.problem").size(), 1U);
  EXPECT_GE(host.checkpoints().size(), 5U);
  EXPECT_EQ(host.progress(), (std::pair<std::uint64_t, std::uint64_t>(5, 5)));
}

TEST_F(CalDav, WhatFindsNoRoomInAFullCallComesWithTheNextOne) {
  server.put("a.ics", simpleIcs("a", "a"));
  server.put("b.ics", simpleIcs("b", "b"));
  auto const fill = [](std::string const& url) -> ScriptedServer::Reply {
    if (url.ends_with("a.ics")) return HttpResponse{200, {}, std::string(41U << 20U, 'x'), {}};
    return HttpFailure{GARLAND_E_HOST_LIMIT, GARLAND_EFFECT_NOT_APPLIED, "the arena is full"};
  };
  answerItems(fill);
  EXPECT_EQ(pull().status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(host.emitted("garland.problem").size(), 1U); // a.ics, which is no calendar
  answerItems([](auto const&) { return HttpResponse{500, {}, "", {}}; });
  ASSERT_TRUE(pull().ok());
  answerItems(fill);
  EXPECT_EQ(pull().status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(host.emitted("garland.problem").size(), 1U);
  server.instead = nullptr;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"b"}));
}

TEST_F(CalDav, ARefusalInsideOfAMultistatusIsNoSuccess) {
  std::string said;
  server.instead = [&said](HttpRequest const& request) -> ScriptedServer::Reply {
    if (request.method != "PUT") return std::nullopt;
    return multistatus("<x:response><x:href>/x</x:href>" + said + "</x:response>");
  };
  for (auto const* condition : {"valid-calendar-data", "max-resource-size"}) {
    said = std::string("<x:error><C:") + condition + "/></x:error>";
    auto const outcome = upsert({{"scope", server.url()}, {"data", event("x")}});
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT) << condition;
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED) << condition;
    EXPECT_EQ(outcome.provider_code, condition);
  }
  said = "<x:status>HTTP/1.1 500 Broken</x:status>";
  auto const outcome = upsert({{"scope", server.url()}, {"data", event("x")}});
  EXPECT_EQ(outcome.status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_UNKNOWN);
}

// The shared object, with what it is linked from, does the same as the sources in this test.
TEST(CalDavObject, TheBuiltConnectorSyncs) {
  ScriptedServer server;
  server.put("a.ics", simpleIcs("a", "a"));
  std::string const folder = inBuild("/plugins/garland.caldav/");
  FakeHost host(garland::testing::loadConnector(folder + "connector.so"),
                garland::testing::readFile(folder + "connector.json"));
  host.serve([&server](HttpRequest const& request) { return server.serve(request); });
  ASSERT_TRUE(host.open({{"url", ScriptedServer::root}}).ok());
  auto const pulled = host.run("calendar.pull/1", {{"cursor", nullptr}, {"calendars", json::array()}});
  ASSERT_TRUE(pulled.ok()) << pulled.message;
  ASSERT_EQ(host.emitted("calendar.event").size(), 1U);
  auto data = host.emitted("calendar.event")[0].at("data");
  data.as_object()["title"] = "changed";
  auto const written =
      host.run("calendar.upsert/1", {{"key", "k"}, {"id", server.url() + "a.ics"}, {"data", data}});
  EXPECT_TRUE(written.ok()) << written.message;
}

TEST_F(CalDav, AStopIsObeyedBetweenTwoBatches) {
  for (int i = 0; i < 120; ++i)
    server.put(std::to_string(i) + ".ics", simpleIcs(std::to_string(i), std::to_string(i)));
  host.cancelAfter(60);
  EXPECT_EQ(pull().status, GARLAND_E_CANCELLED);
}

} // namespace
} // namespace garland::caldav
