#include "host/base/json.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

TEST(Json, ErrorsTellLineAndColumn) {
  auto const failed = parseJson("{\n  \"a\": tru\n}");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::invalidInput);
  EXPECT_NE(failed.error().message.find("line 2"), std::string::npos) << failed.error().message;
}

TEST(Json, AMemberNamedTwiceIsRefused) {
  auto const failed = parseJson(R"({"amount":1,"inner":{"amount":3},"amount":2})");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("\"amount\" appears twice"), std::string::npos)
      << failed.error().message;
  EXPECT_TRUE(parseJson(R"([{"a":1},{"a":2}])")) << "the same name in two objects is fine";
}

TEST(Json, AMemberNamedTwiceIsRefusedHoweverManyThereAre) {
  for (int const twice : {0, 15, 16, 39}) {
    std::string text = "{";
    for (int i = 0; i < 40; ++i) text += "\"m" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(parseJson(text + "\"m40\":0}"));
    auto const name = "m" + std::to_string(twice);
    auto const failed = parseJson(text + "\"" + name + "\":0}");
    ASSERT_FALSE(failed) << name;
    EXPECT_NE(failed.error().message.find("\"" + name + "\" appears twice"), std::string::npos);
  }
}

TEST(Json, DepthAndSizeAreBounded) {
  EXPECT_FALSE(parseJson(std::string(10'000, '[') + std::string(10'000, ']')));
  JsonLimits limits;
  limits.max_bytes = 8;
  auto const failed = parseJson("[1,2,3,4,5]", limits);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::hostLimit);
}

TEST(Json, TrailingTextAndBadUtf8AreRefused) {
  EXPECT_FALSE(parseJson("{} {}"));
  EXPECT_FALSE(parseJson(""));
  auto const latin1 = parseJson("{\n\"name\": \"Zo\xEB\"}");
  ASSERT_FALSE(latin1);
  EXPECT_EQ(latin1.error().message,
            "not UTF-8, as JSON must be: the byte at line 2, column 12 belongs to no character");
}

TEST(Json, NumbersKeepTheirExactValue) {
  auto const parsed = parseJson("[9007199254740993,-1,18446744073709551615]");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(canonicalJson(*parsed), "[9007199254740993,-1,18446744073709551615]");
}

TEST(Json, CanonicalTextSortsMembersAtEveryDepth) {
  auto const one = parseJson(R"({"b":{"d":1,"c":"x\n"},"a":[]})");
  ASSERT_TRUE(one);
  EXPECT_EQ(canonicalJson(*one), R"({"a":[],"b":{"c":"x\n","d":1}})");
}

TEST(Json, LongKeysAndStringsSurviveTheParserInParts) {
  std::string const text =
      "{\"" + std::string(5000, 'k') + "\\u00e4\":\"" + std::string(5000, 'v') + "\\u00e4\"}";
  auto const parsed = parseJson(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->as_object().begin()->key().size(), 5002U);
}

TEST(Json, TypedReadsNameThePointer) {
  auto const value = *parseJson(R"({"start":{"zone":5},"n":7})");
  auto const missing = textAt(value, "/start/local");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "/start/local: is missing");
  auto const wrong = textAt(value, "/start/zone");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "/start/zone");
  EXPECT_EQ(*integerAt(value, "/n"), 7);
  EXPECT_EQ(textOr(value, "/nope", "x"), "x");
}

} // namespace
} // namespace garland
