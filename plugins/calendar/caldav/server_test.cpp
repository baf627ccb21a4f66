// The connector against real servers. Every test has a calendar of its own on a server that all share.
#include "plugins/calendar/caldav/testing/caldav_servers.h"
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

namespace garland::caldav {
namespace {

using garland::testing::FakeHost;
using garland::testing::HttpFailure;
using garland::testing::HttpReply;
using garland::testing::HttpRequest;
using garland::testing::HttpResponse;
using garland::testing::Outcome;
using testing::CaldavServer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ServerKind;
namespace json = boost::json;

std::string ics(std::string const& uid, std::string const& title, std::string const& more = "") {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:" + uid +
         "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260613T120000Z\r\nDTEND:20260613T140000Z\r\nSUMMARY:" +
         title + "\r\n" + more + "END:VEVENT\r\nEND:VCALENDAR\r\n";
}

json::value event(std::string const& uid, std::string const& title) {
  return {{"uid", uid},
          {"title", title},
          {"status", "confirmed"},
          {"busy", true},
          {"start", {{"utc", "2026-06-13T12:00:00Z"}}},
          {"end", {{"utc", "2026-06-13T14:00:00Z"}}}};
}

// What the host would hold after what was emitted and then made durable.
using Mirror = std::map<std::string, std::string>; // id -> title

class Server : public ::testing::TestWithParam<ServerKind> {
public:
  static void TearDownTestSuite() { servers().clear(); }

protected:
  static std::map<ServerKind, std::unique_ptr<CaldavServer>>& servers() {
    static std::map<ServerKind, std::unique_ptr<CaldavServer>> all;
    return all;
  }

  void SetUp() override {
    auto& shared = servers()[GetParam()];
    if (!shared) shared = CaldavServer::start(GetParam());
    server_ = shared.get();
    auto test = std::string(::testing::UnitTest::GetInstance()->current_test_info()->name());
    calendar_ = server_->makeCalendar(test.substr(0, test.find('/')));
    host_.serve([this](HttpRequest const& request) { return serve(request); });
    ASSERT_TRUE(host_.open({{"url", server_->url()}}).ok());
  }

  HttpReply serve(HttpRequest const& request) {
    if (intercept_)
      if (auto reply = intercept_(request)) return *reply;
    bool const signed_in = request.credential_slot == "login";
    auto const answer = testing::http(request.method, request.url, request.headers, request.body,
                                      signed_in ? server_->username() : "", signed_in ? password() : "");
    if (answer.status == 0) return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, answer.error};
    return HttpResponse{answer.status, answer.headers, answer.body, {}};
  }
  std::string password() const { return password_.value_or(server_->password()); }

  // Runs one pull and applies what it brought. Only what a checkpoint follows counts.
  Outcome pull() {
    host_.clear();
    auto outcome = host_.run("calendar.pull/1", {{"cursor", cursor_}, {"calendars", {calendar_}}});
    for (std::size_t i = 0; i < host_.durable(); ++i) apply(host_.emitted()[i]);
    if (!host_.checkpoints().empty()) cursor_ = host_.checkpoints().back();
    return outcome;
  }

  void apply(garland::testing::Emitted const& emitted) {
    auto const& record = emitted.record;
    auto const text = [&](char const* member) { return std::string(record.at(member).as_string()); };
    if (emitted.kind == "garland.problem") problems_[text("id")] = text("message");
    if (emitted.kind == "calendar.event" && record.at("deleted").as_bool()) mirror_.erase(text("id"));
    if (emitted.kind == "calendar.event" && !record.at("deleted").as_bool()) {
      ++put_;
      EXPECT_EQ(text("scope"), calendar_);
      mirror_[text("id")] = record.at("data").at("title").as_string().c_str();
      versions_[text("id")] = text("version");
    }
    if (emitted.kind != "garland.listing") return;
    for (auto const& id : record.at("ids").as_array()) listed_.insert(id.as_string().c_str());
    if (!record.at("last").as_bool()) return;
    std::erase_if(mirror_, [this](auto const& item) { return !listed_.contains(item.first); });
    listed_.clear();
  }

