// HMAC by the examples of RFC 2202 and RFC 4231, and by Python's hmac where they have none.
#include "host/webhooks/crypto.h"

#include "host/base/bytes.h"

#include <gtest/gtest.h>

namespace garland::webhooks {
namespace {

constexpr std::string_view kQuestion = "what do ya want for nothing?";
constexpr std::string_view kLong = "Test Using Larger Than Block-Size Key - Hash Key First";

TEST(Hmac, IsWhatTheStandardSays) {
  EXPECT_EQ(hex(hmac(Algorithm::hmacSha1, "Jefe", kQuestion)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex(hmac(Algorithm::hmacSha256, "Jefe", kQuestion)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac(Algorithm::hmacSha512, "Jefe", kQuestion)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
            "caeab1a34d4a6b4b636e070a38bce737");
}

TEST(Hmac, TakesTheDigestOfAKeyThatIsLongerThanABlock) {
  std::string const key(131, '\xaa');
  EXPECT_EQ(hex(hmac(Algorithm::hmacSha1, key, kLong)), "90d0dace1c1bdc957339307803160335bde6df2b");
  EXPECT_EQ(hex(hmac(Algorithm::hmacSha256, key, kLong)),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(hmac(Algorithm::hmacSha512, key, kLong)),
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52"
            "95e64f73f63f0aec8b915a985d786598");
}

TEST(Hmac, OfNothingIsOfTheKeyAlone) {
  EXPECT_EQ(hex(hmac(Algorithm::hmacSha256, "Jefe", {})),
            "923598ca6d64af2a5dba79dcd021a8a0fe5c5f557519adaaf0ad532d4506dd30");
}

// The context stays: nothing of one text or digest may be in the next.
TEST(Hmac, IsTheSameAfterAnotherOne) {
  auto const first = hmac(Algorithm::hmacSha256, "Jefe", kQuestion);
  hmac(Algorithm::hmacSha512, "somebody else", kLong);
  EXPECT_EQ(hmac(Algorithm::hmacSha256, "Jefe", kQuestion), first);
}

} // namespace
} // namespace garland::webhooks
