// Shared secrets and everything around them: where values stand, what was signed, age, and bad input.
// Expected signatures were computed with another program.
#include "host/webhooks/webhook_fixture.h"

namespace garland::webhooks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kTimed =
    R"({"algorithm":"hmac-sha256","at":{"header":"X-Sign","split":",","member":"v1"},"encoding":"hex",
  "signed":"{timestamp}.{body}","timestamp":{"at":{"header":"X-Sign","split":",","member":"t"}},"tolerance_seconds":300})";
constexpr auto kRight = "f62f6ceeed94dd6ed35d68918bee056a2a033dc326f2aa7ef44d92c2007a0da8";
constexpr auto kWithSecond = "56d049f83a91955dc35a7d8c9bb1d569495afa8b7909c122b23c23fa8fb7357e";

std::string header(std::string const& time, std::string const& signature) {
  return "t=" + time + ",v1=" + signature;
}

Reason timed(std::string const& value, std::string_view body = kBody, Keys const& keys = keysOf(),
             std::int64_t now = kNow) {
  return verify(signatureOf(kTimed), requestOf({{"x-sign", value}}, body), keys, clockAt(now)).reason;
}

// One header X-Sign over `signed_text`, as `rest` says further.
Reason plain(std::string const& algorithm, std::string const& encoding, std::string const& signed_text,
             std::string const& signature, std::string const& rest = "", std::string_view body = kBody,
             std::string const& url = "https://studio.test/hooks/menu?room=2", Keys const& keys = keysOf()) {
  auto const scheme =
      signatureOf(R"({"algorithm":")" + algorithm + R"(","at":{"header":"X-Sign"},"encoding":")" + encoding +
                  R"(","signed":")" + signed_text + "\"" + rest + "}");
  return verify(scheme, requestOf({{"X-Sign", signature}}, body, url), keys, clockAt()).reason;
}

