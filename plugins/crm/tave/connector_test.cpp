// The connector against a studio in memory: what is read and written, and how it fails.
#include "fixture.h"

#include "tables.h"
#include "tests/places/places.h"

#include <set>

namespace garland::tave {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpFailure;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using ::testing::IsEmpty;

json::value parsed(char const* text) { return json::parse(text); }

class Tave : public TaveTest {
protected:
  // Answers requests of which the URL has `part`.
  void answer(std::string const& part, HttpReply const& reply) {
    studio.instead = [=](HttpRequest const& request) -> ScriptedStudio::Reply {
      if (request.url.find(part) == std::string::npos) return std::nullopt;
      return reply;
    };
  }
  // Carries out the first request of this method, and loses its answer.
  void loseAnswer(std::string const& method) {
    studio.instead = [this, method](HttpRequest const& request) -> ScriptedStudio::Reply {
      if (request.method != method) return std::nullopt;
      studio.instead = nullptr;
      studio.serve(request);
      return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "the connection was lost"};
    };
  }
  json::object stored(std::string const& list) { return studio.lists.at(list).begin()->second; }
};

TEST_F(Tave, TheHealthCheckNamesTheStudio) {
  auto const outcome = host.run("health.check/1");
  EXPECT_EQ(outcome.result, json::value({{"account", "Barn Studio"}}));
  EXPECT_EQ(host.requests().front().url, "https://workspace.vsco.co/api/v2/studio/me");
  EXPECT_EQ(host.requests().front().credential_slot, "key");
}

TEST_F(Tave, AnotherAddressMayBeSet) {
  open({{"url", "http://127.0.0.1:8080/api/v2"}});
  host.expect("GET", "http://127.0.0.1:8080/api/v2/studio/me", jsonAnswer(200, {{"name", "Twin"}}));
  EXPECT_EQ(host.run("health.check/1").result, json::value({{"account", "Twin"}}));
}

TEST_F(Tave, ContactsOfAllKindsAreRead) {
  open({{"calling_code", "1"}});
  studio.put("address-book", parsed(R"({"kind": "person", "firstName": "Anna Maria", "lastName": "Berg",
      "email": " Anna@Example.COM ", "cellPhone": "(555) 010-0199", "workPhone": "+49 30 1234-0 x12", "fax": "",
      "birthdate": "1990-02-28", "companyName": null, "name": "Anna Maria Berg", "hidden": false,
      "customFields": [{"fieldId": "f1", "value": "Lilies"}, {"fieldId": "f2", "value": null}]})")
                                 .as_object());
  ASSERT_TRUE(pull("crm.client").ok());
  EXPECT_EQ(only("crm.client"),
            parsed(R"({"kind": "person", "name": "Anna Maria Berg", "first_name": "Anna Maria",
      "last_name": "Berg", "email": "anna@example.com", "phones": {"mobile": "+15550100199",
      "work": "+493012340;ext=12"}, "birthday": "1990-02-28", "custom": {"f1": "Lilies"}})"));
  studio.put("address-book",
             parsed(R"({"kind": "location", "name": "The Barn", "phone": "555 0100"})").as_object());
  ASSERT_TRUE(pull("crm.client").ok());
  EXPECT_EQ(only("crm.client"),
            parsed(R"({"kind": "location", "name": "The Barn", "phones": {"main": "+15550100"}})"));
}

TEST_F(Tave, AmountsAreCountedAsTheSettingsSay) {
  studio.put("payment", parsed(R"({"jobId": "j", "status": "posted", "amount": 200, "received": "2026-06-13",
                                   "refundedAmount": 0})")
                            .as_object());
  ASSERT_TRUE(pull("crm.payment").ok());
  EXPECT_EQ(only("crm.payment").at("amount"), parsed(R"({"amount": 200, "currency": "USD"})"));
  open({{"amounts", "major"}});
  cursors.clear();
  ASSERT_TRUE(pull("crm.payment").ok());
  EXPECT_EQ(only("crm.payment").at("amount"), parsed(R"({"amount": 20000, "currency": "USD"})"));
  open({});
  auto const refused = pull("crm.payment");
  EXPECT_EQ(refused.status, GARLAND_E_INVALID_INPUT);
  EXPECT_THAT(refused.message, HasSubstr("\"amounts\""));
  studio.put("job", {{"name", "a"}, {"stage", "lead"}, {"totalRevenue", 200}});
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_FALSE(only("crm.project").as_object().contains("revenue"));
}

