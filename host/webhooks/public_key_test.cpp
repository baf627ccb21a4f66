// Public keys: ECDSA, Ed25519, and RSA with a certificate from a pinned host.
#include "host/webhooks/webhook_fixture.h"

namespace garland::webhooks {
namespace {

using ::testing::HasSubstr;

constexpr auto kEcKey =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ0njsB2TQbXfnqj6xBJ7aip74oC90iAMhrCRXY1ZJsohsow60wbV3ubvz48GWY73"
    "kVJrN5MUsP7qpDuYgT2Lhw==";
constexpr auto kEcSignature =
    "MEUCIQDMcRcfc8a3msXQ5kcmqp0OnawhUx2pGPr9xN8A3hbNHQIgC6Kuarv3CdoiJRk+K/hMW8miIYbqxF1Mmo7LNeK6EJY=";
constexpr auto kWideKey =
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEXqza8nMLFdwH3I18cziwlWq5DXvJmLTbqel+4as3DM7mbKJwa7OR2IkxeTgA9s8HuL9m"
    "hTTlPO6povYfFsc5vpsOD9gg1Wow7QXN3f7USnd3d6WYby4Zh+UDhTspg47D";
constexpr auto kWideSignature =
    "MGYCMQD3XmxOAuvLumKMozPwNopJtopW9UybNgw7KLueHEqUCSQNxj7YNzt5UyKqfaErR5kCMQDzrDjXSfONUK5i8Cqo7+ZeaZBa"
    "0fkQQKZsnaoGA4i8on+3E8mSZzxWalQ6x99DgeE=";
constexpr auto kEdSignature =
    "Bo0FUhfgQKEEMWqD52+p0aJ7BdDXYFWaOWXuHyNUdVtdBcnLWwx16OIDOAu8IY4IRkJKIrgwTudqp9aDrydxAQ==";
constexpr auto kRsaSha1 =
    "Utuhia5ci5bGHOCOX+zbZoqFpFdGwlvhV9CslCDyqID0BTiSrA/hb6NtNEegx13jUuA5gYY374p1J28lx1OKW1BrfeEjHMy+wnWy"
    "/DpUuaBO7a1d2y2RrWR1Y0UejHYJln/7veoS/WlWMcDC7w6ImPPHj3RI4/6QW6/e5PDrLZ7b2AOhR4NlO+PJzX4N7LUAgIYeo9yB"
    "eEhwRI1sdQJpvSKaEIE3v6yaKGill0fmTS3ABR1zYsyYJL2YInSOXa1RcPEcrd24h04LzTyMYdE5uzdbqNNj39HBZ7SS1JQpxHtb"
    "z1N2ZImKpsROf8XehU6rtlo1/H7+hhW57WyPv3QMZw==";
constexpr auto kWeakSignature =
    "FPq36hQhTSJiIhoHis3W9K+181LGNUmrDR3QpNMMQ70GVtlh+/jOiw3qqjxp5WXfldf8/DHC5NOkW6dAMq22i6hb1ILWXKPSd/HO"
    "CnUsatCA21KtKwv/hHtTKAtJRFD6wkBqIn4PN0WDd4ajxUXEN9hpMDA8ssNfQ7zULVvZ8Dc=";
constexpr auto kEdKey = "whpk_qCu5hU/MiVNZZn9uNu0NfysUtqrfsONGf+/IdIJd8Pw=";
constexpr auto kWeakKey = "-----BEGIN PUBLIC KEY-----\n"
                          "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCxlxVRdqFQW+/RpInDR2cINDh2\n"
                          "gzdkGtiRqD9qyQDR/yO/+gtJpDUCBhJ61k61h8Ys9jYAK2lvOQXsCg7T5bys8W/C\n"
                          "7c84gTQgugrMbYEdPZ4THg+z/p63dRPTD6fAgNaMW7kiRXAmDeM4PmkQA/3Wln3+\n"
                          "sDt+DKC0YVgeEeRJoQIDAQAB\n"
                          "-----END PUBLIC KEY-----\n";

Scheme pasted(std::string const& algorithm) {
  return signatureOf(R"({"algorithm":")" + algorithm + R"(","at":{"header":"X-Sign"},"encoding":"base64",
    "signed":"{timestamp}{body}","timestamp":{"at":{"header":"X-Time"}},
    "key":{"prefix":"whpk_","encoding":"base64"}})");
}

Scheme pinned() {
  return signatureOf(
      R"({"algorithm_by":{"at":{"header":"X-Algorithm"},"is":{"1":"rsa-sha1","2":"rsa-sha256"}},
    "at":{"header":"X-Sign"},"encoding":"base64","signed":"{timestamp}{body}","timestamp":{"at":{"header":"X-Time"}},
    "certificate":{"url":{"header":"X-Certificate"},"hosts":["*.studio.test"],"path_prefix":"/keys/"}})");
}

Reason byKey(std::string const& algorithm, std::string_view key, std::string const& signature,
             std::string_view body = kBody) {
  auto const request = requestOf({{"X-Time", "1790000000"}, {"X-Sign", signature}}, body);
  return verify(pasted(algorithm), request, keysOf({key}), clockAt()).reason;
}

Request withCertificate(std::string const& algorithm, std::string const& signature,
                        std::string const& url = "https://hooks.studio.test/keys/7.pem") {
  return requestOf(
      {{"X-Time", "1790000000"}, {"X-Sign", signature}, {"X-Algorithm", algorithm}, {"X-Certificate", url}});
}

Reason byCertificate(std::string const& pem, Request const& request, std::int64_t now = kNow) {
  Keys keys;
  keys.certificate = pem;
  return verify(pinned(), request, keys, clockAt(now)).reason;
}

