#include "host/base/test_spellings.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

constexpr std::string_view kSecret =
    "canary-9f8e/7d6c+5b4a\"3210\xC3\xBF end"; // with '+' or '/' in base64, too

TEST(Spellings, ASecretIsFoundHoweverItIsWritten) {
  std::string const plain(kSecret);
  auto const json = json::serialize(json::string(plain));
  for (auto const& text : {plain, hex(plain), percentEncode(plain), percentEncode(percentEncode(plain)), json,
                           base64(plain), base64Url(plain)})
    EXPECT_NE(spellingIn("before " + text + " behind", plain), "") << text;
  EXPECT_NE(spellingIn("canary-9f8e%2f7d6c%2b5b4a%223210%c3%bf%20end", plain), "") << "as libcurl writes it";
}

TEST(Spellings, ASecretInTheMiddleOfWhatBecameBase64IsFound) {
  for (std::string const before : {"", "a", "ab", "abc", "anna:"})
    for (std::string const behind : {"", "x", "xy", "xyz"}) {
      auto const whole = before + std::string(kSecret) + behind;
      EXPECT_NE(spellingIn(base64(whole), kSecret), "") << whole;
      EXPECT_NE(spellingIn(base64Url(whole), kSecret), "") << whole;
    }
}

TEST(Spellings, AnotherSecretIsNotFound) {
  std::string const other = "canary-9f8e/7d6c+5b4a\"3211\xC3\xBF end";
  for (auto const& text : {other, hex(other), base64(other), percentEncode(other)})
    EXPECT_EQ(spellingIn(text, kSecret), "") << text;
}

} // namespace
} // namespace garland
