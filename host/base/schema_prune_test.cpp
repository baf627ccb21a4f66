#include "host/base/schema_prune.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

json::value pruned(std::string_view schema, std::string_view value) {
  return withoutUnknownMembers(*parseJson(schema), *parseJson(value));
}

TEST(SchemaPrune, MembersThatAreNotDescribedGoAtEveryDepth) {
  auto const* schema = R"({"additionalProperties":false,"properties":{
    "id":{"type":"string"},
    "start":{"$ref":"#/definitions/time"},
    "list":{"items":{"$ref":"#/definitions/time"}}},
    "definitions":{"time":{"additionalProperties":false,"properties":{"date":{"type":"string"}}}}})";
  EXPECT_EQ(pruned(schema,
                   R"({"id":"1","later":1,"start":{"date":"d","era":2},"list":[{"era":3},{"date":"x"},4]})"),
            *parseJson(R"({"id":"1","start":{"date":"d"},"list":[{},{"date":"x"},4]})"));
}

TEST(SchemaPrune, OpenObjectsKeepTheirMembers) {
  auto const* schema = R"({"properties":{"zones":{"additionalProperties":{"additionalProperties":false}}}})";
  EXPECT_EQ(pruned(schema, R"({"more":{"a":1},"zones":{"x":{"y":1},"z":"text"}})"),
            *parseJson(R"({"more":{"a":1},"zones":{"x":{},"z":"text"}})"));
}

TEST(SchemaPrune, AWrongShapeIsLeftToTheCheck) {
  auto const* schema =
      R"({"additionalProperties":false,"properties":{"a":{"items":{"additionalProperties":false}}}})";
  EXPECT_EQ(pruned(schema, R"({"a":"text"})"), *parseJson(R"({"a":"text"})"));
  EXPECT_EQ(pruned(schema, "[1]"), *parseJson("[1]"));
  EXPECT_EQ(pruned(R"({"$ref":"#/nowhere"})", R"({"a":1})"), *parseJson(R"({"a":1})"));
  EXPECT_EQ(pruned(R"({"$ref":"#"})", R"({"a":1})"), *parseJson(R"({"a":1})"));
  EXPECT_EQ(pruned("true", R"({"a":1})"), *parseJson(R"({"a":1})"));
}

TEST(SchemaPrune, AMemberThatSomebodyElseGivesIsNeitherTakenNorMissing) {
  auto const schema = *parseJson(R"({"additionalProperties":false,"required":["key","a"],
    "properties":{"key":{},"a":{}}})");
  EXPECT_EQ(withoutMember(schema, "key"),
            *parseJson(R"({"additionalProperties":false,"required":["a"],"properties":{"a":{}}})"));
  EXPECT_EQ(withoutMember(schema, "b"), schema);
  EXPECT_EQ(withoutMember(true, "key"), json::value(true));
}

} // namespace
} // namespace garland
