// Resources as data: every way of paging, of telling what changed, and of writing once.
#define GARLAND_CONNECTOR_ID "test.rest"
#define GARLAND_CONNECTOR_VERSION "1.0.0"

#include <garland/sdk/connector.hpp>
#include <garland/sdk/rest.hpp>
#include <garland/testing/fake_host.hpp>

#include <gmock/gmock.h>

namespace garland::sdk::rest {
namespace {

namespace fake = garland::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto manifest = R"({
  "manifest": 1, "id": "test.rest", "name": "Rest", "version": "1.0.0", "category": "crm", "summary": "A test.",
  "operations": ["test.pull/1", "test.create/1", "test.update/1"],
  "auth": [{"slot": "key", "scheme": "bearer", "fields": ["token"]}], "hosts": ["api.example.com"]
})";

constexpr std::string_view read_only[] = {"id", "total"};
constexpr Resource plain{.path = "things"};
constexpr errors::DelayHeader resets[] = {{"ratelimit-reset", errors::DelayHeader::Form::seconds}};
constexpr errors::Mapper counted{.delays = resets, .left = "ratelimit-remaining"};

// By name, for the operations' inputs.
Resource resourceOf(std::string const& name) {
  auto resource = plain;
  resource.writing.read_only = read_only;
  if (name == "number") resource.paging = PageNumber{.per_page = 2};
  if (name == "last") resource.paging = PageNumber{.per_page = 2, .last = "/pages"};
  if (name == "offset") resource.paging = Offset{.per_page = 2};
  if (name == "cursor") resource.paging = Cursor{};
  if (name == "link") resource.paging = NextLink{};
  if (name == "header") resource.paging = LinkHeader{};
  if (name == "after") resource.paging = StartingAfter{.per_page = 2};
  if (name == "since") {
    resource.paging = Cursor{};
    resource.changes = Since{"updated_after"};
  }
  if (name == "token") {
    resource.paging = Cursor{};
    resource.changes = SyncToken{};
  }
  if (name == "delta") {
    resource.paging = NextLink{};
    resource.changes = DeltaLink{};
  }
  if (name == "log") {
    resource.paging = StartingAfter{.per_page = 2};
    resource.changes = EventLog{.per_page = 2};
  }
  if (name == "now") {
    resource.paging = StartingAfter{.per_page = 2};
    resource.changes =
        EventLog{.per_page = 2, .read_again = true, .since = "created", .keeps = std::chrono::hours(24)};
  }
  if (name == "recent" || name == "again" || name == "late") {
    resource.paging = StartingAfter{.per_page = 2};
    Recent recent{.created = "/made", .window = std::chrono::hours(1), .read_again = name == "again"};
    if (name == "late") recent.late = std::chrono::hours(3);
    resource.changes = recent;
    if (name == "again") resource.errors = counted;
  }
  if (name == "keyed") resource.writing.idempotency = HeaderKey{.longest = 30};
  if (name == "form") {
    resource.writing = {.body = BodyForm::form, .update = "POST", .whole = false, .read_only = read_only};
    resource.writing.idempotency = BodyKey{.member = "/meta/key"};
  }
  return resource;
}

struct Input {
  std::string resource;
  std::optional<json::value> cursor;
  std::optional<std::string> key;
  std::optional<json::object> before;
  std::optional<json::object> data;
};
GARLAND_RECORD(Input, resource, cursor, key, before, data)

class Log final : public Receiver {
public:
  explicit Log(Call& call) : call_(call) {}
  void take(json::value const& record) override {
    auto const id = textOr(record, "/id");
    if (id.empty()) return problem(id, Failure(Kind::providerBug, "no id"));
    json::object note{{"id", id}, {"version", ""}, {"scope", ""}, {"deleted", false}};
    note["data"] = {{"text", "x"}};
    call_.emit("crm.note", note);
  }
  void problem(std::string_view id, Failure const& failure) override { call_.problem(id, failure); }
  void listing(std::vector<std::string> const& ids, bool last) override {
    json::object part{{"scope", ""}, {"last", last}};
    part["ids"] = json::array(ids.begin(), ids.end());
    call_.emit("garland.listing", part);
  }
  void checkpoint(json::value const& cursor) override { call_.checkpoint(cursor); }

private:
  Call& call_;
};

