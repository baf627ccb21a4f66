#include "host/base/schema.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

Schema compiled(std::string_view text) {
  auto schema = Schema::compile(*parseJson(text));
  EXPECT_TRUE(schema);
  return std::move(*schema);
}

constexpr std::string_view kEvent = R"({"type":"object","required":["title"],"additionalProperties":false,
  "properties":{"title":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},
                "start":{"$ref":"#/definitions/time"}},
  "definitions":{"time":{"type":"object","required":["utc"],"properties":{"utc":{"type":"string"}}}}})";

TEST(Schema, AConformingValueHasNoProblems) {
  EXPECT_TRUE(
      compiled(kEvent).check(*parseJson(R"({"title":"x","tags":["a"],"start":{"utc":"t"}})")).empty());
}

TEST(Schema, AProblemNamesItsPlace) {
  auto const schema = compiled(kEvent);
  auto const bad = schema.require(*parseJson(R"({"title":"x","tags":["a",5]})"), "event");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().field, "/tags/1") << bad.error().message;
  auto const inner = schema.require(*parseJson(R"({"title":"x","start":{}})"), "event");
  ASSERT_FALSE(inner);
  EXPECT_EQ(inner.error().field, "/start") << inner.error().message;
}

TEST(Schema, DatesAndTimesAreAskedForWithAnExample) {
  for (auto const* format : {"date-time", "date", "time"}) {
    auto const schema = Schema::compile(json::object{{"type", "string"}, {"format", format}});
    auto const refused = schema->require("never", "the text");
    ASSERT_FALSE(refused) << format;
    EXPECT_NE(refused.error().message.find("such as "), std::string::npos) << refused.error().message;
    EXPECT_EQ(refused.error().message.find("valid"), std::string::npos) << refused.error().message;
  }
}

TEST(Schema, AnUnknownMemberIsNamed) {
  auto const bad = compiled(kEvent).require(*parseJson(R"({"title":"x","titel":"y"})"), "event");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().field, "/titel");
  EXPECT_NE(bad.error().message.find("titel"), std::string::npos) << bad.error().message;
}

struct Said {
  char const* name;
  char const* schema;
  char const* value;
  char const* words; // of require()
};

class Words : public ::testing::TestWithParam<Said> {};

TEST_P(Words, SayPlaceAndWhatIsExpected) {
  auto const bad = compiled(GetParam().schema).require(*parseJson(GetParam().value), "settings");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, GetParam().words);
}

constexpr char const* kUrl = R"({"type":"object","required":["url"],"additionalProperties":false,
  "properties":{"url":{"description":"Where it is.","type":"string","pattern":"^https?://"}}})";
constexpr char const* kAmount =
    R"({"properties":{"n":{"description":"In cents: 1250 is 12.50.","type":"integer"}}})";
constexpr char const* kTags = R"x({"properties":{"tags":{"description":"Ours begin with our_.",
  "propertyNames":{"pattern":"^[a-z_]+$","not":{"pattern":"^our_"}}}}})x";
constexpr char const* kNames = R"({"propertyNames":{"pattern":"^a"}})";
constexpr char const* kTime =
    R"({"type":"object","properties":{"at":{"$ref":"#/definitions/t"}},"definitions":{"t":{
  "type":"object","additionalProperties":false,"properties":{"date":{"description":"A day, such as 2026-06-13.",
  "type":"string","pattern":"^[0-9-]+$"},"utc":{"type":"string"}},"oneOf":[{"required":["date"]},{"required":["utc"]}]}}})";

