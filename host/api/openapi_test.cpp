// The document tells the truth: every route in it is served, every answer conforms to it.
#include "host/api/testing/fake_provider.h"
#include "host/api/testing/harness.h"
#include "host/api/testing/signature_lines.h"

#include "host/base/schema.h"

#include <gtest/gtest.h>

#include <set>

namespace garland::api {
namespace {

using testing::Answer;
using testing::Harness;
using testing::signatureLines;

// Checks answers against the document and remembers which operations were seen to succeed.
class Witness {
public:
  explicit Witness(Harness const& house)
      : house_(house), document_(house.ask("GET", "/openapi.json").json()) {}

  json::value const& document() const { return document_; }

  // `pattern` as in the document; `target` with its parameters filled in.
  Answer drive(std::string_view method, std::string_view pattern, std::string_view target,
               std::string_view body = "", std::string_view more_headers = "") {
    auto const answer = house_.ask(method, target, body, more_headers);
    check(method, pattern, answer);
    return answer;
  }

  std::set<std::string> succeeded;

private:
  json::value const* responseFor(json::value const& operation, int status) {
    auto const& responses = operation.at("responses").as_object();
    auto const* exact = responses.if_contains(std::to_string(status));
    return exact != nullptr ? exact : (status >= 400 ? responses.if_contains("default") : nullptr);
  }

  void check(std::string_view method, std::string_view pattern, Answer const& answer) {
    std::string verb(method);
    for (char& c : verb) c = static_cast<char>(c + 32);
    auto const& operation = document_.at("paths").at(pattern).at(verb);
    auto const* response = responseFor(operation, answer.status);
    ASSERT_NE(response, nullptr) << method << " " << pattern << " gave undocumented " << answer.status << "\n"
                                 << answer.body;
    if (answer.status < 400) succeeded.insert(std::string(operation.at("operationId").as_string()));
    auto const* content = response->as_object().if_contains("content");
    if (content == nullptr) {
      EXPECT_TRUE(answer.body.empty()) << pattern;
      return;
    }
    std::string const type =
        answer.headers.at("content-type").substr(0, answer.headers.at("content-type").find(';'));
    ASSERT_TRUE(content->as_object().contains(type)) << pattern << " answered " << type;
    if (type.starts_with("text/")) return;
    json::object schema;
    schema["components"] = document_.at("components");
    json::array all_of;
    all_of.push_back(content->at(type).at("schema"));
    schema["allOf"] = std::move(all_of);
    auto const compiled = Schema::compile(schema);
    ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
    for (auto const& problem : compiled->check(answer.json()))
      ADD_FAILURE() << method << " " << pattern << " " << problem.pointer << ": " << problem.message << "\n"
                    << answer.body;
  }