TEST_F(Tave, AnEventsTimeIsInItsZone) {
  auto const start = [this](char const* event) {
    studio.lists.clear();
    cursors.clear();
    auto record = parsed(event).as_object();
    record["name"] = "Ceremony";
    studio.put("event", std::move(record));
    EXPECT_TRUE(pull("crm.event").ok());
    return only("crm.event").at("start");
  };
  EXPECT_EQ(start(R"({"startDate": "2026-06-13", "startTime": "14:00", "timezoneName": "Europe/Berlin",
                      "startUtc": "2026-06-13T12:00:00Z"})"),
            parsed(R"({"local": "2026-06-13T14:00:00", "zone": "Europe/Berlin"})"));
  EXPECT_EQ(
      start(R"({"startDate": "2026-06-13", "startTime": "14:00:00", "timezoneName": "Central European Time",
                      "startUtc": "2026-06-13T12:00:00Z"})"),
      parsed(R"({"utc": "2026-06-13T12:00:00Z"})"));
  EXPECT_EQ(start(R"({"startDate": "2026-06-13", "startTime": "14:00"})"),
            parsed(R"({"local": "2026-06-13T14:00:00", "zone": "America/New_York"})"));
  EXPECT_EQ(start(R"({"startDate": "2026-06-13", "startTime": "00:00", "allDay": true})"),
            parsed(R"({"date": "2026-06-13"})"));
}

TEST_F(Tave, TheFixturesAreReadAsTheySay) {
  open({{"amounts", "minor"}, {"calling_code", "1"}});
  for (auto const& [fixture, list, entity] :
       {std::tuple{"contacts", "address-book", "crm.client"}, {"jobs", "job", "crm.project"}}) {
    auto const path = inSources("/plugins/crm/tave/fixtures/") + fixture;
    answer(std::string("/") + list + "?", HttpResponse{200, {}, testing::readFile(path + ".json"), {}});
    ASSERT_TRUE(pull(entity).ok());
    json::array records;
    for (auto const& record : host.emitted(entity)) records.push_back(record.at("data"));
    json::array said;
    for (auto const& problem : problems()) said.emplace_back(problem);
    EXPECT_EQ(json::value({{"records", records}, {"problems", said}}),
              json::parse(testing::readFile(path + ".records.json")))
        << fixture;
  }
}

TEST_F(Tave, OneBadRecordIsAProblemAndTheRestGoesOn) {
  addJob("good");
  studio.put("job", {{"name", "bad date"}, {"stage", "lead"}, {"eventDate", "2026-02-30"}});
  studio.put("job", {{"stage", "lead"}});
  studio.put("job", {{"name", "bad count"}, {"stage", "lead"}, {"guestCount", json::array()}});
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(names("crm.project"), ElementsAre("good"));
  EXPECT_THAT(problems(), ElementsAre("/guestCount: must be text", "/name: is missing",
                                      "/eventDate: must be a date such as 2026-06-13"));
  EXPECT_EQ(listed()->size(), 4U); // bad ones are not gone
}

TEST_F(Tave, WhatIsNewAtTheProviderDropsNoRecord) {
  studio.put("job", parsed(R"({"name": 2026, "stage": "proposal", "guestCount": "120", "closed": "false",
      "eventDate": null, "customFields": [], "newMember": {"deep": [1, {"a": null}]}})")
                        .as_object());
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_EQ(only("crm.project"),
            parsed(R"({"name": "2026", "stage": "other", "guest_count": 120, "closed": false})"));
}

