// What rules make of documents, seen from outside: a mapped connector in a fake host.
#include <garland/sdk/mapping.hpp>
#include <garland/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#define GARLAND_CONNECTOR_ID "test.mapped"
#define GARLAND_CONNECTOR_VERSION "1.0.0"

namespace garland::sdk::intake {
namespace {

using ::testing::HasSubstr;

constexpr char const* kManifest = R"({
  "manifest": 1, "id": "test.mapped", "name": "Mapped", "version": "1.0.0", "category": "crm", "summary": "A mapping.",
  "operations": ["health.check/1", "intake.parse/1"], "entities": {"crm.client": {"read": true, "write": false},
  "crm.lead": {"read": true, "write": false}},
  "intake": {"hook": {}, "csv": {}}, "auth": [], "hosts": [],
  "settings": {"type": "object"}})";

constexpr char const* kMapping = R"({
  "mapping": 1,
  "defaults": {"currency": "USD", "date_order": "mdy", "calling_code": "1"},
  "sets": {"who": [{"to": "/name", "from": ["/client_name", "/name"]},
                   {"to": "/name", "from": ["/firstName", "/lastName"], "as": "joined"},
                   {"to": "/last_name", "from": ["/client_name"], "as": "last_name"},
                   {"to": "/email", "from": ["/contact/email", "/email"], "as": "email"}]},
  "hook": [
    {"name": "test", "when": [{"at": ["/test"], "is": ["true"]}], "ignore": "a test"},
    {"name": "inquiry", "when": [{"at": ["/event", "/trigger"], "is": ["new inquiry"]}],
     "emit": [{"kind": "crm.lead", "id": ["/Inquiry ID"], "id_of": ["/email", "/event_date"],
       "fields": [{"to": "/status", "from": ["/stage"], "as": "words", "words": {"won": "booked"}, "otherwise": "other"},
                  {"to": "/status", "value": "new"},
                  {"to": "/event_date", "from": ["/date"], "as": "date", "else": "/event_date_text"},
                  {"to": "/budget", "from": ["/budget"], "as": "money"},
                  {"to": "/guest_count", "from": ["/guests/0/number", "/guests"], "as": "integer", "else": "/guest_count_text"},
                  {"to": "/phone", "from": ["/phone"], "as": "phone", "else": "/phone_text"},
                  {"to": "/received", "from": ["/at"], "as": "timestamp"}],
       "use": ["who"], "rest": "/custom"}]},
    {"name": "gone", "when": [{"at": ["/event"], "present": false}, {"at": ["/email"], "present": true}],
     "emit": [{"kind": "crm.lead", "id": ["/email"], "fields": [{"to": "/status", "value": "lost"},
               {"to": "/message", "from": ["/why"], "required": true}]}]}
  ],
  "csv": [
    {"name": "clients", "columns": ["Who"],
     "emit": [{"kind": "crm.client", "id_of": ["/email", "/name"], "fields": [{"to": "/kind", "value": "person"},
       {"to": "/name", "from": ["/who"]}, {"to": "/email", "from": ["/e_mail"], "as": "email", "else": "/custom/email"}]}]},
    {"name": "leads", "columns": [["E-Mail", "Email Address"]],
     "when": [{"at": ["/kind"], "is": ["client"]}], "ignore": "no lead"},
    {"name": "leads", "columns": [["E-Mail", "Email Address"]],
     "emit": [{"kind": "crm.lead", "id_of": ["/email"], "fields": [{"to": "/status", "value": "new"},
       {"to": "/email", "from": ["/e_mail", "/email_address"], "as": "email"}, {"to": "/event_date", "from": ["/day"], "as": "date"}]}]}
  ]})";

class Mapped final : public MappedConnector {
public:
  Mapped() : MappedConnector(kMapping) {}
};

} // namespace
} // namespace garland::sdk::intake

GARLAND_CONNECTOR(garland::sdk::intake::Mapped)

namespace garland::sdk::intake {
namespace {

class MappingTest : public ::testing::Test {
protected:
  garland::testing::FakeHost host{&garland_entry_v1, kManifest};