  Harness const& house_;
  json::value document_;
};

std::string idOf(Answer const& answer) { return std::string(answer.json().at("id").as_string()); }

TEST(OpenApi, EveryRouteIsServedAndAnswersWhatTheDocumentSays) {
  Harness house;
  Witness see(house);
  std::string const root = "/api/integrations";
  see.drive("GET", "/health", "/health");
  see.drive("GET", "/metrics", "/metrics");
  see.drive("GET", "/openapi.json", "/openapi.json");
  see.drive("GET", root + "/sandbox", root + "/sandbox");
  see.drive("GET", root + "/nodes", root + "/nodes");
  see.drive("GET", root + "/vault", root + "/vault");
  see.drive("POST", root + "/vault/rekey", root + "/vault/rekey");
  see.drive("GET", root + "/vault", root + "/vault");
  auto const phrase = R"("passphrase":"correct horse battery"})";
  see.drive("POST", root + "/vault/export", root + "/vault/export", std::string("{") + phrase);
  see.drive("POST", root + "/vault/import", root + "/vault/import",
            std::string(R"({"file":"export-0a",)") + phrase);
  see.drive("POST", root + "/vault/import", root + "/vault/import",
            std::string(R"({"file":"../garland.db",)") + phrase);
  see.drive("POST", root + "/backup", root + "/backup", std::string("{") + phrase);
  see.drive("GET", root + "/audit", root + "/audit");
  see.drive("POST", root + "/audit/checkpoints", root + "/audit/checkpoints");
  see.drive("GET", root + "/audit", root + "/audit");
  see.drive("GET", root + "/audit/rows", root + "/audit/rows?limit=2");
  see.drive("GET", root + "/audit/rows", root + "/audit/rows?after=aud_1/1");
  see.drive("GET", root + "/audit/checkpoints", root + "/audit/checkpoints?limit=1");
  see.drive("POST", root + "/audit/pseudonym", root + "/audit/pseudonym",
            R"({"text":"rosa@studio.example"})");
  auto const someone = R"({"person":["rosa@studio.example"]})";
  see.drive("POST", root + "/privacy/export", root + "/privacy/export", someone);
  see.drive("POST", root + "/privacy/erase", root + "/privacy/erase", someone);
  see.drive("POST", root + "/privacy/erase", root + "/privacy/erase", "{}");

  see.drive("GET", root + "/roles", root + "/roles");
  auto const keys = root + "/keys";
  auto const key = idOf(see.drive("POST", keys, keys, R"({"name":"who audits","role":"auditor"})"));
  see.drive("POST", keys, keys, R"({"name":"a studio","role":"vendor"})");
  see.drive("GET", keys, keys + "?limit=1");
  see.drive("POST", keys + "/{key}/rotate", keys + "/" + key + "/rotate", "{}");
  see.drive("GET", keys, keys);
  see.drive("POST", keys + "/{key}/revoke", keys + "/" + key + "/revoke");

  testing::FakeProvider provider(house);
  see.drive("GET", "/sign-in", "/sign-in");
  see.drive("GET", "/sign-in/callback", "/sign-in/callback?code=c-1&state=none");
  auto const begun = provider.begin();
  see.drive("GET", "/sign-in/callback", "/sign-in/callback?code=c-1&state=" + begun.state, "",
            "Cookie: " + begun.cookie + "\r\n");
  auto const as_somebody = "Cookie: " + provider.signIn() + "\r\n";
  see.drive("GET", root + "/session", root + "/session", "", as_somebody);
  see.drive("GET", root + "/session", root + "/session");
  see.drive("DELETE", root + "/session", root + "/session", "", as_somebody);
  auto const in = see.drive("GET", root + "/sessions", root + "/sessions?limit=1");
  auto const first = textOr(in.json(), "/items/0/id", "");
  see.drive("DELETE", root + "/sessions/{session}", root + "/sessions/" + first);

  auto const vendor = idOf(see.drive("POST", root + "/vendors", root + "/vendors", R"({"name":"Rosa"})"));
  see.drive("POST", root + "/vendors", root + "/vendors", R"({"nam":"Rosa"})");
  see.drive("GET", root + "/vendors", root + "/vendors");
  see.drive("GET", root + "/plugins", root + "/plugins");
  see.drive("GET", root + "/plugins/{plugin}", root + "/plugins/broken");
  see.drive("GET", root + "/plugins/{plugin}", root + "/plugins/none");
  see.drive("POST", root + "/plugins/{plugin}/release", root + "/plugins/caldav/release");
  house.onLoop([&] { house.supervisor.in_quarantine = true; });
  see.drive("POST", root + "/plugins/{plugin}/release", root + "/plugins/caldav/release");
  see.drive("POST", root + "/plugins/rescan", root + "/plugins/rescan?allow_downgrade=1");
  see.drive("POST", root + "/plugins/install", root + "/plugins/install", R"({"file":"incoming-1a"})");
  auto const enabled = root + "/vendors/" + vendor + "/plugins";
  see.drive("PUT", root + "/vendors/{vendor}/plugins/{plugin}", enabled + "/caldav");
  see.drive("GET", root + "/vendors/{vendor}/plugins", enabled);

  auto const connect =
      R"({"vendor_id":")" + vendor + R"(","plugin":"caldav","settings":{"url":"https://x.example/"}})";
  auto const connection =
      idOf(see.drive("POST", root + "/vendor/connect", root + "/vendor/connect", connect));
  see.drive("POST", root + "/vendor/connect", root + "/vendor/connect", connect);
  auto sign_in = idOf(see.drive("POST", root + "/vendor/authorize", root + "/vendor/authorize", connect));
  house.onLoop([&] { house.engine.with_complete = true; });
  see.drive("POST", root + "/vendor/authorize/device", root + "/vendor/authorize/device", connect);
  house.onLoop([&] { house.engine.with_complete = false; });
  sign_in =
      idOf(see.drive("POST", root + "/vendor/authorize/device", root + "/vendor/authorize/device", connect));
  auto const of_vendor = root + "/vendors/" + vendor + "/authorizations/";
  see.drive("GET", root + "/vendors/{vendor}/authorizations/{authorization}", of_vendor + sign_in);
  see.drive("GET", root + "/vendors/{vendor}/authorizations/{authorization}", of_vendor + "aut_none");
  see.drive("GET", root + "/oauth/start", root + "/oauth/start?state=a-ticket");
  see.drive("GET", root + "/oauth/start", root + "/oauth/start?state=another");
  see.drive("GET", root + "/oauth/callback", root + "/oauth/callback?state=a-ticket&code=a-code");
  see.drive("GET", root + "/connections", root + "/connections?vendor_id=" + vendor);
  see.drive("GET", root + "/connections/{connection}", root + "/connections/" + connection);
  see.drive("PATCH", root + "/connections/{connection}", root + "/connections/" + connection,
            R"({"settings":{"url":"https://y.example/"}})");
  see.drive(
      "PATCH", root + "/connections/{connection}", root + "/connections/" + connection,
      R"({"settings":{"url":"https://z.example/"},"credentials":{"login":{"username":"a","password":"b"}}})");
  see.drive("GET", root + "/status/{id}", root + "/status/" + connection);
  auto const run = idOf(see.drive("POST", root + "/sync/{connection}", root + "/sync/" + connection));
  see.drive("POST", root + "/sync/{connection}", root + "/sync/" + connection + "?wait=1");
  see.drive("POST", root + "/connections/{connection}/hints", root + "/connections/" + connection + "/hints",
            R"({"hints":[{"kind":"calendar.event","external_id":"/cal/a.ics"}]})");
  see.drive("POST", root + "/connections/{connection}/import",
            root + "/connections/" + connection + "/import?file=clients.csv",
            "name,email\nAda,ada@example.com\n", "Content-Type: text/csv\r\n");
  auto const dry_run = see.drive("POST", root + "/connections/{connection}/import",
                                 root + "/connections/" + connection + "/import?file=clients.csv&dry_run=1",
                                 "name,email\nAda,ada@example.com\n", "Content-Type: text/csv\r\n");
  EXPECT_EQ(integerOr(dry_run.json(), "/readings/0/records/crm.client", 0), 1) << dry_run.body;
  see.drive("GET", root + "/status/{id}", root + "/status/" + run);
  see.drive("GET", root + "/status/{id}", root + "/status/" + connection);

  auto const input = R"({"vendor_id":")" + vendor + R"(","kind":"calendar.event","connection_id":")" +
                     connection + R"(","data":
    {"uid":"u","title":"Wedding","status":"confirmed","busy":true,"start":{"date":"2026-06-13"},"end":{"date":"2026-06-14"}}})";
  auto const record =
      root + "/records/" + idOf(see.drive("POST", root + "/records", root + "/records", input));
  auto const query = "?vendor_id=" + vendor;
  see.drive("GET", root + "/records", root + "/records" + query);
  see.drive("GET", root + "/records/{record}", record + query);
  see.drive("GET", root + "/records/{record}/occurrences",
            record + "/occurrences" + query +
                "&from=2026-06-01T00:00:00Z&until=2026-07-01T00:00:00Z&zone=Europe/Berlin");
  see.drive("PUT", root + "/records/{record}", record, R"({"vendor_id":")" + vendor + R"(","data":
    {"uid":"u","title":"Wedding at the lake","status":"confirmed","busy":true,"start":{"local":"2026-06-13T14:00:00","zone":"Europe/Berlin"},
     "end":{"local":"2026-06-13T18:00:00","zone":"Europe/Berlin"}}})");
  see.drive("POST", root + "/records/{record}/retry", record + "/retry",
            R"({"vendor_id":")" + vendor + R"("})");
  see.drive("DELETE", root + "/records/{record}", record + query);
  see.drive("GET", root + "/records/{record}", record + query);
  see.drive("GET", root + "/changes", root + "/changes" + query);

