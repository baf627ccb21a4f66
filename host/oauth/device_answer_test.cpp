// What is said of sign-ins on another device: as RFC 8628 has it, and as providers do.
#include "host/oauth/device_answer.h"

#include <gmock/gmock.h>

namespace garland::oauth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Says = DeviceWord::Says;

Reply reply(int status, std::string body) {
  Reply out;
  out.status = status;
  out.body = std::move(body);
  return out;
}
Result<DeviceStart> start(std::string body, int status = 200) {
  return readDeviceStart(reply(status, std::move(body)));
}
DeviceWord word(int status, std::string body) { return readDeviceWord({}, reply(status, std::move(body))); }

TEST(DeviceStart, HasTheCodesAndWhereOneOfThemIsTyped) {
  auto const full = start(R"({"device_code":"d-1","user_code":"WDJB-MJHT","interval":7,"expires_in":1800,
    "verification_uri":"https://x.example/device",
    "verification_uri_complete":"https://x.example/device?user_code=WDJB-MJHT"})");
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_EQ(full->code.reveal(), "d-1");
  EXPECT_EQ(full->user_code, "WDJB-MJHT");
  EXPECT_EQ(full->verification_uri, "https://x.example/device");
  EXPECT_EQ(full->verification_uri_complete, "https://x.example/device?user_code=WDJB-MJHT");
  EXPECT_EQ(full->pause, std::chrono::seconds(7));
  EXPECT_EQ(full->life, std::chrono::minutes(30));
}

TEST(DeviceStart, MayBeShortAndHaveAnOldName) {
  auto const scant =
      start(R"({"device_code":"d-1","user_code":"W","verification_url":"https://x.example/device"})");
  ASSERT_TRUE(scant) << scant.error().message;
  EXPECT_EQ(scant->verification_uri, "https://x.example/device");
  EXPECT_EQ(scant->verification_uri_complete, "");
  EXPECT_EQ(scant->pause, std::chrono::seconds(5));
  EXPECT_EQ(scant->life, std::chrono::minutes(10));
}

TEST(DeviceStart, WithWhatNobodyCouldBeShownIsNone) {
  std::string const page = R"("verification_uri":"https://x.example/device")";
  std::string const device = R"("device_code":"d-1",)";
  std::string const user = R"("user_code":"W",)";
  for (auto const& body : {std::string("no JSON"), std::string("{}"), "{" + device + page + "}",
                           "{" + device + R"("user_code":"W\u001b[2J",)" + page + "}",
                           "{" + device + user + R"("verification_uri":"file:///x.example/"})",
                           R"({"device_code":"a b",)" + user + page + "}"}) {
    auto const none = start(body);
    ASSERT_FALSE(none) << body;
    EXPECT_EQ(none.error().kind, ErrorKind::providerBug) << body;
    EXPECT_THAT(none.error().message, Not(HasSubstr("d-1")));
  }
}

TEST(DeviceStart, ThatIsRefusedSaysWhetherItPasses) {
  auto const refused = start(R"({"error":"invalid_client"})", 401).error();
  EXPECT_EQ(refused.kind, ErrorKind::forbidden);
  EXPECT_THAT(refused.message, AllOf(HasSubstr("401 invalid_client"), HasSubstr("check the client's id")));
  EXPECT_EQ(start("", 503).error().kind, ErrorKind::transient);
  EXPECT_EQ(start("", 429).error().kind, ErrorKind::transient);
}

TEST(DeviceWord, GoesOnUntilTokensCome) {
  EXPECT_EQ(word(400, R"({"error":"authorization_pending"})").says, Says::pending);
  EXPECT_EQ(word(200, R"({"error":"authorization_pending"})").says, Says::pending) << "as one provider does";
  EXPECT_EQ(word(428, R"({"error":"authorization_pending"})").says, Says::pending);
  EXPECT_EQ(word(400, R"({"error":"slow_down"})").says, Says::slower);
  EXPECT_EQ(word(429, R"({"error":"slow_down"})").says, Says::slower);
  auto const given = word(200, R"({"access_token":"a","refresh_token":"r","expires_in":60})");
  EXPECT_EQ(given.says, Says::given);
  EXPECT_EQ(given.answer.access.reveal(), "a");
  EXPECT_EQ(given.answer.refresh.reveal(), "r");
}

TEST(DeviceWord, EndsWithAReason) {
  auto const denied = word(400, R"({"error":"access_denied"})");
  EXPECT_EQ(denied.says, Says::over);
  EXPECT_EQ(denied.why, "it was not let in at the provider; begin the sign-in again");
  EXPECT_THAT(word(400, R"({"error":"expired_token"})").why, HasSubstr("ran out"));
  for (auto const* body : {R"({"error":"invalid_grant"})", R"({"error":"invalid_client"})"}) {
    EXPECT_EQ(word(400, body).says, Says::over) << body;
    EXPECT_THAT(word(400, body).why, HasSubstr("400 invalid_")) << body;
  }
  auto const unreadable = word(200, "a page");
  EXPECT_EQ(unreadable.says, Says::over);
  EXPECT_TRUE(unreadable.in_doubt);
}

TEST(DeviceWord, OfAServerInTroubleMeansNothing) {
  auto const trouble = word(502, R"({"error":"access_denied"})");
  EXPECT_EQ(trouble.says, Says::later);
  EXPECT_TRUE(trouble.in_doubt);
  EXPECT_EQ(word(429, "").says, Says::later);
  EXPECT_FALSE(word(429, "").in_doubt);
  EXPECT_EQ(noDeviceWord(Error(ErrorKind::transient, "reset").withEffect(Effect::unknown)).says, Says::later);
}

} // namespace
} // namespace garland::oauth
