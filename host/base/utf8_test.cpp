#include "host/base/utf8.h"

#include <gtest/gtest.h>

using namespace garland;

namespace {

constexpr std::string_view kNone[] = {
    "\xC0\xAF",         // "/" in two bytes
    "\xE0\x80\x80",     // zero in three
    "\xED\xA0\x80",     // half of a surrogate pair
    "\xF4\x90\x80\x80", // U+110000
    "\xF4\xB9\xBE\xB5", // U+139FB5, which iconv takes
    "\xF8",
    "\xE2\x82",
    "\x80",
    "caf\xE9",
};

TEST(Utf8, WholeCharactersInTheirShortestFormAreText) {
  EXPECT_TRUE(isUtf8(""));
  EXPECT_TRUE(isUtf8("caf\xC3\xA9 \xF0\x9F\x92\x8D \xF4\x8F\xBF\xBF"));
  for (auto const bytes : kNone) EXPECT_FALSE(isUtf8(bytes)) << testing::PrintToString(bytes);
}

TEST(Utf8, EachByteThatBelongsToNoCharacterIsReplaced) {
  std::string const replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(asUtf8("caf\xC3\xA9 \xF0\x9F\x92\x8D"), "caf\xC3\xA9 \xF0\x9F\x92\x8D");
  EXPECT_EQ(asUtf8("caf\xE9"), "caf" + replaced);
  EXPECT_EQ(asUtf8("\xE2\x82"
                   "a"),
            replaced + replaced + "a");
  for (auto const bytes : kNone) EXPECT_TRUE(isUtf8(asUtf8(bytes))) << testing::PrintToString(bytes);
}

TEST(Utf8, ALineThatNoTerminalObeysHasNoControlCharacters) {
  EXPECT_EQ(printable("a\x1b[2Jb\r\nc\x7f"), "a [2Jb  c ");
  EXPECT_EQ(printable("a\xC2\x9B"
                      "2J \xC2\xA9 caf\xC3\xA9"),
            "a 2J \xC2\xA9 caf\xC3\xA9");
}

} // namespace
