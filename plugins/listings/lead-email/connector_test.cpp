// Fixtures in, leads out: every provider's connector over mails as they come, by the contract.
#include "host/mail/mail.h"
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace lead_email {
namespace {

namespace json = boost::json;
using garland::testing::FakeHost;

std::string const here = garland::inSources("/plugins/listings/lead-email/");

std::string fileText(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// A provider's connector, as it is installed.
class Provider {
public:
  explicit Provider(std::string const& name)
      : name_(name),
        host_(garland::testing::loadConnector(garland::inBuild("/plugins/garland.") + name + "/connector.so"),
              fileText(here + name + "/connector.json")) {
    host_.open({{"account", "Barn Studio"},
                {"authserv_id", "mx.example.org"},
                {"forwarders", "Studio@example.org"}});
  }
  json::value parse(std::string const& file, bool accepted = false) {
    host_.clear();
    auto mail = garland::mail::readMail(fileText(here + "fixtures/" + name_ + "/" + file));
    EXPECT_TRUE(mail) << file;
    json::object input{
        {"item", {{"id", "itm_1"}, {"source", "mail"}, {"received_at", "2026-06-06T14:30:05Z"}}}};
    if (accepted) input["item"].as_object()["accepted"] = true;
    input["mail"] = std::move(*mail);
    auto const outcome = host_.run("intake.parse/1", std::move(input));
    EXPECT_TRUE(outcome.ok()) << file << ": " << outcome.message;
    return outcome.result;
  }
  // What it makes of the file: {"outcome", "reason"?, "records": [...]}.
  json::value all(std::string const& file) {
    auto result = parse(file);
    json::array records;
    for (auto const& one : host_.emitted()) {
      if (one.kind != "crm.lead")
        ADD_FAILURE() << file << ": " << one.kind << " " << json::serialize(one.record);
      records.push_back(one.record);
    }
    result.as_object()["records"] = std::move(records);
    return result;
  }
  FakeHost& host() { return host_; }

private:
  std::string name_;
  FakeHost host_;
};

// Where each member came from is told with a record, for what the host may refuse of it; the fixtures say
// what it is.
json::value withoutPlaces(json::value made) {
  auto* object = made.if_object();
  auto* records = object == nullptr ? nullptr : object->if_contains("records");
  if (records != nullptr)
    for (auto& record : records->as_array()) record.as_object().erase("places");
  return made;
}

class Fixtures : public testing::TestWithParam<char const*> {};

// Beside every mail stands what is to come of it.
TEST_P(Fixtures, BecomeWhatStandsBesideThem) {
  std::string const name = GetParam();
  Provider provider(name);
  std::size_t count = 0;
  for (auto const& entry : std::filesystem::directory_iterator(here + "fixtures/" + name)) {
    if (entry.path().extension() != ".eml") continue;
    ++count;
    auto expected = entry.path();
    expected.replace_extension(".json");
    auto const text = fileText(expected);
    auto const made = provider.all(entry.path().filename());
    EXPECT_EQ(withoutPlaces(made), text.empty() ? json::value() : json::parse(text)) << expected;
    EXPECT_EQ(made, provider.all(entry.path().filename())) << "a second reading says something else";
  }
  EXPECT_GE(count, 3U);
}

INSTANTIATE_TEST_SUITE_P(All, Fixtures, testing::Values("the-knot", "weddingwire", "zola"));

TEST_P(Fixtures, ComeOfAMappingThatConformsToTheSchema) {
  auto const mapping = json::parse(fileText(here + GetParam() + "/mapping.json"));
  EXPECT_EQ(garland::testing::schemaProblems("mapping.json", mapping), std::vector<std::string>());
}

TEST(LeadConnector, AnAcceptedMailIsALeadAndOneThatNoRuleFitsCannotBeAccepted) {
  Provider provider("the-knot");
  for (auto const* file : {"forged.eml", "unproven.eml"}) {
    EXPECT_EQ(provider.parse(file).at("acceptable"), json::value(true)) << file;
    EXPECT_TRUE(provider.host().emitted().empty()) << file;
    EXPECT_EQ(provider.parse(file, true), json::value({{"outcome", "taken"}})) << file;
    EXPECT_EQ(provider.host().emitted("crm.lead").size(), 1U) << file;
  }
  for (bool const accepted : {false, true}) {
    auto const unknown = provider.parse("unknown_layout.eml", accepted);
    EXPECT_EQ(unknown.at("outcome"), json::value("unknown"));
    EXPECT_FALSE(unknown.as_object().contains("acceptable"));
  }
}

TEST(LeadConnector, TheAccountIsNamedByItsSetting) {
  Provider provider("zola");
  EXPECT_EQ(provider.host().run("health.check/1").result, json::value({{"account", "Barn Studio"}}));
}

TEST(LeadConnector, ASettingThatCannotBeReadIsNamed) {
  Provider provider("zola");
  auto const fieldOf = [&](json::object settings) {
    provider.host().open(std::move(settings));
    auto const outcome = provider.host().run("health.check/1");
    EXPECT_EQ(outcome.status, GARLAND_E_INVALID_INPUT) << outcome.message;
    return outcome.detail.is_null() ? std::string() : std::string(outcome.detail.at("field").as_string());
  };
  EXPECT_EQ(fieldOf({{"authserv_id", "mx.example.org"}}), "/settings/account");
  for (auto const* name :
       {"account", "authserv_id", "unproven", "forwarders", "currency", "date_order", "calling_code"}) {
    json::object settings{{"account", "Barn Studio"}};
    settings[name] = 7;
    EXPECT_EQ(fieldOf(std::move(settings)), "/settings/" + std::string(name));
  }
}

TEST(LeadConnector, AHookIsNotForIt) {
  Provider provider("zola");
  auto const outcome = provider.host().run(
      "intake.parse/1",
      {{"item", {{"id", "itm_1"}, {"source", "hook"}, {"received_at", "2026-06-06T14:30:05Z"}}},
       {"hook", {{"content_type", ""}, {"query", json::object()}}}});
  EXPECT_EQ(outcome.result.at("outcome"), json::value("unknown"));
}

} // namespace
} // namespace lead_email