  json::value parse(std::string_view source, json::value content) {
    host.clear();
    json::object input;
    input["item"] =
        json::object{{"id", "itm_1"}, {"source", source}, {"received_at", "2026-01-01T00:00:00Z"}};
    input[source] = std::move(content);
    auto const outcome = host.run("intake.parse/1", std::move(input));
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.result;
  }
  json::value hook(json::value body, json::object query = {}) {
    json::object content{{"content_type", "application/json"}, {"query", std::move(query)}};
    content["json"] = std::move(body);
    return parse("hook", std::move(content));
  }
  json::value csv(json::array header, json::array rows) {
    json::object content{{"file", "leads.csv"}, {"first_row", 2}};
    content["header"] = std::move(header);
    content["rows"] = std::move(rows);
    return parse("csv", std::move(content));
  }
  json::object lead(std::size_t i = 0) {
    auto const all = host.emitted("crm.lead");
    EXPECT_GT(all.size(), i);
    if (all.size() <= i) return {};
    EXPECT_EQ(garland::testing::schemaProblems("record.crm.lead.json", all[i].at("data")),
              std::vector<std::string>());
    return all[i].as_object();
  }
  std::string problem() {
    auto const all = host.emitted("garland.problem");
    return all.empty() ? "" : std::string(std::string_view(all[0].at("message").as_string()));
  }
};

TEST_F(MappingTest, ASettingThatCannotBeReadIsNamed) {
  for (auto const* name : {"account", "currency", "date_order", "calling_code"}) {
    host.open({{name, 7}});
    auto const outcome = host.run("health.check/1");
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT) << outcome.message;
    EXPECT_EQ(outcome.detail.at("field"), json::value("/settings/" + std::string(name)));
  }
  host.open({{"account", "Barn Studio"}});
  EXPECT_EQ(host.run("health.check/1").result, json::value({{"account", "Barn Studio"}}));
}

json::object inquiry() { return {{"Event", "New Inquiry"}, {"inquiryId", 77}, {"Name", "Ada Lovelace"}}; }

TEST_F(MappingTest, AnAmountBelowZeroIsRefusedAsThat) {
  auto body = inquiry();
  for (auto const* amount : {"-5.00", "$-5.00", "(5.00)"}) {
    body["Budget"] = amount;
    hook(body);
    EXPECT_NE(problem().find("cannot be read as money: amounts below zero are not taken"), std::string::npos)
        << problem();
  }
  for (auto const* unclear : {"5-10", "much"}) {
    body["Budget"] = unclear;
    hook(body);
    EXPECT_TRUE(problem().ends_with("cannot be read as money")) << problem();
  }
}

TEST_F(MappingTest, AHookBecomesARecordWhateverItsNamesLookLike) {
  auto body = inquiry();
  body["Date"] = "Saturday, June 13, 2026";
  body["Budget"] = "$4,500";
  body["Guests"] = "120";
  body["PHONE"] = "(555) 010-0199";
  body["at"] = 1780000000;
  body["Contact"] = json::object{{"E-mail", ""}, {"Email", " Ada@Example.COM "}};
  EXPECT_EQ(hook(body).at("outcome"), "taken");
  auto const record = lead();
  EXPECT_EQ(record.at("id"), "77");
  EXPECT_EQ(record.at("data"), (json::value{{"status", "new"},
                                            {"event_date", "2026-06-13"},
                                            {"budget", {{"amount", 450000}, {"currency", "USD"}}},
                                            {"guest_count", 120},
                                            {"phone", "+15550100199"},
                                            {"received", "2026-05-28T20:26:40Z"},
                                            {"name", "Ada Lovelace"},
                                            {"email", "ada@example.com"}}));
}

TEST_F(MappingTest, WhatCannotBeReadStaysAsATextWhereTheRuleSaysSo) {
  auto body = inquiry();
  body["date"] = "summer 2027";
  body["guests"] = "100-150";
  body["phone"] = "ask me";
  hook(body);
  auto const data = lead().at("data");
  EXPECT_EQ(data.at("event_date_text"), "summer 2027");
  EXPECT_EQ(data.at("guest_count_text"), "100-150");
  EXPECT_EQ(data.at("phone_text"), "ask me");
  EXPECT_FALSE(data.as_object().contains("event_date"));
}

TEST_F(MappingTest, AndIsAProblemWhereItDoesNot) {
  auto body = inquiry();
  body["budget"] = "under 5k";
  EXPECT_EQ(hook(body).at("outcome"), "taken");
  EXPECT_TRUE(host.emitted("crm.lead").empty());
  EXPECT_THAT(problem(), HasSubstr("under 5k"));
  EXPECT_THAT(problem(), HasSubstr("/budget"));
}

TEST_F(MappingTest, ANumberWithAPointIsReadAsItIsWritten) {
  auto body = inquiry();
  for (auto const& [number, cents] : {std::pair{1250.50, 125050}, {1500.0, 150000}, {0.5, 50}}) {
    body["budget"] = number;
    hook(body);
    EXPECT_EQ(lead().at("data").at("budget").at("amount"), cents) << problem();
  }
  body["Name"] = 1250.50;
  body["hours"] = 0.5;
  body["rooms"] = 1500.0;
  hook(body);
  EXPECT_EQ(lead().at("data").at("name"), "1250.5");
  EXPECT_EQ(lead().at("data").at("custom"), (json::value{{"hours", "0.5"}, {"rooms", "1500"}}));
}

TEST_F(MappingTest, AProblemCutsNoCharacterInTwo) {
  auto body = inquiry();
  std::string amount = "a"; // the hundredth byte is within a character
  for (int i = 0; i < 80; ++i) amount += "\xC3\xBC";
  body["budget"] = amount;
  EXPECT_EQ(hook(body).at("outcome"), "taken");
  EXPECT_THAT(problem(), HasSubstr(amount.substr(0, 99) + "\" cannot be read"));
}

TEST_F(MappingTest, MembersBesideThoseThatAreReadAreKeptToo) {
  auto body = inquiry();
  body["contact"] = json::object{{"email", "ada@x.test"}, {"Instagram", "@ada"}};
  body["email"] = "other@x.test";
  json::array guests;
  guests.emplace_back(json::object{{"number", 120}, {"of", "hers"}});
  body["guests"] = std::move(guests);
  hook(body);
  EXPECT_EQ(lead().at("data").at("email"), "ada@x.test");
  EXPECT_EQ(lead().at("data").at("guest_count"), 120);
  EXPECT_EQ(lead().at("data").at("custom"), (json::value{{"contact", R"({"instagram":"@ada"})"},
                                                         {"email", "other@x.test"},
                                                         {"guests", R"([{"of":"hers"}])"}}));
  body["email"] = "ADA@x.test";
  hook(body);
  EXPECT_FALSE(lead().at("data").at("custom").as_object().contains("email")) << "it says the same";
}

TEST_F(MappingTest, WhatTheRestCannotHoldIsTold) {
  auto body = inquiry();
  body["story"] = std::string(4001, 's');
  body["flower"] = "peony";
  hook(body);
  EXPECT_EQ(lead().at("data").at("custom"), (json::value{{"flower", "peony"}}));
  EXPECT_THAT(problem(), HasSubstr("without story"));
}

TEST_F(MappingTest, MembersThatNoRuleNamesAreKeptAsTexts) {
  auto body = inquiry();
  body["Favourite Flower"] = "peony";
  body["Dogs"] = json::array{"Bo", 2, true};
  body["nested"] = json::object{{"A b", 1}};
  body["empty"] = "";
  hook(body);
  EXPECT_EQ(
      lead().at("data").at("custom"),
      (json::value{{"favourite_flower", "peony"}, {"dogs", "Bo, 2, true"}, {"nested", R"({"a_b":1})"}}));
}

TEST_F(MappingTest, WithoutAnIdTheRecordIsKnownByWhatItSays) {
  json::object body{{"event", "new inquiry"}, {"email", "Ada@x.test"}, {"date", "6/13/2026"}};
  hook(body);
  auto const id = lead().at("id");
  body["date"] = "2026-06-13";
  body["email"] = "ada@x.test";
  hook(body);
  EXPECT_EQ(lead().at("id"), id) << "by what is meant, not by how it is written";
  body["email"] = "bo@x.test";
  hook(body);
  EXPECT_NE(lead().at("id"), id);
  EXPECT_EQ(hook({{"event", "new inquiry"}, {"name", "Ada"}}).at("outcome"), "taken");
  EXPECT_THAT(problem(), HasSubstr("which record"));
}

TEST_F(MappingTest, TheFirstRuleThatFitsCountsAndNoneIsUnknown) {
  EXPECT_EQ(hook({{"test", true}, {"event", "new inquiry"}}),
            (json::value{{"outcome", "ignored"}, {"reason", "a test"}}));
  auto const unknown = hook({{"event", "invoice overdue"}, {"email", "ada@x.test"}});
  EXPECT_EQ(unknown.at("outcome"), "unknown");
  EXPECT_THAT(std::string(std::string_view(unknown.at("reason").as_string())), HasSubstr("email, event"));
  EXPECT_EQ(hook({{"email", "ada@x.test"}, {"why", "too far"}}).at("outcome"), "taken");
  EXPECT_EQ(lead().at("data").at("status"), "lost");
  hook({{"email", "ada@x.test"}});
  EXPECT_THAT(problem(), HasSubstr("/message is missing"));
}

TEST_F(MappingTest, WordsNamesAndJoinedNames) {
  hook({{"event", "new inquiry"},
        {"inquiry id", "1"},
        {"stage", "WON"},
        {"client name", "Ada King Lovelace"}});
  EXPECT_EQ(lead().at("data"),
            (json::value{{"status", "booked"}, {"name", "Ada King Lovelace"}, {"last_name", "Lovelace"}}));
  hook({{"event", "new inquiry"},
        {"inquiry id", "1"},
        {"stage", "hm"},
        {"first_name", "Ada"},
        {"Last Name", "L"}});
  EXPECT_EQ(lead().at("data"), (json::value{{"status", "other"}, {"name", "Ada L"}}));
}

TEST_F(MappingTest, QueriesFormsAndListsAreDocumentsToo) {
  hook(inquiry(), {{"email", "q@x.test"}, {"name", "not this one"}});
  EXPECT_EQ(lead().at("data").at("email"), "q@x.test");
  EXPECT_EQ(lead().at("data").at("name"), "Ada Lovelace");
  json::object form{{"content_type", "application/x-www-form-urlencoded"}, {"query", json::object()}};
  form["form"] =
      json::object{{"event", "new inquiry"}, {"name", json::array{"Ada", "Bo"}}, {"email", "f@x.test"}};
  EXPECT_EQ(parse("hook", form).at("outcome"), "taken");
  EXPECT_EQ(lead().at("data").at("name"), "Ada, Bo");
  auto second = inquiry();
  second["inquiryId"] = 78;
  EXPECT_EQ(hook(json::array{inquiry(), second}).at("outcome"), "taken");
  EXPECT_EQ(lead(1).at("id"), "78");
  EXPECT_EQ(hook("a text").at("outcome"), "unknown");
  EXPECT_EQ(parse("hook", {{"content_type", "text/plain"}, {"query", json::object()}, {"text", "hi"}})
                .at("outcome"),
            "unknown");
}

TEST_F(MappingTest, RowsAreDocumentsAndABadOneIsToldByItsNumber) {
  auto const outcome =
      csv({"e-mail", "Day", "Kind"},
          {json::array{"ada@x.test", "6/13/2026", ""}, json::array{" ", "", ""},
           json::array{"bo@x.test", "someday", ""}, json::array{"eve@x.test", "", "Client"}});
  EXPECT_EQ(outcome.at("outcome"), "taken");
  ASSERT_EQ(host.emitted("crm.lead").size(), 1U);
  EXPECT_EQ(lead().at("data").at("event_date"), "2026-06-13");
  ASSERT_EQ(host.emitted("garland.problem").size(), 1U);
  EXPECT_EQ(host.emitted("garland.problem")[0].at("id"), "row 4");
  json::array red; // in braces, a list of one list is that list
  red.emplace_back(json::array{"red"});
  EXPECT_EQ(csv({"Colour"}, red).at("outcome"), "unknown");
}

TEST_F(MappingTest, ARecordSaysWhereItsMembersStandInTheItem) {
  json::array rows;
  rows.emplace_back(json::array{"", "6/13/2026", "ada@x.test"});
  csv({"e-mail", "Day", "Email Address"}, rows);
  EXPECT_EQ(lead().at("places"), (json::value{{"", "row 2"},
                                              {"/email", "row 2, column email_address"},
                                              {"/event_date", "row 2, column day"}}));
  hook({{"event", "new inquiry"}, {"date", "soon"}, {"contact", {{"email", "ada@x.test"}}}});
  auto const places = lead().at("places");
  EXPECT_EQ(places.at("/email"), "hook, member contact/email");
  EXPECT_EQ(places.at("/event_date_text"), "hook, member date");
}

TEST_F(MappingTest, AFileIsKnownByAnyOfTheNamesOfAColumnAndARefusalSaysWhichAreWanted) {
  json::array rows;
  rows.emplace_back(json::array{"ada@x.test"});
  EXPECT_EQ(csv({"Email Address"}, rows).at("outcome"), "taken");
  EXPECT_EQ(lead().at("data").at("email"), "ada@x.test");
  auto const refused = csv({"Mail", "Name"}, rows);
  EXPECT_EQ(refused.at("reason"),
            "no rule of the mapping fits a file with the columns: mail, name; it would need "
            "who (clients); e_mail or email_address (leads)");
}

TEST_F(MappingTest, OfTwoColumnsWithOneNameTheFirstThatSaysSomethingCounts) {
  json::array rows;
  rows.emplace_back(json::array{" ", "ada@x.test"});
  rows.emplace_back(json::array{"bo@x.test", ""});
  rows.emplace_back(json::array{"eve@x.test", " eve@x.test"});
  csv({"e-mail", "E_Mail"}, rows);
  EXPECT_EQ(lead(0).at("data").at("email"), "ada@x.test");
  EXPECT_EQ(lead(1).at("data").at("email"), "bo@x.test");
  EXPECT_EQ(lead(2).at("data").at("email"), "eve@x.test");
  EXPECT_EQ(problem(), "");
}

TEST_F(MappingTest, TwoColumnsWithOneNameThatSayDifferentThingsAreToldWithTheirPlace) {
  csv({"Day", "e-mail", "E_Mail"},
      {json::array{"6/13/2026", "bo@x.test", "eve@x.test"}, json::array{"6/13/2026", "ada@x.test", ""}});
  ASSERT_EQ(host.emitted("crm.lead").size(), 1U) << "the other rows are kept";
  EXPECT_EQ(lead().at("data").at("email"), "ada@x.test");
  ASSERT_EQ(host.emitted("garland.problem").size(), 1U);
  EXPECT_EQ(host.emitted("garland.problem")[0].at("id"), "row 2");
  EXPECT_THAT(problem(), HasSubstr("columns 2 (\"e-mail\") and 3 (\"E_Mail\") are both read as e_mail and "
                                   "say different things"));
}

TEST_F(MappingTest, OfOneItemTwoWithOneMadeUpIdAreNeverOneSilently) {
  csv({"e-mail", "Day"}, {json::array{"ada@x.test", "6/13/2026"}, json::array{"ada@x.test", "6/14/2026"},
                          json::array{"ada@x.test", "6/13/2026"}});
  ASSERT_EQ(host.emitted("crm.lead").size(), 1U);
  EXPECT_EQ(lead().at("data").at("event_date"), "2026-06-13");
  auto const told = host.emitted("garland.problem");
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].at("id"), "row 3");
  EXPECT_THAT(problem(), HasSubstr("nothing tells it from row 2, which says something else"));
  EXPECT_THAT(std::string(told[1].at("message").as_string()), HasSubstr("it says the same as row 2"));

  json::object const nameless{{"event", "new inquiry"}, {"email", "bo@x.test"}};
  auto other = nameless;
  other["name"] = "Bo";
  hook(json::array{nameless, other});
  EXPECT_EQ(host.emitted("crm.lead").size(), 1U);
  EXPECT_EQ(host.emitted("garland.problem")[0].at("id"), "item 2");
}

