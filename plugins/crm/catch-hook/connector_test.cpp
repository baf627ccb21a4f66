// Every provider's mapping, in the object that is shipped, against what its senders send (fixtures/).
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <set>

namespace garland::testing {
namespace {

std::string const kFolder = inSources("/plugins/crm/catch-hook/");

class CatchHook : public ::testing::TestWithParam<std::string> {
protected:
  std::string built() const { return inBuild("/plugins/garland.") + GetParam() + "/"; }
  FakeHost host{loadConnector(built() + "connector.so"), readFile(built() + "connector.json")};

  json::value parse(json::object const& item) {
    auto const* source = item.contains("hook") ? "hook" : "csv";
    json::object input;
    input["item"] =
        json::object{{"id", "itm_1"}, {"source", source}, {"received_at", "2026-01-01T00:00:00Z"}};
    input[source] = item.at(source);
    host.clear();
    auto const outcome = host.run("intake.parse/1", std::move(input));
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return outcome.result;
  }
  std::set<std::string> idsOf(std::string_view kind) const {
    std::set<std::string> ids;
    for (auto const& record : host.emitted(kind)) ids.emplace(record.at("id").as_string());
    return ids;
  }
  std::vector<std::string> problems() const {
    std::vector<std::string> all;
    for (auto const& problem : host.emitted("garland.problem"))
      all.emplace_back(problem.at("message").as_string());
    return all;
  }
};

json::object hookOf(json::object body) {
  json::object hook{{"content_type", "application/json"}, {"query", json::object()}};
  hook["json"] = std::move(body);
  return {{"hook", std::move(hook)}};
}

TEST_P(CatchHook, ItsMappingConformsToTheSchema) {
  auto const mapping = json::parse(readFile(kFolder + GetParam() + "/mapping.json"));
  EXPECT_EQ(schemaProblems("mapping.json", mapping), std::vector<std::string>());
}

TEST_P(CatchHook, WhatItsSendersSendBecomesTheseRecords) {
  auto const all = json::parse(readFile(kFolder + "fixtures/" + GetParam() + ".json"));
  std::set<std::string> ways;
  for (auto const& item : all.as_array()) {
    auto const& fixture = item.as_object();
    ways.emplace(fixture.contains("hook") ? "hook" : "csv");
    SCOPED_TRACE(json::serialize(fixture.at("what")));
    EXPECT_EQ(parse(fixture).at("outcome"), fixture.at("outcome"));
    json::array records;
    for (auto const& emitted : host.emitted()) {
      if (emitted.kind == "garland.problem") ADD_FAILURE() << json::serialize(emitted.record);
      json::object record{{"kind", emitted.kind}, {"id", emitted.record.at("id")}};
      record["data"] = emitted.record.at("data");
      // What is partial is a record only together with what came before.
      if (!fixture.contains("partial"))
        EXPECT_EQ(schemaProblems("record." + emitted.kind + ".json", record["data"]),
                  std::vector<std::string>());
      records.push_back(std::move(record));
    }
    EXPECT_EQ(json::value(records), fixture.at("records")) << json::serialize(records) << "\n"
                                                           << json::serialize(fixture.at("records"));
  }
  EXPECT_EQ(ways.size(), 2U) << "hooks and files";
}

TEST_P(CatchHook, ContactsAreKnownByAnEmailColumnHoweverItIsCalled) {
  for (auto const* column : {"Email", "Email Address", "E-mail", "Contact Email"}) {
    json::object file{{"file", "contacts.csv"}, {"first_row", 2}};
    file["header"] = json::array{"Full Name", column, "Phone Number"};
    json::array rows;
    rows.emplace_back(json::array{"Ada Hill", "ada@example.com", ""});
    file["rows"] = std::move(rows);
    EXPECT_EQ(parse({{"csv", std::move(file)}}).at("outcome"), "taken") << column;
    ASSERT_EQ(host.emitted("crm.client").size(), 1U) << column;
    EXPECT_EQ(host.emitted("crm.client")[0].at("data").at("email"), "ada@example.com");
  }
  json::object other{{"file", "colours.csv"}, {"first_row", 2}};
  other["header"] = json::array{"Colour"};
  other["rows"] = json::array();
  std::string const reason(parse({{"csv", std::move(other)}}).at("reason").as_string());
  for (auto const* wanted : {"email or email_address", "(contacts)", "(projects)", "(payments)"})
    EXPECT_NE(reason.find(wanted), std::string::npos) << reason;
}

// Columns by which each of the providers knows its payments, and its projects.
json::object payments(json::array rows) {
  json::object file{{"file", "payments.csv"}, {"first_row", 2}};
  file["header"] =
      json::array{"Client Name", "Payment Name", "Invoice Number", "Amount", "Amount Paid", "Paid Date"};
  file["rows"] = std::move(rows);
  return {{"csv", std::move(file)}};
}

json::array payment(char const* client, char const* amount) {
  return {client, "Retainer", "", amount, amount, "2026-01-05"};
}

json::object projects(json::array rows) {
  json::object file{{"file", "projects.csv"}, {"first_row", 2}};
  file["header"] = json::array{"Project Name", "Project Title", "Job Name", "Client Name", "Client Email"};
  file["rows"] = std::move(rows);
  return {{"csv", std::move(file)}};
}

json::array wedding(char const* client, char const* email) {
  return {"Wedding", "Wedding", "Wedding", client, email};
}

TEST_P(CatchHook, PaymentsWithoutAnIdAreToldApartByClientAndAmount) {
  json::array rows;
  rows.push_back(payment("Ada Hill", "$500"));
  rows.push_back(payment("Bo Diaz", "$750"));
  rows.push_back(payment("Bo Diaz", "$500"));
  parse(payments(std::move(rows)));
  EXPECT_EQ(idsOf("crm.payment").size(), 3U);
  EXPECT_EQ(host.emitted("crm.payment")[0].at("data").at("client"), "Ada Hill");
  EXPECT_TRUE(problems().empty()) << problems()[0];

  std::set<std::string> ids;
  for (auto const* client : {"Ada Hill", "Bo Diaz", "a.b@x.test", "a_b@x.test"}) {
    json::object body{{"event", "payment received"}, {"amount", "500"}, {"payment_name", "Retainer"}};
    body[std::string_view(client).find('@') == std::string_view::npos ? "client_name" : "client_email"] =
        client;
    parse(hookOf(std::move(body)));
    ids.merge(idsOf("crm.payment"));
  }
  EXPECT_EQ(ids.size(), 4U) << "hooks of four clients";
  parse(hookOf({{"event", "payment received"}, {"amount", "500"}}));
  EXPECT_EQ(problems().size(), 1U) << "an amount alone says of nobody what was paid";
}

TEST_P(CatchHook, PartPaymentsOfOneInvoiceAreTwo) {
  std::set<std::string> ids;
  for (auto const* amount : {"500", "750"}) {
    parse(hookOf(
        {{"event", "payment received"}, {"invoice_id", "i1"}, {"client_name", "Ada"}, {"amount", amount}}));
    ids.merge(idsOf("crm.payment"));
  }
  EXPECT_EQ(ids.size(), 2U);
}

TEST_P(CatchHook, TwoEqualPaymentsOfOneFileWaitForAPerson) {
  json::array rows;
  rows.push_back(payment("Ada Hill", "$500"));
  rows.push_back(payment("Ada Hill", "$500"));
  EXPECT_EQ(parse(payments(std::move(rows))).at("outcome"), "taken");
  EXPECT_EQ(host.emitted("crm.payment").size(), 1U);
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_NE(problems()[0].find("it says the same as row 2"), std::string::npos) << problems()[0];
  EXPECT_EQ(host.emitted("garland.problem")[0].at("id"), "row 3");
}

TEST_P(CatchHook, ProjectsOfOneNameAreToldApartByTheirClient) {
  json::array rows;
  rows.push_back(wedding("Ada Hill", "ada@x.test"));
  rows.push_back(wedding("Bo Diaz", "bo@x.test"));
  rows.push_back(wedding("", "eve@x.test"));
  parse(projects(std::move(rows)));
  EXPECT_EQ(idsOf("crm.project").size(), 3U);
  auto const custom = host.emitted("crm.project")[0].at("data").at("custom");
  EXPECT_EQ(custom.at("client_name"), "Ada Hill");
  EXPECT_EQ(custom.at("client_email"), "ada@x.test");
  EXPECT_TRUE(problems().empty()) << problems()[0];
}

TEST_P(CatchHook, ASecondRowThatWouldBeTheSameRecordIsNeverStoredSilently) {
  json::array rows;
  rows.push_back(wedding("Ada Hill", "ada@x.test"));
  rows.push_back(wedding("Ada Hill", "other@x.test"));
  parse(projects(std::move(rows)));
  ASSERT_EQ(host.emitted("crm.project").size(), 1U);
  EXPECT_EQ(host.emitted("crm.project")[0].at("data").at("custom").at("client_email"), "ada@x.test");
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_NE(problems()[0].find("nothing tells it from row 2, which says something else"), std::string::npos)
      << problems()[0];
}

TEST_P(CatchHook, AStageThatTheMappingDoesNotKnowIsKeptAsTheProviderCallsIt) {
  json::object file{{"file", "projects.csv"}, {"first_row", 2}};
  file["header"] = json::array{"Project Name", "Project Title", "Job Name", "Client Name", "Stage"};
  file["rows"] = json::array{json::array{"Lake", "Lake", "Lake", "Ada Hill", "Contract out"},
                             json::array{"Barn", "Barn", "Barn", "Bo Diaz", "Booked"},
                             json::array{"Hill", "Hill", "Hill", "Cy Park", ""}};
  parse({{"csv", std::move(file)}});
  EXPECT_TRUE(problems().empty()) << problems()[0];
  auto const emitted = host.emitted("crm.project");
  ASSERT_EQ(emitted.size(), 3U);
  auto const& unknown = emitted[0].at("data");
  EXPECT_EQ(unknown.at("stage"), "other");
  EXPECT_EQ(unknown.at("custom").at("status_text"), "Contract out");
  for (std::size_t i : {1U, 2U}) {
    auto const& known = emitted[i].at("data");
    EXPECT_EQ(known.at("stage"), i == 1 ? "booked" : "other");
    EXPECT_FALSE(known.at("custom").as_object().contains("status_text"));
  }
}

TEST_P(CatchHook, AnythingElseIsUnknownAndNeverAnError) {
  for (auto const* body :
       {R"({})", R"({"event":"Something New","email":"ada@example.com"})", R"({"event":{"deep":1}})", R"([])",
        R"("text")", R"([[1]])", R"({"event":["new lead","x"]})"}) {
    json::object hook{{"content_type", "application/json"}, {"query", json::object()}};
    hook["json"] = json::parse(body);
    auto const outcome = parse({{"hook", std::move(hook)}});
    EXPECT_NE(outcome.at("outcome"), "taken") << body;
    EXPECT_TRUE(host.emitted().empty()) << body;
  }
}

INSTANTIATE_TEST_SUITE_P(Providers, CatchHook,
                         ::testing::Values("honeybook", "seventeen-hats", "dubsado", "studio-ninja"));

} // namespace
} // namespace garland::testing
