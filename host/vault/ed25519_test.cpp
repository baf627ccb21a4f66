#include "host/vault/vault.h"

#include <gtest/gtest.h>

namespace garland::vault {
namespace {

Secret keyOf(std::string_view digits) { return Secret(fromHex(digits).value()); }

// RFC 8032, section 7.1, test 2.
TEST(Ed25519, SignsAsTheExampleOfItsStandard) {
  auto const key = keyOf("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  auto const public_key = publicKeyOf(key).value();
  EXPECT_EQ(public_key, "ed25519:3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  auto const signature = sign(key, "\x72").value();
  EXPECT_EQ(hex(signature), "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(isSignature(public_key, "\x72", signature));
}

TEST(Ed25519, OfAnotherTextKeyOrShapeItIsNoSignature) {
  Secret const key(std::string(kEd25519KeyBytes, 'k'));
  auto const public_key = publicKeyOf(key).value();
  auto const signature = sign(key, "text").value();
  EXPECT_FALSE(isSignature(public_key, "texts", signature));
  EXPECT_FALSE(
      isSignature(publicKeyOf(Secret(std::string(kEd25519KeyBytes, 'o'))).value(), "text", signature));
  EXPECT_FALSE(isSignature(public_key, "text", signature.substr(1)));
  EXPECT_FALSE(isSignature(public_key.substr(8), "text", signature)) << "its kind is not said";
  EXPECT_FALSE(isSignature(public_key.substr(0, 70), "text", signature));
  EXPECT_FALSE(isSignature(public_key.substr(0, 71) + "g", "text", signature));
}

TEST(Ed25519, AKeyOfAnotherLengthIsNoKey) {
  Secret const key(std::string(31, 'k'));
  EXPECT_EQ(publicKeyOf(key).error().kind, ErrorKind::hostLimit);
  EXPECT_EQ(sign(key, "text").error().kind, ErrorKind::hostLimit);
}

} // namespace
} // namespace garland::vault
