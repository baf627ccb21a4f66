// The mail address of a connection.
#include "host/api/testing/harness.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

TEST(Mailbox, AnAddressIsShownOnceAndAnotherTakesItsPlace) {
  testing::Harness house;
  SeededRandom random{11};
  auto const connection = house.onLoop([&] { return newId("con", house.clock, random); });
  auto const path = "/api/integrations/connections/" + connection + "/mailbox";
  auto const first = house.ask("POST", path, "{}");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(textOr(first.json(), "/address", ""), "lead-" + std::string(52, 'a') + "@leads.example.com");
  EXPECT_TRUE(house.ask("POST", path, "{}").json().at("address").is_null());
  EXPECT_EQ(textOr(house.ask("POST", path, R"({"rotate":true})").json(), "/address", ""),
            "lead-" + std::string(52, 'b') + "@leads.example.com");
  EXPECT_EQ(house.ask("POST", path, R"({"rotate":"yes"})").status, 400);
  EXPECT_EQ(house.ask("POST", "/api/integrations/connections/con_1/mailbox", "{}").status, 404);
}

TEST(Mailbox, TheVendorsOwnOneIsNamedShownAndForgottenAndItsPasswordIsNeverShown) {
  testing::Harness house;
  SeededRandom random{11};
  auto const connection = house.onLoop([&] { return newId("con", house.clock, random); });
  auto const path = "/api/integrations/connections/" + connection + "/imap";
  EXPECT_EQ(house.ask("GET", path).status, 404);
  auto const set =
      house.ask("PUT", path, R"({"url":"imaps://imap.example.com","user":"rosa","password":"s3cret!"})");
  EXPECT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(textOr(set.json(), "/folder", ""), "INBOX");
  EXPECT_EQ(house.onLoop([&] { return house.engine.fake_mailboxes.typed; }), "s3cret!");
  auto const shown = house.ask("GET", path);
  EXPECT_EQ(textOr(shown.json(), "/user", ""), "rosa");
  EXPECT_EQ((set.body + shown.body).find("s3cret!"), std::string::npos);
  EXPECT_EQ(house.ask("PUT", path, R"({"url":"imaps://x.example","user":"rosa"})").status, 400);
  EXPECT_EQ(house.ask("DELETE", path).status, 204);
  EXPECT_EQ(house.ask("DELETE", path).status, 404);
}

} // namespace
} // namespace garland::api
