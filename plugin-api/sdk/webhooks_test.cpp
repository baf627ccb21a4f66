#include <garland/sdk/webhooks.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::sdk::webhooks {
namespace {

using ::testing::HasSubstr;

constexpr Event events[] = {{"job.*", "crm.project", "/job/id"},
                            {"job.paid", "crm.payment", "/payment/id"},
                            {"job.paid", "crm.project", "/payment/job"},
                            {"client.created", "crm.client", "/id"}};
constexpr Table by_body{.event = {.body = "/type"}, .id = {.body = "/event_id"}, .events = events};
constexpr Table by_header{.event = {.header = "x-event"}, .id = {.header = "x-delivery"}, .events = events};
constexpr Table by_query{.event = {.query = "event"}, .id = {}, .events = events};

Delivery jsonOf(std::string body) { return {{}, {}, "application/json", std::move(body)}; }

std::vector<std::string> wordsOf(Parsed const& parsed) {
  std::vector<std::string> words;
  for (auto const& hint : parsed.hints) words.push_back(hint.kind + " " + hint.external_id);
  return words;
}

std::string refusal(Table const& table, Delivery const& delivery) {
  try {
    parse(table, delivery);
  } catch (Failure const& failure) {
    EXPECT_EQ(failure.kind, Kind::providerBug);
    return failure.message;
  }
  return "nothing was refused";
}

TEST(Webhooks, AnEventBecomesHintsByItsRowsEachRecordOnce) {
  auto const parsed = parse(by_body, jsonOf(R"({"type":"job.paid","event_id":"e1","job":{"id":"j1"},
                                                "payment":{"id":17,"job":"j1"}})"));
  EXPECT_EQ(parsed.event, "job.paid");
  EXPECT_EQ(parsed.id, "e1");
  EXPECT_EQ(parsed.dedupe_key, "e1");
  EXPECT_THAT(wordsOf(parsed), ::testing::ElementsAre("crm.project j1", "crm.payment 17"));
}

TEST(Webhooks, WhatNoRowNamesIsIgnored) {
  auto const parsed = parse(by_body, jsonOf(R"({"type":"client.created.later","id":"c1"})"));
  EXPECT_EQ(parsed.event, "client.created.later");
  EXPECT_FALSE(parsed.id);
  EXPECT_TRUE(parsed.hints.empty());
}

TEST(Webhooks, EventAndIdMayStandInHeadersOrInTheAddress) {
  auto delivery = jsonOf(R"({"id":"c1"})");
  delivery.headers = {{"x-event", "client.created"}, {"x-delivery", "d7"}};
  auto const by_its_header = parse(by_header, delivery);
  EXPECT_EQ(by_its_header.dedupe_key, "d7");
  EXPECT_THAT(wordsOf(by_its_header), ::testing::ElementsAre("crm.client c1"));
  delivery.query = {{"event", "client.created"}};
  auto const by_its_address = parse(by_query, delivery);
  EXPECT_FALSE(by_its_address.dedupe_key);
  EXPECT_THAT(wordsOf(by_its_address), ::testing::ElementsAre("crm.client c1"));
}

TEST(Webhooks, AnotherAccountsEventIsIgnored) {
  constexpr Table table{.account = "/account", .events = events};
  auto const body = jsonOf(R"({"type":"client.created","account":"acct_1","id":"c1"})");
  EXPECT_EQ(parse(table, body, "acct_1").hints.size(), 1U);
  EXPECT_EQ(parse(table, body, "acct_2").hints.size(), 0U);
  EXPECT_EQ(parse(table, body).hints.size(), 0U);
  EXPECT_EQ(parse(table, jsonOf(R"({"type":"client.created","id":"c1"})")).hints.size(), 1U);
}

TEST(Webhooks, AFormIsReadAsOne) {
  Delivery const delivery{
      {}, {}, "Application/X-WWW-Form-URLencoded; charset=utf-8", "type=job.x&job[id]=j%201"};
  EXPECT_THAT(wordsOf(parse(by_body, delivery)), ::testing::ElementsAre("crm.project j 1"));
}

TEST(Webhooks, WhatCannotBeReadIsRefusedWithItsPlace) {
  EXPECT_THAT(refusal(by_body, jsonOf("<html>")), HasSubstr("at byte"));
  EXPECT_THAT(refusal(by_body, jsonOf("[]")), HasSubstr("must be an object"));
  EXPECT_THAT(refusal(by_body, jsonOf(R"({"id":"c1"})")), HasSubstr("/type: is missing"));
  EXPECT_THAT(refusal(by_body, jsonOf(R"({"type":"job.created","job":null})")),
              HasSubstr("job.created: /job/id: is missing"));
  EXPECT_THAT(refusal(by_header, jsonOf("{}")), HasSubstr("the header x-event: is missing"));
  EXPECT_THAT(refusal(by_query, jsonOf("{}")), HasSubstr("the parameter event of its address: is missing"));
  EXPECT_THAT(refusal(by_body, jsonOf(std::string(10'000, '[') + std::string(10'000, ']'))),
              HasSubstr("a webhook cannot be read"));
  EXPECT_THAT(refusal(by_body, jsonOf("{\"type\":\"caf\xe9\"}")), HasSubstr("a webhook cannot be read"));
  EXPECT_THAT(refusal(by_body, jsonOf(R"({"type":")" + std::string(300, 'x') + "\"}")),
              HasSubstr("too long"));
}

} // namespace
} // namespace garland::sdk::webhooks