class Rest final : public Connector {
public:
  void pull(Account& account, Input const& input, Call& call) {
    account.setBase("https://api.example.com/v1/");
    Log log(call);
    rest::pull(account, resourceOf(input.resource), input.cursor.value_or(nullptr), log);
  }
  json::value create(Account& account, Input const& input) {
    account.setBase("https://api.example.com/v1/");
    return rest::create(account, resourceOf(input.resource), *input.data, *input.key);
  }
  void update(Account& account, Input const& input) {
    account.setBase("https://api.example.com/v1/");
    rest::update(account, resourceOf(input.resource), "a b", *input.before, *input.data,
                 input.key.value_or(""));
  }
  static std::span<OperationEntry const> operations() {
    static constexpr OperationEntry table[] = {operation<&Rest::pull>("test.pull/1"),
                                               operation<&Rest::create>("test.create/1"),
                                               operation<&Rest::update>("test.update/1")};
    return table;
  }
};

} // namespace
using RestConnector = Rest;
} // namespace garland::sdk::rest
GARLAND_CONNECTOR(garland::sdk::rest::RestConnector)

namespace garland::sdk::rest {
namespace {

class RestTest : public ::testing::Test {
protected:
  void reply(std::string const& path_and_query, std::string const& body, fake::HeaderList headers = {},
             int status = 200) {
    host.expect("GET", "https://api.example.com/v1/" + path_and_query,
                fake::HttpResponse{status, std::move(headers), body, {}});
  }
  fake::Outcome pull(std::string const& resource) {
    host.clear();
    auto outcome = host.run("test.pull/1", {{"resource", resource}, {"cursor", cursor}});
    if (!host.checkpoints().empty()) cursor = host.checkpoints().back();
    return outcome;
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (auto const& record : host.emitted("crm.note")) out.emplace_back(record.at("id").as_string());
    return out;
  }
  static std::string items(std::string const& list, std::string const& more = {}) {
    std::string text = "{\"items\": [";
    for (char const id : list)
      text += (text.ends_with('[') ? "{\"id\": \"" : ", {\"id\": \"") + std::string(1, id) + "\"}";
    return text + "]" + (more.empty() ? "" : ", " + more) + "}";
  }

