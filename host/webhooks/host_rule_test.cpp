// Which addresses in a request may be followed.
#include "host/webhooks/host_rule.h"

#include <gtest/gtest.h>

namespace garland::webhooks {
namespace {

bool follows(std::vector<std::string> hosts, std::string const& url, std::string path_prefix = "") {
  HostRule const rule{Place{Place::In::header, "X-Where", "", "", ""}, std::move(hosts),
                      std::move(path_prefix)};
  auto const checked = checkAddress(rule, url);
  if (!checked) EXPECT_EQ(checked.error().reason, Reason::untrustedHost);
  return checked.has_value();
}

TEST(HostRule, AStarInFrontStandsForAnyNamesBelow) {
  EXPECT_TRUE(follows({"*.studio.test"}, "https://a.studio.test/x"));
  EXPECT_TRUE(follows({"*.studio.test"}, "https://A.B.Studio.TEST:443/x"));
  EXPECT_FALSE(follows({"*.studio.test"}, "https://studio.test/x"));
  EXPECT_FALSE(follows({"*.studio.test"}, "https://evilstudio.test/x"));
  EXPECT_FALSE(follows({"*.studio.test"}, "https://a.studio.test.evil.test/x"));
}

TEST(HostRule, AStarBetweenDotsStandsForOneName) {
  EXPECT_TRUE(follows({"keys.*.studio.test"}, "https://keys.north.studio.test/"));
  EXPECT_FALSE(follows({"keys.*.studio.test"}, "https://keys.a.b.studio.test/"));
  EXPECT_FALSE(follows({"keys.*.studio.test"}, "https://keys.studio.test/"));
  EXPECT_FALSE(follows({"keys.*.studio.test"}, "https://keys..studio.test/"));
  EXPECT_FALSE(follows({"keys.*.studio.test"}, "https://evil.keys.north.studio.test/"));
}

TEST(HostRule, OnlyHttpsOnTheUsualPortWithoutAUserName) {
  for (auto const* url :
       {"http://a.studio.test/", "https://a.studio.test:8443/", "https://me@a.studio.test/",
        "https://evil.test/?a.studio.test", "https://evil.test#.studio.test", "//a.studio.test/",
        "a.studio.test", "", "https://", "https://[::1]/", "https://127.0.0.1/", "javascript:1",
        "https://a.studio.test\\@evil.test/", "https://a.studio.test /", "https://a.studio.test\n/"})
    EXPECT_FALSE(follows({"*.studio.test"}, url)) << url;
}

TEST(HostRule, ThePathKeepsToItsPrefix) {
  EXPECT_TRUE(follows({"a.studio.test"}, "https://a.studio.test/keys/7.pem", "/keys/"));
  for (auto const* path : {"/", "/other", "/keys/../other", "/keys/%2e%2e/other", ""})
    EXPECT_FALSE(follows({"a.studio.test"}, std::string("https://a.studio.test") + path, "/keys/")) << path;
}

} // namespace
} // namespace garland::webhooks
