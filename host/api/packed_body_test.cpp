#include "host/api/packed_body.h"

#include "host/api/twin_codec.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

TEST(PackedBody, WhatIsNotPackedStaysAsItIs) {
  EXPECT_EQ(unpacked("", "{}").value(), "{}");
  EXPECT_EQ(unpacked("Identity", "\x1f\x8b").value(), "\x1f\x8b");
}

TEST(PackedBody, GzipIsUnpackedUpToItsLimit) {
  EXPECT_EQ(unpacked("gzip", zipBomb(5)).value(), "   {}");
  EXPECT_EQ(unpacked("X-GZip", zipBomb(kMostUnpacked)).value().size(), kMostUnpacked);
  auto const more = unpacked("gzip", zipBomb(kMostUnpacked + 1));
  ASSERT_FALSE(more);
  EXPECT_NE(more.error().message.find("more than 1048576 bytes"), std::string::npos) << more.error().message;
}

TEST(PackedBody, DeflateIsThatOfZlib) {
  // "{}" as zlib's own compress() packs it.
  std::string const packed("\x78\x9c\xab\xae\x05\x00\x01\x75\x00\xf9", 10);
  EXPECT_EQ(unpacked("deflate", packed).value(), "{}");
}

TEST(PackedBody, WhatIsBrokenCutOffOrPackedOtherwiseIsRefused) {
  auto const whole = zipBomb(100);
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(unpacked("gzip", std::string_view(whole).substr(0, length))) << length;
  auto broken = whole;
  broken.back() = static_cast<char>(broken.back() ^ 1);
  EXPECT_FALSE(unpacked("gzip", broken)) << "its length is wrong";
  EXPECT_FALSE(unpacked("gzip", whole + "x"));
  EXPECT_FALSE(unpacked("gzip", "{}"));
  for (auto const* other : {"br", "zstd", "gzip, gzip"})
    EXPECT_EQ(unpacked(other, "{}").error().kind, ErrorKind::unsupported) << other;
}

} // namespace
} // namespace garland::api