TEST(PublicKeys, EcdsaOnP256) {
  EXPECT_EQ(byKey("ecdsa-p256", kEcKey, kEcSignature), Reason::accepted);
  EXPECT_EQ(byKey("ecdsa-p256", kEcKey, kEcSignature, "{}"), Reason::mismatch);
  EXPECT_EQ(byKey("ecdsa-p256", kEcKey, "MAA="), Reason::mismatch);
  EXPECT_EQ(byKey("ecdsa-p256", kEcKey, "not base64!"), Reason::malformed);
}

TEST(PublicKeys, AnotherCurveIsRefusedThoughItsSignatureIsRight) {
  EXPECT_EQ(byKey("ecdsa-p256", kWideKey, kWideSignature), Reason::badKey);
}

TEST(PublicKeys, Ed25519) {
  EXPECT_EQ(byKey("ed25519", kEdKey, kEdSignature), Reason::accepted);
  EXPECT_EQ(byKey("ed25519", kEdKey, kEdSignature, "{}"), Reason::mismatch);
  EXPECT_EQ(byKey("ed25519", kEcKey, kEdSignature), Reason::badKey);
}

TEST(PublicKeys, WhatIsNoKeyIsToldSo) {
  EXPECT_EQ(byKey("ecdsa-p256", "AAAA", kEcSignature), Reason::badKey);
  EXPECT_EQ(byKey("ecdsa-p256", "not base64!", kEcSignature), Reason::badKey);
  EXPECT_EQ(byKey("ecdsa-p256", kEdKey, kEcSignature), Reason::badKey);
}

TEST(PublicKeys, RsaByTheCertificateThatTheRequestNames) {
  EXPECT_EQ(byCertificate(kCertificate, withCertificate("1", kRsaSha1)), Reason::accepted);
  EXPECT_EQ(byCertificate(kCertificate, withCertificate("2", kRsaSha256)), Reason::accepted);
  EXPECT_EQ(byCertificate(kRsaKey, withCertificate("2", kRsaSha256)), Reason::accepted);
  EXPECT_EQ(byCertificate(kCertificate, withCertificate("1", kRsaSha256)), Reason::mismatch);
  EXPECT_EQ(byCertificate(kCertificate, withCertificate("3", kRsaSha256)), Reason::unknownVersion);
}

TEST(PublicKeys, ACertificateCountsOnlyWhileItIsValid) {
  auto const request = withCertificate("2", kRsaSha256);
  EXPECT_EQ(byCertificate(kCertificate, request, kNow + 30 * 86'400), Reason::badKey);
  EXPECT_EQ(byCertificate(kCertificate, request, kNow - 30 * 86'400), Reason::badKey);
}

TEST(PublicKeys, ACertificateFromElsewhereIsRefused) {
  for (auto const* url :
       {"https://hooks.studio.test.evil.test/keys/7.pem", "http://hooks.studio.test/keys/7.pem",
        "https://hooks.studio.test@evil.test/keys/7.pem", "https://studio.test/keys/7.pem", "no url", ""})
    EXPECT_EQ(byCertificate(kCertificate, withCertificate("2", kRsaSha256, url)), Reason::untrustedHost)
        << url;
  EXPECT_EQ(byCertificate("", withCertificate("2", kRsaSha256)), Reason::certificateNeeded);
}

TEST(PublicKeys, ACertificateIsAskedForOnlyWhenNothingElseIsMissing) {
  auto request = withCertificate("2", kRsaSha256);
  EXPECT_EQ(byCertificate("", request), Reason::certificateNeeded);
  EXPECT_EQ(byCertificate("", withCertificate("3", kRsaSha256)), Reason::unknownVersion);
  EXPECT_EQ(byCertificate("", withCertificate("2", "not base64!")), Reason::malformed);
  for (auto const* name : {"X-Time", "X-Sign", "X-Algorithm", "X-Certificate"}) {
    auto less = request;
    std::erase_if(less.headers, [&](auto const& header) { return header.first == name; });
    EXPECT_EQ(byCertificate("", less), Reason::missing) << name;
  }
}

TEST(PublicKeys, OnlyACertificateIsOne) {
  EXPECT_TRUE(isCertificate(kCertificate));
  EXPECT_TRUE(isCertificate("Bag Attributes\n" + std::string(kCertificate)));
  for (auto const& pem :
       {std::string(), std::string("<html>"), std::string(kRsaKey), std::string(kCertificate).substr(0, 300),
        std::string(kCertificate) + std::string(65'536, ' ')})
    EXPECT_FALSE(isCertificate(pem)) << pem.substr(0, 40);
}

TEST(PublicKeys, WhereTheCertificateIsFetchedFromIsCheckedBeforeItIs) {
  EXPECT_EQ(certificateUrl(pinned(), withCertificate("2", "")).value(),
            "https://hooks.studio.test/keys/7.pem");
  auto const refused = certificateUrl(pinned(), withCertificate("2", "", "https://evil.test/keys/7.pem"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("not the provider's"));
  EXPECT_EQ(certificateUrl(pasted("ed25519"), requestOf({})).value(), "");
}

TEST(PublicKeys, AShortRsaKeyIsRefusedThoughItsSignatureIsRight) {
  EXPECT_EQ(byCertificate(kWeakKey, withCertificate("2", kWeakSignature)), Reason::badKey);
}

TEST(PublicKeys, PemThatIsNoneIsRefused) {
  auto const request = withCertificate("2", kRsaSha256);
  for (auto const* pem :
       {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PUBLIC KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "\n-----BEGIN ", "x"})
    EXPECT_EQ(byCertificate(pem, request), Reason::badKey) << pem;
}

} // namespace
} // namespace garland::webhooks