TEST_F(Tave, AnswersThatAreNoneAreTheProvidersFault) {
  addJob("a");
  std::string deep(20'000, '[');
  for (auto const& [body, message] :
       {std::pair<std::string, std::string>{"<html>maintenance</html>", "(a web page): not JSON"},
        {"{\"items\": [", "not JSON"},
        {"{\"items\": {}}", "/items: must be an array"},
        {"null", "/items: must be an array"},
        {"", "/items: must be an array"},
        {"{\"items\": []}", "/meta/totalItems: must say how many records there are"},
        {"{\"items\": [\"\xE9\"]}", "not JSON"},
        {deep, "not JSON"}}) {
    answer("/job?", HttpResponse{200, {{"Content-Type", "text/html"}}, body, {}});
    auto const outcome = pull("crm.project");
    EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG) << body.substr(0, 40);
    EXPECT_THAT(outcome.message, HasSubstr(message));
  }
}

TEST_F(Tave, RefusalsKeepTheirMeaning) {
  struct Row {
    int status;
    char const* type;
    garland_status kind;
  };
  for (auto const& row : {Row{400, "validation-error", GARLAND_E_INVALID_INPUT},
                          {401, "unknown", GARLAND_E_AUTH_REVOKED},
                          {403, "unknown", GARLAND_E_FORBIDDEN},
                          {429, "quota-limit", GARLAND_E_RATE_LIMITED},
                          {500, "unknown", GARLAND_E_TRANSIENT},
                          {503, "unknown", GARLAND_E_TRANSIENT},
                          {400, "not-implemented", GARLAND_E_UNSUPPORTED}}) {
    answer("/job?", errorAnswer(row.status, row.type, "because"));
    auto const outcome = pull("crm.project");
    EXPECT_EQ(outcome.status, row.kind) << row.status;
    EXPECT_EQ(outcome.http_status, row.status);
    EXPECT_EQ(outcome.provider_code, row.type);
    EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
    EXPECT_THAT(outcome.message, HasSubstr(": because"));
  }
  auto limited = errorAnswer(429, "quota-limit", "slow down");
  limited.retry_after = testing::Milliseconds(7000);
  answer("/job?", limited);
  EXPECT_EQ(pull("crm.project").retry_after, testing::Milliseconds(7000));
}

TEST_F(Tave, ANewJobIsCreatedOnceAndCarriesOurKey) {
  auto const data =
      parsed(R"({"name": "Berg wedding", "stage": "lead", "event_date": "2026-06-13", "guest_count": 80})");
  auto const made = create("crm.project", data);
  ASSERT_TRUE(made.ok()) << made.message;
  EXPECT_EQ(made.result.at("data"), data);
  EXPECT_EQ(made.result.at("version"), "2026-06-01T00:00:01Z");
  auto const job = stored("job");
  EXPECT_EQ(job.at("eventDate"), "2026-06-13");
  EXPECT_EQ(job.at("externalMappings"), parsed(R"([{"id": "k1", "url": "urn:garland:k1"}])"));
  // Ten times the same is one job.
  for (int i = 0; i < 9; ++i) EXPECT_EQ(create("crm.project", data).result.at("id"), made.result.at("id"));
  EXPECT_EQ(studio.lists["job"].size(), 1U);
  ASSERT_TRUE(create("crm.project", data, std::string(200, 'k')).ok());
  EXPECT_EQ(studio.lists["job"].size(), 2U);
}

TEST_F(Tave, ALostAnswerToACreateIsFoundByOurKey) {
  loseAnswer("POST");
  auto const made = create("crm.project", {{"name", "a"}, {"stage", "lead"}});
  EXPECT_TRUE(made.ok()) << made.message;
  EXPECT_EQ(studio.lists["job"].size(), 1U);
}

TEST_F(Tave, ACreateThatStaysInDoubtSaysSoAndTheNextTryFindsIt) {
  // Carried out, but neither that answer nor any later one arrives.
  studio.instead = [this](HttpRequest const& request) -> ScriptedStudio::Reply {
    if (request.method != "POST") return std::nullopt;
    studio.instead = nullptr;
    studio.serve(request);
    studio.instead = [](HttpRequest const&) -> ScriptedStudio::Reply { return HttpFailure{}; };
    return HttpFailure{GARLAND_E_TRANSIENT, GARLAND_EFFECT_UNKNOWN, "no answer came in time"};
  };
  auto const data = json::value{{"name", "a"}, {"stage", "lead"}};
  auto const first = create("crm.project", data);
  EXPECT_EQ(first.status, GARLAND_E_TRANSIENT);
  EXPECT_EQ(first.effect, GARLAND_EFFECT_UNKNOWN);
  studio.instead = nullptr;
  EXPECT_TRUE(create("crm.project", data).ok());
  EXPECT_EQ(studio.lists["job"].size(), 1U);
}

TEST_F(Tave, AContactIsLookedForByItsAddressOrAmongTheNewestOnes) {
  for (auto const* data :
       {R"({"kind": "person", "name": "Anna Berg", "first_name": "Anna", "last_name": "Berg",
                               "email": "anna@example.com"})",
        R"({"kind": "company", "name": "Lilies & Co"})"}) {
    studio.lists.clear();
    for (int i = 0; i < 150; ++i)
      studio.put("address-book", {{"kind", "company"}, {"name", "c" + std::to_string(i)}});
    loseAnswer("POST");
    auto const made = create("crm.client", parsed(data));
    EXPECT_TRUE(made.ok()) << made.message;
    EXPECT_EQ(made.result.at("data"), parsed(data));
    EXPECT_EQ(studio.lists["address-book"].size(), 151U);
  }
}

