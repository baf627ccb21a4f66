// The ways to tokens that a manifest may describe, each at a provider that knows no other: connected, signed
// in for the first time, renewed, and used. Refresh tokens are in sign_ins_test.
#include "host/oauth/testing/robot.h"
#include "host/sync/testing/house.h"

#include <gmock/gmock.h>

#include <set>

namespace garland::sync {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::House;
using ::testing::Not;

constexpr auto kTokens = "https://id.example/token";
constexpr std::chrono::hours kSixtyDays{24 * 60};

std::string member(std::string const& form, std::string const& name) {
  auto const at = ("&" + form).find("&" + name + "=");
  if (at == std::string::npos) return {};
  auto const begin = at + name.size() + 1;
  return form.substr(begin, form.find('&', begin) - begin);
}

// What a provider knows of whom it gave tokens to.
struct Desk {
  bool lets(std::string const& token) const {
    auto const found = ends.find(token);
    return found != ends.end() && clock.now() < found->second;
  }

  Clock const& clock;
  std::map<std::string, TimePoint> ends; // of the tokens
  std::set<std::string> assertions;      // each is good once
};

// A request for a token as it arrived.
struct Asked {
  std::string method;
  std::string form; // of the body, or of the query by GET
  std::string username;
  std::string password;
};

struct Way {
  std::string name;
  std::string slot; // as the manifest has it
  std::vector<std::pair<std::string, std::string>> typed;
  bool (*takes)(Desk&, Asked const&) = nullptr;
  std::string refusal;
  Milliseconds life{1h};
  bool in_query = false; // where it looks for tokens
};

bool takesBasic(Desk&, Asked const& asked) {
  return asked.method == "POST" && asked.username == "an-id" && asked.password == "its-secret" &&
         asked.form == "grant_type=client_credentials&scope=calendar.read%2Cmail";
}

bool takesBody(Desk&, Asked const& asked) {
  return asked.method == "POST" && asked.username.empty() && asked.password.empty() &&
         asked.form == "grant_type=client_credentials&client_id=an-id&client_secret=its-secret&audience=x";
}

bool takesAssertion(Desk& desk, Asked const& asked) {
  auto const token = member(asked.form, "assertion");
  auto const parts = oauth::testing::partsOf(token);
  auto const signed_part = token.substr(0, token.rfind('.'));
  bool const signs = parts.size() == 3 &&
                     parts[2] == vault::signRs256(Secret(oauth::testing::kRobotKey), signed_part).value();
  if (!signs ||
      asked.form != "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + token)
    return false;
  auto const claims = parseJson(parts[1]).value();
  auto const ends = TimePoint(std::chrono::seconds(integerOr(claims, "/exp", 0)));
  return textOr(claims, "/iss", "") == "robot@x.example" && textOr(claims, "/aud", "") == kTokens &&
         textOr(claims, "/sub", "") == "p" && desk.clock.now() < ends &&
         desk.assertions.insert(textOr(claims, "/jti", "")).second;
}

bool takesToken(Desk& desk, Asked const& asked) {
  return asked.method == "GET" && asked.username.empty() &&
         member(asked.form, "grant_type") == "fb_exchange_token" &&
         member(asked.form, "client_id") == "an-id" && member(asked.form, "client_secret") == "its-secret" &&
         desk.lets(member(asked.form, "fb_exchange_token"));
}

Way clientByBasic() {
  return Way{"TheClientByBasic",
             R"({"slot": "account", "scheme": "oauth2", "fields": ["client_id", "client_secret"],
                 "oauth2": {"token_url": "https://id.example/token", "renew_by": "client",
                            "scopes": ["calendar.read", "mail"], "scope_separator": ","}})",
             {{"client_id", "an-id"}, {"client_secret", "its-secret"}},
             takesBasic,
             R"({"error":"invalid_client"})"};
}

Way clientInTheBody() {
  return Way{"TheClientInTheBody",
             R"({"slot": "account", "scheme": "oauth2", "fields": ["client_id", "client_secret"],
                 "oauth2": {"token_url": "https://id.example/token", "renew_by": "client", "client": "body",
                            "parameters": {"audience": "x"}}})",
             {{"client_id", "an-id"}, {"client_secret", "its-secret"}},
             takesBody,
             R"({"error":"invalid_client"})"};
}

