// Webhooks of Resend as hints: which mail each of them is about, and that mail, read again.
#include "twin_fixture.h"

namespace garland::resend {
namespace {

using ::testing::HasSubstr;

class ResendHints : public ResendTwin {
protected:
  void begin() {
    ResendTwin::begin();
    auto const hook = raw("POST", "/webhooks",
                          {{"endpoint", "http://127.0.0.1:7/hook"},
                           {"events",
                            {"email.scheduled", "email.sent", "email.delivered", "email.bounced",
                             "email.opened", "email.clicked", "email.complained", "email.delivery_delayed",
                             "email.failed", "email.suppressed", "email.received"}}});
    ASSERT_EQ(hook.status, 201) << hook.body;
  }
  Outcome parse(std::string const& body, json::object headers = {}) {
    return connector.run("webhooks.parse/1", {{"headers", std::move(headers)},
                                              {"query", json::object()},
                                              {"content_type", "application/json"},
                                              {"body", body}});
  }
  Outcome parseNotice(json::value const& notice) {
    return parse(std::string(notice.at("body").as_string()), {{"svix-id", notice.at("id")}});
  }
  static json::array oneHint(std::string_view kind, std::string_view id) {
    return {json::object{{"kind", kind}, {"external_id", id}}};
  }
};

TEST_F(ResendHints, EveryNoticeOfTheTwinNamesTheMailThatItIsAbout) {
  begin();
  std::map<std::string, std::string> mails; // what became of it -> id
  auto const sendTo = [&](std::string const& name) {
    auto const sent =
        connector.run("messaging.send/1", mail({{"idempotency_key", name}, {"to", {name + "@example.com"}}}));
    ASSERT_TRUE(sent.ok()) << sent.message;
    mails[name] = std::string(sent.result.at("id").as_string());
    wait(std::chrono::seconds(2));
  };
  for (auto const* name : {"ada", "bounced", "complained", "delayed", "suppressed", "failed"}) sendTo(name);
  for (auto const* event : {"opened", "clicked"}) edit({{"id", mails.at("ada")}, {"event", event}});
  std::set<std::string> seen;
  for (auto const& notice : notices) {
    auto const outcome = parseNotice(notice);
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    auto const about = json::parse(notice.at("body").as_string());
    EXPECT_EQ(outcome.result.at("event"), about.at("type"));
    EXPECT_EQ(outcome.result.at("dedupe_key"), notice.at("id")) << "by it a repetition is known";
    EXPECT_EQ(outcome.result.at("hints"),
              oneHint("messaging.message", about.at("data").at("email_id").as_string()))
        << about;
    seen.insert(std::string(about.at("type").as_string()));
  }
  for (auto const* event : {"sent", "delivered", "bounced", "complained", "delivery_delayed", "suppressed",
                            "failed", "opened", "clicked"})
    EXPECT_TRUE(seen.contains("email." + std::string(event))) << event;
}

TEST_F(ResendHints, AMailThatCameInIsReadWithItsText) {
  begin();
  auto const id =
      edit({{"receive", {{"from", "cy@example.com"}, {"to", "leads@example.com"}, {"text", "Hello"}}}})
          .at("id");
  ASSERT_EQ(notices.size(), 1U);
  auto const outcome = parseNotice(notices[0]);
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_EQ(outcome.result.at("hints"), oneHint("messaging.received", id.as_string()));
  connector.clear();
  wait(std::chrono::seconds(1));
  ASSERT_TRUE(connector.run("records.get/1", {{"entity", "messaging.received"}, {"ids", {id}}}).ok());
  auto const emitted = connector.emitted("messaging.received");
  ASSERT_EQ(emitted.size(), 1U);
  EXPECT_EQ(emitted[0].at("data").at("text"), "Hello");
}

TEST_F(ResendHints, WhatConcernsNoMailHasNoHintsAndWhatCannotBeReadIsAFailure) {
  begin();
  auto const other = parse(R"({"type":"contact.created","data":{"id":"c1"}})");
  ASSERT_TRUE(other.ok()) << other.message;
  EXPECT_EQ(other.result.at("hints"), json::array());
  EXPECT_EQ(other.result.as_object().if_contains("dedupe_key"), nullptr) << "without svix-id there is none";
  for (auto const& [body, place] : std::map<std::string, std::string>{
           {"<html>", "at byte"},
           {R"({"data":{}})", "/type: is missing"},
           {R"({"type":"email.sent","data":{"email_id":null}})", "email.sent: /data/email_id: is missing"}}) {
    auto const outcome = parse(body);
    EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG) << body;
    EXPECT_THAT(outcome.message, HasSubstr(place));
  }
}

} // namespace
} // namespace garland::resend
