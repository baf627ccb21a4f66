// Facts that AWS publishes on its signature, version 4, and what it says on parts of them.
#include "host/egress/sigv4.h"

#include <gtest/gtest.h>

namespace garland::egress {
namespace {

using namespace std::chrono_literals;

// 2015-08-30T12:36:00Z
TimePoint const kNow{std::chrono::seconds(1'440'938'160)};

Credential credential(std::string service = "service") {
  Credential made;
  made.scheme = Credential::Scheme::sigv4;
  made.username = "AKIDEXAMPLE";
  made.secret = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  made.signing.region = "us-east-1";
  made.signing.service = std::move(service);
  return made;
}

SigV4 signedAs(std::string method, std::string_view url, std::vector<Header> const& headers = {},
               std::string_view body = {}, std::string service = "service") {
  auto const parsed = Url::parse(url).value();
  return signV4({method, parsed, headers, body}, credential(std::move(service)), kNow);
}

std::string pathOf(SigV4 const& made) {
  auto const from = made.canonical_request.find('\n') + 1;
  return made.canonical_request.substr(from, made.canonical_request.find('\n', from) - from);
}

TEST(SigV4, ThePublishedRequestsHaveTheirSignatures) {
  auto const vanilla = signedAs("GET", "https://example.amazonaws.com/");
  EXPECT_EQ(vanilla.signed_names, "host;x-amz-date");
  EXPECT_EQ(vanilla.scope, "20150830/us-east-1/service/aws4_request");
  EXPECT_EQ(vanilla.signature, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(signedAs("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1").signature,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(signedAs("POST", "https://example.amazonaws.com/").signature,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(SigV4, TheCanonicalRequestIsMadeAsAwsDescribesIt) {
  auto const made = signedAs("PUT", "https://EXAMPLE.amazonaws.com:8443/a%20b//c?b=2&a=x+y&a=%2f&c",
                             {{"Content-Type", "  text/plain;   charset=utf-8 "},
                              {"X-Amz-Meta", "two"},
                              {"Accept", "*/*"},
                              {"x-amz-meta", " words "}},
                             "body");
  EXPECT_EQ(
      made.canonical_request,
      "PUT\n/a%2520b/c\na=%2F&a=x%20y&b=2&c=\ncontent-length:4\ncontent-type:text/plain; charset=utf-8\n"
      "host:example.amazonaws.com:8443\nx-amz-date:20150830T123600Z\nx-amz-meta:two,words\n\n"
      "content-length;content-type;host;x-amz-date;x-amz-meta\n"
      "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5");
}

TEST(SigV4, OnlyS3SignsThePathAsItIsMeantAndTheHashOfTheBodyInAHeader) {
  auto const url = "https://bucket.s3.amazonaws.com/my%20photo//1.jpg";
  auto const s3 = signedAs("GET", url, {}, {}, "s3");
  EXPECT_EQ(pathOf(s3), "/my%20photo//1.jpg");
  EXPECT_EQ(s3.headers.at("x-amz-content-sha256"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  auto const other = signedAs("GET", url);
  EXPECT_EQ(pathOf(other), "/my%2520photo/1.jpg");
  EXPECT_FALSE(other.headers.contains("x-amz-content-sha256"));
}

TEST(SigV4, ASessionTokenIsSentAndSigned) {
  auto signer = credential();
  signer.signing.session_token = Secret("TOKEN==");
  auto const url = Url::parse("https://example.amazonaws.com/").value();
  std::string const method = "GET";
  std::vector<Header> const headers{{"X-Amz-Security-Token", "the plugin's"}, {"X-Amz-Date", "never"}};
  auto const made = signV4({method, url, headers, {}}, signer, kNow);
  EXPECT_EQ(made.signed_names, "host;x-amz-date;x-amz-security-token");
  EXPECT_EQ(made.headers.at("x-amz-security-token"), "TOKEN==");
  EXPECT_EQ(made.headers.at("x-amz-date"), "20150830T123600Z");
}

} // namespace
} // namespace garland::egress
