// The samples as they are shipped: the built objects under a fake host.
#include "tests/places/places.h"

#include <garland/testing/fake_host.hpp>

#include <gmock/gmock.h>

namespace garland::testing {
namespace {

FakeHost hostFor(std::string const& id) {
  auto const folder = inBuild("/samples/") + id.substr(id.find('.') + 1) + "/plugins/" + id;
  return FakeHost(loadConnector(folder + "/connector.so"), readFile(folder + "/connector.json"));
}

json::value pullAll() { return {{"cursor", nullptr}, {"calendars", json::array()}}; }

TEST(SmallestC, ItIsWellAndBringsOneEvent) {
  auto host = hostFor("example.smallest-c");
  EXPECT_EQ(host.run("health.check/1").result, json::value({{"account", "nobody"}}));
  EXPECT_TRUE(host.run("calendar.pull/1", pullAll()).ok());
  ASSERT_EQ(host.emitted("calendar.event").size(), 1U);
  EXPECT_EQ(host.durable(), 1U);
}

class SmallestCpp : public ::testing::Test {
protected:
  SmallestCpp() { host.open({{"url", "https://api.example.com/v1"}}); }
  FakeHost host = hostFor("example.smallest-cpp");
};

TEST_F(SmallestCpp, BookingsBecomeEventsAndABadOneIsReportedByItsPlace) {
  host.expect("GET", "https://api.example.com/bookings", HttpResponse{.body = R"({"bookings":[
    {"id":"7","couple":"Ada & Ben","date":"2026-06-13","state":"booked","place":"Old Barn"},
    {"id":"8","couple":"Cleo & Dan","date":"2026-06-20","state":"lost"},
    {"id":"9","couple":"Eve & Finn","date":"2026-06-27","state":"cancelled"}]})"});
  auto const outcome = host.run("calendar.pull/1", pullAll());
  EXPECT_TRUE(outcome.ok()) << outcome.message;
  auto const events = host.emitted("calendar.event");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].at_pointer("/data/title"), json::value("Wedding of Ada & Ben"));
  EXPECT_EQ(events[1].at_pointer("/data/status"), json::value("cancelled"));
  auto const problems = host.emitted("garland.problem");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].at("message"), json::value("/state: must be one of booked, cancelled"));
  EXPECT_TRUE(host.emitted("garland.listing").empty()) << "an incomplete list must not delete anything";
  EXPECT_EQ(host.requests()[0].credential_slot, "token");
}

TEST_F(SmallestCpp, AnExpiredTokenIsToldAsSuch) {
  host.expect("GET", "https://api.example.com/me", HttpResponse{.status = 401});
  EXPECT_EQ(host.run("health.check/1").status, GARLAND_E_AUTH_EXPIRED);
}

TEST_F(SmallestCpp, AnAnswerWithoutItsMemberIsTheProvidersBug) {
  host.expect("GET", "https://api.example.com/me", HttpResponse{.body = "{}"});
  auto const outcome = host.run("calendar.discover/1");
  EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG);
  EXPECT_EQ(outcome.message, "the answer of /me: /email: is missing");
}

} // namespace
} // namespace garland::testing