  see.drive("GET", root + "/stream", root + "/stream" + query + "&after=0");
  see.drive("GET", root + "/stream", root + "/stream" + query + "&after=1000");
  see.drive("POST", root + "/stream/tickets", root + "/stream/tickets",
            R"({"vendor_id":")" + vendor + R"("})");

  see.drive("GET", root + "/conflicts", root + "/conflicts" + query);
  see.drive("POST", root + "/connections/{connection}/confirm-deletes",
            root + "/connections/" + connection + "/confirm-deletes");
  see.drive("POST", root + "/connections/{connection}/pause", root + "/connections/" + connection + "/pause");
  see.drive("POST", root + "/connections/{connection}/resume",
            root + "/connections/" + connection + "/resume");
  see.drive("POST", root + "/connections/{connection}/resync",
            root + "/connections/" + connection + "/resync");
  house.onLoop([&] { house.engine.set_aside = 1; });
  see.drive("POST", root + "/connections/{connection}/retry", root + "/connections/" + connection + "/retry");

  auto const to_do = root + "/connections/" + connection + "/actions";
  auto const charge =
      R"({"operation":"payments.create/1","idempotency_key":"invoice-7","input":{"amount":1200}})";
  auto const action = idOf(see.drive("POST", root + "/connections/{connection}/actions", to_do, charge));
  see.drive("POST", root + "/connections/{connection}/actions", to_do, charge);
  see.drive("GET", root + "/actions", root + "/actions?state=waiting&limit=1&connection_id=" + connection);
  see.drive("GET", root + "/actions", root + "/actions?state=lost");
  see.drive("GET", root + "/actions/{action}", root + "/actions/" + action);
  house.onLoop([&] {
    auto& one = house.engine.fake_actions.all[action];
    one.state = sync::ActionState::unknown;
    one.next_attempt.reset();
    one.first_sent = one.last_sent = house.clock.now();
    one.attempts = 1;
    one.error = Error(ErrorKind::transient, "no answer").withEffect(Effect::unknown);
  });
  see.drive("GET", root + "/actions/{action}", root + "/actions/" + action);
  auto const settle = root + "/actions/" + action + "/settle";
  see.drive("POST", root + "/actions/{action}/settle", settle, R"({"effect":"perhaps"})");
  see.drive("POST", root + "/actions/{action}/settle", settle,
            R"({"effect":"applied","output":{"id":"pay_1"}})");

