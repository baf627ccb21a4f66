// `garland webhooks verify`: verdicts, exit codes, and words that are wrong.
#include "host/cli/commands.h"

#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace garland::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kHeaders =
    "Stripe-Signature: "
    "t=1790000000,v1=f62f6ceeed94dd6ed35d68918bee056a2a033dc326f2aa7ef44d92c2007a0da8\r\n\n";

class WebhooksCommand : public ::testing::Test {
protected:
  void SetUp() override {
    words_.scheme = "stripe";
    words_.secrets = {"salt-and-rosemary"};
    words_.headers = file("headers", kHeaders);
    words_.body = file("body", R"({"event":"tasting.booked","guests":12})");
    words_.now = "1790000000";
  }

  std::string file(std::string const& name, std::string const& text) {
    auto const path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  // What is printed, out and err together.
  std::string said(Exit expected, bool json = false) {
    std::ostringstream out;
    std::ostringstream err;
    Output output(out, err, json, false, false);
    EXPECT_EQ(verifyWebhook(output, words_), expected) << out.str() << err.str();
    return out.str() + err.str();
  }

  TestFolder folder_;
  WebhookWords words_;
};

TEST_F(WebhooksCommand, ARightOneIsAcceptedWithExitCodeZero) {
  EXPECT_THAT(said(Exit::ok), StartsWith("accept: "));
  words_.now = "2026-09-21T14:13:20Z";
  EXPECT_THAT(said(Exit::ok), StartsWith("accept: "));
}

TEST_F(WebhooksCommand, AWrongOneIsRejectedWithItsReasonAndExitCodeOne) {
  words_.secrets = {"pepper-mill"};
  EXPECT_THAT(said(Exit::findings), AllOf(StartsWith("reject (mismatch): "), Not(HasSubstr("pepper-mill"))));
  auto const json = parseJson(said(Exit::findings, true)).value();
  EXPECT_EQ(textOr(json, "/verdict", ""), "reject");
  EXPECT_EQ(textOr(json, "/reason", ""), "mismatch");
}

TEST_F(WebhooksCommand, ASecretMayComeFromAFileAndThereMayBeTwo) {
  words_.secrets = {"pepper-mill"};
  words_.secret_files = {file("secret", "salt-and-rosemary\n")};
  said(Exit::ok);
}

TEST_F(WebhooksCommand, ASchemeMayBeAFileInThreeForms) {
  auto const signature = std::string(
      R"({"algorithm":"hmac-sha256","at":{"header":"Stripe-Signature","split":",","member":"v1"},"encoding":"hex",
      "signed":"1790000000.{body}"})");
  for (auto const& text : {signature, R"({"signature":)" + signature + "}",
                           R"({"id":"a.b","webhooks":{"signature":)" + signature + "}}"}) {
    words_.scheme = file("scheme.json", text);
    said(Exit::ok);
  }
  words_.scheme = file("scheme.json", R"({"signature":{"algoritm":"hmac-sha256","at":{"header":"S"}}})");
  EXPECT_THAT(said(Exit::usage),
              AllOf(HasSubstr("scheme.json"), HasSubstr("algoritm"), HasSubstr("/signature")));
}

