#include "host/base/bytes.h"

#include "host/base/random.h"

#include <gtest/gtest.h>

namespace garland {
namespace {

TEST(Bytes, Base64GivesTheTextOfTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
}

TEST(Bytes, EveryLengthComesBackFromBase64AndHex) {
  SeededRandom random(7);
  for (std::size_t length = 0; length < 100; ++length) {
    std::string bytes(length, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    EXPECT_EQ(*fromBase64(base64(bytes)), bytes);
    EXPECT_EQ(*fromHex(hex(bytes)), bytes);
  }
}

TEST(Bytes, DamagedTextIsRefusedWithItsPlace) {
  EXPECT_FALSE(fromBase64("Zg="));
  EXPECT_FALSE(fromBase64("Zh==")) << "bits beyond the value must be zero";
  EXPECT_FALSE(fromBase64("Z*9v"));
  EXPECT_FALSE(fromBase64("===="));
  auto const bad = fromHex("00zz");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("byte 2"), std::string::npos) << bad.error().message;
}

TEST(Bytes, PercentEncodingLeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percentEncode("a-b_c.d~e"), "a-b_c.d~e");
  EXPECT_EQ(percentEncode("ä/ ?"), "%C3%A4%2F%20%3F");
}

} // namespace
} // namespace garland