  fake::FakeHost host{&garland_entry_v1, manifest};
  json::value cursor;
};

TEST_F(RestTest, EveryWayOfPagingIsReadToItsEnd) {
  reply("things?page=1&pageSize=2", items("ab"));
  reply("things?page=2&pageSize=2", items("c"));
  EXPECT_TRUE(pull("number").ok());
  EXPECT_THAT(ids(), ElementsAre("a", "b", "c"));

  reply("things?page=1&pageSize=2", items("ab", "\"pages\": 2"));
  reply("things?page=2&pageSize=2", items("cd", "\"pages\": 2"));
  EXPECT_TRUE(pull("last").ok());
  EXPECT_EQ(ids().size(), 4U);

  reply("things?offset=0&limit=2", items("ab"));
  reply("things?offset=2&limit=2", items("cd"));
  reply("things?offset=4&limit=2", items(""));
  EXPECT_TRUE(pull("offset").ok());
  EXPECT_EQ(ids().size(), 4U);

  reply("things", items("ab", "\"next_cursor\": \"c 1\""));
  reply("things?cursor=c%201", items("", "\"next_cursor\": \"c2\"")); // an empty page is not the last one
  reply("things?cursor=c2", items("c", "\"next_cursor\": \"\""));
  EXPECT_TRUE(pull("cursor").ok());
  EXPECT_EQ(ids().size(), 3U);

  reply("things", items("ab", "\"next\": \"https://api.example.com/v1/more?x=1\""));
  reply("more?x=1", items("c", "\"next\": null"));
  EXPECT_TRUE(pull("link").ok());
  EXPECT_EQ(ids().size(), 3U);

  reply("things", items("ab"), {{"link", "</v1/things?p=0>; rel=\"prev\", </v1/things?p=2>; rel=\"next\""}});
  reply("things?p=2", items("c"), {{"Link", "</v1/things?p=1>; rel=\"prev\""}});
  EXPECT_TRUE(pull("header").ok());
  EXPECT_EQ(ids().size(), 3U);

  reply("things?limit=2", items("ab", "\"has_more\": true"));
  reply("things?starting_after=b&limit=2", items("c", "\"has_more\": false"));
  EXPECT_TRUE(pull("after").ok());
  EXPECT_EQ(ids().size(), 3U);
}

TEST_F(RestTest, PagesThatLeadInACircleEndThePull) {
  reply("things", items("ab", "\"next_cursor\": \"1\""));
  reply("things?cursor=1", items("cd", "\"next_cursor\": \"2\""));
  reply("things?cursor=2", items("ef", "\"next_cursor\": \"1\""));
  auto outcome = pull("cursor");
  EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG);
  EXPECT_THAT(outcome.message, HasSubstr("in a circle"));
  cursor = nullptr;
  // The page before once more may be a stale answer: it is asked for again.
  for (int const page : {1, 2, 2}) reply("things?page=" + std::to_string(page) + "&pageSize=2", items("ab"));
  EXPECT_THAT(pull("number").message, HasSubstr("in a circle"));
  cursor = nullptr;
  reply("things", items("a", "\"next\": \"https://evil.example.net/\""));
  EXPECT_EQ(pull("link").status, GARLAND_E_FORBIDDEN); // the host looks where a link leads
}

TEST_F(RestTest, AStoppedListGoesOnAtItsPage) {
  reply("things", items("ab", "\"next_cursor\": \"1\""));
  reply("things?cursor=1", "", {}, 503);
  EXPECT_EQ(pull("cursor").status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(host.durable(), 3U);
  reply("things?cursor=1", items("c"));
  EXPECT_TRUE(pull("cursor").ok());
  EXPECT_THAT(ids(), ElementsAre("c"));
  EXPECT_THAT(host.emitted("garland.listing"), IsEmpty()); // what was listed before is not known here
}

TEST_F(RestTest, AListWithARecordWhoseIdCannotBeReadTellsOfNoDeletions) {
  reply("things", R"({"items": [{"id": "a"}, {"id": 1.5}], "next_cursor": "1"})");
  reply("things?cursor=1", items("c"));
  EXPECT_TRUE(pull("cursor").ok());
  EXPECT_THAT(host.emitted("garland.listing"), IsEmpty());
}

TEST_F(RestTest, AFilterAsksFromTheProvidersOwnClockOn) {
  reply("things", items("a", "\"next_cursor\": \"1\""), {{"Date", "Thu, 01 Jan 2026 10:00:00 GMT"}});
  reply("things?cursor=1", items("b"), {{"Date", "Thu, 01 Jan 2026 11:00:00 GMT"}});
  EXPECT_TRUE(pull("since").ok());
  reply("things?updated_after=2026-01-01T09%3A58%3A00Z", items("c"));
  EXPECT_TRUE(pull("since").ok());
  EXPECT_THAT(ids(), ElementsAre("c"));
}

TEST_F(RestTest, ATokenThatIsRefusedLeadsToAFullPull) {
  reply("things", items("ab", "\"nextSyncToken\": \"t1\""));
  EXPECT_TRUE(pull("token").ok());
  EXPECT_EQ(host.emitted("garland.listing").size(), 2U);
  reply("things?syncToken=t1", items("c", "\"nextSyncToken\": \"t2\""));
  EXPECT_TRUE(pull("token").ok());
  EXPECT_THAT(ids(), ElementsAre("c"));
  EXPECT_THAT(host.emitted("garland.listing"), IsEmpty());
  reply("things?syncToken=t2", "", {}, 410);
  reply("things", items("ac", "\"nextSyncToken\": \"t3\""));
  EXPECT_TRUE(pull("token").ok());
  EXPECT_THAT(ids(), ElementsAre("a", "c"));
  EXPECT_EQ(host.emitted("garland.listing").size(), 2U);
  reply("things?syncToken=t3", "", {}, 500);
  EXPECT_EQ(pull("token").status, GARLAND_E_TRANSIENT);
}

TEST_F(RestTest, ADeltaLinkIsFollowed) {
  reply("things", items("a", "\"@odata.deltaLink\": \"https://api.example.com/v1/d?t=1\""));
  EXPECT_TRUE(pull("delta").ok());
  reply("d?t=1", items("b", "\"next\": \"https://api.example.com/v1/d?t=2\""));
  reply("d?t=2", items("c", "\"@odata.deltaLink\": \"https://api.example.com/v1/d?t=3\""));
  EXPECT_TRUE(pull("delta").ok());
  EXPECT_THAT(ids(), ElementsAre("b", "c"));
  reply("d?t=3", items(""));
  EXPECT_THAT(pull("delta").message, HasSubstr("/@odata.deltaLink: is missing"));
}

std::string events(std::string const& list, bool more) {
  std::string text = "{\"data\": [";
  for (char const id : list)
    text += std::string(text.ends_with('[') ? "" : ", ") + "{\"id\": \"e" + id +
            "\", \"data\": {\"object\": {\"id\": \"" + id + "\"}}}";
  return text + "], \"has_more\": " + (more ? "true" : "false") + "}";
}

// A list with the newest first; each was made at this hour and minute.
std::string made(std::vector<std::pair<char, std::string>> const& list, bool more) {
  json::array items;
  for (auto const& [id, time] : list)
    items.push_back(json::object{{"id", std::string(1, id)}, {"made", "2026-01-01 " + time + ":00+00"}});
  return json::serialize(json::object{{"items", items}, {"has_more", more}});
}

TEST_F(RestTest, OfRecentRecordsOnlyThoseThatMayHaveChangedAreReadAgain) {
  reply("things?limit=2", made({{'d', "12:00"}, {'c', "11:30"}}, true));
  reply("things?starting_after=c&limit=2", made({{'b', "10:59"}, {'a', "10:00"}}, false));
  EXPECT_TRUE(pull("recent").ok());
  EXPECT_THAT(ids(), ElementsAre("d", "c", "b", "a"));
  EXPECT_THAT(host.emitted("garland.listing"), IsEmpty()) << "deletions are not seen";

  reply("things?limit=2", made({{'e', "12:30"}, {'d', "12:00"}}, true));
  reply("things?starting_after=d&limit=2", made({{'c', "11:30"}, {'b', "10:59"}}, true));
  EXPECT_TRUE(pull("recent").ok());
  EXPECT_THAT(ids(), ElementsAre("e", "d", "c")) << "b was made more than an hour before d";
  reply("things?limit=2", made({}, false));
  EXPECT_TRUE(pull("recent").ok());
  reply("things?limit=2", made({{'e', "12:30"}, {'b', "10:59"}}, true));
  EXPECT_TRUE(pull("recent").ok());
  EXPECT_THAT(ids(), ElementsAre("e")) << "an empty list forgets nothing";
}

TEST_F(RestTest, AListOfRecentRecordsThatStoppedGoesOnOrBeginsAnew) {
  reply("things?limit=2", made({{'d', "12:00"}, {'c', "11:30"}}, true));
  reply("things?starting_after=c&limit=2", "", {}, 503);
  EXPECT_EQ(pull("recent").status, GARLAND_E_TRANSIENT);
  reply("things?starting_after=c&limit=2", "", {}, 404); // c is gone
  EXPECT_EQ(pull("recent").status, GARLAND_E_NOT_FOUND);
  reply("things?limit=2", made({{'d', "12:00"}, {'b', "10:00"}}, true));
  reply("things?starting_after=b&limit=2", "", {}, 503);
  EXPECT_EQ(pull("recent").status, GARLAND_E_TRANSIENT);
  EXPECT_THAT(ids(), ElementsAre("d", "b"));
  reply("things?starting_after=b&limit=2", made({{'a', "09:00"}}, false));
  EXPECT_TRUE(pull("recent").ok());
  reply("things?limit=2", made({{'d', "12:00"}, {'b', "10:00"}}, true));
  EXPECT_TRUE(pull("recent").ok());
  EXPECT_THAT(ids(), ElementsAre("d"));
}

TEST_F(RestTest, WhatComesTooFastWaitsAsLongAsItIsTold) {
  auto const refuse = [&](std::string const& path, std::chrono::seconds wait) {
    host.expect("GET", "https://api.example.com/v1/" + path, fake::HttpResponse{429, {}, "", wait});
  };
  refuse("things?limit=2", std::chrono::seconds(2));
  reply("things?limit=2", made({{'b', "12:00"}, {'a', "11:00"}}, false));
  reply("things/b", R"({"id": "b", "made": "2026-01-01T12:00:00Z"})");
  refuse("things/a", std::chrono::seconds(1));
  reply("things/a", "", {}, 404); // gone by now: it stays as the list had it
  EXPECT_TRUE(pull("again").ok());
  EXPECT_THAT(ids(), ElementsAre("b", "a"));
  EXPECT_EQ(host.slept(), std::chrono::seconds(3));
  refuse("things?limit=2", std::chrono::seconds(60)); // that is for the host to wait
  EXPECT_EQ(pull("again").status, GARLAND_E_RATE_LIMITED);
}

TEST_F(RestTest, WhereTheProviderCountsNothingIsSentThatItWouldRefuse) {
  auto const left = [](std::string count, std::string seconds) {
    return fake::HeaderList{{"ratelimit-remaining", std::move(count)},
                            {"ratelimit-reset", std::move(seconds)}};
  };
  reply("things?limit=2", made({{'c', "12:00"}, {'b', "11:59"}}, true), left("0", "2"));
  reply("things/c", R"({"id": "c", "made": "2026-01-01T12:00:00Z"})", left("1", "1"));
  reply("things/b", R"({"id": "b", "made": "2026-01-01T11:59:00Z"})", left("0", "1"));
  reply("things?starting_after=b&limit=2", made({{'a', "11:58"}}, false),
        left("0", "60")); // too long to wait
  reply("things/a", R"({"id": "a", "made": "2026-01-01T11:58:00Z"})", left("0", "1"));
  EXPECT_TRUE(pull("again").ok());
  EXPECT_THAT(ids(), ElementsAre("c", "b", "a"));
  EXPECT_EQ(host.slept(), std::chrono::seconds(3)) << "after the last there is nothing to wait for";
}

TEST_F(RestTest, ARecordThatAloneCannotBeReadAgainIsToldAndTheRestGoesOn) {
  auto const told = [&] {
    std::vector<std::string> out;
    for (auto const& problem : host.emitted("garland.problem"))
      out.emplace_back(problem.at("id").as_string());
    return out;
  };
  auto const record = [](char id) { return "{\"id\": \"" + std::string(1, id) + "\"}"; };
  reply("things?limit=2", made({{'d', "12:00"}, {'c', "11:50"}}, true));
  reply("things/d", "", {}, 500);
  reply("things/c", record('c'));
  reply("things?starting_after=c&limit=2", made({{'b', "11:40"}, {'a', "11:30"}}, false));
  reply("things/b", "<html></html>");
  reply("things/a", "{}", {}, 403);
  EXPECT_TRUE(pull("again").ok());
  EXPECT_THAT(ids(), ElementsAre("c"));
  EXPECT_THAT(told(), ElementsAre("d", "b", "a"));

  auto const before = cursor;
  reply("things?limit=2", made({{'f', "12:20"}, {'e', "12:10"}}, false));
  reply("things/f", "", {}, 500);
  reply("things/e", "", {}, 503);
  EXPECT_EQ(pull("again").status, GARLAND_E_TRANSIENT) << "that is an outage";
  EXPECT_EQ(cursor, before);
}

TEST_F(RestTest, WhatWasReadByItsIdIsNotReadAgainWhenAPullEndsInTheMiddleOfAPage) {
  reply("things?limit=2", made({{'c', "12:00"}, {'b', "11:50"}}, true));
  reply("things/c", R"({"id": "c"})");
  reply("things/b", "", {}, 401);
  EXPECT_FALSE(pull("again").ok());
  EXPECT_THAT(ids(), ElementsAre("c"));
  reply("things?starting_after=c&limit=2", made({{'b', "11:50"}, {'a', "11:40"}}, false));
  reply("things/b", R"({"id": "b"})");
  reply("things/a", R"({"id": "a"})");
  EXPECT_TRUE(pull("again").ok());
  EXPECT_THAT(ids(), ElementsAre("b", "a"));
}

TEST_F(RestTest, AListThatHoldsNoObjectsIsNoListOfRecords) {
  reply("things?limit=2", R"({"items": [0, 0, 0], "has_more": false})");
  EXPECT_EQ(pull("recent").status, GARLAND_E_PROVIDER_BUG);
  EXPECT_THAT(host.emitted("garland.problem"), IsEmpty());
}

TEST_F(RestTest, WhatChangesLateIsReadOnceADay) {
  auto const both = [&](bool deep) {
    reply("things?limit=2", made({{'b', "12:00"}, {'a', "10:30"}}, true));
    if (deep) reply("things?starting_after=a&limit=2", made({{'0', "08:30"}}, false));
    EXPECT_TRUE(pull("late").ok());
  };
  both(true);
  EXPECT_THAT(ids(), ElementsAre("b", "a", "0"));
  both(false);
  EXPECT_THAT(ids(), ElementsAre("b"));
  host.advance(std::chrono::hours(24));
  both(true);
  EXPECT_THAT(ids(), ElementsAre("b", "a")) << "made more than three hours before b";
  both(false);
  EXPECT_THAT(ids(), ElementsAre("b"));
}

TEST_F(RestTest, AnEventLogIsReadFromTheOldestOn) {
  reply("events?limit=1", events("b", true));
  reply("things?limit=2", items("ab", "\"has_more\": false"));
  EXPECT_TRUE(pull("log").ok());
  EXPECT_THAT(ids(), ElementsAre("a", "b"));
  reply("events?ending_before=eb&limit=2", events("dc", true));
  reply("events?ending_before=ed&limit=2", events("e", false));
  EXPECT_TRUE(pull("log").ok());
  EXPECT_THAT(ids(), ElementsAre("c", "d", "e"));
  reply("events?ending_before=ee&limit=2", events("", false));
  EXPECT_TRUE(pull("log").ok());
  EXPECT_THAT(ids(), IsEmpty());
  reply("events?ending_before=ee&limit=2", events("", true)); // more of nothing
  EXPECT_TRUE(pull("log").ok());
  reply("events?ending_before=ee&limit=2", "{}", {}, 404);
  reply("events?limit=1", events("z", true));
  reply("things?limit=2", items("z", "\"has_more\": false"));
  EXPECT_TRUE(pull("log").ok());
  EXPECT_THAT(ids(), ElementsAre("z"));
}

TEST_F(RestTest, WhatAFilterOrATokenBringsWithoutAnIdIsAskedForAgain) {
  auto const nameless = R"({"items": [{"text": "b"}, {"id": "c"}], "nextSyncToken": "t2"})";
  reply("things", nameless, {{"Date", "Thu, 01 Jan 2026 10:00:00 GMT"}});
  EXPECT_TRUE(pull("since").ok());
  EXPECT_EQ(host.emitted("garland.problem").size(), 1U);
  reply("things", items("bc"), {{"Date", "Thu, 01 Jan 2026 11:00:00 GMT"}});
  EXPECT_TRUE(pull("since").ok());
  EXPECT_THAT(ids(), ElementsAre("b", "c"));
  reply("things?updated_after=2026-01-01T10%3A58%3A00Z", items(""));
  EXPECT_TRUE(pull("since").ok());

  cursor = nullptr;
  reply("things", items("a", "\"nextSyncToken\": \"t1\""));
  EXPECT_TRUE(pull("token").ok());
  reply("things?syncToken=t1", nameless);
  EXPECT_TRUE(pull("token").ok());
  EXPECT_EQ(host.emitted("garland.problem").size(), 1U);
  reply("things?syncToken=t1", items("bc", "\"nextSyncToken\": \"t2\""));
  EXPECT_TRUE(pull("token").ok());
  EXPECT_THAT(ids(), ElementsAre("b", "c"));
  reply("things?syncToken=t2", items("", "\"nextSyncToken\": \"t3\""));
  EXPECT_TRUE(pull("token").ok());
}

TEST_F(RestTest, ARecentRecordWithoutAnIdIsReadBackToHoweverOldItIs) {
  reply("things?limit=2", R"({"items": [{"id": "c", "made": "2026-01-01T15:00:00Z"},
                                        {"made": "2026-01-01T12:00:00Z"}], "has_more": false})");
  EXPECT_TRUE(pull("recent").ok());
  EXPECT_EQ(host.emitted("garland.problem").size(), 1U);
  for (int i = 0; i < 2; ++i) {
    reply("things?limit=2", made({{'c', "15:00"}, {'b', "12:00"}}, false));
    EXPECT_TRUE(pull("recent").ok());
    EXPECT_EQ(ids().size(), i == 0 ? 2U : 1U);
  }
}