  std::set<std::string> titles() const {
    std::set<std::string> result;
    for (auto const& [id, title] : mirror_) result.insert(title);
    return result;
  }

  Outcome upsert(json::value input) {
    input.as_object()["key"] = "key-1";
    return host_.run("calendar.upsert/1", std::move(input));
  }
  Outcome create(std::string const& uid, std::string const& title) {
    return upsert({{"scope", calendar_}, {"data", event(uid, title)}});
  }

  FakeHost host_{&garland_entry_v1,
                 garland::testing::readFile(inSources("/plugins/calendar/caldav/connector.json"))};
  CaldavServer* server_ = nullptr;
  std::string calendar_;
  std::function<std::optional<HttpReply>(HttpRequest const&)> intercept_;
  std::optional<std::string> password_;
  json::value cursor_;
  Mirror mirror_;
  std::map<std::string, std::string> versions_;
  std::map<std::string, std::string> problems_;
  std::set<std::string> listed_;
  std::size_t put_ = 0;
};

TEST_P(Server, IsFoundFromTheServersAddress) {
  auto const health = host_.run("health.check/1");
  ASSERT_TRUE(health.ok()) << health.message;
  EXPECT_THAT(std::string(health.result.at("account").as_string()), HasSubstr("127.0.0.1"));
  auto const found = host_.run("calendar.discover/1");
  ASSERT_TRUE(found.ok()) << found.message;
  std::map<std::string, bool> calendars;
  for (auto const& one : found.result.at("calendars").as_array())
    calendars[one.at("id").as_string().c_str()] = one.at("writable").as_bool();
  ASSERT_TRUE(calendars.contains(calendar_)) << json::serialize(found.result);
  EXPECT_TRUE(calendars[calendar_]);
}

TEST_P(Server, IsFoundFromItsHomeAPrincipalOrACalendar) {
  auto const root = server_->url();
  bool const radicale = GetParam() == ServerKind::radicale;
  for (auto const& url :
       {root + (radicale ? "photographer/" : "user/"), root + (radicale ? "photographer" : "user/calendars/"),
        calendar_, calendar_.substr(0, calendar_.size() - 1), root + "no/such/place/"}) {
    ASSERT_TRUE(host_.open({{"url", url}}).ok());
    auto const found = host_.run("calendar.discover/1");
    ASSERT_TRUE(found.ok()) << url << ": " << found.message;
    EXPECT_THAT(json::serialize(found.result), HasSubstr(calendar_)) << url;
  }
}

TEST_P(Server, BringsWhatIsThereThenOnlyWhatChanged) {
  auto const first = server_->put(calendar_, "a.ics", ics("a", "Anna"));
  server_->put(calendar_, "b.ics", ics("b", "Hochzeit Müller 💐"));
  server_->put(calendar_, "Gr%C3%B6%C3%9Fe%20%26%20Ma%C3%9F%2B1.ics", ics("c", "Names"));
  server_->put(calendar_, "t.ics",
               "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VTODO\r\nUID:t\r\n"
               "DTSTAMP:20260101T000000Z\r\nSUMMARY:Film\r\nEND:VTODO\r\nEND:VCALENDAR\r\n");
  auto outcome = pull();
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(titles(), (std::set<std::string>{"Anna", "Hochzeit Müller 💐", "Names"}));
  EXPECT_THAT(problems_, IsEmpty());

  put_ = 0;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(put_, 0U);
  EXPECT_THAT(host_.emitted(), IsEmpty()); // not even a listing

  server_->put(calendar_, "a.ics", ics("a", "Anna & Paul"));
  server_->put(calendar_, "d.ics", ics("d", "New"));
  server_->remove(calendar_ + "b.ics");
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(put_, 2U);
  EXPECT_EQ(titles(), (std::set<std::string>{"Anna & Paul", "New", "Names"}));
  EXPECT_EQ(mirror_[first], "Anna & Paul");
}

TEST_P(Server, ABadSyncTokenLeadsToAFullListing) {
  server_->put(calendar_, "a.ics", ics("a", "Stays"));
  server_->put(calendar_, "b.ics", ics("b", "Goes"));
  ASSERT_TRUE(pull().ok());
  auto& token = cursor_.at("calendars").at(calendar_).at("token");
  ASSERT_FALSE(token.as_string().empty());
  server_->remove(calendar_ + "b.ics");
  for (auto const* bad :
       {"http://example.com/ns/sync/none", "0123456789abcdef0123456789abcdef01234567", "garbage <&>"}) {
    cursor_.at("calendars").at(calendar_).as_object()["token"] = bad;
    auto const outcome = pull();
    ASSERT_TRUE(outcome.ok()) << bad << ": " << outcome.message;
    EXPECT_EQ(titles(), (std::set<std::string>{"Stays"})) << bad;
    EXPECT_NE(cursor_.at("calendars").at(calendar_).at("token").as_string(), bad);
  }
}

TEST_P(Server, WithoutSyncTokensTagsAreCompared) {
  intercept_ = [](HttpRequest const& request) -> std::optional<HttpReply> {
    if (request.body.find("sync-collection") == std::string::npos) return std::nullopt;
    return HttpResponse{501, {}, "", {}};
  };
  server_->put(calendar_, "a.ics", ics("a", "One"));
  server_->put(calendar_, "b.ics", ics("b", "Two"));
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"One", "Two"}));
  EXPECT_EQ(cursor_.at("calendars").at(calendar_).at("etags").as_object().size(), 2U);
  put_ = 0;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(put_, 0U);
  server_->put(calendar_, "b.ics", ics("b", "Two changed"));
  server_->put(calendar_, "c.ics", ics("c", "Three"));
  server_->remove(calendar_ + "a.ics");
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(put_, 2U);
  EXPECT_EQ(titles(), (std::set<std::string>{"Two changed", "Three"}));
}

