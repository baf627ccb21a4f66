// Mails by the connector at the twin: sent, lost and found, called back, delivered, pulled in.
#include "tables.h"
#include "twin_fixture.h"

namespace garland::resend {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

json::value const kNotYet{{"found", false}, {"final", false}};
json::value const kNever{{"found", false}, {"final", true}};

TEST_F(ResendTwin, AMailIsSentOnceForItsKeyWhateverBecomesOfTheAnswer) {
  begin(30);
  lose_answer = true;
  auto const lost = send("key-1", {{"tags", {{"supplier", "7"}}}});
  EXPECT_EQ(lost.effect, GARLAND_EFFECT_UNKNOWN);
  auto const found = find();
  EXPECT_EQ(found.at("found"), true);
  EXPECT_EQ(found.at("final"), true);
  EXPECT_EQ(found.at("output").at("id"), json::value(idOf(send("key-1", {{"tags", {{"supplier", "7"}}}}))));
  EXPECT_EQ(happened("email.created"), 1);
  EXPECT_THAT(testing::schemaProblems("messaging.find.1.out.json", found), ::testing::IsEmpty());
}

// So that contract/run holds every member that the connector can send against what Resend publishes.
TEST_F(ResendTwin, AMailWithAllThatAMailCanHaveArrivesWhole) {
  begin();
  auto const input = mail({{"from", "Bo <bo@example.com>"},
                           {"cc", {"cy@example.com"}},
                           {"bcc", {"books@example.com"}},
                           {"reply_to", {"office@example.com", "bo@example.com"}},
                           {"html", "<p>Dear Ada <img src=\"cid:logo\"></p>"},
                           {"scheduled", "2026-01-02T08:30:00Z"},
                           {"tags", {{"supplier", "7"}}},
                           {"headers", {{"X-Wedding", "7"}}},
                           {"attachments",
                            {{{"filename", "offer.pdf"}, {"content", "JVBERg=="}},
                             {{"filename", "logo.png"},
                              {"content", "iVBORw=="},
                              {"content_type", "image/png"},
                              {"content_id", "logo"}}}}});
  json::value const given(input);
  for (auto const& row : mail_map) EXPECT_NE(sdk::find(given, row.ours), nullptr) << row.ours;
  for (auto const member : as_they_are) EXPECT_TRUE(input.contains(member)) << member;

  auto const id = idOf(act("send", "key-1", input));
  auto const sent = json::parse(connector.requests().back().body);
  for (auto const* member : {"from", "to", "cc", "bcc", "reply_to", "html", "text", "headers", "attachments"})
    EXPECT_EQ(sent.at(member), input.at(member)) << member;
  pull("message");
  for (auto const* member : {"from", "to", "cc", "bcc", "reply_to", "subject"})
    EXPECT_EQ(records["message"].at(id).at(member), input.at(member)) << member;
}

TEST_F(ResendTwin, TheTwinTakesNoSubjectOfTwoLinesAndNoAttachmentThatIsNotBase64) {
  begin();
  auto body = mail({{"from", "Studio <studio@example.com>"}, {"subject", "One\nTwo"}});
  EXPECT_EQ(raw("POST", "/emails", body).status, 422);
  body["subject"] = "One";
  body["attachments"] = json::array{json::object{{"filename", "a.txt"}, {"content", "!!!not base64"}}};
  EXPECT_EQ(raw("POST", "/emails", body).status, 422);
  EXPECT_EQ(happened("email.created"), 0);
}

TEST_F(ResendTwin, AnEditOfWhatCannotHappenIsRefused) {
  begin();
  auto const id = idOf(send("k"));
  json::object const nobody{{"subject", "Hello"}};
  json::object const numbers{{"from", "cy@example.com"}, {"to", "leads@example.com"}, {"text", 5}};
  for (auto const& change : {json::object{{"receive", json::object()}}, json::object{{"receive", nobody}},
                             json::object{{"receive", numbers}}, json::object{{"id", id}, {"event", "nope"}}})
    EXPECT_EQ(ask("POST", "/_twin/edit", json::serialize(change), {}).status, 400) << json::serialize(change);
  EXPECT_EQ(happened("email.received"), 0);
  EXPECT_EQ(happened("email.nope"), 0);
}

TEST_F(ResendTwin, WhatIsNotThereMayStillComeForTenMinutes) {
  begin(3);
  lose_request = true;
  EXPECT_EQ(send("key-1").effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(find(), kNotYet);
  wait(minutes(11));
  EXPECT_EQ(find(), kNever);
  EXPECT_EQ(happened("email.created"), 0);
}

TEST_F(ResendTwin, AMailIsFoundDaysLaterAmongThoseOfItsTime) {
  begin();
  idOf(send("before"));
  wait(minutes(30));
  lose_answer = true;
  send("key-1");
  wait(minutes(30));
  for (int i = 0; i < 5; ++i) idOf(send("after-" + std::to_string(i)));
  send("key-1"); // looked for below, as if it had not been repeated
  last_sent = sdk::rfc3339(start + minutes(30) + seconds(2));
  wait(hours(72));
  connector.clear();
  EXPECT_EQ(find().at("found"), true);
  EXPECT_THAT(read(), SizeIs(1)) << "the mails of other times are not read";
}

TEST_F(ResendTwin, AMailOfTheSameSubjectWithAnotherKeyIsNotTakenForIt) {
  begin();
  idOf(send("other"));
  lose_request = true;
  send("key-1");
  EXPECT_EQ(find(), kNotYet);
  wait(minutes(11));
  EXPECT_EQ(find(), kNever);
}

TEST_F(ResendTwin, OnlyMailsThatMayBeItAreReadForTheirTags) {
  begin(5);
  for (auto const* guest : {"bo@example.com", "cy@example.com"}) // a newsletter: one subject for all
    idOf(send(std::string(guest).substr(0, 2), {{"to", {guest}}}));
  idOf(send("recipient", {{"subject", "Else"}, {"to", {"Ada <ADA@example.com>"}}}));
  lose_request = true;
  send("key-1");
  connector.clear();
  EXPECT_EQ(find(), kNotYet);
  EXPECT_THAT(read(), SizeIs(1));
}

// An account whose mails show no tags: that our key is not there proves nothing.
TEST_F(ResendTwin, WithoutTagsNothingIsEverDeclaredMissing) {
  begin();
  idOf(send("other"));
  lose_request = true;
  send("key-1");
  wait(minutes(11));
  json::value shown; // instead of the tags; a text: nothing is shown
  connector.serve([&](HttpRequest const& request) {
    auto reply = pass(request);
    auto& body = std::get<HttpResponse>(reply).body;
    auto document = json::parse(body);
    document.as_object()["tags"] = shown;
    if (shown.is_string()) document.as_object().erase("tags");
    body = json::serialize(document);
    return reply;
  });
  for (auto const& tags : {json::value("nothing"), json::value(nullptr), json::value(json::array())}) {
    shown = tags;
    EXPECT_EQ(find(), kNotYet) << tags;
  }
}

TEST_F(ResendTwin, AMailThatIsGoneBeforeItIsReadMayHaveBeenOurs) {
  begin();
  auto const other = idOf(send("other"));
  lose_request = true;
  send("key-1");
  wait(minutes(11));
  connector.serve([&](HttpRequest const& request) -> HttpReply {
    if (request.url.ends_with(other)) return HttpResponse{404, {}, R"({"name": "not_found"})", {}};
    return pass(request);
  });
  EXPECT_EQ(find(), kNotYet);
}

TEST_F(ResendTwin, AKeyIsNotTakenForAnotherMail) {
  begin();
  idOf(send("key-1"));
  auto const other = send("key-1", {{"subject", "Another"}});
  EXPECT_EQ(other.status, GARLAND_E_CONFLICT);
  EXPECT_EQ(other.effect, GARLAND_EFFECT_UNKNOWN) << "something was done under this key";
  EXPECT_EQ(other.provider_code, "invalid_idempotent_request");
  EXPECT_EQ(happened("email.created"), 1);
  wait(hours(25)); // a key is remembered for a day
  idOf(send("key-1"));
  EXPECT_EQ(happened("email.created"), 2);
}

TEST_F(ResendTwin, ABatchThatIsPartlyWrongIsFoundAsItWasTaken) {
  begin();
  json::array const messages{mail(), mail({{"to", {"nobody"}}}), mail({{"subject", "Third"}})};
  lose_answer = true;
  EXPECT_EQ(act("send_batch", "key-1", {{"messages", messages}}).effect, GARLAND_EFFECT_UNKNOWN);
  EXPECT_EQ(find(), kNotYet) << "the second may still come";
  auto const again = act("send_batch", "key-1", {{"messages", messages}});
  ASSERT_TRUE(again.ok()) << again.message;
  EXPECT_EQ(happened("email.created"), 2);
  auto const sent_at = sdk::parseRfc3339(last_sent).value() - seconds(1);
  last_sent = sdk::rfc3339(sent_at);
  wait(minutes(11));
  auto const found = find();
  ASSERT_EQ(found.at("found"), true);
  auto const& results = found.at("output").at("messages");
  EXPECT_EQ(results.at(0), again.result.at("messages").at(0));
  EXPECT_EQ(results.at(2), again.result.at("messages").at(2));
  EXPECT_THAT(again.result.at("messages").at(1).at("problem").as_string().c_str(), HasSubstr("Invalid `to`"));
  EXPECT_THAT(results.at(1).at("problem").as_string().c_str(), HasSubstr("not taken"));
}

TEST_F(ResendTwin, AWholeBatchIsFoundAtOnce) {
  begin();
  lose_answer = true;
  act("send_batch", "key-1", {{"messages", {mail(), mail()}}});
  auto const found = find();
  EXPECT_EQ(found.at("found"), true);
  EXPECT_EQ(found.at("output").at("messages").as_array().size(), 2U);
}

TEST_F(ResendTwin, AScheduledMailIsCalledBackOrGoesOutAtItsTime) {
  begin();
  auto const kept = idOf(send("key-1", {{"scheduled", "2026-01-01T12:00:00Z"}}));
  auto const called = idOf(send("key-2", {{"scheduled", "2026-01-01T12:00:00Z"}}));
  EXPECT_EQ(idOf(act("cancel", "key-3", {{"message", called}})), called);
  EXPECT_EQ(find().at("output").at("id"), json::value(called));
  wait(hours(13));
  pull("message");
  EXPECT_EQ(records["message"][kept].at("status"), "delivered");
  EXPECT_EQ(records["message"][called].at("status"), "cancelled");
  EXPECT_EQ(happened("email.sent"), 1);

  auto const late = act("cancel", "key-4", {{"message", kept}});
  EXPECT_EQ(late.status, GARLAND_E_INVALID_INPUT);
  EXPECT_EQ(find(), kNever) << "it was sent";
  act("cancel", "key-5", {{"message", "none"}});
  EXPECT_EQ(find(), kNever) << "there is none";
}

TEST_F(ResendTwin, ACancellationThatDidNotArriveMayStillCome) {
  begin();
  auto const id = idOf(send("key-1", {{"scheduled", "2026-01-02T12:00:00Z"}}));
  lose_request = true;
  act("cancel", "key-2", {{"message", id}});
  EXPECT_EQ(find(), kNotYet);
  wait(minutes(11));
  EXPECT_EQ(find(), kNever);
}

TEST_F(ResendTwin, WhatBecomesOfAMailComesInForAWeek) {
  begin(120); // more than a page
  EXPECT_EQ(pull("message"), 120U);
  auto const id = idOf(send("key-1"));
  auto const bounced = idOf(send("key-2", {{"to", {"bounced@example.com"}}}));
  wait(seconds(5));
  pull("message");
  EXPECT_EQ(records["message"][id].at("status"), "delivered");
  EXPECT_EQ(records["message"][bounced].at("status"), "bounced");
  wait(hours(6 * 24));
  edit({{"id", id}, {"event", "opened"}});
  auto const newest = idOf(send("key-3"));
  pull("message");
  EXPECT_EQ(records["message"][id].at("status"), "opened");
  wait(hours(2 * 24));
  idOf(send("key-4"));
  pull("message");
  EXPECT_EQ(pull("message"), 2U) << "those that are older than a week do not come again";
  EXPECT_TRUE(records["message"].contains(newest));
}

TEST_F(ResendTwin, WhatBecomesOfAMailThatWasScheduledComesInWheneverItIsSent) {
  begin();
  auto const id = idOf(send("key-1", {{"scheduled", "2026-01-21T12:00:00Z"}}));
  wait(hours(10 * 24));
  idOf(send("key-2"));
  pull("message");
  EXPECT_EQ(records["message"][id].at("status"), "scheduled");
  wait(hours(11 * 24));
  pull("message");
  EXPECT_EQ(records["message"][id].at("status"), "delivered");
  EXPECT_EQ(pull("message"), 1U) << "once a day is enough";
}

TEST_F(ResendTwin, AMailThatCameInAndCannotBeReadKeepsNoneBackAndIsReadByItsIdLater) {
  begin(100); // 10 came in
  json::value bad;
  connector.serve([&](HttpRequest const& request) -> HttpReply {
    auto const mail = request.url.rfind("/receiving/");
    if (mail == std::string::npos) return pass(request);
    auto const id = request.url.substr(mail + 11);
    if (bad.is_null()) bad = id;
    if (bad == json::value(id)) return HttpResponse{500, {}, R"({"name": "application_error"})", {}};
    return pass(request);
  });
  waited += connector.slept();
  connector.clear();
  auto const outcome =
      connector.run("messaging.pull/1", {{"entity", "messaging.received"}, {"cursor", nullptr}});
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_THAT(connector.emitted("messaging.received"), SizeIs(9));
  ASSERT_THAT(connector.emitted("garland.problem"), SizeIs(1));
  EXPECT_EQ(connector.emitted("garland.problem")[0].at("id"), bad);

  connector.serve([this](HttpRequest const& request) { return pass(request); });
  waited += connector.slept();
  connector.clear();
  auto const read =
      connector.run("records.get/1", {{"entity", "messaging.received"}, {"ids", json::array{bad, "gone"}}});
  ASSERT_TRUE(read.ok()) << read.message;
  auto const mails = connector.emitted("messaging.received");
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_EQ(mails[0].at("id"), bad);
  EXPECT_EQ(mails[1].at("deleted"), true);
}

TEST_F(ResendTwin, MailsThatCameInAreReadOnceWithTheirText) {
  begin(400); // 40 came in: two pages, each mail read by its id, two requests a second
  EXPECT_EQ(pull("received"), 40U);
  EXPECT_EQ(connector.requests().size(), 42U) << "one that comes too fast is not sent";
  wait(hours(1));
  auto const id = std::string(edit({{"receive",
                                     {{"from", "Cy <cy@example.com>"},
                                      {"to", "leads@example.com"},
                                      {"subject", "Are you free?"},
                                      {"html", "<p>In June?</p>"}}}})
                                  .at("id")
                                  .as_string());
  EXPECT_EQ(pull("received"), 41U) << "all others came within ten minutes of the newest that was known";
  wait(hours(1));
  edit({{"receive", {{"from", "cy@example.com"}, {"to", "leads@example.com"}, {"text", "Or July?"}}}});
  EXPECT_EQ(pull("received"), 2U);
  EXPECT_EQ(records["received"][id].at("html"), "<p>In June?</p>");
  EXPECT_EQ(records["received"][id].at("to"), (json::array{"leads@example.com"}));
  EXPECT_EQ(happened("email.received"), 2);
}

TEST_F(ResendTwin, APullOfALongListGoesOnWhereItStopped) {
  begin(250);
  connector.refuseOutputAfter(150, GARLAND_E_HOST_LIMIT);
  auto const cut = connector.run("messaging.pull/1", {{"entity", "messaging.message"}, {"cursor", nullptr}});
  EXPECT_FALSE(cut.ok());
  ASSERT_THAT(connector.checkpoints(), SizeIs(1));
  cursors["message"] = connector.checkpoints().back();
  connector.refuseOutputAfter(1'000'000, GARLAND_OK);
  EXPECT_EQ(pull("message"), 150U);
}

TEST_F(ResendTwin, NoMoreThanTwoRequestsASecondAreTaken) {
  begin();
  testing::HeaderList const key{{"Authorization", "Bearer re_twin"}};
  EXPECT_EQ(ask("GET", "/emails", "", key).status, 200);
  EXPECT_EQ(ask("GET", "/emails", "", key).status, 200);
  auto const refused = ask("GET", "/emails", "", key);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(json::parse(refused.body).at("name"), "rate_limit_exceeded");
  EXPECT_EQ(refused.retry_after, seconds(1));
  EXPECT_EQ(ask("GET", "/emails", "", {{"Authorization", "Bearer re_other"}}).status, 200);
  wait(seconds(1));
  EXPECT_EQ(ask("GET", "/emails", "", key).status, 200);
}

TEST_F(ResendTwin, AHealthCheckBesideASyncWaitsForItsTurn) {
  begin();
  ask("GET", "/emails", "", {{"Authorization", "Bearer re_twin"}});
  ask("GET", "/emails", "", {{"Authorization", "Bearer re_twin"}});
  auto const outcome = connector.run("health.check/1");
  EXPECT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(connector.slept(), seconds(1));
}

TEST_F(ResendTwin, MailsOfTheTimeBeforeHaveArrived) {
  begin(7);
  pull("message");
  for (auto const& [id, message] : records["message"]) EXPECT_EQ(message.at("status"), "delivered") << id;
}

TEST_F(ResendTwin, AKeyThatMayOnlySendSends) {
  begin();
  api_key = "re_send_only";
  idOf(send("key-1"));
  EXPECT_EQ(connector.run("health.check/1").status, GARLAND_E_FORBIDDEN);
  api_key = "nonsense";
  EXPECT_EQ(connector.run("health.check/1").status, GARLAND_E_AUTH_REVOKED);
  api_key = "re_full";
  EXPECT_EQ(connector.run("health.check/1").result.at("account"), "example.com");
}

TEST_F(ResendTwin, EveryEventIsToldToWhoeverWantsIt) {
  begin();
  auto const hook = raw("POST", "/webhooks",
                        {{"endpoint", "http://127.0.0.1:7/hook"},
                         {"events", {"email.sent", "email.bounced", "email.received"}}});
  ASSERT_EQ(hook.status, 201) << hook.body;
  auto const id = idOf(send("key-1", {{"to", {"bounced@example.com"}}, {"tags", {{"supplier", "7"}}}}));
  raw("GET", "/emails");
  edit({{"receive", {{"from", "cy@example.com"}, {"to", "leads@example.com"}, {"text", "Hello"}}}});
  ASSERT_THAT(notices, SizeIs(3)) << "delivered is not asked for";
  EXPECT_EQ(notices[0].at("scheme"), "svix");
  EXPECT_EQ(notices[0].at("secret"), json::parse(hook.body).at("signing_secret"));
  auto const body = [&](std::size_t i) { return json::parse(notices[i].at("body").as_string()); };
  EXPECT_EQ(body(0).at("type"), "email.sent");
  EXPECT_EQ(body(0).at("data").at("email_id"), json::value(id));
  EXPECT_EQ(body(0).at("data").at("tags").at("garland_key"), "key-1");
  EXPECT_EQ(body(1).at("data").at("bounce").at("type"), "Permanent");
  EXPECT_EQ(body(2).at("type"), "email.received");
}

TEST_F(ResendTwin, TheSameSeedRequestsAndClockGiveTheSameLedger) {
  std::string ledgers[2];
  for (auto& ledger : ledgers) {
    waited = {};
    begin(20);
    send("key-1");
    send("key-2", {{"scheduled", "2026-01-01T12:00:00Z"}});
    wait(hours(13));
    raw("GET", "/emails");
    ledger = ask("GET", "/_twin/ledger?limit=1000", "", {}).body;
  }
  EXPECT_EQ(ledgers[0], ledgers[1]);
}

} // namespace
} // namespace garland::resend
