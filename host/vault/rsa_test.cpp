// Signatures as `openssl dgst -sha256 -sign` makes them, by keys that are of no use elsewhere.
#include "host/vault/vault.h"

#include "host/base/bytes.h"
#include "host/vault/testing/rsa_key.h"

#include <gtest/gtest.h>

namespace garland::vault {
namespace {

using testing::kRsaKey;
constexpr char const* kShortKey = R"(-----BEGIN PRIVATE KEY-----
MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAPMaAyJG2T6ULbNf
7b9cRU7wT1UdHe52MUC2IQRSDW3PCMmL8XQPHbNCqjylvkwUeCjPx9X7Z5DnK+7G
c2v7G9r1QnT3YmbpMN/XcEe9b+iQthKOSvEAS2tY4usalq/EpJ6FvElT52JsW2EN
azKwy/CVbdRSl67FAAogSKjQk6CTAgMBAAECgYEAt3GTl9P6rzxF2Cu1TkekjVLN
qp6ULZPGytwkwgvg0lH+gYg2pauab+EIcUdo+CQiIDnaxGA34KJxBnd+NaeBdhoz
5NfUtobo11XUnkdeJorjWwrV+paD7apyamjtB/CmIPDdgsTmfn1fTpk7zaLS3Fcz
is4efWDP2PGJianvIRECQQD+vY4cuHo0SJzm/LR8QDVtklC3k76UhTeneXQGNDfF
BuZ6P9VULq2Lo0TIKTPKOMpRugfYFjBhLB4VKq459Lu1AkEA9E25lOg84feP4TOf
svbUtPPf6dJy/Y2Mj8uQ9zZuxoy4qTEgTXy0Eiqa4rcgLBKBuRijMTsF55sDN3zh
DNPoJwJALCTzJJz/aGIQ9qJiMIn7+EH7xORQiXJQg7AzYAPaikU42YSIVm9EWcdw
WvNw6yFORj1jsJmfxqcbi3V6/cYgZQJAKQb8iZNO1iv7D7jZsvZc1l62VdAv24Dw
AB4RpFKR2+o6AL/tStYMb5iUFkrmrkAVZP5MObJN1Y1kxubD7KGRtQJBAOHoll2K
Fx99273I3QeDx3nWVlsufBV6xPh73iCQYV+BKpJa8Vojp+jWu73uuuuN9moYZWQO
HuQtoU1P5tS0v1M=
-----END PRIVATE KEY-----
)";
constexpr char const* kOtherKey = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIF7HquiD/G7yF2LD/1rz7HvZcz1tzDXK2esvv56BnKoQ
-----END PRIVATE KEY-----
)";
constexpr char const* kSignature =
    "0cfe17c1f0a831ea30309f97bd3ad62a5dc1474144e25c47851bb38aca650da018ce092015e7fb47e2d952fc872bb0c3"
    "494303052fc842798bd94137951c9c9f463d83fe56da810bbaf735711e97e414c052437d937e24dc71e2c29ab954d850"
    "f89bc9b1ce83c3a6a8ca820c096f3f2b3f118378b712b996165e0c64b8ee20d90c5f715d217cd75b35ca9c6deb4e001b"
    "d560c39c702706aa5ca670959f4653d1615c2f5b8ea04b46e55ba8a783bf9b6cfd93a71ece6a326b387b8b89d744742d"
    "ae5805e7fa8ae653fb27d4e2ded9ed3c88fba3d1ef5c1cf5bc340488625c2cf99fbd5f384a6ac01caf76193e4b73e37b"
    "a81107b18b8b0d09abcc3b193239fd18";

TEST(Rs256, SignsAsOthersDo) {
  auto const made = signRs256(Secret(kRsaKey), "header.payload");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(hex(*made), kSignature);
  EXPECT_NE(hex(signRs256(Secret(kRsaKey), "header.payloae").value()), kSignature);
}

TEST(Rs256, AnythingButAnRsaKeyThatIsLongEnoughIsRefused) {
  std::string const cut(std::string_view(kRsaKey).substr(0, 600));
  for (auto const& pem : {std::string(), std::string("a password"), cut, std::string(kShortKey),
                          std::string(kOtherKey), std::string(20'000, 'x')}) {
    auto const refused = signRs256(Secret(pem), "x");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
    EXPECT_EQ(refused.error().message.find("PRIVATE"), std::string::npos);
  }
}

} // namespace
} // namespace garland::vault