TEST_P(Server, AStopAtAnyCheckpointLosesNothing) {
  std::set<std::string> expected;
  std::vector<std::pair<std::string, std::string>> items;
  for (int i = 0; i < 130; ++i) {
    auto const number = std::to_string(1000 + i);
    items.emplace_back(number, ics(number, "Event " + number));
    expected.insert("Event " + number);
  }
  server_->fill(calendar_, items);
  // Three batches and the listing: four checkpoints. Stop behind the first, the second, the third.
  for (std::size_t stop = 1; stop <= 3; ++stop) {
    cursor_ = nullptr;
    mirror_.clear();
    std::size_t seen = 0;
    intercept_ = [&](HttpRequest const& request) -> std::optional<HttpReply> {
      if (request.body.find("calendar-multiget") == std::string::npos || seen++ < stop) return std::nullopt;
      return HttpFailure{};
    };
    if (stop == 3) host_.refuseOutputAfter(130 + 3, GARLAND_E_TRANSIENT);
    EXPECT_EQ(pull().status, GARLAND_E_TRANSIENT);
    host_.refuseOutputAfter(1'000'000, GARLAND_E_TRANSIENT);
    EXPECT_EQ(host_.checkpoints().size(), stop);
    EXPECT_EQ(mirror_.size(), std::min<std::size_t>(stop * 50, 130));
    // Meanwhile one that was fetched changes, one goes and one comes.
    auto const changed = "Changed " + std::to_string(stop);
    ASSERT_TRUE(mirror_.contains(calendar_ + "1000.ics"));
    server_->put(calendar_, "1000.ics", ics("1000", changed));
    auto const added =
        server_->put(calendar_, "0-new.ics", ics("n" + std::to_string(stop), "New " + std::to_string(stop)));
    intercept_ = nullptr;
    put_ = 0;
    ASSERT_TRUE(pull().ok());
    EXPECT_LE(put_, 131 - std::min<std::size_t>(stop * 50, 130)) << "what was done is done again";
    ASSERT_TRUE(pull().ok()); // what changed in between
    auto now = expected;
    now.erase("Event 1000");
    now.insert({changed, "New " + std::to_string(stop)});
    EXPECT_EQ(titles(), now) << stop;
    server_->remove(added);
    server_->put(calendar_, "1000.ics", ics("1000", "Event 1000"));
  }
}

