// `garland webhooks verify`: verdicts, exit codes, and words that are wrong.
#include "host/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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
    folder_ = (std::filesystem::temp_directory_path() / "webhooks_command.XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    words_.scheme = "stripe";
    words_.secrets = {"salt-and-rosemary"};
    words_.headers = file("headers", kHeaders);
    words_.body = file("body", R"({"event":"tasting.booked","guests":12})");
    words_.now = "1790000000";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(std::string const& name, std::string const& text) {
    auto const path = folder_ + "/" + name;
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

  std::string folder_;
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

TEST_F(WebhooksCommand, EverySchemeIsListed) {
  std::ostringstream out;
  Output output(out, out, false, false, false);
  EXPECT_EQ(listWebhookSchemes(output), Exit::ok);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("stripe"), HasSubstr("standard-webhooks"), HasSubstr("twilio")));
}

} // namespace
} // namespace garland::cli