TEST_F(RestTest, AnEventOfWhichTheRecordHasNoIdComesAgain) {
  auto const begin = [&](std::string const& list) {
    reply("events?limit=1", events("b", false));
    reply("things?limit=2", list);
    EXPECT_TRUE(pull("log").ok());
  };
  begin(R"({"items": [{"text": "a"}]})"); // the list that comes before the log
  begin(items("a"));
  for (auto const* event : {R"({"id": "ec", "data": {"object": {}}})", R"({"id": "ec"})"}) {
    reply("events?ending_before=eb&limit=2", R"({"data": [{"id": "ed", "data": {"object": {"id": "d"}}}, )" +
                                                 std::string(event) + R"(], "has_more": true})");
    reply("events?ending_before=ed&limit=2", events("e", false));
    EXPECT_TRUE(pull("log").ok());
    EXPECT_THAT(ids(), ElementsAre("d", "e"));
    EXPECT_EQ(host.emitted("garland.problem").size(), 1U);
  }
  reply("events?ending_before=eb&limit=2", events("dc", true));
  reply("events?ending_before=ed&limit=2", events("e", false));
  EXPECT_TRUE(pull("log").ok());
  EXPECT_THAT(ids(), ElementsAre("c", "d", "e"));
  reply("events?ending_before=ee&limit=2", events("", false));
  EXPECT_TRUE(pull("log").ok());
}