TEST(CheckSecret, ASecretHasTheFormThatItsSchemeTells) {
  auto const standard = Scheme::named("standard-webhooks").value();
  EXPECT_TRUE(checkSecret(standard, Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")));
  for (auto const* wrong :
       {"", "whsec_", "whsec_not base64!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hunter2", "sk_test_1234"}) {
    auto const checked = checkSecret(standard, Secret(wrong));
    ASSERT_FALSE(checked) << wrong;
    EXPECT_THAT(checked.error().message, HasSubstr("such as whsec_"));
    EXPECT_THAT(checked.error().message, Not(HasSubstr("sk_test_1234")));
  }
  EXPECT_FALSE(checkSecret(Scheme::named("teams").value(), Secret("no base64!")));
  EXPECT_TRUE(checkSecret(Scheme::named("stripe").value(), Secret("any text at all")));
  EXPECT_FALSE(checkSecret(Scheme::named("stripe").value(), Secret("")));
}

TEST(Verify, ARightSignatureIsAccepted) {
  auto const verdict =
      verify(signatureOf(kTimed), requestOf({{"x-sign", header("1790000000", kRight)}}), keysOf(), clockAt());
  EXPECT_TRUE(verdict.accepted()) << verdict.sentence;
  EXPECT_EQ(name(verdict.reason), "accepted");
}

TEST(Verify, OneChangedByteIsAMismatch) {
  std::string body(kBody);
  body.back() = ']';
  EXPECT_EQ(timed(header("1790000000", kRight), body), Reason::mismatch);
  EXPECT_EQ(timed(header("1790000001", kRight)), Reason::mismatch);
}

TEST(Verify, ARejectionTellsNeitherSecretNorSignature) {
  auto const verdict = verify(signatureOf(kTimed), requestOf({{"X-Sign", header("1790000000", kWithSecond)}}),
                              keysOf(), clockAt());
  EXPECT_EQ(verdict.reason, Reason::mismatch);
  EXPECT_THAT(verdict.sentence, Not(HasSubstr(std::string(kSecret))));
  EXPECT_THAT(verdict.sentence, Not(HasSubstr(std::string(kRight).substr(0, 8))));
}

TEST(Verify, EveryLiveSecretCounts) {
  auto const value = header("1790000000", kWithSecond);
  EXPECT_EQ(timed(value, kBody, keysOf({kSecret, "thyme-and-lemon"})), Reason::accepted);
  EXPECT_EQ(timed(value, kBody, keysOf({"thyme-and-lemon", kSecret})), Reason::accepted);
  EXPECT_EQ(timed(value, kBody, keysOf({kSecret})), Reason::mismatch);
}

TEST(Verify, EverySignatureInTheListCounts) {
  EXPECT_EQ(timed("t=1790000000,v0=11,v1=" + std::string(64, '0') + ", v1=" + kRight), Reason::accepted);
  EXPECT_EQ(timed("t=1790000000,v1=nonsense,v1=" + std::string(kRight)), Reason::accepted);
}

TEST(Verify, TheToleranceHoldsOnBothSidesToTheSecond) {
  auto const old_edge =
      header("1789999700", "2d8739004abd325ca6ae724f3dc304b629200c7856b4a97195da9d7c832a59ac");
  auto const too_old =
      header("1789999699", "5aefd3f73def744336707b8dab1bdd086d34947957cf1530eeab46f8c795c3ca");
  auto const new_edge =
      header("1790000300", "57d92dde05491f97e366811a581aa689fd48b825345dc80dab0349302755f1e8");
  auto const too_new =
      header("1790000301", "90cdf2a1a830302f802267c92c3957512ee604b331cce25cd07e39c89f4dc88e");
  EXPECT_EQ(timed(old_edge), Reason::accepted);
  EXPECT_EQ(timed(too_old), Reason::tooOld);
  EXPECT_EQ(timed(new_edge), Reason::accepted);
  EXPECT_EQ(timed(too_new), Reason::tooNew);
  EXPECT_EQ(timed(old_edge, kBody, keysOf(), kNow + 1), Reason::tooOld);
}

TEST(Verify, ATimestampThatIsNoneIsMalformed) {
  for (auto const* time : {"", "soon", "-5", "+1790000000", " 1790000000x", "1790000000.5", "0x6AB1",
                           "99999999999999999999999", "9223372036854775807", "253402300800"})
    EXPECT_EQ(timed(header(time, kRight)), Reason::malformed) << time;
}

TEST(Verify, WhatIsMissingIsToldByItsPlace) {
  auto const verdict = verify(signatureOf(kTimed), requestOf({}), keysOf(), clockAt());
  EXPECT_EQ(verdict.reason, Reason::missing);
  EXPECT_THAT(verdict.sentence, HasSubstr("the header X-Sign"));
  EXPECT_EQ(timed("v1=" + std::string(kRight)), Reason::missing);
  EXPECT_EQ(timed("t=1790000000"), Reason::missing);
  EXPECT_EQ(timed(""), Reason::missing);
}

TEST(Verify, WhatStandsThereTwiceIsNotGuessedAt) {
  auto const value = header("1790000000", kRight);
  auto const twice = requestOf({{"X-Sign", value}, {"x-sign", value}});
  EXPECT_EQ(verify(signatureOf(kTimed), twice, keysOf(), clockAt()).reason, Reason::duplicated);
  EXPECT_EQ(timed("t=1790000000," + value), Reason::duplicated);
  // Also where it is the signature alone, of which a list may hold several.
  auto const untimed =
      requestOf({{"X-Hub-Signature-256", "sha256=00"}, {"X-Hub-Signature-256", "sha256=00"}});
  EXPECT_EQ(verify(Scheme::named("github").value(), untimed, keysOf(), clockAt()).reason, Reason::duplicated);
}

TEST(Verify, ASignatureThatCannotBeReadIsMalformedAndAShortOneAMismatch) {
  EXPECT_EQ(timed(header("1790000000", "zz" + std::string(62, '0'))), Reason::malformed);
  EXPECT_EQ(timed(header("1790000000", "")), Reason::malformed);
  EXPECT_EQ(timed(header("1790000000", std::string(kRight).substr(0, 63))), Reason::malformed);
  EXPECT_EQ(timed(header("1790000000", std::string(kRight).substr(0, 62))), Reason::mismatch);
  EXPECT_EQ(timed(header("1790000000", std::string(kRight) + "00")), Reason::mismatch);
}

TEST(Verify, AnEnormousHeaderIsRefusedUnread) {
  EXPECT_EQ(timed(std::string(17 << 10, 'a')), Reason::tooLarge);
  std::string many = "t=1790000000";
  for (int i = 0; i < 70; ++i) many += ",v1=00";
  EXPECT_EQ(timed(many), Reason::tooLarge);
}

TEST(Verify, AnEmptySecretVerifiesNothing) {
  // What anybody could sign who knows that the key is empty.
  auto const value = header("1790000000", "96824f0a79ee635e864c3d8de6ba38375b07f61c24a80459fde5244f09f9a3f2");
  EXPECT_EQ(timed(value, kBody, keysOf({""})), Reason::noSecret);
  EXPECT_EQ(timed(value, kBody, keysOf({})), Reason::noSecret);
  EXPECT_EQ(timed(value, kBody, keysOf({"", kSecret})), Reason::mismatch);
  EXPECT_EQ(plain("hmac-sha256", "hex", "{body}", "00", R"(,"key":{"prefix":"whsec_","encoding":"base64"})",
                  kBody, "", keysOf({"whsec_"})),
            Reason::badKey);
}

TEST(Verify, TheBodyIsBytes) {
  EXPECT_EQ(
      timed(header("1790000000", "37cd6527cfdc299d7570c597b8e4da8163c9490895add002c5fe8faf385d2e60"), ""),
      Reason::accepted);
  std::string_view const bytes("\xff\xfe\x00\x80", 4);
  EXPECT_EQ(
      timed(header("1790000000", "94d040080e7e350a2d500f89fe7c197d95a6b42d015166ebdfd7edf51d9969f7"), bytes),
      Reason::accepted);
}

TEST(Verify, EveryAlgorithmAndEncodingOfASharedSecret) {
  EXPECT_EQ(plain("hmac-sha1", "base64", "{body}", "8zXIth/zWMbJovXfgcCj3rXSOZw="), Reason::accepted);
  EXPECT_EQ(plain("hmac-sha256", "base64", "{body}", "dBQuKLmn2Vj3fv0cpboaNEDDqTH9NdvYL1NGC2w5sdA="),
            Reason::accepted);
  EXPECT_EQ(plain("hmac-sha256", "base64url", "{body}", "dBQuKLmn2Vj3fv0cpboaNEDDqTH9NdvYL1NGC2w5sdA"),
            Reason::accepted);
  std::string const sha512 = "ade40d72aac94f5b7a2820ba6896f40e0b8507efd86d6e9ed0ad9b1ce683b17a"
                             "a968ecc04fcd62d15f98cbe1b2bf4cf1b041f129aaa75aa8a238df97100be3ad";
  EXPECT_EQ(plain("hmac-sha512", "hex", "{body}", sha512), Reason::accepted);
  EXPECT_EQ(plain("hmac-sha256", "hex", "{body}", sha512), Reason::mismatch);
}

TEST(Verify, AKeyIsDecodedAsTheSchemeSays) {
  auto const signature = "8e26b87ba0e7153e90815aaeb6f617e6d6cf9c28639296bfaad1002bb5847821";
  auto const with = [&](std::string const& encoding, std::string_view secret) {
    return plain("hmac-sha256", "hex", "{body}", signature,
                 R"(,"key":{"prefix":"whsec_","encoding":")" + encoding + "\"}", kBody, "", keysOf({secret}));
  };
  EXPECT_EQ(with("hex", "00ff10203040"), Reason::accepted);
  EXPECT_EQ(with("base64", "whsec_AP8QIDBA"), Reason::accepted);
  EXPECT_EQ(with("base64url", "AP8QIDBA"), Reason::accepted);
  EXPECT_EQ(with("raw", "00ff10203040"), Reason::mismatch);
  EXPECT_EQ(with("hex", "00ff1020304"), Reason::badKey);
  EXPECT_EQ(with("base64", "whsec_not base64"), Reason::badKey);
}

TEST(Verify, ATemplateMayUseEveryPartOfARequest) {
  EXPECT_EQ(plain("hmac-sha256", "hex", "{method} {path} {query} {body_sha256}",
                  "3c264f679bf884b468f003f00193c315a3e6d45f3ca40fa1a886b2ab55f28ae0"),
            Reason::accepted);
}

TEST(Verify, ParametersOfAFormAreSortedAndRepeatedOnesCountOnce) {
  auto const form = "Name=%C3%84pfel+%26+Zimt&Courses=5&Courses=3&Courses=5";
  auto const url = "https://studio.test/hooks/menu?room=2";
  EXPECT_EQ(
      plain("hmac-sha1", "base64", "{url}{sorted_params}", "Aw1jeTu44TBXGqiYHOOjbPkFo3k=", "", form, url),
      Reason::accepted);
  EXPECT_EQ(
      plain("hmac-sha1", "base64", "{url}{sorted_params}", "Aw1jeTu44TBXGqiYHOOjbPkFo3k=", "", "a=%zz", url),
      Reason::malformed);
}

TEST(Verify, TheDefaultPortMayStandInTheUrlOrNot) {
  auto const form = "Name=%C3%84pfel+%26+Zimt&Courses=5&Courses=3";
  auto const at = [&](std::string const& url, std::string const& rest) {
    return plain("hmac-sha1", "base64", "{url}{sorted_params}", "Aw1jeTu44TBXGqiYHOOjbPkFo3k=", rest, form,
                 url);
  };
  EXPECT_EQ(at("https://studio.test:443/hooks/menu?room=2", R"(,"default_port":true)"), Reason::accepted);
  EXPECT_EQ(at("https://studio.test:443/hooks/menu?room=2", ""), Reason::mismatch);
  EXPECT_EQ(at("https://studio.test:444/hooks/menu?room=2", R"(,"default_port":true)"), Reason::mismatch);
}

TEST(Verify, ADigestInTheUrlCoversTheBody) {
  std::string const url = "https://studio.test/hooks/menu?bodySHA256="
                          "f2a59926f9757dc583a184061669d04fe4aa8b5d00cbd5303bef52891a56a57b";
  auto const twilio = Scheme::named("twilio").value();
  auto const request = [&](std::string_view body) {
    return requestOf({{"X-Twilio-Signature", "L5O58UY1YG5tNZVoOlv7FWOmX4A="}}, body, url);
  };
  EXPECT_EQ(verify(twilio, request(kBody), keysOf(), clockAt()).reason, Reason::accepted);
  EXPECT_EQ(verify(twilio, request("{}"), keysOf(), clockAt()).reason, Reason::mismatch);
}

TEST(Verify, TimesComeInMillisecondsAndInWords) {
  auto const timestamp = [](std::string const& format) {
    return R"(,"timestamp":{"at":{"header":"X-Time"},"format":")" + format + R"("},"tolerance_seconds":10)";
  };
  auto const at = [&](std::string const& format, std::string const& time, std::string const& signature) {
    auto const scheme = signatureOf(R"({"algorithm":"hmac-sha256","at":{"header":"X-Sign"},"encoding":"hex",
      "signed":"{timestamp}{body}")" +
                                    timestamp(format) + "}");
    return verify(scheme, requestOf({{"X-Time", time}, {"X-Sign", signature}}), keysOf(), clockAt()).reason;
  };
  EXPECT_EQ(
      at("milliseconds", "1790000000123", "fd3f1324a45b4f9ef8d4fb3dc89608009ddafd0484b8f6d24f7128e3c4a70cbc"),
      Reason::accepted);
  EXPECT_EQ(at("rfc3339", "2026-09-21T14:13:20Z",
               "7581d90c929c0e26b1e61efe4c10a929b4eecffd002ebaca67fdc8e62a8cd407"),
            Reason::accepted);
  EXPECT_EQ(at("rfc3339", "yesterday", "00"), Reason::malformed);
}