TEST_P(Server, AnItemTheServerFailsToGiveIsReportedAndAskedForAgain) {
  server_->put(calendar_, "a.ics", ics("a", "Good"));
  auto const bad = server_->put(calendar_, "b.ics", ics("b", "Later"));
  bool broken = true;
  intercept_ = [&](HttpRequest const& request) -> std::optional<HttpReply> {
    bool const multiget = request.body.find("calendar-multiget") != std::string::npos;
    if (!broken || (!multiget && request.url != bad)) return std::nullopt;
    return HttpResponse{500, {}, "", {}};
  };
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"Good"}));
  ASSERT_TRUE(problems_.contains(bad));
  EXPECT_THAT(problems_[bad], HasSubstr("500"));
  problems_.clear();
  ASSERT_TRUE(pull().ok());
  EXPECT_TRUE(problems_.contains(bad)); // still, and said again
  broken = false;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"Good", "Later"}));
}

TEST_P(Server, AnItemThatCannotBeReadIsReportedByItsUrl) {
  server_->put(calendar_, "a.ics", ics("a", "Good"));
  auto const bad = server_->put(calendar_, "b.ics", ics("b", "Bad", "RRULE:FREQ=WEEKLY\r\n"));
  intercept_ = [&](HttpRequest const& request) -> std::optional<HttpReply> {
    auto answer = testing::http(request.method, request.url, request.headers, request.body,
                                server_->username(), password());
    answer.body = std::regex_replace(answer.body, std::regex("FREQ=WEEKLY"), "FREQ=OFTEN");
    return HttpResponse{answer.status, answer.headers, answer.body, {}};
  };
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"Good"}));
  ASSERT_TRUE(problems_.contains(bad));
  EXPECT_THAT(problems_[bad], HasSubstr("the RRULE cannot be read"));
  intercept_ = nullptr;
  server_->put(calendar_, "b.ics", ics("b", "Mended"));
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(titles(), (std::set<std::string>{"Good", "Mended"}));
}

TEST_P(Server, AServerThatRefusesMultigetIsAskedOneByOne) {
  intercept_ = [](HttpRequest const& request) -> std::optional<HttpReply> {
    if (request.body.find("calendar-multiget") == std::string::npos) return std::nullopt;
    return HttpResponse{403, {}, "", {}};
  };
  for (int i = 0; i < 60; ++i)
    server_->put(calendar_, std::to_string(i) + ".ics", ics("u" + std::to_string(i), std::to_string(i)));
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(mirror_.size(), 60U);
  for (auto const& [id, version] : versions_) EXPECT_FALSE(version.empty()) << id;
}

TEST_P(Server, AThousandEventsComeInBatches) {
  std::vector<std::pair<std::string, std::string>> items;
  for (int i = 0; i < 1000; ++i)
    items.emplace_back("u" + std::to_string(i), ics("u" + std::to_string(i), "Event " + std::to_string(i)));
  server_->fill(calendar_, items);
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(mirror_.size(), 1000U);
  EXPECT_EQ(host_.emitted("garland.listing").size(), 2U);
  EXPECT_EQ(host_.progress(), (std::pair<std::uint64_t, std::uint64_t>{1000, 1000}));
  EXPECT_LT(host_.requests().size(), 30U);
  EXPECT_EQ(host_.checkpoints().size(), 21U);
}

TEST_P(Server, ACalendarThatVanishedTakesItsEventsAlong) {
  server_->put(calendar_, "a.ics", ics("a", "Anna"));
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(mirror_.size(), 1U);
  server_->remove(calendar_);
  ASSERT_TRUE(pull().ok());
  EXPECT_THAT(mirror_, IsEmpty());
  EXPECT_TRUE(cursor_.at("calendars").as_object().empty());
}