TEST_F(RestTest, RecordsOfALogMayBeReadAgainAsTheyAreNow) {
  reply("events?limit=1", events("a", false));
  reply("things?limit=2", items("a", "\"has_more\": false"));
  EXPECT_TRUE(pull("now").ok());
  // Two events of one record; one that is gone stays as its event had it.
  reply("events?ending_before=ea&limit=2", events("bb", true));
  reply("things/b", R"({"id": "B"})");
  reply("events?ending_before=eb&limit=2", events("c", false));
  reply("things/c", "{}", {}, 404);
  EXPECT_TRUE(pull("now").ok());
  EXPECT_THAT(ids(), ElementsAre("B", "c"));
  // Longer away than the log reaches back.
  host.advance(std::chrono::hours(24));
  reply("events?limit=1", events("z", true));
  reply("things?limit=2", items("z", "\"has_more\": false"));
  EXPECT_TRUE(pull("now").ok());
  EXPECT_THAT(ids(), ElementsAre("z"));
}

TEST_F(RestTest, AnEmptyLogIsAskedByTime) {
  auto const began = [&] {
    reply("events?limit=1", events("", false));
    reply("things?limit=2", items("a", "\"has_more\": false"));
    EXPECT_TRUE(pull("now").ok());
  };
  began();
  host.advance(std::chrono::hours(1));
  reply("events?created=1767225300&limit=2",
        events("", false)); // five minutes before, for clocks that differ
  EXPECT_TRUE(pull("now").ok());
  reply("events?created=1767228900&limit=2", events("b", false));
  reply("things/b", R"({"id": "b"})");
  EXPECT_TRUE(pull("now").ok());
  EXPECT_THAT(ids(), ElementsAre("b"));
  reply("events?ending_before=eb&limit=2", events("", false));
  EXPECT_TRUE(pull("now").ok());

  // More than a page: what lies before it is not known.
  cursor = nullptr;
  host.advance(-std::chrono::hours(1));
  began();
  reply("events?created=1767225300&limit=2", events("dc", true));
  reply("events?limit=1", events("d", true));
  reply("things?limit=2", items("cd", "\"has_more\": false"));
  EXPECT_TRUE(pull("now").ok());
  EXPECT_THAT(ids(), ElementsAre("c", "d"));
}