Way assertion() {
  return Way{"AnAssertion",
             R"({"slot": "account", "scheme": "oauth2", "fields": ["issuer", "private_key"],
                 "oauth2": {"token_url": "https://id.example/token", "renew_by": "assertion",
                            "claims": {"sub": "setting:/provider"}}})",
             {{"issuer", "robot@x.example"}, {"private_key", oauth::testing::kRobotKey}},
             takesAssertion,
             R"({"error":"invalid_grant"})"};
}

// As Meta does: what a person copies from its page is good for an hour.
Way sixtyDays() {
  return Way{"ATokenOfSixtyDays",
             R"({"slot": "account", "scheme": "oauth2", "parameter": "access_token",
                 "fields": ["app_id", "app_secret", "access_token"],
                 "oauth2": {"token_url": "https://id.example/token", "method": "GET", "client": "body",
                            "renew_by": "access_token", "grant_type": "fb_exchange_token",
                            "token_parameter": "fb_exchange_token", "life_seconds": 5184000,
                            "refusals": ["190"]}})",
             {{"app_id", "an-id"}, {"app_secret", "its-secret"}, {"access_token", "of-an-hour"}},
             takesToken,
             R"({"error":{"message":"Error validating access token","type":"OAuthException","code":190}})",
             kSixtyDays,
             true};
}

class AtTheDesk : public ::testing::Test {
protected:
  explicit AtTheDesk(Way the_way) : way(std::move(the_way)) {
    desk.ends["of-an-hour"] = house.clock.now() + 1h;
    house.egress.answer = [this](egress::Request const& request) { return answer(request); };
    auto plugins = house.catalogue.plugins();
    plugins.push_back(plugin());
    house.catalogue.renew(runtime::Catalogue(std::move(plugins)));
    house.run(house.engine->enablePlugin(vendor, "test.calendar.way")).value();
    ConnectRequest request;
    request.vendor_id = vendor;
    request.plugin_id = "test.calendar.way";
    request.settings = json::object{{"provider", "p"}};
    std::vector<std::pair<std::string, Secret>> fields;
    for (auto const& [field, text] : way.typed) fields.emplace_back(field, Secret(text));
    request.credentials.emplace_back("account", std::move(fields));
    connection = house.run(house.engine->connect(std::move(request))).value().connection.id;
  }

  runtime::PluginInfo plugin() const {
    runtime::PluginInfo plugin;
    plugin.manifest = runtime::parseManifest(R"({
      "manifest": 1, "id": "test.calendar.way", "name": "Fake account", "version": "1.0.0",
      "category": "calendar", "summary": "A calendar for tests.",
      "operations": ["health.check/1", "calendar.pull/1"],
      "entities": {"calendar.event": {"read": true, "write": false}},
      "auth": [)" + way.slot + R"(],
      "hosts": ["calendar.example"],
      "settings": {"type": "object", "properties": {"provider": {"type": "string"}}}})")
                          .value();
    return plugin;
  }

  Result<egress::Response> answer(egress::Request const& request) {
    egress::Response response;
    if (!request.url.starts_with(kTokens)) {
      used.push_back(shown());
      response.status = desk.lets(used.back()) ? 200 : 401;
      return response;
    }
    Asked one{request.method, request.body, house.egress.usernames.back(), house.egress.secrets.back()};
    if (one.method == "GET") one.form = request.url.substr(request.url.find('?') + 1);
    asked.push_back(one.form);
    bool const takes = way.takes(desk, one);
    response.status = takes ? 200 : 400;
    response.body = way.refusal;
    if (!takes) return response;
    newest = "access-" + std::to_string(asked.size());
    desk.ends[newest] = house.clock.now() + way.life;
    response.body = R"({"access_token":")" + newest + "\"";
    if (way.life == 1h) response.body += R"(,"expires_in":3600)";
    response.body += "}";
    return response;
  }
  // The token that a connector's request carries, where this provider looks for it.
  std::string shown() const {
    using Scheme = egress::Credential::Scheme;
    auto const& url = house.egress.urls.back();
    if (way.in_query) return member(url.substr(url.find('?') + 1), "access_token");
    return house.egress.schemes.back() == Scheme::bearer ? house.egress.secrets.back() : std::string();
  }

  static Task<void> fetch(runtime::CallHost* host, Result<runtime::HttpAnswer>* out) {
    runtime::HttpAsk ask;
    ask.method = "GET";
    ask.url = "https://calendar.example/events?page=2";
    ask.credential_slot = "account";
    *out = co_await host->http(std::move(ask));
    if (!*out) co_return out->error();
    co_return Result<void>();
  }
  // What the connector asks for during a pull: the status, or why there is none.
  std::string ask() {
    Result<runtime::HttpAnswer> out = Error(ErrorKind::pluginBug, "not asked");
    house.provider("p").during_pull = [&](runtime::CallHost* host) { return fetch(host, &out); };
    house.sync(connection);
    return out ? std::to_string(out->status) : out.error().message;
  }

  Way way;
  House house;
  Desk desk{house.clock, {}, {}};
  std::string vendor = house.vendor();
  std::string connection;
  std::string newest;             // that was given
  std::vector<std::string> asked; // for tokens
  std::vector<std::string> used;  // by the connector's requests
};