TEST_F(MappingTest, AnEmailAddressThatCannotBeReadIsKeptAndToldByItsRow) {
  csv({"Who", "e-mail"}, {json::array{"Joe", "joe at x.test"}, json::array{"Joe", "joe, the other"},
                          json::array{"Ada", "ada@x.test"}});
  auto const clients = host.emitted("crm.client");
  ASSERT_EQ(clients.size(), 3U) << problem();
  EXPECT_EQ(clients[0].at("data").at("custom"), (json::value{{"email", "joe at x.test"}}));
  EXPECT_NE(clients[0].at("id"), clients[1].at("id"));
  auto const told = host.emitted("garland.problem");
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].at("id"), "row 2");
  EXPECT_EQ(told[1].at("id"), "row 3");
  EXPECT_THAT(problem(), HasSubstr("\"joe at x.test\" is no e-mail address"));
}

TEST_F(MappingTest, AmongBlankMembersANameAloneIsNoIdentity) {
  csv({"Who", "e-mail"}, {json::array{"Joe", ""}, json::array{"Ada", "ada@x.test"}});
  ASSERT_EQ(host.emitted("crm.client").size(), 1U);
  EXPECT_EQ(host.emitted("crm.client")[0].at("id"), "of ada@x.test | ada");
  EXPECT_EQ(host.emitted("garland.problem")[0].at("id"), "row 2");
  EXPECT_THAT(problem(), HasSubstr("nothing but a name says which record is meant"));
}

