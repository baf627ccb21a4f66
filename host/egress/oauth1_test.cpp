// Facts of RFC 5849 (its sections 1.2 and 3.4.1.1), and what it says on parts that its examples leave out.
#include "host/egress/oauth1.h"

#include <gtest/gtest.h>

namespace garland::egress {
namespace {

struct Asked {
  std::string method = "GET";
  Url url;
  std::vector<Header> headers;
  std::string body;
  Signable signable() const { return {method, url, headers, body}; }
};

Asked get(std::string_view url) { return {"GET", Url::parse(url).value(), {}, {}}; }

Asked postForm(std::string_view url, std::string body, std::string type) {
  return {"POST", Url::parse(url).value(), {{"content-TYPE", std::move(type)}}, std::move(body)};
}

Credential credential(Signing::Method method = Signing::Method::hmacSha1) {
  Credential made;
  made.scheme = Credential::Scheme::oauth1;
  made.username = "dpf43f3p2l4k3l03";
  made.secret = Secret("kd94hf93k423kf44");
  made.signing.method = method;
  made.signing.token = "nnch734d00sl2jdk";
  made.signing.token_secret = Secret("pfkkdhi9sl3r4s00");
  return made;
}

constexpr std::string_view kForm = "application/x-www-form-urlencoded";
TimePoint const kNow{std::chrono::milliseconds(137'131'202'999)};

TEST(OAuth1, ThePhotoOfTheIntroductionHasItsSignature) {
  auto const asked = get("http://photos.example.net/photos?file=vacation.jpg&size=original");
  Pairs const protocol{{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
                       {"oauth_token", "nnch734d00sl2jdk"},
                       {"oauth_signature_method", "HMAC-SHA1"},
                       {"oauth_timestamp", "137131202"},
                       {"oauth_nonce", "chapoH"}};
  EXPECT_EQ(oauth1Signature(oauth1BaseString(asked.signable(), protocol), credential()),
            "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}

TEST(OAuth1, TheBaseStringOfTheSpecificationComesOutByteForByte) {
  auto const asked = postForm("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", "c2&a3=2+q",
                              std::string(kForm));
  Pairs const protocol{{"oauth_consumer_key", "9djdj82h48djs9d2"},
                       {"oauth_token", "kkk9d7dh3k39sjv7"},
                       {"oauth_signature_method", "HMAC-SHA1"},
                       {"oauth_timestamp", "137131201"},
                       {"oauth_nonce", "7d8f3e4a"}};
  EXPECT_EQ(oauth1BaseString(asked.signable(), protocol),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D"
            "%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a"
            "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201"
            "%26oauth_token%3Dkkk9d7dh3k39sjv7");
}

TEST(OAuth1, APortCountsOnlyIfItIsNotTheSchemesOwn) {
  auto const base = [](std::string_view url) { return oauth1BaseString(get(url).signable(), {}); };
  EXPECT_EQ(base("https://api.example.com:443/a"), "GET&https%3A%2F%2Fapi.example.com%2Fa&");
  EXPECT_EQ(base("https://api.example.com:8443/a"), "GET&https%3A%2F%2Fapi.example.com%3A8443%2Fa&");
  EXPECT_EQ(base("https://api.example.com"), "GET&https%3A%2F%2Fapi.example.com%2F&");
}

TEST(OAuth1, OnlyTheMembersOfAFormAreSignedNoOtherBody) {
  auto const base = [](std::string type) {
    return oauth1BaseString(postForm("https://a.example/", "x=1", std::move(type)).signable(), {});
  };
  EXPECT_TRUE(base("Application/X-WWW-Form-URLEncoded ; charset=utf-8").ends_with("&x%3D1"));
  EXPECT_TRUE(base("application/json").ends_with("%2F&"));
  EXPECT_TRUE(base("multipart/form-data; boundary=x").ends_with("%2F&"));
}

TEST(OAuth1, TheHeaderHoldsTheProtocolsParametersAndTheSignature) {
  auto const asked = get("https://api.example.com/a!b");
  EXPECT_EQ(oauth1Authorization(asked.signable(), credential(), kNow, "n1").substr(0, 175),
            "OAuth oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_nonce=\"n1\", "
            "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131202\", oauth_version=\"1.0\", "
            "oauth_token=\"nnch734d00sl2");
  auto without = credential();
  without.signing.token.clear();
  without.signing.token_secret = Secret();
  EXPECT_EQ(oauth1Authorization(asked.signable(), without, kNow, "n1").find("oauth_token"),
            std::string::npos);
}

TEST(OAuth1, AnotherHashIsAnotherSignatureAndPlaintextIsTheSecretsThemselves) {
  auto const base = oauth1BaseString(get("https://a.example/").signable(), {});
  auto const sha1 = oauth1Signature(base, credential());
  auto const sha256 = oauth1Signature(base, credential(Signing::Method::hmacSha256));
  EXPECT_EQ(sha1.size(), 28U);
  EXPECT_EQ(sha256.size(), 44U);
  auto plain = credential(Signing::Method::plaintext);
  plain.secret = Secret("djr9rjt0jd78jf88&/");
  EXPECT_EQ(oauth1Signature(base, plain), "djr9rjt0jd78jf88%26%2F&pfkkdhi9sl3r4s00");
  EXPECT_NE(oauth1Authorization(get("https://a.example/").signable(), plain, kNow, "n")
                .find("oauth_signature=\"djr9rjt0jd78jf88%2526%252F%26pfkkdhi9sl3r4s00\""),
            std::string::npos);
}

TEST(OAuth1, EscapesThatAreNoneStayAsTheyAre) {
  EXPECT_EQ(formPairs("a=%zz&b=%4&=1&&c"), (Pairs{{"a", "%zz"}, {"b", "%4"}, {"", "1"}, {"c", ""}}));
  EXPECT_EQ(sortedForm({{"b", "2"}, {"a", "z"}, {"a", "\xc3\xa4"}, {"a b", ""}}), "a=%C3%A4&a=z&a%20b=&b=2");
}

} // namespace
} // namespace garland::egress