TEST(Verify, ValuesMayStandInTheBodyAndATokenCountsOnce) {
  auto const mailgun = Scheme::named("mailgun").value();
  auto const body = R"({"signature":{"timestamp":"1790000000","token":"tok-once-1",
    "signature":"76e51373278d14112cceea989368cb5fb5fc721281ba6bcfd15cc1866daf90ac"}})";
  auto keys = keysOf();
  auto const first = verify(mailgun, requestOf({}, body), keys, clockAt());
  EXPECT_TRUE(first.accepted()) << first.sentence;
  EXPECT_EQ(first.once_key, "tok-once-1");
  keys.seen = [](std::string_view token) { return token == "tok-once-1"; };
  EXPECT_EQ(verify(mailgun, requestOf({}, body), keys, clockAt()).reason, Reason::seenBefore);
  for (auto const* other :
       {"", "not json", "[]", R"({"signature":{"timestamp":{},"token":"t","signature":"00"}})"})
    EXPECT_FALSE(verify(mailgun, requestOf({}, other), keysOf(), clockAt()).accepted()) << other;
}

TEST(Verify, ChosenMembersAreSignedInTheirOrder) {
  auto const scheme = signatureOf(R"({"algorithm":"hmac-sha256","at":{"header":"X-Sign"},"encoding":"hex",
    "signed":"{members}","members":{"by":{"body":"/Kind"},"of":{"note":["Kind","Text","Title"]},"optional":["Title"]}})");
  auto const reason = [&](std::string const& signature, std::string_view body) {
    return verify(scheme, requestOf({{"X-Sign", signature}}, body), keysOf(), clockAt()).reason;
  };
  auto const short_one = "c8a88cb58b379249b77144cc5658fcf58a87a8d708d5c9a90e42a713f90ea351";
  EXPECT_EQ(reason(short_one, R"({"Text":"Hello","Kind":"note"})"), Reason::accepted);
  EXPECT_EQ(reason("671131b9e904c0f89d12be7a77414c3517a11d329c0850ba65c3a56d6111123f",
                   R"({"Title":"Menu","Text":"Hello","Kind":"note"})"),
            Reason::accepted);
  EXPECT_EQ(reason(short_one, R"({"Kind":"note"})"), Reason::missing);
  EXPECT_EQ(reason(short_one, R"({"Kind":"note","Text":5})"), Reason::malformed);
  EXPECT_EQ(reason(short_one, R"({"Kind":"other","Text":"Hello"})"), Reason::wrongValue);
}