TEST_F(WebhooksCommand, WhatIsWrongWithTheWordsIsWrongUsage) {
  auto const wrong = [this](auto change) {
    auto const before = words_;
    change(words_);
    auto const text = said(Exit::usage);
    words_ = before;
    return text;
  };
  EXPECT_THAT(wrong([](auto& words) { words.scheme = "strip"; }), HasSubstr("stripe"));
  EXPECT_THAT(wrong([](auto& words) { words.scheme = "./missing.json"; }), HasSubstr("there is no file"));
  EXPECT_THAT(wrong([](auto& words) { words.secrets.clear(); }), HasSubstr("nothing to verify with"));
  EXPECT_THAT(wrong([](auto& words) { words.secrets = {""}; }), HasSubstr("a secret is empty"));
  EXPECT_THAT(wrong([&](auto& words) { words.secret_files = {file("empty_secret", "\n")}; }),
              HasSubstr("--secret-file"));
  EXPECT_THAT(wrong([](auto& words) { words.now = "soon"; }), HasSubstr("--now"));
  EXPECT_THAT(wrong([](auto& words) { words.now = "-5"; }), HasSubstr("--now"));
  EXPECT_THAT(wrong([](auto& words) { words.body = "/nowhere/body"; }), HasSubstr("--body"));
  EXPECT_THAT(wrong([](auto& words) { words.parameters = {"webhook_id=1"}; }),
              HasSubstr("no value webhook_id"));
  EXPECT_THAT(wrong([](auto& words) { words.parameters = {"no equals"}; }), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(wrong([](auto& words) { words.scheme = "square"; }), HasSubstr("--url"));
  auto const no_colon = file("no_colon", "A: b\nno colon here\n");
  EXPECT_THAT(wrong([&](auto& words) { words.headers = no_colon; }), HasSubstr("line 2"));
}

TEST_F(WebhooksCommand, ARejectionThatAnOptionCouldChangeNamesIt) {
  words_.scheme = "google-calendar";
  words_.headers = file("headers", "X-Goog-Channel-Token: salt-and-rosemary\nX-Goog-Channel-ID: 7f2e\n");
  EXPECT_THAT(said(Exit::findings),
              AllOf(StartsWith("reject (no_secret): "), HasSubstr("--set channel_id=")));
  words_.parameters = {"channel_id=8a3b"};
  EXPECT_THAT(said(Exit::findings), AllOf(StartsWith("reject (wrong_value): "), HasSubstr("--set")));
  words_.parameters = {"channel_id=7f2e"};
  said(Exit::ok);

  words_.scheme = "stripe";
  words_.secrets = {"salt-and-rosemary"};
  words_.parameters.clear();
  words_.headers = file("headers", kHeaders);
  words_.now = "1790009999";
  EXPECT_THAT(said(Exit::findings), AllOf(StartsWith("reject (too_old): "), HasSubstr("--now TIME")));
}

TEST_F(WebhooksCommand, ACertificateThatIsNeededIsNamedWithItsAddress) {
  words_.scheme = "paypal";
  words_.parameters = {"webhook_id=1"};
  words_.headers = file("headers", "PAYPAL-AUTH-ALGO: SHA256withRSA\n"
                                   "PAYPAL-CERT-URL: https://api.paypal.com/v1/notifications/certs/CERT-1\n"
                                   "PAYPAL-TRANSMISSION-ID: 7\nPAYPAL-TRANSMISSION-SIG: AAAA\n"
                                   "PAYPAL-TRANSMISSION-TIME: 2026-06-13T12:00:00Z\n");
  EXPECT_THAT(said(Exit::findings),
              AllOf(StartsWith("reject (certificate_needed): "), HasSubstr("--certificate FILE"),
                    HasSubstr("https://api.paypal.com/v1/notifications/certs/CERT-1")));
}

TEST_F(WebhooksCommand, WhatCountsOnceSaysHowARepetitionIsTried) {
  words_.scheme = file("scheme.json", R"({"algorithm":"token","at":{"header":"X-Token"},"once":"{body}"})");
  words_.headers = file("headers", "X-Token: salt-and-rosemary\n");
  words_.body = file("body", "tasting-12");
  EXPECT_THAT(said(Exit::ok), HasSubstr("--seen tasting-12"));
  words_.seen = {"tasting-12"};
  EXPECT_THAT(said(Exit::findings), AllOf(StartsWith("reject (seen_before): "), HasSubstr("--seen")));
}

TEST_F(WebhooksCommand, FilesThatAreNotTheRequestAreWrongUsageWithTheirPlace) {
  auto const headers = words_.headers;
  auto const body = words_.body;
  auto const wrong = [&] {
    auto text = said(Exit::usage);
    words_.headers = headers;
    words_.body = body;
    return text;
  };
  words_.headers = file("twice", std::string("Host: a\n") + "Stripe-Signature: t=1,v1=00\n" + kHeaders);
  EXPECT_THAT(wrong(), AllOf(HasSubstr("--headers: line 3"), HasSubstr("after line 2")));
  words_.headers = file("marked_headers", std::string("\xEF\xBB\xBF") + kHeaders);
  EXPECT_THAT(wrong(), AllOf(HasSubstr("--headers"), HasSubstr("byte order mark")));
  words_.body = file("marked_body", "\xEF\xBB\xBF{}");
  EXPECT_THAT(wrong(), AllOf(HasSubstr("--body"), HasSubstr("byte order mark")));
  std::swap(words_.headers, words_.body);
  EXPECT_THAT(wrong(), HasSubstr("the other way round"));
  words_.headers = file("no_name", "Host: a\nTwo words: b\n");
  EXPECT_THAT(wrong(), HasSubstr("line 2 of "));
  // A header that the scheme does not read may well come twice.
  words_.headers = file("vias", std::string("Via: a\nVia: b\n") + kHeaders);
  said(Exit::ok);
}

TEST_F(WebhooksCommand, AManifestWithoutWebhooksIsToldSo) {
  words_.scheme = file("connector.json", R"({"manifest":1,"id":"a.b"})");
  EXPECT_THAT(said(Exit::usage), AllOf(HasSubstr("connector.json"), HasSubstr("has no \"webhooks\"")));
  words_.scheme = file("connector.json", "[]");
  EXPECT_THAT(said(Exit::usage), HasSubstr("must be an object"));
}

TEST_F(WebhooksCommand, AnAddressThatIsNoneIsToldWithOneThatIs) {
  for (auto const* url : {"studio.example/hooks/7", "ftp://studio.example/", "https://", "https:///hooks",
                          "https://studio example/"}) {
    words_.url = url;
    EXPECT_THAT(said(Exit::usage), AllOf(HasSubstr("--url"), HasSubstr("such as https://"))) << url;
  }
  words_.url = "https://studio.example";
  said(Exit::ok);
}

TEST_F(WebhooksCommand, EverySchemeIsListed) {
  std::ostringstream out;
  Output output(out, out, false, false, false);
  EXPECT_EQ(listWebhookSchemes(output), Exit::ok);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("stripe"), HasSubstr("standard-webhooks"), HasSubstr("twilio")));
}

} // namespace
} // namespace garland::cli