INSTANTIATE_TEST_SUITE_P(
    Schema, Words,
    ::testing::Values(
        Said{"AnUnknownMember", kUrl, R"({"adress":1,"url":"http://a"})",
             "settings: unknown member \"adress\"; the members are: url"},
        Said{"AMissingMember", kUrl, "{}", "settings: the member \"url\" is missing"},
        Said{"AnAddressWithoutScheme", kUrl, R"({"url":"a.example"})",
             "settings: /url: must begin with http:// or https://, such as https://studio.example/"},
        Said{"AnAddressOfAFeed", kUrl, R"({"url":"webcal://a.example/x.ics"})",
             "settings: /url: must begin with http:// or https://, such as https://studio.example/; "
             "webcal:// is "
             "another word for https://"},
        Said{"ANumberWithItsUnit", kAmount, R"({"n":"12"})",
             "settings: /n: must be a whole number, not a text (In cents: 1250 is 12.50)"},
        Said{"AFraction", kAmount, R"({"n":12.5})",
             "settings: /n: must be a whole number, not one with a fraction (In cents: 1250 is 12.50)"},
        Said{"ANumberOfTooManyDigits", kAmount, R"({"n":99999999999999999999})",
             "settings: /n: must be a whole number of at most 18 digits (In cents: 1250 is 12.50)"},
        Said{"NoneOfThoseThatMayBothBeThere",
             R"({"anyOf":[{"required":["text"]},{"required":["html"]}],"properties":{"text":{},"html":{}}})",
             R"({"subject":"s"})", "settings: must have at least one of \"text\" or \"html\""},
        Said{"ANameThatIsNotAllowed", kTags, R"({"tags":{"a":"1","our_b":"2"}})",
             "settings: /tags: no member may be called \"our_b\" (Ours begin with our_)"},
        Said{"ANameThatIsNotAllowedAtTheRoot", kNames, R"({"b":1})",
             "settings: no member may be called \"b\""},
        Said{"AWrongType", kUrl, R"({"url":7})", "settings: /url: must be a text, not a number"},
        Said{"AFormThatIsDescribed", kTime, R"({"at":{"date":"soon"}})",
             "settings: /at/date: does not have the form it must have (A day, such as 2026-06-13)"},
        Said{"NoneOfSeveral", kTime, R"({"at":{}})",
             "settings: /at: must have exactly one of \"date\" or \"utc\""},
        Said{"TwoOfSeveral", kTime, R"({"at":{"date":"1","utc":"x"}})",
             "settings: /at: must have exactly one of \"date\" or \"utc\""},
        Said{"AnEmptyText", R"({"properties":{"n":{"type":"string","minLength":1}}})", R"({"n":""})",
             "settings: /n: must not be empty"},
        Said{"ALongText", R"({"properties":{"n":{"type":"string","maxLength":2}}})", R"({"n":"abc"})",
             "settings: /n: must have at most 2 characters"},
        Said{"APattern", R"({"properties":{"n":{"type":"string","pattern":"^a$"}}})", R"({"n":"b"})",
             "settings: /n: must match the pattern ^a$"},
        Said{"AWordThatIsNotListed", R"({"items":{"enum":["a","b","c"]}})", R"(["a","d"])",
             "settings: /1: must be \"a\", \"b\" or \"c\""},
        Said{"ANumberTooSmall", R"({"properties":{"n":{"type":"integer","minimum":60}}})", R"({"n":5})",
             "settings: /n: must be at least 60"},
        Said{"AnItemTwice", R"({"uniqueItems":true})", "[1,1]", "settings: holds the same item twice"},
        Said{"TooManyItems", R"({"maxItems":1})", "[1,2]", "settings: must have at most 1 item"}),
    [](auto const& info) { return info.param.name; });

// The sentences of valijson that no case above reaches must not come out raw either.
TEST(Schema, WhatHasNoWordsOfItsOwnIsSaidInGeneralOnes) {
  auto const bad = compiled(R"({"not":{"type":"string"}})").require(*parseJson(R"("x")"), "settings");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "settings: does not have the form it must have");
}

TEST(Schema, AWrongSchemaIsAnErrorNotACrash) {
  EXPECT_FALSE(Schema::compile(*parseJson(R"({"type":12})")));
  EXPECT_FALSE(Schema::compile(*parseJson(R"({"$ref":"http://example.com/other.json"})")));
}

json::value longText(std::size_t letters, char const* end) {
  return json::value(std::string(letters, 'a') + end);
}

TEST(SchemaPattern, ATextOfMegabytesIsMatchedLikeAShortOne) {
  auto const mail = compiled(R"({"pattern":"^[^@ ].*@[^@ ]+$"})");
  EXPECT_TRUE(mail.check(longText(4U << 20U, "@b")).empty());
  EXPECT_FALSE(mail.check(longText(4U << 20U, "")).empty());
  auto const names = compiled(R"({"propertyNames":{"pattern":"^[a-z]+$"}})");
  json::object const one{{std::string(4U << 20U, 'a'), 1}};
  EXPECT_TRUE(names.check(one).empty());
}

TEST(SchemaPattern, OneThatOthersTryInEveryWayTakesNoLonger) {
  EXPECT_FALSE(compiled(R"({"pattern":"^(a+)+$"})").check(longText(100'000, "b")).empty());
}

TEST(SchemaPattern, WhatCannotBeMatchedInLinearTimeIsRefusedWithItsPlace) {
  auto const refused = [](std::string_view text) {
    auto const schema = Schema::compile(*parseJson(text));
    return schema ? std::string("it was taken") : schema.error().message;
  };
  auto const ahead = refused(R"x({"properties":{"n":{"pattern":"^(?!our_)"}}})x");
  EXPECT_EQ(
      ahead.rfind(
          "not a JSON Schema: /properties/n/pattern: not a pattern that can be matched in linear time: ", 0),
      0U)
      << ahead;
  EXPECT_EQ(refused(R"({"items":[{"patternProperties":{"a":{}}}]})"),
            "not a JSON Schema: /items/0/patternProperties: is not supported; say it with propertyNames");
}

TEST(SchemaPattern, AMemberOfThatNameAndAValueToCompareAreNoKeywords) {
  auto const schema = compiled(R"({"properties":{"pattern":{"type":"string","pattern":"^a$"},
    "one":{"const":{"pattern":"["}}}})");
  EXPECT_TRUE(schema.check(*parseJson(R"({"pattern":"a","one":{"pattern":"["}})")).empty());
  EXPECT_FALSE(schema.check(*parseJson(R"({"pattern":"b"})")).empty());
  EXPECT_FALSE(schema.check(*parseJson(R"({"one":{"pattern":"]"}})")).empty());
}

} // namespace
} // namespace garland
