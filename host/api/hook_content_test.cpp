#include "host/api/hook_content.h"

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

TEST(HookContent, WhatIsNoUtf8IsReplaced) {
  std::string const replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(asUtf8("caf\xE9"), "caf" + replaced);
  EXPECT_EQ(asUtf8("caf\xC3\xA9 \xF0\x9F\x92\x8D"), "caf\xC3\xA9 \xF0\x9F\x92\x8D");
  for (auto const* bad :
       {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\xF8", "\xE2\x82"}) {
    auto const text = asUtf8(bad);
    EXPECT_EQ(text.substr(0, 3), replaced);
    EXPECT_EQ(text.size() % 3, 0U);
  }
  EXPECT_EQ(hookContent("application/x-www-form-urlencoded", {}, "n=%81").at("form").at("n"),
            json::value(replaced));
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