TEST(Verify, ATokenIsComparedWithTheSecretInEveryItem) {
  auto const graph = Scheme::named("microsoft-graph").value();
  auto const reason = [&](std::string_view body) {
    return verify(graph, requestOf({}, body), keysOf(), clockAt()).reason;
  };
  EXPECT_EQ(reason(R"({"value":[{"clientState":"salt-and-rosemary"},{"clientState":"salt-and-rosemary"}]})"),
            Reason::accepted);
  EXPECT_EQ(reason(R"({"value":[{"clientState":"salt-and-rosemary"},{"clientState":"pepper"}]})"),
            Reason::mismatch);
  EXPECT_EQ(reason(R"({"value":[{"clientState":"salt-and-rosemary"},{}]})"), Reason::missing);
  EXPECT_EQ(reason(R"({"value":[]})"), Reason::missing);
  EXPECT_EQ(reason(R"({"value":{"clientState":"salt-and-rosemary"}})"), Reason::malformed);
}

TEST(Verify, WhatWasAgreedOnMustHoldAndMustBeKept) {
  auto const google = Scheme::named("google-calendar").value();
  auto const request =
      requestOf({{"X-Goog-Channel-Token", std::string(kSecret)}, {"X-Goog-Channel-ID", "ch-1"}}, "");
  auto keys = keysOf();
  EXPECT_EQ(verify(google, request, keys, clockAt()).reason, Reason::noSecret);
  keys.parameters["channel_id"] = "ch-2";
  EXPECT_EQ(verify(google, request, keys, clockAt()).reason, Reason::wrongValue);
  keys.parameters["channel_id"] = "ch-1";
  EXPECT_EQ(verify(google, request, keys, clockAt()).reason, Reason::accepted);
}

TEST(Verify, ASignatureOfAnotherVersionIsToldSo) {
  auto const slack = Scheme::named("slack").value();
  auto const request =
      requestOf({{"X-Slack-Signature", "v1=00"}, {"X-Slack-Request-Timestamp", "1790000000"}});
  EXPECT_EQ(verify(slack, request, keysOf(), clockAt()).reason, Reason::unknownVersion);
}

} // namespace
} // namespace garland::webhooks