TEST_F(Tave, AChangeLeavesEverythingElseAsItIs) {
  auto const id = studio.put("job", parsed(R"({"name": "old", "stage": "proposal", "eventDate": "2026-06-13",
      "totalRevenue": 200, "leadRating": 3, "newMember": {"a": [1, 2]}, "guestCount": "80",
      "customFields": [{"id": "x", "fieldId": "f1", "value": "a", "hidden": false}],
      "externalMappings": [{"id": "theirs", "url": "https://example.com/1"}]})")
                                        .as_object());
  auto before = stored("job");
  auto const changed =
      change("crm.project", id, "2026-06-01T00:00:01Z",
             parsed(R"({"name": "new", "stage": "other", "event_date": "2026-06-14", "guest_count": 80,
                                         "custom": {"f1": "b", "f2": "c"}})"));
  ASSERT_TRUE(changed.ok()) << changed.message;
  before["name"] = "new";
  before["eventDate"] = "2026-06-14";
  before["customFields"] = parsed(R"([{"id": "x", "fieldId": "f1", "value": "b", "hidden": false},
                                      {"fieldId": "f2", "value": "c"}])");
  before["modified"] = "2026-06-01T00:00:02Z";
  before.erase("totalRevenue"); // the studio's software counts it itself
  EXPECT_EQ(stored("job"), before);
  auto const& sent = *std::find_if(host.requests().begin(), host.requests().end(),
                                   [](HttpRequest const& request) { return request.method == "PUT"; });
  for (auto const* member : {"id", "modified", "totalRevenue"})
    EXPECT_FALSE(json::parse(sent.body).as_object().contains(member)) << member;
}

TEST_F(Tave, WhatIsTheSameAlreadyIsNotSent) {
  open({{"calling_code", "1"}});
  auto const id =
      studio.put("address-book", parsed(R"({"kind": "person", "firstName": "Anna", "lastName": "Berg",
      "email": "Anna@Example.com", "cellPhone": "(555) 010-0199"})")
                                     .as_object());
  auto const outcome = change("crm.client", id, "", parsed(R"({"kind": "person", "name": "Anna Berg",
      "first_name": "Anna", "last_name": "Berg", "email": "anna@example.com", "phones": {"mobile": "+15550100199"}})"));
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(count("PUT"), 0U);
}

TEST_F(Tave, WhatHasNoValueAnyMoreIsCleared) {
  auto const id =
      studio.put("job", {{"name", "a"}, {"stage", "lead"}, {"eventDate", "2026-06-13"}, {"leadNotes", "x"}});
  ASSERT_TRUE(change("crm.project", id, "", {{"name", "a"}, {"stage", "booked"}}).ok());
  auto const job = stored("job");
  EXPECT_TRUE(job.at("eventDate").is_null());
  EXPECT_TRUE(job.at("leadNotes").is_null());
  EXPECT_EQ(job.at("stage"), "booked");
}

TEST_F(Tave, AnotherVersionIsAConflict) {
  auto const id = addJob("a");
  auto const outcome = change("crm.project", id, "2026-05-01T00:00:00Z", {{"name", "b"}, {"stage", "lead"}});
  EXPECT_EQ(outcome.status, GARLAND_E_CONFLICT);
  EXPECT_EQ(outcome.effect, GARLAND_EFFECT_NOT_APPLIED);
  EXPECT_EQ(outcome.detail.at("current"), "2026-06-01T00:00:01Z");
  EXPECT_EQ(count("PUT"), 0U);
  auto const removal =
      host.run("crm.delete/1", {{"entity", "crm.project"}, {"key", "k"}, {"id", id}, {"version", "v"}});
  EXPECT_EQ(removal.status, GARLAND_E_CONFLICT);
}

