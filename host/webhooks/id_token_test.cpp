// ID tokens of people who sign in: what is taken, and every way not to be. The keys are made by the test.
#include "host/webhooks/testing/token_signer.h"
#include "host/webhooks/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::webhooks {
namespace {

using testing::keySetOf;
using testing::TokenSigner;

constexpr std::int64_t kNow = 1'790'000'000;
constexpr auto kIssuer = "https://id.example.com";
constexpr auto kClient = "garland";
constexpr auto kNonce = "n-0S6_WzA2Mj";

TokenSigner const& rsa() {
  static TokenSigner const made(TokenSigner::Kind::rsa, "key-1");
  return made;
}
TokenSigner const& p256() {
  static TokenSigner const made(TokenSigner::Kind::p256, "key-2");
  return made;
}
json::object bothKeys() { return keySetOf({rsa().jwk(), p256().jwk()}); }

json::object claims() {
  return json::object{{"iss", kIssuer},   {"sub", "person-7"}, {"aud", kClient},
                      {"exp", kNow + 60}, {"iat", kNow - 1},   {"nonce", kNonce}};
}
json::object claimsWith(char const* name, json::value value) {
  auto out = claims();
  out[name] = std::move(value);
  return out;
}
json::object claimsWithout(char const* name) {
  auto out = claims();
  out.erase(name);
  return out;
}

IdTokenRules rules() {
  IdTokenRules out;
  out.issuer = kIssuer;
  out.client_id = kClient;
  out.nonce = kNonce;
  return out;
}

IdToken check(std::string const& token, json::value const& keys, IdTokenRules const& by = rules(),
              std::int64_t now = kNow) {
  return checkIdToken(token, keys, by, TimePoint(std::chrono::seconds(now)));
}
Reason reasonOf(json::object const& said, IdTokenRules const& by = rules(), std::int64_t now = kNow) {
  return check(rsa().token(said), bothKeys(), by, now).reason;
}

TEST(IdToken, ARightOneIsTakenAndItsClaimsAreHandedOver) {
  for (auto const* signer : {&rsa(), &p256()}) {
    auto const token = check(signer->token(claims()), bothKeys());
    EXPECT_TRUE(token.accepted()) << token.sentence;
    EXPECT_EQ(textOr(token.claims, "/sub", ""), "person-7");
  }
}

TEST(IdToken, WhatIsNotTakenHandsOverNothing) {
  auto const token = check(rsa().token(claimsWithout("exp")), bothKeys());
  EXPECT_FALSE(token.accepted());
  EXPECT_TRUE(token.claims.empty());
}

TEST(IdToken, NoneAndSharedSecretsAreNoSignatures) {
  for (auto const* algorithm : {"none", "None", "HS256", "HS384", "HS512", "RS1", "PS256", ""})
    EXPECT_EQ(check(rsa().token(claims(), {{"alg", algorithm}}), bothKeys()).reason, Reason::unknownVersion)
        << algorithm;
  auto const text =
      TokenSigner::part(R"({"alg":"none"})") + "." + TokenSigner::part(json::serialize(claims()));
  EXPECT_EQ(check(text + ".", bothKeys()).reason, Reason::unknownVersion);
}

TEST(IdToken, ThePublicKeyIsNoSharedSecret) {
  auto const modulus = decoded(Encoding::base64url, textOr(rsa().jwk(), "/n", "")).value();
  auto const text = TokenSigner::part(R"({"alg":"HS256","kid":"key-1"})") + "." +
                    TokenSigner::part(json::serialize(claims()));
  auto const mac = TokenSigner::part(hmac(Algorithm::hmacSha256, modulus, text));
  EXPECT_EQ(check(text + "." + mac, bothKeys()).reason, Reason::unknownVersion);
  auto set = bothKeys();
  set.at("keys").as_array().push_back(
      json::object{{"kty", "oct"}, {"kid", "key-1"}, {"k", TokenSigner::part("secret")}});
  EXPECT_EQ(check(text + "." + mac, set).reason, Reason::unknownVersion);
}

TEST(IdToken, AnothersSignatureOrAChangedClaimIsAMismatch) {
  TokenSigner const other(TokenSigner::Kind::p256, "key-2");
  EXPECT_EQ(check(other.token(claims()), bothKeys()).reason, Reason::mismatch);
  auto const token = rsa().token(claims());
  auto const first = token.find('.');
  auto const last = token.rfind('.');
  auto const changed = token.substr(0, first + 1) +
                       TokenSigner::part(json::serialize(claimsWith("sub", "person-8"))) + token.substr(last);
  EXPECT_EQ(check(changed, bothKeys()).reason, Reason::mismatch);
  EXPECT_EQ(check(token.substr(0, last + 1), bothKeys()).reason, Reason::mismatch);
}

TEST(IdToken, TheKeyIsTheOneThatTheTokenNames) {
  EXPECT_EQ(check(rsa().token(claims(), {{"kid", "key-9"}}), bothKeys()).reason, Reason::noSecret);
  EXPECT_EQ(check(rsa().token(claims()), keySetOf({p256().jwk()})).reason, Reason::noSecret);
  EXPECT_EQ(check(p256().token(claims(), {{"kid", "key-1"}}), bothKeys()).reason, Reason::noSecret)
      << "a key of another algorithm";
  EXPECT_TRUE(check(rsa().token(claims(), {{"kid", nullptr}}), bothKeys()).accepted())
      << "without a name all are tried";
  EXPECT_EQ(check(rsa().token(claims(), {{"kid", 7}}), bothKeys()).reason, Reason::malformed);
}

TEST(IdToken, AKeyForEncryptionOrForAnotherAlgorithmSignsNothing) {
  auto encrypts = rsa().jwk();
  encrypts["use"] = "enc";
  EXPECT_EQ(check(rsa().token(claims()), keySetOf({encrypts})).reason, Reason::noSecret);
  auto other = rsa().jwk();
  other["alg"] = "PS256";
  EXPECT_EQ(check(rsa().token(claims()), keySetOf({other})).reason, Reason::noSecret);
  auto says_nothing = rsa().jwk();
  says_nothing.erase("use");
  says_nothing.erase("alg");
  EXPECT_TRUE(check(rsa().token(claims()), keySetOf({says_nothing})).accepted());
}

TEST(IdToken, AWeakKeyOrOneThatIsNoneVerifiesNothing) {
  TokenSigner const weak(TokenSigner::Kind::rsa, "key-1", 1024);
  EXPECT_EQ(check(weak.token(claims()), keySetOf({weak.jwk()})).reason, Reason::badKey);
  auto off_the_curve = p256().jwk();
  off_the_curve["y"] = off_the_curve.at("x");
  EXPECT_EQ(check(p256().token(claims()), keySetOf({off_the_curve})).reason, Reason::badKey);
  for (auto const* exponent : {"", "AA", "AQ", "Ag", "AQABAQABAQABAQAB"}) {
    auto odd = rsa().jwk();
    odd["e"] = exponent;
    EXPECT_FALSE(check(rsa().token(claims()), keySetOf({odd})).accepted()) << exponent;
  }
  for (auto const* set : {"{}", "[]", "null", R"({"keys":{}})", R"({"keys":[7,{},"x",{"kty":"RSA"}]})"})
    EXPECT_EQ(check(rsa().token(claims()), parseJson(set).value()).reason, Reason::noSecret) << set;
}

TEST(IdToken, ItIsTheIssuersAndMeantForUs) {
  EXPECT_EQ(reasonOf(claimsWith("iss", "https://id.example.com/")), Reason::wrongValue);
  EXPECT_EQ(reasonOf(claimsWithout("iss")), Reason::wrongValue);
  EXPECT_EQ(reasonOf(claimsWith("aud", "another")), Reason::wrongValue);
  EXPECT_EQ(reasonOf(claimsWithout("aud")), Reason::wrongValue);
  EXPECT_EQ(reasonOf(claimsWith("aud", json::array{kClient})), Reason::accepted);
  EXPECT_EQ(reasonOf(claimsWith("azp", kClient)), Reason::accepted);
  EXPECT_EQ(reasonOf(claimsWith("azp", "another")), Reason::wrongValue);
  IdTokenRules nobody = rules();
  nobody.client_id.clear();
  EXPECT_EQ(reasonOf(claims(), nobody), Reason::badKey);
}

TEST(IdToken, WhoElseItIsMeantForHasToBeKnownAndThenTheClientIsNamed) {
  auto both = claimsWith("aud", json::array{kClient, "console"});
  EXPECT_EQ(reasonOf(both), Reason::wrongValue);
  IdTokenRules known = rules();
  known.audiences = {"console"};
  EXPECT_EQ(reasonOf(both, known), Reason::wrongValue) << "which of them asked for it?";
  both["azp"] = kClient;
  EXPECT_EQ(reasonOf(both, known), Reason::accepted);
  both["aud"] = json::array{kClient, 7};
  EXPECT_EQ(reasonOf(both, known), Reason::malformed);
}

TEST(IdToken, ItsTimesAreHeldToWithAMinuteForTheClocks) {
  EXPECT_EQ(reasonOf(claims(), rules(), kNow + 119), Reason::accepted);
  EXPECT_EQ(reasonOf(claims(), rules(), kNow + 120), Reason::tooOld);
  EXPECT_EQ(reasonOf(claimsWith("iat", kNow + 60)), Reason::accepted);
  EXPECT_EQ(reasonOf(claimsWith("iat", kNow + 61)), Reason::tooNew);
  EXPECT_EQ(reasonOf(claimsWith("nbf", kNow + 61)), Reason::tooNew);
  EXPECT_EQ(reasonOf(claimsWithout("exp")), Reason::malformed);
  EXPECT_EQ(reasonOf(claimsWithout("iat")), Reason::malformed);
  EXPECT_EQ(reasonOf(claimsWith("exp", "soon")), Reason::malformed);
}

TEST(IdToken, ItBelongsToTheSignInThatAskedForIt) {
  EXPECT_EQ(reasonOf(claimsWith("nonce", "another")), Reason::wrongValue);
  EXPECT_EQ(reasonOf(claimsWithout("nonce")), Reason::wrongValue);
  IdTokenRules forgotten = rules();
  forgotten.nonce.clear();
  EXPECT_EQ(reasonOf(claimsWith("nonce", ""), forgotten), Reason::wrongValue);
}

TEST(IdToken, ItSaysWhoItIsAbout) {
  EXPECT_EQ(reasonOf(claimsWithout("sub")), Reason::malformed);
  EXPECT_EQ(reasonOf(claimsWith("sub", "")), Reason::malformed);
  EXPECT_EQ(reasonOf(claimsWith("sub", json::string(256, 'x'))), Reason::malformed);
  EXPECT_EQ(reasonOf(claimsWith("sub", 7)), Reason::malformed);
}

TEST(IdToken, WhatIsNoTokenIsRefusedAndTheSentenceHoldsNothingOfIt) {
  for (std::string const token : {"", ".", "a.b", "a.b.c", "e30.e30.AA", "W10.e30.AA"})
    EXPECT_FALSE(check(token, bothKeys()).accepted()) << token;
  EXPECT_EQ(check(std::string(20'000, 'a'), bothKeys()).reason, Reason::tooLarge);
  EXPECT_EQ(check(rsa().token(claims(), {{"crit", json::array{"b64"}}}), bothKeys()).reason,
            Reason::unknownVersion);
  auto const refused = check(rsa().token(claimsWith("nonce", "SECRETNONCE")), bothKeys());
  EXPECT_EQ(refused.sentence.find("SECRETNONCE"), std::string::npos);
}

} // namespace
} // namespace garland::webhooks
