#include "host/vault/vault.h"

#include <gtest/gtest.h>

namespace garland::vault {
namespace {

TEST(Digest, Sha256GivesTheExamplesOfItsStandard) {
  EXPECT_EQ(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256("abc").size(), 32U);
}

// RFC 4231, test cases 1, 2 and 6.
TEST(Digest, Sha1GivesTheExampleOfItsStandard) {
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Digest, HmacSha256GivesTheExamplesOfItsStandard) {
  EXPECT_EQ(hex(hmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      hex(hmacSha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, HmacSha256TakesAnEmptyKeyAndAnEmptyText) {
  EXPECT_EQ(hex(hmacSha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(hex(hmacSha256(std::string_view(), std::string_view())), hex(hmacSha256("", "")));
}

TEST(Digest, ConstantTimeCompareSeesEveryDifference) {
  EXPECT_TRUE(equalInConstantTime("", ""));
  EXPECT_TRUE(equalInConstantTime("same", "same"));
  EXPECT_FALSE(equalInConstantTime("same", "samf"));
  EXPECT_FALSE(equalInConstantTime("same", "tame"));
  EXPECT_FALSE(equalInConstantTime("same", "same "));
  EXPECT_FALSE(equalInConstantTime("same", ""));
}

TEST(Digest, OfPartsIsThatOfTheWhole) {
  Sha256 digest;
  for (auto const* part : {"a", "", "bc"}) digest.add(part);
  EXPECT_EQ(digest.hex(), sha256Hex("abc"));
  EXPECT_EQ(Sha256().hex(), sha256Hex(""));
}

} // namespace
} // namespace garland::vault