TEST_P(Server, TakesANewEventOnceHoweverOftenItIsTold) {
  auto const first = create("new@example.com", "Größe, \"Maß\"");
  ASSERT_TRUE(first.ok()) << first.message;
  EXPECT_EQ(first.result.at("id").as_string(), calendar_ + "new%40example.com.ics");
  EXPECT_EQ(first.result.at("data"), event("new@example.com", "Größe, \"Maß\""));
  EXPECT_FALSE(first.result.at("version").as_string().empty());
  auto const again = create("new@example.com", "Größe, \"Maß\"");
  ASSERT_TRUE(again.ok()) << again.message;
  EXPECT_EQ(again.result, first.result);
  auto const other = create("new@example.com", "Something else");
  EXPECT_EQ(other.status, GARLAND_E_CONFLICT);
  EXPECT_EQ(other.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(other.detail.at("current"), first.result.at("version"));
  // The pull that follows brings the same event under the same id.
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(mirror_.size(), 1U);
  EXPECT_EQ(versions_.at(first.result.at("id").as_string().c_str()), first.result.at("version").as_string());
}

TEST_P(Server, AUidOfAnyCharactersMakesANameThatTheServerTakes) {
  std::vector<std::string> const uids{"a/b?c=d&e", "../..", ".hidden",
                                      "Größe 💐",  "%2F",   std::string(900, 'x')};
  for (auto const& uid : uids) {
    auto const created = create(uid, "Odd");
    EXPECT_TRUE(created.ok()) << uid << ": " << created.message;
    auto const again = create(uid, "Odd");
    EXPECT_TRUE(again.ok() && again.result == created.result) << uid;
  }
}

TEST_P(Server, AUidThatIsThereUnderAnotherNameIsAConflict) {
  server_->put(calendar_, "other-name.ics", ics("taken", "Theirs"));
  EXPECT_EQ(create("taken", "Ours").status, GARLAND_E_CONFLICT);
}

TEST_P(Server, AChangeKeepsWhatGarlandDoesNotKnow) {
  auto const url = server_->put(calendar_, "a.ics",
                                ics("a", "Before",
                                    "X-STUDIO;X-P=1:keep me\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\n"
                                    "DESCRIPTION:Alarm\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"));
  ASSERT_TRUE(pull().ok());
  auto const changed = upsert({{"id", url}, {"version", versions_[url]}, {"data", event("a", "After")}});
  ASSERT_TRUE(changed.ok()) << changed.message;
  EXPECT_EQ(changed.result.at("data"), event("a", "After"));
  EXPECT_NE(changed.result.at("version").as_string(), versions_[url]);
  auto const stored = server_->get(url);
  EXPECT_THAT(stored, HasSubstr("SUMMARY:After"));
  EXPECT_THAT(stored, HasSubstr("X-STUDIO;X-P=1:keep me"));
  EXPECT_THAT(stored, HasSubstr("TRIGGER:-PT15M"));
}

TEST_P(Server, ARaceThatIsLostIsAConflictAndChangesNothing) {
  auto const url = server_->put(calendar_, "a.ics", ics("a", "Before"));
  ASSERT_TRUE(pull().ok());
  auto const old = versions_[url];
  server_->put(calendar_, "a.ics", ics("a", "Theirs"));
  ASSERT_TRUE(pull().ok());
  for (bool const late : {false, true}) {
    // Late: the other change comes between our look and our write.
    auto const version = late ? versions_[url] : old;
    if (late)
      intercept_ = [&, once = false](HttpRequest const& request) mutable -> std::optional<HttpReply> {
        if (request.method == "PUT" && !std::exchange(once, true))
          server_->put(calendar_, "a.ics", ics("a", "Later"));
        return std::nullopt;
      };
    auto const outcome = upsert({{"id", url}, {"version", version}, {"data", event("a", "Ours")}});
    EXPECT_EQ(outcome.status, GARLAND_E_CONFLICT);
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
    EXPECT_FALSE(outcome.detail.at("current").as_string().empty());
    EXPECT_NE(outcome.detail.at("current").as_string(), version);
    EXPECT_THAT(server_->get(url), HasSubstr(late ? "SUMMARY:Later" : "SUMMARY:Theirs"));
  }
  auto const deleted = host_.run("calendar.delete/1", {{"key", "k"}, {"id", url}, {"version", old}});
  EXPECT_EQ(deleted.status, GARLAND_E_CONFLICT);
  EXPECT_THAT(server_->get(url), HasSubstr("SUMMARY:Later"));
}

TEST_P(Server, ADeletionIsASuccessAlsoTheSecondTime) {
  auto const url = server_->put(calendar_, "a.ics", ics("a", "Goes"));
  ASSERT_TRUE(pull().ok());
  for (int i = 0; i < 2; ++i) {
    auto const outcome =
        host_.run("calendar.delete/1", {{"key", "k"}, {"id", url}, {"version", versions_[url]}});
    EXPECT_TRUE(outcome.ok()) << outcome.message;
  }
  ASSERT_TRUE(pull().ok());
  EXPECT_THAT(mirror_, IsEmpty());
}

TEST_P(Server, AnAnswerThatIsLostIsNeverReportedAsNotApplied) {
  intercept_ = [this](HttpRequest const& request) -> std::optional<HttpReply> {
    if (request.method != "PUT") return std::nullopt;
    testing::http(request.method, request.url, request.headers, request.body, server_->username(),
                  password());
    return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "the connection was reset"};
  };
  auto const lost = create("lost", "Event");
  EXPECT_EQ(lost.status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(lost.effect, GARLAND_EFFECT_UNKNOWN);
  intercept_ = nullptr;
  auto const again = create("lost", "Event");
  EXPECT_TRUE(again.ok()) << again.message;
}

TEST_P(Server, GarbageIsRefusedByTheServerAndTold) {
  intercept_ = [this](HttpRequest const& request) -> std::optional<HttpReply> {
    if (request.method != "PUT") return std::nullopt;
    auto const answer = testing::http(request.method, request.url, request.headers, "garbage",
                                      server_->username(), password());
    return HttpResponse{answer.status, answer.headers, answer.body, {}};
  };
  auto const outcome = create("garbage", "Event");
  EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT) << outcome.message;
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
}