TEST_F(Tave, ARefusedValueIsNamedByItsField) {
  auto const bad = create("crm.project", {{"name", "a"}, {"stage", "lead"}, {"event_date", "soon"}});
  EXPECT_EQ(bad.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(bad.detail.at("field"), "/data/event_date");
  EXPECT_EQ(bad.effect, GARLAND_EFFECT_NOT_APPLIED);
  auto const other = create("crm.project", {{"stage", "lead"}});
  EXPECT_EQ(other.detail.at("field"), "/data/name");
  EXPECT_EQ(count("POST"), 0U);
}

TEST_F(Tave, AnEffectIsToldAsItIs) {
  auto const id = addJob("a");
  answer("/job/", errorAnswer(500, "unknown", "broken"));
  studio.instead = [](HttpRequest const& request) -> ScriptedStudio::Reply {
    if (request.method != "PUT") return std::nullopt;
    return errorAnswer(500, "unknown", "broken");
  };
  EXPECT_EQ(change("crm.project", id, "", {{"name", "b"}, {"stage", "lead"}}).effect, GARLAND_EFFECT_UNKNOWN);
  studio.instead = [](HttpRequest const& request) -> ScriptedStudio::Reply {
    if (request.method != "PUT") return std::nullopt;
    return errorAnswer(429, "quota-limit", "later");
  };
  EXPECT_EQ(change("crm.project", id, "", {{"name", "b"}, {"stage", "lead"}}).effect,
            GARLAND_EFFECT_NOT_APPLIED);
}

TEST_F(Tave, DeletingWhatIsGoneIsASuccess) {
  auto const id = addJob("a");
  json::object const input{{"entity", "crm.project"}, {"key", "k"}, {"id", id}};
  EXPECT_TRUE(host.run("crm.delete/1", input).ok());
  EXPECT_TRUE(host.run("crm.delete/1", input).ok());
  EXPECT_THAT(studio.lists["job"], IsEmpty());
}

TEST_F(Tave, WhatCanOnlyBeReadIsNotWritten) {
  for (auto const* entity : {"crm.order", "crm.payment", "crm.note", "crm.unknown"}) {
    auto const outcome = create(entity, json::object());
    EXPECT_EQ(outcome.status, GARLAND_E_UNSUPPORTED) << entity;
    EXPECT_EQ(outcome.detail.at("field"), "/entity");
  }
  EXPECT_EQ(pull("crm.unknown").status, GARLAND_E_UNSUPPORTED);
}

TEST_F(Tave, EveryEntityOfTheManifestCanBePulled) {
  studio.put("order", {{"status", "paid-in-full"}, {"total", 12050}, {"jobId", "j"}});
  studio.put("note", {{"contentHtml", "<b>x</b>"}, {"contactId", "c"}});
  studio.put("job-contact", {{"jobId", "j"}, {"contactId", "c"}, {"client", true}, {"jobRoles", {"r"}}});
  auto const manifest = json::parse(testing::readFile(inSources("/plugins/crm/tave/connector.json")));
  for (auto const& [entity, way] : manifest.at("entities").as_object()) {
    auto const outcome = pull(std::string(entity));
    EXPECT_TRUE(outcome.ok()) << entity << ": " << outcome.message;
    EXPECT_THAT(problems(), IsEmpty());
  }
}

// The members of ours that a map brings in and no row of it writes.
std::set<std::string> onlyRead(sdk::fields::Map map) {
  std::set<std::string> read;
  for (auto const& row : map)
    if (row.way == sdk::fields::Way::in) read.emplace(row.ours);
  for (auto const& row : map)
    if (row.way != sdk::fields::Way::in) read.erase(std::string(row.ours));
  return read;
}

TEST_F(Tave, TheManifestNamesTheMembersThatNoMapWrites) {
  auto const manifest = json::parse(testing::readFile(inSources("/plugins/crm/tave/connector.json")));
  for (auto const& entity : entities) {
    if (entity.way != sdk::fields::Way::both) continue;
    auto wanted = onlyRead(entity.map);
    for (auto const& variant : entity.variants) {
      auto const of_variant = onlyRead(variant.map);
      std::erase_if(wanted, [&](std::string const& member) { return !of_variant.contains(member); });
    }
    std::set<std::string> named;
    auto const& claimed = manifest.at("entities").at(entity.name).as_object();
    if (auto const* list = claimed.if_contains("read_only"))
      for (auto const& member : list->as_array()) named.emplace(member.as_string());
    EXPECT_EQ(named, wanted) << entity.name;
  }
}

} // namespace
} // namespace garland::tave
