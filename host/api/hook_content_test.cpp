#include "host/api/hook_content.h"

#include "host/base/utf8.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

TEST(HookContent, JsonIsJsonWhateverItsTypeSays) {
  for (auto const* type : {"application/json", "Application/JSON; charset=utf-8", "text/plain", ""}) {
    auto const content = hookContent(type, {}, R"( {"Email": "ada@x.test"} )");
    EXPECT_EQ(content.at("json"), (json::value{{"Email", "ada@x.test"}})) << type;
    EXPECT_FALSE(content.contains("text"));
  }
  EXPECT_EQ(hookContent("Application/JSON; charset=utf-8", {}, "1").at("content_type"), "application/json");
}

TEST(HookContent, JsonIsReadInTheCharsetThatItsTypeSaysUnlessItIsUtf8) {
  json::value const cafe{{"at", "caf\xC3\xA9"}};
  for (auto const* type :
       {"application/json; charset=iso-8859-1", "application/json;CHARSET=\"Windows-1252\"",
        "application/json; charset=ISO-8859-15; version=1"}) {
    EXPECT_EQ(hookContent(type, {}, "{\"at\": \"caf\xE9\"}").at("json"), cafe) << type;
    EXPECT_EQ(brokenJson(type, "{\"at\": \"caf\xE9\"}"), "") << type;
    EXPECT_EQ(hookContent(type, {}, "{\"at\": \"caf\xC3\xA9\"}").at("json"), cafe) << "as many send it";
  }
  std::string_view const wide("\xFF\xFE{\0}\0", 6);
  EXPECT_EQ(hookContent("application/json; charset=utf-16", {}, wide).at("json"), json::object());
  EXPECT_EQ(hookContent("text/plain; charset=iso-8859-15", {}, "\xA4 5").at("text"), "\xE2\x82\xAC 5");
  for (auto const* unknown : {"application/json", "application/json; charset=klingon"}) {
    EXPECT_FALSE(hookContent(unknown, {}, "{\"at\": \"caf\xE9\"}").contains("json")) << unknown;
    EXPECT_NE(brokenJson(unknown, "{\"at\": \"caf\xE9\"}"), "") << unknown;
  }
}

TEST(HookContent, AFormIsDecodedAndANameThatComesTwiceHasBothValues) {
  auto const content = hookContent("application/x-www-form-urlencoded", {},
                                   "name=Ada+Lovelace&tag=a&tag=b&tag=c&note=100%25%20sure&odd=50%&flag");
  auto const& form = content.at("form").as_object();
  EXPECT_EQ(form.at("name"), "Ada Lovelace");
  EXPECT_EQ(form.at("tag"), (json::array{"a", "b", "c"}));
  EXPECT_EQ(form.at("note"), "100% sure");
  EXPECT_EQ(form.at("odd"), "50%");
  EXPECT_EQ(form.at("flag"), "");
}

TEST(HookContent, WhatIsNeitherIsAText) {
  EXPECT_EQ(hookContent("application/json", {}, "{broken").at("text"), "{broken");
  EXPECT_EQ(hookContent("text/plain", {}, "hello").at("text"), "hello");
  auto const nothing = hookContent("", {{"name", "Ada"}}, "");
  EXPECT_EQ(nothing.size(), 2U);
  EXPECT_EQ(nothing.at("query").at("name"), "Ada");
}

TEST(HookContent, JsonThatIsBrokenSaysWhereItBreaks) {
  EXPECT_NE(brokenJson("application/json", "{\n  \"email\": ada@x.test}").find("at line 2, column 12"),
            std::string::npos)
      << brokenJson("application/json", "{\n  \"email\": ada@x.test}");
  EXPECT_NE(brokenJson("text/plain", "{\"a\":1").find("at line 1"), std::string::npos);
  EXPECT_NE(brokenJson("application/json", R"({"a":1,"a":2})").find("appears twice"), std::string::npos);
  EXPECT_TRUE(isUtf8(brokenJson("application/json", "{\"\xE9\":1,\"\xE9\":2}")));
  for (auto const* sound : {R"({"a":1})", "", "[]"}) EXPECT_EQ(brokenJson("application/json", sound), "");
  EXPECT_EQ(brokenJson("text/plain", "hello"), "");
}

TEST(HookContent, WhatIsNoTextInAnyWayIsReplaced) {
  EXPECT_EQ(hookContent("application/x-www-form-urlencoded", {}, "n=%81").at("form").at("n"), "\xEF\xBF\xBD");
}

TEST(HookContent, TheContentIsUtf8WhateverTheBytesAre) {
  // Half of it looks like a character beyond the last one: it is text in Windows-1252.
  auto const content = hookContent("", {}, "\xF4\xB9\xBE\xB5UA");
  EXPECT_TRUE(isUtf8(content.at("text").as_string()));
}

TEST(HookContent, OldFormsAndTextsAreWindows1252) {
  auto const form = hookContent("application/x-www-form-urlencoded", {}, "name=M%FCller&ring=%F0%9F%92%8D");
  EXPECT_EQ(form.at("form").at("name"), "M\xC3\xBCller");
  EXPECT_EQ(form.at("form").at("ring"), "\xF0\x9F\x92\x8D") << "each value by itself";
  EXPECT_EQ(hookContent("text/plain", {{"q", "\x80"}}, "caf\xE9").at("text"), "caf\xC3\xA9");
}

TEST(HookContent, JsonThatIsNestedTooDeeplyForConnectorsIsAText) {
  auto const nested = [](std::size_t depth) {
    return hookContent("application/json", {}, std::string(depth, '[') + std::string(depth, ']'));
  };
  EXPECT_TRUE(nested(24).contains("json"));
  EXPECT_TRUE(nested(25).contains("text"));
}

} // namespace
} // namespace garland::api
