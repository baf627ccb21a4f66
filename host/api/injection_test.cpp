// Paths that climb and lines that break: what is in a request stays what it is, a segment or a value.
#include "host/api/testing/harness.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

using testing::Answer;
using testing::Client;
using testing::Harness;

Answer withoutKey(Harness const& house, std::string const& line) {
  Client client(house.server->port());
  client.send(line + " HTTP/1.1\r\nHost: " + house.host() + "\r\n\r\n");
  return client.read();
}

// Nothing takes ".." away, so no path that is open leads to one that is not.
TEST(Routes, APathThatClimbsIsNoPath) {
  Harness house;
  for (std::string const path :
       {"/health/../api/integrations/vendors", "/health/%2e%2e/api/integrations/vendors",
        "/hooks/../api/integrations/vendors", "/hooks/..%2Fapi%2Fintegrations%2Fvendors",
        "/api/integrations/webhook/../vendors", "/api/integrations/webhook/caldav/..%2f..%2fvendors",
        "/api//integrations/vendors", "/api/integrations/vendors/..;/vendors",
        "/api/integrations/vendors%00.json"}) {
    auto const stranger = withoutKey(house, "GET " + path);
    EXPECT_GE(stranger.status, 400) << path;
    EXPECT_EQ(stranger.body.find("\"items\""), std::string::npos) << path;
    auto const known = house.ask("GET", path);
    EXPECT_GE(known.status, 400) << path << ": it is another path for those with a key as well";
  }
}

TEST(Routes, AnIdThatClimbsIsNobodys) {
  Harness house;
  for (std::string const id : {"..", "..%2F..%2Fvault", "%2Fetc%2Fpasswd", "ven_..%2F", "..%5C..%5Cvault"})
    for (std::string const& path :
         {"/api/integrations/connections/" + id, "/api/integrations/status/" + id}) {
      auto const answer = house.ask("GET", path);
      EXPECT_GE(answer.status, 400) << path;
      EXPECT_LT(answer.status, 500) << path;
    }
}

// A name that came in, decoded, would be a line of the answer's head.
TEST(Routes, ALineBreakInAPathBecomesNoHeader) {
  Harness house;
  for (std::string const breaks : {"%0d%0a", "%0D%0A", "%0a", "%0d", "%00"})
    for (std::string const& target :
         {"/api/integrations/vendors/a" + breaks + "x-evil:%201",
          "/api/integrations/vendors?after=a" + breaks + "x-evil:%201", "/hooks/a" + breaks + "x-evil:%201",
          "/api/integrations/webhook/caldav/a" + breaks + "x-evil:%201"}) {
      auto const answer = house.ask("GET", target);
      EXPECT_GE(answer.status, 400) << target;
      EXPECT_FALSE(answer.headers.contains("x-evil")) << target;
      EXPECT_EQ(house.logText().find("\nx-evil"), std::string::npos) << "one line of the log is one thing";
    }
}

// What a header says is neither another header nor another request.
TEST(Routes, AHeaderThatBreaksIsNoSecondOne) {
  Harness house;
  for (std::string const& header : {"X-A: b\rX-Api-Key: " + house.key, "X-A: b\r X-Api-Key: " + house.key,
                                    "X-A: b\n X-Api-Key: " + house.key, "X-Api-Key : " + house.key,
                                    std::string("X-A: b\0X-Api-Key: ", 18) + house.key}) {
    Client client(house.server->port());
    client.send("GET /api/integrations/vendors HTTP/1.1\r\nHost: " + house.host() + "\r\n" + header +
                "\r\n\r\n");
    EXPECT_NE(client.read().status, 200) << header;
  }
}

} // namespace
} // namespace garland::api
