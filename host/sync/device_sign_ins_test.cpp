// An account that is connected by a code which somebody types on another device.
#include "host/sync/testing/house.h"

#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::House;
using ::testing::Not;

class OnAnotherDevice : public ::testing::Test {
protected:
  OnAnotherDevice() {
    house.egress.answer = [this](egress::Request const& request) { return answer(request); };
    house.run(house.engine->enablePlugin(vendor, "test.calendar.signed")).value();
    house.run(house.engine->start()).value();
  }

  ConnectRequest wish(std::string const& plugin = "test.calendar.signed") const {
    ConnectRequest request;
    request.vendor_id = vendor;
    request.plugin_id = plugin;
    request.settings = json::object{{"provider", "p"}};
    std::vector<std::pair<std::string, Secret>> fields;
    fields.emplace_back("client_id", Secret("an-id"));
    fields.emplace_back("client_secret", Secret("its-secret"));
    request.credentials.emplace_back("account", std::move(fields));
    return request;
  }
  oauth::DeviceSignIn begin() { return house.run(house.engine->beginDeviceSignIn(wish())).value(); }
  oauth::Authorization now(oauth::DeviceSignIn const& begun) {
    return house.run(house.engine->signIn(begun.authorization.id)).value();
  }
  // All that is under way comes to rest, and time passes: the schedule looks every five seconds.
  void pass(Milliseconds span) {
    for (auto const end = house.clock.now() + span; house.clock.now() < end; house.clock.advance(1s))
      settle();
    settle();
  }
  void settle() {
    do {
      house.loop.restart();
      if (house.loop.poll() == 0 && house.cut->under_way > 0) house.loop.run_one_for(100ms);
    } while (house.loop.poll() > 0 || house.cut->under_way > 0);
  }

  Result<egress::Response> answer(egress::Request const& request) {
    egress::Response response;
    response.status = 200;
    if (request.url == "https://id.example/device") {
      response.body = R"({"device_code":"a-device-code","user_code":"WDJB-MJHT","expires_in":600,
        "verification_uri":"https://id.example/activate"})";
    } else if (request.url == "https://id.example/token") {
      polls.push_back(request.body);
      if (!says.empty()) response.status = 400;
      response.body = says.empty() ? R"({"access_token":"access-1","refresh_token":"r-1","expires_in":36000})"
                                   : R"({"error":")" + says + R"("})";
    }
    return response;
  }
  std::int64_t count(std::string const& of) { return house.rows("SELECT COUNT(*) FROM " + of)[0].integer(0); }

  House house;
  std::string vendor = house.vendor();
  std::string says = "authorization_pending"; // "": somebody has let it in
  std::vector<std::string> polls;
};

TEST_F(OnAnotherDevice, ACodeLeadsToAConnectionOnceItWasTyped) {
  auto const begun = begin();
  EXPECT_EQ(begun.user_code, "WDJB-MJHT");
  EXPECT_EQ(begun.verification_uri, "https://id.example/activate");
  pass(31s);
  EXPECT_EQ(now(begun).state, "open");
  ASSERT_GE(polls.size(), 2U);
  EXPECT_LE(polls.size(), 6U) << "five seconds at least between two questions";
  EXPECT_THAT(polls[0], HasSubstr("device_code=a-device-code&client_id=an-id"));
  says.clear();
  pass(15s);
  auto const ended = now(begun);
  ASSERT_EQ(ended.state, "connected") << ended.cause;
  auto const shown = house.run(house.engine->connection(ended.connection_id)).value();
  ASSERT_EQ(shown.sign_ins.size(), 1U);
  EXPECT_EQ(shown.sign_ins[0].state, "connected");
  EXPECT_EQ(count("connections"), 1);
  EXPECT_EQ(count("oauth_grants"), 1);
  EXPECT_EQ(count("oauth_devices"), 0);
  auto const asked = polls.size();
  pass(60s);
  EXPECT_EQ(polls.size(), asked) << "what was given once is not asked for again";
  for (auto const* secret : {"a-device-code", "WDJB", "access-1", "r-1", "its-secret"})
    EXPECT_THAT(house.log_text, Not(HasSubstr(secret)));
}

TEST_F(OnAnotherDevice, EveryQuestionIsInTheAuditChainByItsSignIn) {
  auto const begun = begin();
  pass(31s);
  house.run(house.book->seal()).value(); // what was noted is written
  std::int64_t told = 0;
  for (auto const& entry : house.told("request")) {
    EXPECT_EQ(textOr(entry, "/subject", ""), begun.authorization.id);
    told += integerOr(entry, "/facts/times", 1); // equal ones are one row
  }
  EXPECT_GE(polls.size(), 2U);
  EXPECT_EQ(told, 1 + std::ssize(polls));
}

TEST_F(OnAnotherDevice, ARestartOfTheDaemonEndsNothing) {
  auto const begun = begin();
  pass(11s);
  house.restart();
  says.clear();
  pass(60s);
  EXPECT_EQ(now(begun).state, "connected") << now(begun).cause;
  EXPECT_EQ(count("connections"), 1);
}

TEST_F(OnAnotherDevice, WhoDoesNotLetItInEndsItWithThatReason) {
  auto const begun = begin();
  says = "access_denied";
  pass(15s);
  EXPECT_EQ(now(begun).state, "failed");
  EXPECT_THAT(now(begun).cause, HasSubstr("not let in at the provider"));
  EXPECT_EQ(count("connections"), 0);
  EXPECT_EQ(count("oauth_grants"), 0);
  EXPECT_EQ(count("oauth_authorizations WHERE sealed<>''"), 0);
}

TEST_F(OnAnotherDevice, AnAccountThatCannotBeTriedIsNotConnectedAndLeavesNothing) {
  auto const begun = begin();
  house.provider("p").refuse_account = Error(ErrorKind::forbidden, "the calendar is closed");
  says.clear();
  pass(15s);
  EXPECT_EQ(now(begun).state, "failed");
  EXPECT_THAT(now(begun).cause, HasSubstr("the calendar is closed"));
  EXPECT_EQ(count("connections"), 0);
  EXPECT_EQ(count("oauth_grants"), 0);
}

TEST_F(OnAnotherDevice, TheSameAccountAgainIsReconnected) {
  auto const first = begin();
  says.clear();
  pass(15s);
  auto const connection = now(first).connection_id;
  auto const second = begin();
  pass(15s);
  EXPECT_EQ(now(second).connection_id, connection) << now(second).cause;
  EXPECT_EQ(count("oauth_grants"), 1);
}

TEST_F(OnAnotherDevice, AConnectorThatIsSwitchedOffMeanwhileEndsIt) {
  auto const begun = begin();
  house.run(house.engine->disablePlugin(vendor, "test.calendar.signed")).value();
  pass(15s);
  EXPECT_EQ(now(begun).state, "failed");
  EXPECT_TRUE(polls.empty());
}

TEST_F(OnAnotherDevice, IsForConnectorsWhoseProviderOffersIt) {
  auto const refused = house.run(house.engine->beginDeviceSignIn(wish("test.calendar.fake")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_TRUE(house.egress.requests.empty());
}

} // namespace
} // namespace garland::sync
