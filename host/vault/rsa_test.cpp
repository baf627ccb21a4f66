// Signatures as `openssl dgst -sha256 -sign` makes them, by keys that are of no use elsewhere.
#include "host/vault/vault.h"

#include "host/base/bytes.h"

#include <gtest/gtest.h>

namespace garland::vault {
namespace {

constexpr char const* kKey = R"(-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC6NJF4CuoXbvAK
OuxlwpIKPjE56nfB1NZqwRr6tC9XHHu8IVHz2OKusCgyNt/+OjH+HQ/UXyTGcBu0
tKx0F8ZoXpA5+OQBcxiP9CVsG0UlETSo8voWbx/BCTeSfrxTd5DjXWy4o1rYst/I
lOEcAbwCiuHgG7T6c8ui1RwrnzTu0lPgMB03Y5KUop3Z//cZGLod5D2vG4y8jZFZ
ha1/MKpecw7oW4kX5GCE9WKIvZ01sHth3QJhJB79JVEdaCqGVvPzRq7UWRmFNtRK
9C6/BFrm1QptJ00qKp06YxPT3xbgX9AdIrfe7NiPAd1b1DO+MLwqjLHEgpOT2sJx
rtaSs7AhAgMBAAECggEACmGRZaGoJOfOsqdP1CmJllAa0vmHNTN+Q8Ph0u3WQNNJ
87Zg2QkztB0GlKwaB1SrwljQ79xhEr4f0U6MWcmUim+RN2YwogMOcMIiDvmjPHqN
1sh7GGKYIN04b66opbeiCIcGH3IeB7xLPSXNug+/sV2YU7P/vkHT7c9XS3hMDW9s
fMif3NBIL8Ut03Kz1TQTFJT1jFxukC1vqQi2XMrZedhGmpdIYlvxT1WUGpJTSWVH
eIyqpmFWwHs+QE07r1DWzIP4WuCF/mjq1IKch76eDsFjZCQ5eX8fH+OLe5OdpwD2
7ZYZ8mTNjifI04iB5fAkd4Vk1WiytWgctJ5uV1HidQKBgQDxqjhjJ8SSpNBCWzDg
NaLfumfaSH1FzUi15Wv1UFZhf2D3JmMAIrEONCHRgW+gUDRHesWjtt8A6elrKXjp
1bwxnj9FYKY35k9SOhjomjxwElYVW+zZxqpzSF3LrIIMpPZ+a/okAh+yeuFO57cv
jUXiQMraYkld6o4euoRApYuGTQKBgQDFQCv8K/PHRKCWRV8ErZ804lX3TZtAiJa4
1+87d4w7IADXx7lfhZ3X8gBTKwryEsuLDtxuX7i7pXo9ZA6ki+x/2cQJNfrh1eld
kSrLgUYeREVahPM4thVA8YkrsuiTbbE+4EH00LcU812RHH2+9AKyj2aOjCM8ak5U
qn4Wor/jJQKBgEDXGyn/kY6HChnDvelqerjsmtDGglYoLkoftEettn+SXcHyWr2+
kSLueeRshjbNTjmfh0fV2R+1oxtNlVOoNUZa3z8OH4sAEGhPjj9aoryvLsmsUHBe
DX3A/OmY74vU9w4Uipj+uOJ6ddll8pCfpxB9se/GT0kTle5IvRNbV4RBAoGBAIfA
koUK+su5v4usUqi1lUygOOnqz16qopC0jEExFaHbdLkNC9dh7jAgrXiPtwjDRrJ9
l9eeqVT7nhWCN1GnuyyCgxiTvgaPYfyzW/CTF97cvZ5+waXWKup3USByEP7mD4Zm
cP48ZsRUeaDVKvWwmeqqJrsUV2vM/fvnGsAZYlbBAoGADsffXummAzD9APIzVV2s
MAhlEnDTjb2ITTZmN54lU1aOwDfa9QHbMYVyrlLESJj0KJ5AGVq62g66YKeUNMNv
XHZJHop+ek+N14E+yv3QQ5kROO0sDKD/5wk6z1nM6UJJIOOqdtANmBli3TzyVriU
P1ucOyFJgRyA8Gs+IWSens8=
-----END PRIVATE KEY-----
)";
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
  auto const made = signRs256(Secret(kKey), "header.payload");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(hex(*made), kSignature);
  EXPECT_NE(hex(signRs256(Secret(kKey), "header.payloae").value()), kSignature);
}

TEST(Rs256, AnythingButAnRsaKeyThatIsLongEnoughIsRefused) {
  std::string const cut(std::string_view(kKey).substr(0, 600));
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