TEST_P(Server, AWrongPasswordAsksTheVendorToConnectAgain) {
  if (GetParam() == ServerKind::xandikos) GTEST_SKIP() << "skipped: Xandikos has no passwords";
  password_ = "wrong";
  for (auto const* operation : {"health.check/1", "calendar.discover/1"}) {
    auto const outcome = host_.run(operation);
    EXPECT_EQ(outcome.status, GARLAND_E_AUTH_REVOKED);
    EXPECT_EQ(outcome.http_status, 401);
    EXPECT_THAT(outcome.message, HasSubstr("does not accept the user name and password"));
  }
}

TEST_P(Server, AServerThatGoesDownInTheMiddleIsGoneOnWithLater) {
  for (int i = 0; i < 60; ++i)
    server_->put(calendar_, std::to_string(i) + ".ics", ics("u" + std::to_string(i), std::to_string(i)));
  intercept_ = [this, seen = 0](HttpRequest const& request) mutable -> std::optional<HttpReply> {
    if (request.body.find("calendar-multiget") != std::string::npos && seen++ == 1) server_->kill();
    return std::nullopt;
  };
  auto const outcome = pull();
  EXPECT_EQ(outcome.status, GARLAND_E_TRANSIENT) << outcome.message;
  EXPECT_EQ(mirror_.size(), 50U);
  intercept_ = nullptr;
  server_->restart();
  put_ = 0;
  ASSERT_TRUE(pull().ok());
  EXPECT_EQ(put_, 10U);
  EXPECT_EQ(mirror_.size(), 60U);
}

INSTANTIATE_TEST_SUITE_P(Real, Server, ::testing::Values(ServerKind::radicale, ServerKind::xandikos),
                         [](auto const& info) { return std::string(testing::name(info.param)); });

} // namespace
} // namespace garland::caldav