class AnyWay : public AtTheDesk, public ::testing::WithParamInterface<Way> {
protected:
  AnyWay() : AtTheDesk(GetParam()) {}
};

TEST_P(AnyWay, SignsInWhenItIsNeededAndRenewsBeforeItIsOver) {
  EXPECT_EQ(ask(), "200");
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_EQ(ask(), "200");
  EXPECT_EQ(asked.size(), 1U) << "it is good yet";
  house.clock.advance(way.life * 9 / 10);
  EXPECT_EQ(ask(), "200");
  EXPECT_EQ(asked.size(), 2U);
  EXPECT_THAT(used, ::testing::ElementsAre("access-1", "access-1", "access-2"));
  for (auto const& secret : {std::string("its-secret"), std::string("access-1"), std::string("of-an-hour")})
    EXPECT_THAT(house.log_text, Not(HasSubstr(secret)));
}

TEST_P(AnyWay, ATokenThatWasTakenBackIsReplacedUnlessItIsWhatOthersAreGivenFor) {
  EXPECT_EQ(ask(), "200");
  desk.ends.erase("access-1");
  EXPECT_EQ(ask() == "200", !way.in_query);
  EXPECT_EQ(asked.size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Of, AnyWay,
                         ::testing::Values(clientByBasic(), clientInTheBody(), assertion(), sixtyDays()),
                         [](auto const& one) { return one.param.name; });

class SixtyDays : public AtTheDesk {
protected:
  SixtyDays() : AtTheDesk(sixtyDays()) {}
};

TEST_F(SixtyDays, AreBegunAnewForAsLongAsTheAccountIsAsked) {
  for (int day = 0; day < 130; ++day) {
    ASSERT_EQ(ask(), "200") << "on day " << day;
    house.clock.advance(24h);
  }
  EXPECT_EQ(house.run(house.engine->connection(connection)).value().state, "connected");
  EXPECT_EQ(asked.size(), 3U) << "the token of an hour, and twice one of sixty days";
}

TEST_F(SixtyDays, TheTokenIsAMemberOfTheQuery) {
  EXPECT_EQ(ask(), "200");
  EXPECT_EQ(house.egress.urls.back(), "https://calendar.example/events?page=2&access_token=access-1");
}

TEST_F(SixtyDays, ThatPassUnusedEndTheSignInByTheProvidersOwnCode) {
  EXPECT_EQ(ask(), "200");
  house.clock.advance(61 * 24h);
  EXPECT_THAT(ask(), HasSubstr("190"));
  auto const now = house.run(house.engine->connection(connection)).value();
  EXPECT_EQ(now.state, "reconnect needed");
  ASSERT_EQ(now.sign_ins.size(), 1U);
  EXPECT_EQ(now.sign_ins[0].by, "provider");
  EXPECT_THAT(now.sign_ins[0].cause, AllOf(HasSubstr("190"), HasSubstr("connect the account again")));
}

} // namespace
} // namespace garland::sync