  auto const opened = see.drive("POST", root + "/connections/{connection}/hook",
                                root + "/connections/" + connection + "/hook", R"({"rotate":true})");
  auto const url = textOr(opened.json(), "/url", "");
  auto const hook = url.substr(url.find("/hooks/"));
  see.drive("GET", "/hooks/{token}", hook);
  auto const item = idOf(see.drive("POST", "/hooks/{token}", hook, R"({"email":"ada@x.test"})"));
  see.drive("GET", root + "/intake", root + "/intake?state=waiting&limit=1&connection_id=" + connection);
  see.drive("GET", root + "/intake", root + "/intake?state=lost");
  see.drive("GET", root + "/intake/{item}", root + "/intake/" + item);
  see.drive("POST", root + "/intake/{item}/retry", root + "/intake/" + item + "/retry");
  auto const accept = root + "/intake/" + item + "/accept";
  EXPECT_EQ(see.drive("POST", root + "/intake/{item}/accept", accept, R"({"by":"rosa"})").status, 409);
  house.onLoop([&] { house.engine.fake_intake.all[item].acceptable = true; });
  EXPECT_EQ(see.drive("POST", root + "/intake/{item}/accept", accept, "{}").status, 400) << "who says so?";
  auto const accepted = see.drive("POST", root + "/intake/{item}/accept", accept, R"({"by":"rosa"})");
  EXPECT_EQ(textOr(accepted.json(), "/accepted_by", ""), "rosa") << accepted.body;
  see.drive("POST", root + "/intake/{item}/dismiss", root + "/intake/" + item + "/dismiss",
            R"({"why":"a test"})");
  see.drive("POST", root + "/connections/{connection}/intake/retry",
            root + "/connections/" + connection + "/intake/retry");

