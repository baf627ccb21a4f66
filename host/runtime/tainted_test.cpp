#include "host/runtime/tainted.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

TEST(Tainted, GoodTextStaysAsItIs) {
  EXPECT_EQ(cleanText("Grüße\t\"ok\"\n漢 🎉", 100), "Grüße\t\"ok\"\n漢 🎉");
}

TEST(Tainted, WhatIsNotUtf8OrControlsATerminalIsShownAsAQuestionMark) {
  EXPECT_EQ(cleanText("a\x1b[31mb", 100), "a?[31mb");
  EXPECT_EQ(cleanText(std::string_view("a\0b", 3), 100), "a?b");
  EXPECT_EQ(cleanText("\xff\xc0\x80x", 100), "???x");    // never, overlong
  EXPECT_EQ(cleanText("\xe0\x80\x80", 100), "???");      // overlong
  EXPECT_EQ(cleanText("\xf0\x80\x80\x80", 100), "????"); // overlong
  EXPECT_EQ(cleanText("\xed\xa0\x80", 100), "???");      // surrogate
  EXPECT_EQ(cleanText("\xf4\x90\x80\x80", 100), "????"); // beyond U+10FFFF
  EXPECT_EQ(cleanText("\xe6\xbc", 100), "??");           // cut short
}

TEST(Tainted, TextIsCutBetweenCharacters) {
  EXPECT_EQ(cleanText("aüb", 2), "a");
  EXPECT_EQ(cleanText("aüb", 3), "aü");
}

TEST(Tainted, OnlyOneCompleteDocumentIsJson) {
  EXPECT_TRUE(isJson(R"({"a":[1,2.5,true,null,"ü"]})"));
  EXPECT_TRUE(isJson("7"));
  for (auto const* bad : {"", "{", "{} {}", "{'a':1}", "[1,]", "nul", "\"\xff\""})
    EXPECT_FALSE(isJson(bad)) << bad;
  EXPECT_FALSE(isJson(std::string(100, '[') + std::string(100, ']')));
}

TEST(Tainted, AnErrorsTextsAreCleaned) {
  Error error(ErrorKind::conflict, "bad\x07");
  error.http_status = 123456;
  error.detail = boost::json::value{{"big", std::string(100'000, 'x')}};
  auto const clean = cleanError(std::move(error));
  EXPECT_EQ(clean.message, "bad?");
  EXPECT_EQ(clean.http_status, 0);
  EXPECT_TRUE(clean.detail.is_null());
}

} // namespace
} // namespace garland::runtime
