// An account that is connected by a sign-in at its provider's own page: there, and back with a code.
#include "host/sync/testing/house.h"

#include <gmock/gmock.h>

namespace garland::sync {
namespace {

using ::testing::HasSubstr;
using testing::House;
using ::testing::Not;

class SignInPage : public ::testing::Test {
protected:
  SignInPage() {
    house.egress.answer = [this](egress::Request const& request) { return answer(request); };
    house.run(house.engine->enablePlugin(vendor, "test.calendar.signed")).value();
  }

  ConnectRequest wish() const {
    ConnectRequest request;
    request.vendor_id = vendor;
    request.plugin_id = "test.calendar.signed";
    request.settings = json::object{{"provider", "p"}};
    std::vector<std::pair<std::string, Secret>> fields;
    fields.emplace_back("client_id", Secret("an-id"));
    fields.emplace_back("client_secret", Secret("its-secret"));
    request.credentials.emplace_back("account", std::move(fields));
    return request;
  }
  oauth::Authorizations::Begun begin(std::string const& session = "") {
    return house.run(house.engine->beginSignIn(wish(), "https://garland.example/back", session)).value();
  }
  // Opens the page; what the browser has afterwards.
  std::string visit(Secret const& ticket, std::string const& session = "") {
    auto visit = house.run(house.engine->visitSignIn(std::string(ticket.reveal()), "", session)).value();
    page = visit.address;
    return std::string(visit.browser.reveal());
  }
  Result<Connected> back(Secret const& ticket, std::string const& browser,
                         std::string const& code = "a-code") {
    SignInReturn back;
    back.ticket = std::string(ticket.reveal());
    back.browser = browser;
    back.code = Secret(code);
    return house.run(house.engine->endSignIn(std::move(back)));
  }
  oauth::Authorization now(oauth::Authorizations::Begun const& begun) {
    return house.run(house.engine->signIn(begun.authorization.id)).value();
  }

  // The provider: "a-code" is good for one use.
  Result<egress::Response> answer(egress::Request const& request) {
    egress::Response response;
    response.status = status;
    if (request.url != "https://id.example/token") return response;
    asked.push_back(request.body);
    bool const good = request.body.find("code=a-code") != std::string::npos && asked.size() == 1;
    if (!good) response.status = 400;
    response.body = good ? R"({"access_token":"access-1","refresh_token":"r-1","expires_in":3600})"
                         : R"({"error":"invalid_grant"})";
    return response;
  }
  std::int64_t count(std::string const& of) { return house.rows("SELECT COUNT(*) FROM " + of)[0].integer(0); }

  House house;
  std::string vendor = house.vendor();
  std::string page;
  int status = 200;
  std::vector<std::string> asked; // for tokens
};

TEST_F(SignInPage, LeadsToAConnection) {
  auto const begun = begin();
  auto const browser = visit(begun.ticket);
  EXPECT_THAT(page, HasSubstr("https://id.example/authorize?response_type=code&client_id=an-id"));
  EXPECT_THAT(page, HasSubstr("state=" + std::string(begun.ticket.reveal())));
  EXPECT_EQ(now(begun).state, "open");
  auto const connected = back(begun.ticket, browser);
  ASSERT_TRUE(connected) << connected.error().message;
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0], HasSubstr("grant_type=authorization_code&code=a-code&redirect_uri="
                                  "https%3A%2F%2Fgarland.example%2Fback&code_verifier="));
  EXPECT_EQ(now(begun).state, "connected");
  EXPECT_EQ(now(begun).connection_id, connected->connection.id);
  auto const shown = house.run(house.engine->connection(connected->connection.id)).value();
  ASSERT_EQ(shown.sign_ins.size(), 1U);
  EXPECT_EQ(shown.sign_ins[0].state, "connected");
  for (auto const* secret : {"a-code", "access-1", "r-1", "its-secret"})
    EXPECT_THAT(house.log_text, Not(HasSubstr(secret)));
}

TEST_F(SignInPage, ATicketIsGoodForOneReturn) {
  auto const begun = begin();
  auto const browser = visit(begun.ticket);
  ASSERT_TRUE(back(begun.ticket, browser));
  auto const told = house.told("request");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(textOr(told[0], "/facts/operation", ""), "oauth.redeem");
  auto const again = back(begun.ticket, browser);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::notFound);
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_EQ(count("connections"), 1);
}

TEST_F(SignInPage, ATicketRunsOutAfterTenMinutes) {
  auto const begun = begin();
  auto const browser = visit(begun.ticket);
  house.clock.advance(std::chrono::minutes(10));
  EXPECT_EQ(back(begun.ticket, browser).error().kind, ErrorKind::notFound);
  EXPECT_EQ(now(begun).state, "expired");
  EXPECT_TRUE(asked.empty());
}