  see.drive("POST", root + "/connections/{connection}/mailbox",
            root + "/connections/" + connection + "/mailbox", R"({"rotate":true})");

  see.drive("PUT", root + "/connections/{connection}/imap", root + "/connections/" + connection + "/imap",
            R"({"url":"imaps://imap.example.com","user":"rosa","password":"secret"})");
  see.drive("GET", root + "/connections/{connection}/imap", root + "/connections/" + connection + "/imap");
  see.drive("DELETE", root + "/connections/{connection}/imap", root + "/connections/" + connection + "/imap");
  auto const webhook = root + "/connections/" + connection + "/webhook";
  see.drive("POST", root + "/connections/{connection}/webhook", webhook,
            R"({"name":"acct_1","secret":"s3cret"})");
  see.drive("POST", root + "/connections/{connection}/webhook", webhook, R"({"rotate":true})");
  auto const signature = signatureLines("s3cret", R"({"id":"evt_1"})", house.clock.now());
  auto const door = root + "/webhook/caldav";
  see.drive("POST", root + "/webhook/{system}/{endpoint}", door + "/acct_1", R"({"id":"evt_1"})", signature);
  see.drive("POST", root + "/webhook/{system}", door, R"({"id":"evt_1"})",
            signature + "X-Account: acct_1\r\n");
  see.drive("POST", root + "/webhook/{system}", door, R"({"id":"evt_1"})");
  see.drive("GET", root + "/webhook/{system}/{endpoint}", door + "/acct_1?challenge=x");
  see.drive("GET", root + "/webhook/{system}", door + "?challenge=x");
  auto const delivery = house.onLoop([&] { return house.engine.fake_webhooks.all.begin()->first; });
  see.drive("GET", root + "/webhooks", root + "/webhooks?state=waiting&limit=1&connection_id=" + connection);
  see.drive("GET", root + "/webhooks", root + "/webhooks?state=lost");
  auto const refused = see.drive("GET", root + "/webhooks/refused", root + "/webhooks/refused");
  EXPECT_FALSE(refused.json().at("items").as_array().empty());
  see.drive("GET", root + "/webhooks/{webhook}", root + "/webhooks/" + delivery);
  see.drive("POST", root + "/webhooks/replay", root + "/webhooks/replay", R"({"state":"dead"})");
  see.drive("POST", root + "/webhooks/replay", root + "/webhooks/replay",
            R"({"until":"2026-01-01T00:00:00Z"})");
  see.drive("POST", root + "/webhooks/{webhook}/replay", root + "/webhooks/" + delivery + "/replay");
  see.drive("POST", root + "/webhooks/{webhook}/drop", root + "/webhooks/" + delivery + "/drop",
            R"({"why":"a test"})");

  auto const endpoints = root + "/endpoints";
  auto const address = R"({"vendor_id":")" + vendor + R"(","url":"https://studio.example/hooks"})";
  auto const endpoint = idOf(see.drive("POST", endpoints, endpoints, address));
  see.drive("POST", endpoints, endpoints, R"({"vendor_id":")" + vendor + R"(","url":"mailto:rosa"})");
  see.drive("GET", endpoints, endpoints + "?vendor_id=" + vendor);
  auto const of_one = endpoints + "/{endpoint}";
  auto const this_one = endpoints + "/" + endpoint;
  see.drive("GET", of_one, this_one);
  see.drive("PATCH", of_one, this_one, R"({"events":["crm.*"]})");
  see.drive("POST", of_one + "/rotate", this_one + "/rotate", R"({"overlap_seconds":60})");
  see.drive("POST", of_one + "/enable", this_one + "/enable", "{}");
  see.drive("POST", of_one + "/disable", this_one + "/disable", R"({"why":"a test"})");
  see.drive("GET", of_one, this_one);
  see.drive("POST", of_one + "/enable", this_one + "/enable", R"({"from_now":true})");
  see.drive("GET", of_one + "/deliveries", this_one + "/deliveries?state=waiting&limit=1");
  see.drive("GET", of_one + "/deliveries", this_one + "/deliveries?state=lost");
  see.drive("GET", of_one + "/deliveries/{delivery}", this_one + "/deliveries/msg_1");
  see.drive("POST", of_one + "/deliveries/{delivery}/resend", this_one + "/deliveries/msg_1/resend");
  see.drive("POST", of_one + "/resend", this_one + "/resend", R"({"state":"failed"})");
  see.drive("DELETE", of_one, this_one);
  see.drive("GET", of_one, this_one);

  see.drive("POST", root + "/connections/{connection}/test", root + "/connections/" + connection + "/test");
  see.drive("POST", root + "/connections/{connection}/rotate",
            root + "/connections/" + connection + "/rotate");
  see.drive("POST", root + "/connections/{connection}/revoke",
            root + "/connections/" + connection + "/revoke");
  see.drive("DELETE", root + "/connections/{connection}", root + "/connections/" + connection);
  see.drive("GET", root + "/connections/{connection}", root + "/connections/" + connection);
  see.drive("DELETE", root + "/vendors/{vendor}/plugins/{plugin}", enabled + "/caldav");

  // The document is built from the table that is served, so what is in it and was driven is all there is.
  for (auto const& path : see.document().at("paths").as_object())
    for (auto const& operation : path.value().as_object()) {
      std::string const id(operation.value().at("operationId").as_string());
      EXPECT_TRUE(see.succeeded.contains(id)) << id << " is documented but was never seen to succeed";
    }
}

TEST(OpenApi, EveryReferenceInTheDocumentLeadsSomewhere) {
  Harness house;
  auto const document = house.ask("GET", "/openapi.json").json();
  std::size_t seen = 0;
  auto const walk = [&](auto const& self, json::value const& value) -> void {
    if (auto const* list = value.if_array())
      for (auto const& element : *list) self(self, element);
    if (auto const* object = value.if_object())
      for (auto const& member : *object) {
        if (member.key() == "$ref") {
          ++seen;
          std::string const pointer(member.value().as_string().subview(1));
          EXPECT_NE(find(document, pointer), nullptr) << pointer;
        }
        self(self, member.value());
      }
  };
  walk(walk, document);
  EXPECT_GT(seen, 50U);
  EXPECT_EQ(document.at("openapi"), "3.1.0");
}

TEST(OpenApi, ARecordsDataIsDescribedWhereItIsWrittenToo) {
  Harness house;
  auto const document = house.ask("GET", "/openapi.json").json();
  for (std::string const body : {"RecordInput", "RecordEdit"}) {
    auto const reference = textOr(document, "/components/schemas/" + body + "/properties/data/$ref", "");
    ASSERT_FALSE(reference.empty()) << body;
    auto const* data = find(document, reference.substr(1));
    ASSERT_NE(data, nullptr) << reference;
    EXPECT_EQ(textOr(*data, "/$ref", ""), "#/components/schemas/calendar.event");
  }
}

TEST(OpenApi, TheVersionAskedForIsAParameterAndItsMismatchAnAnswer) {
  Harness house;
  auto const document = house.ask("GET", "/openapi.json").json();
  for (std::string const method : {"put", "delete"}) {
    auto const& operation = document.at("paths").at("/api/integrations/records/{record}").at(method);
    bool documented = false;
    for (auto const& parameter : operation.at("parameters").as_array())
      documented = documented || (parameter.at("name") == "If-Match" && parameter.at("in") == "header");
    EXPECT_TRUE(documented) << method;
    EXPECT_TRUE(operation.at("responses").as_object().contains("412")) << method;
  }
}

TEST(OpenApi, AnOperationIdIsUsedOnce) {
  Harness house;
  auto const document = house.ask("GET", "/openapi.json").json();
  std::set<std::string> ids;
  for (auto const& path : document.at("paths").as_object())
    for (auto const& operation : path.value().as_object())
      EXPECT_TRUE(ids.insert(std::string(operation.value().at("operationId").as_string())).second);
}

} // namespace
} // namespace garland::api