TEST_F(MappingTest, OfOneItemTwoThatTheProviderCallsTheSameAreTheSame) {
  auto booked = inquiry();
  booked["stage"] = "won";
  hook(json::array{inquiry(), booked});
  ASSERT_EQ(host.emitted("crm.lead").size(), 2U);
  EXPECT_EQ(lead(1).at("data").at("status"), "booked");
  EXPECT_EQ(problem(), "");
}

TEST_F(MappingTest, SettingsOfTheAccountComeBeforeTheDefaults) {
  host.open({{"currency", "EUR"}, {"date_order", "dmy"}, {"calling_code", "49"}, {"account", "Studio"}});
  auto body = inquiry();
  body["date"] = "06/07/2026";
  body["budget"] = "100";
  body["phone"] = "030 123456";
  hook(body);
  auto const data = lead().at("data");
  EXPECT_EQ(data.at("event_date"), "2026-07-06");
  EXPECT_EQ(data.at("budget").at("currency"), "EUR");
  EXPECT_EQ(data.at("phone"), "+4930123456");
  EXPECT_EQ(host.run("health.check/1").result, (json::value{{"account", "Studio"}}));
}

TEST(MappingFile, ItsSchemaTakesItAndAWrongOneIsTold) {
  EXPECT_EQ(garland::testing::schemaProblems("mapping.json", json::parse(kMapping)),
            std::vector<std::string>());
  auto const wrong = [](char const* text) {
    return garland::testing::schemaProblems("mapping.json", json::parse(text));
  };
  EXPECT_FALSE(wrong(R"({"mapping": 2})").empty());
  EXPECT_FALSE(wrong(R"({"mapping": 1, "hook": [{"name": "x"}]})").empty());
  EXPECT_FALSE(wrong(R"({"mapping": 1, "hook": [{"name": "x", "emit": [{"kind": "crm.lead", "id": ["/a"],
      "fields": [{"to": "/status", "from": ["/s"], "as": "words"}]}]}]})")
                   .empty());
  EXPECT_THROW(Mapping("{"), Failure);
  EXPECT_THROW(Mapping(R"({"hook": [{"name": "x", "emit": [{"kind": "k", "use": ["none"]}]}]})"), Failure);
}

} // namespace
} // namespace garland::sdk::intake