TEST_F(RestTest, AKeyGoesWhereTheTableSays) {
  host.serve([](fake::HttpRequest const&) -> fake::HttpReply {
    return fake::HttpResponse{201, {}, R"({"id": "new"})", {}};
  });
  json::object const data{{"name", "a"}};
  std::string const long_key(200, 'k');
  EXPECT_TRUE(host.run("test.create/1", {{"resource", "keyed"}, {"key", long_key}, {"data", data}}).ok());
  auto const sent = host.requests().back().idempotency_key; // the host makes the header of it
  EXPECT_EQ(sent.size(), 30U);
  EXPECT_EQ(sent, shortKey(long_key, 30));
  EXPECT_NE(sent, shortKey(long_key + "k", 30));
  EXPECT_TRUE(host.run("test.create/1", {{"resource", "form"}, {"key", "k 1"}, {"data", data}}).ok());
  EXPECT_EQ(host.requests().back().body, "name=a&meta[key]=k%201");
  EXPECT_EQ(host.requests().back().header("content-type"), "application/x-www-form-urlencoded");
}

TEST_F(RestTest, AnUpdateSendsTheWholeOrWhatChanges) {
  host.serve(
      [](fake::HttpRequest const&) -> fake::HttpReply { return fake::HttpResponse{200, {}, "{}", {}}; });
  json::object const before{{"id", "a"}, {"name", "old"}, {"other", 1}, {"total", 5}};
  json::object after = before;
  after["name"] = "new";
  EXPECT_TRUE(host.run("test.update/1", {{"resource", "plain"}, {"before", before}, {"data", after}}).ok());
  EXPECT_EQ(host.requests().back().method, "PUT");
  EXPECT_EQ(host.requests().back().url, "https://api.example.com/v1/things/a%20b");
  EXPECT_EQ(json::parse(host.requests().back().body), json::value({{"name", "new"}, {"other", 1}}));
  EXPECT_TRUE(host.run("test.update/1", {{"resource", "form"}, {"before", before}, {"data", after}}).ok());
  EXPECT_EQ(host.requests().back().method, "POST");
  EXPECT_EQ(host.requests().back().body, "name=new");
  after = before;
  after["total"] = 6; // not ours to change
  EXPECT_TRUE(host.run("test.update/1", {{"resource", "plain"}, {"before", before}, {"data", after}}).ok());
  EXPECT_EQ(host.requests().size(), 2U);
}

} // namespace
} // namespace garland::sdk::rest
