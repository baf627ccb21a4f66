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

TEST(Schema, AnUnknownMemberIsNamed) {
  auto const bad = compiled(kEvent).require(*parseJson(R"({"title":"x","titel":"y"})"), "event");
  ASSERT_FALSE(bad);
  EXPECT_NE((bad.error().message + bad.error().field).find("titel"), std::string::npos)
      << bad.error().message;
}

TEST(Schema, AWrongSchemaIsAnErrorNotACrash) {
  EXPECT_FALSE(Schema::compile(*parseJson(R"({"type":12})")));
  EXPECT_FALSE(Schema::compile(*parseJson(R"({"$ref":"http://example.com/other.json"})")));
}

} // namespace
} // namespace garland