TEST_F(SignInPage, IsToldAsFailedOnceNoDaemonCanBeConnectingItAnyMore) {
  auto const begun = begin();
  house.write("UPDATE oauth_authorizations SET state='redeeming', sealed=''"); // all that a kill leaves
  house.clock.advance(std::chrono::minutes(19));
  EXPECT_EQ(now(begun).state, "redeeming") << "a daemon may be at it yet: a trial waits for limits";
  house.clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(now(begun).state, "failed");
  EXPECT_THAT(now(begun).cause, AllOf(HasSubstr("the daemon ended"), HasSubstr("look whether it is"),
                                      HasSubstr("begin the sign-in again")));
}

TEST_F(SignInPage, AnotherBrowserUsesNothingUp) {
  auto const begun = begin();
  EXPECT_EQ(back(begun.ticket, "").error().kind, ErrorKind::forbidden) << "nobody opened the page";
  auto const browser = visit(begun.ticket);
  EXPECT_EQ(back(begun.ticket, "of somebody else").error().kind, ErrorKind::forbidden);
  EXPECT_TRUE(asked.empty());
  EXPECT_TRUE(back(begun.ticket, browser));
}

TEST_F(SignInPage, WhatSomebodySignedInHasBegunGoesOnInThatSessionOnly) {
  auto const begun = begin("ses_ada");
  auto const browser = visit(begun.ticket, "ses_ada");
  for (auto const* other : {"ses_rosa", ""}) {
    auto const visit =
        house.run(house.engine->visitSignIn(std::string(begun.ticket.reveal()), "of-rosa", other));
    ASSERT_FALSE(visit) << other;
    EXPECT_EQ(visit.error().kind, ErrorKind::forbidden);
    EXPECT_EQ(back(begun.ticket, "of-rosa").error().kind, ErrorKind::forbidden);
  }
  EXPECT_TRUE(asked.empty());
  EXPECT_TRUE(back(begun.ticket, browser))
      << "the provider's page shows no session, but what that browser was given";
}

TEST_F(SignInPage, NeitherTicketNorBrowserNorWhatWasTypedIsReadableInTheDatabase) {
  auto const begun = begin();
  auto const browser = visit(begun.ticket);
  auto const row = house.rows("SELECT ticket, browser, sealed FROM oauth_authorizations")[0];
  for (std::size_t column = 0; column < 3; ++column)
    for (auto const& secret : {std::string(begun.ticket.reveal()), browser, std::string("its-secret")})
      EXPECT_THAT(row.text(column), Not(HasSubstr(secret)));
  ASSERT_TRUE(back(begun.ticket, browser));
  EXPECT_EQ(house.rows("SELECT sealed FROM oauth_authorizations")[0].text(0), "");
}

TEST_F(SignInPage, ACodeThatIsRefusedSaysSoAndLeavesNothing) {
  auto const begun = begin();
  auto const browser = visit(begun.ticket);
  auto const refused = back(begun.ticket, browser, "another-code");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("does not take the code"));
  EXPECT_EQ(now(begun).state, "failed");
  EXPECT_THAT(now(begun).cause, HasSubstr("sign in again"));
  EXPECT_EQ(count("connections"), 0);
  EXPECT_EQ(count("oauth_grants"), 0);
}

TEST_F(SignInPage, WhoDoesNotLetItInComesBackWithoutAConnection) {
  auto const begun = begin();
  SignInReturn refusal;
  refusal.ticket = std::string(begun.ticket.reveal());
  refusal.browser = visit(begun.ticket);
  refusal.refusal = "access_denied";
  EXPECT_FALSE(house.run(house.engine->endSignIn(std::move(refusal))));
  EXPECT_THAT(now(begun).cause, HasSubstr("access_denied"));
  EXPECT_TRUE(asked.empty());
}

TEST_F(SignInPage, TheTokenIsNotTyped) {
  auto typed = wish();
  typed.credentials[0].second.emplace_back("refresh_token", Secret("r-0"));
  auto const refused =
      house.run(house.engine->beginSignIn(std::move(typed), "https://garland.example/back", ""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "/credentials/account/refresh_token");
}

TEST_F(SignInPage, TheSameAccountAgainIsReconnected) {
  auto const first = begin();
  auto const browser = visit(first.ticket);
  auto const connected = back(first.ticket, browser).value();
  asked.clear();
  auto const second = begin();
  auto const again = back(second.ticket, visit(second.ticket));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->again);
  EXPECT_EQ(again->connection.id, connected.connection.id);
  EXPECT_EQ(count("oauth_grants"), 1);
}

} // namespace
} // namespace garland::sync
