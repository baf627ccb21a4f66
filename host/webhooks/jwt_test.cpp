// JSON Web Tokens: what is taken, and every way not to be.
#include "host/webhooks/webhook_fixture.h"

namespace garland::webhooks {
namespace {

constexpr auto kRight =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwMDYwfQ.yvLbHuXq"
    "VmNq7NOTKsSYkkO3Hb134Zdh7Ja1JBRDTfo";
constexpr auto kForTwo =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOlsiaHR0cHM6Ly94LnRlc3QvIiwiaHR0cHM6Ly9zdHVkaW8udGVzdC9ob29rcyJdLCJleHA"
    "iOjE3OTAwMDAwNjAsImlzcyI6Im1lbnUifQ.RY0nugY295JeAbcGTa-V5Uw_vzSQuwgoOoOWDv1lvMQ";
constexpr auto kEndsNow =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwMDAwfQ.MPMbiGPz"
    "hronG2pwln-Db4DeR_I4uMkrDKm6AwbLsuI";
constexpr auto kEndless =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIn0.qs833jLP7lX3el0-jBO9Vn3N9K6Mito"
    "dfTaUVAsbJg4";
constexpr auto kBeginsLater =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwOTAwLCJuYmYiOjE"
    "3OTAwMDAwNjB9.-msLL0RhOKVansqF6rWvqqi6Ng8y3Xn8PzzVoFQIWEc";
constexpr auto kForAnother =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL290aGVyLnRlc3QvIiwiZXhwIjoxNzkwMDAwMDYwfQ.nLqkHMwVLyOIOvkw"
    "Dg-5cFzM4eZCD69qD_T4P01psoI";
constexpr auto kForNobody =
    "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3OTAwMDAwNjB9.CMnYsOlPmYzdKI35wiA2uSAEBc3iM3HN_XXwB8RI-4M";
constexpr auto kCritical =
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiYjY0Il19.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzk"
    "wMDAwMDYwfQ.HwYdd78sNOnA0FC_uj3DjHE-gSb9uO8ISjJKx4aIo0E";
constexpr auto kLong =
    "eyJhbGciOiJIUzUxMiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwMDYwfQ.PPYsCEG3"
    "jkPdDoiQS8J2m1uy4TeoONPn2cB3_MOm3dQZBLHWJLUXG5s77ZMTi-q2lO_952AKAzNVF2q4Y8QEwQ";
constexpr auto kFraction =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwMDYwLjV9.8NXY9h"
    "bjRZU85rMiWhDpnADeQ0PoZknWyOZLlle_HZw";
constexpr auto kEndsSoon =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoic29vbiJ9.I9pqRbpRzxCuXp"
    "IHFA9RO3APgELEHBJsB-YNfX-vQ8w";
constexpr auto kUnsigned =
    "eyJhbGciOiJub25lIn0.eyJhdWQiOiAiaHR0cHM6Ly9zdHVkaW8udGVzdC9ob29rcyIsICJleHAiOiAxNzkwMDAwMDYwfQ.";
constexpr auto kRs256 =
    "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwMDYwfQ.UvQIOj26"
    "dzKcIVOzbujJysGkigF2xEMrgEvFI05popeWkoTTsjYUo_dBU8ejYh0Sy6AZsIL9SLuhj_8_Rn_cAIzl9Ygt9vXm-eOQIavh7dZn"
    "xyuhkDQpxdZIcMRU-Ih9VuFr2hepsxdxj_rjnLvZlV3aJ97ZfTMsmabU8vNyI9MNmanqH_Q3z1eqKsoCkHIzFgRM5vsPATEwtChm"
    "geyJfQlUG_3-d7ebcq60cZIpJqN3tdFWjZGLWpgmqin4MQTiwrq_10s1CGkHf3WNax-oq91LWDiysAF3dufWS1KDkBfbIc6f_dBN"
    "3D6lxSWIelUTXKc5Zojoo1wkS_fQ7Kk09g";
constexpr auto kEs256 =
    "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwMDYwfQ.Gj5CT_5q"
    "UyvGb9dbWOc9VidYvwR8cdah4ph-saxNjnjXCIog2-rGLQL2qiY8sdhdmRfzo1y395Obi1VfMiA9iw";
constexpr auto kConfused =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0dWRpby50ZXN0L2hvb2tzIiwiZXhwIjoxNzkwMDAwMDYwfQ.vB0hPNiB"
    "s2qZNJi4HhBVecTxjR_YwWz9LcTjBUelWDE";
constexpr auto kEcKey = "-----BEGIN PUBLIC KEY-----\n"
                        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ0njsB2TQbXfnqj6xBJ7aip74oC9\n"
                        "0iAMhrCRXY1ZJsohsow60wbV3ubvz48GWY73kVJrN5MUsP7qpDuYgT2Lhw==\n"
                        "-----END PUBLIC KEY-----\n";

constexpr auto kUrl = "https://studio.test/hooks";

Reason of(std::string const& token, std::string const& rules = R"("algorithms":["HS256"],"audience":"{url}")",
          std::string_view key = kSecret, std::int64_t now = kNow, std::string const& rest = "") {
  auto const scheme =
      signatureOf(R"({"algorithm":"jwt","at":{"header":"Authorization"},"jwt":{)" + rules + "}" + rest + "}");
  return verify(scheme, requestOf({{"Authorization", token}}, kBody, kUrl), keysOf({key}), clockAt(now))
      .reason;
}

TEST(Jwt, ARightTokenIsAccepted) {
  EXPECT_EQ(of(kRight), Reason::accepted);
  EXPECT_EQ(of(kForTwo), Reason::accepted);
  EXPECT_EQ(of(kFraction), Reason::accepted);
  EXPECT_EQ(of(kLong, R"("algorithms":["HS256","HS512"])"), Reason::accepted);
}

TEST(Jwt, TheSchemeChoosesTheAlgorithmNotTheToken) {
  EXPECT_EQ(of(kUnsigned), Reason::unknownVersion);
  EXPECT_EQ(of(kLong), Reason::unknownVersion);
  // Signed with the public key as if it were a shared secret.
  EXPECT_EQ(of(kConfused, R"("algorithms":["RS256"])", kRsaKey), Reason::unknownVersion);
}

TEST(Jwt, AWrongSecretOrAChangedTokenIsAMismatch) {
  EXPECT_EQ(of(kRight, R"("algorithms":["HS256"])", "pepper"), Reason::mismatch);
  std::string changed(kRight);
  changed[changed.rfind('.') + 2] = changed[changed.rfind('.') + 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(of(changed), Reason::mismatch);
  EXPECT_EQ(of(std::string(kRight).substr(0, std::string(kRight).rfind('.') + 1)), Reason::mismatch);
}

TEST(Jwt, ItEndsAndBeginsToTheSecond) {
  EXPECT_EQ(of(kEndsNow), Reason::tooOld);
  EXPECT_EQ(of(kEndsNow, R"("algorithms":["HS256"])", kSecret, kNow - 1), Reason::accepted);
  EXPECT_EQ(of(kEndsNow, R"("algorithms":["HS256"])", kSecret, kNow, R"(,"tolerance_seconds":5)"),
            Reason::accepted);
  EXPECT_EQ(of(kBeginsLater), Reason::tooNew);
  EXPECT_EQ(of(kBeginsLater, R"("algorithms":["HS256"])", kSecret, kNow + 60), Reason::accepted);
}

TEST(Jwt, WithoutAnEndItIsRefused) {
  EXPECT_EQ(of(kEndless), Reason::malformed);
  EXPECT_EQ(of(kEndsSoon), Reason::malformed);
}

TEST(Jwt, ItMustBeMeantForUs) {
  EXPECT_EQ(of(kForAnother), Reason::wrongValue);
  EXPECT_EQ(of(kForNobody), Reason::wrongValue);
  EXPECT_EQ(of(kForNobody, R"("algorithms":["HS256"])"), Reason::accepted);
  EXPECT_EQ(of(kForTwo, R"("algorithms":["HS256"],"issuer":"menu")"), Reason::accepted);
  EXPECT_EQ(of(kRight, R"("algorithms":["HS256"],"issuer":"menu")"), Reason::wrongValue);
}

TEST(Jwt, AnUnknownOwnAddressLetsNoTokenIn) {
  auto const monday = Scheme::named("monday").value();
  EXPECT_EQ(verify(monday, requestOf({{"Authorization", kForNobody}}), keysOf(), clockAt()).reason,
            Reason::missing);
}

TEST(Jwt, ExtensionsThatMustBeUnderstoodAreNot) { EXPECT_EQ(of(kCritical), Reason::unknownVersion); }

TEST(Jwt, PublicKeysSignToo) {
  EXPECT_EQ(of(kRs256, R"("algorithms":["RS256"],"audience":"{url}")", kRsaKey), Reason::accepted);
  EXPECT_EQ(of(kEs256, R"("algorithms":["ES256"],"audience":"{url}")", kEcKey), Reason::accepted);
  EXPECT_EQ(of(kEs256, R"("algorithms":["ES256"])", kRsaKey), Reason::badKey);
  EXPECT_EQ(of(std::string(kEs256) + "AA", R"("algorithms":["ES256"])", kEcKey), Reason::mismatch);
}

TEST(Jwt, WhatIsNoTokenIsMalformed) {
  for (auto const* token :
       {"", ".", "..", "a.b", "a.b.c.d", "e30.e30.!", "e30.!.e30", "W10.e30.AA", "Bearer e30.e30.AA"})
    EXPECT_NE(of(token), Reason::accepted) << token;
  EXPECT_EQ(of("a.b"), Reason::malformed);
  EXPECT_EQ(of("W10.e30.AA"), Reason::malformed);
}

} // namespace
} // namespace garland::webhooks
