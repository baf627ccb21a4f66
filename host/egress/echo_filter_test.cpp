#include "host/egress/echo_filter.h"

#include "host/base/bytes.h"

#include <gtest/gtest.h>

namespace garland::egress {
namespace {

std::string cleaned(Credential const& credential, std::string text) {
  EchoFilter(credential).clean(text);
  return text;
}

Credential basic(std::string password) {
  return Credential{Credential::Scheme::basic, {}, "anna", Secret(std::move(password))};
}

TEST(EchoFilter, TakesOutEverySpelling) {
  auto const credential = basic("a long pass/word \"quoted\"");
  EXPECT_EQ(cleaned(credential, "<a long pass/word \"quoted\">"), "<[secret]>");
  EXPECT_EQ(cleaned(credential, "a%20long%20pass%2Fword%20%22quoted%22"), "[secret]");
  EXPECT_EQ(cleaned(credential, "{\"p\":\"a long pass\\/word \\\"quoted\\\"\"}").find("word"),
            std::string::npos);
  EXPECT_EQ(cleaned(credential, base64("a long pass/word \"quoted\"")), "[secret]");
  EXPECT_EQ(cleaned(credential, "Basic " + base64("anna:a long pass/word \"quoted\"")), "Basic [secret]");
}

TEST(EchoFilter, TakesOutEverySecretThatIsSignedWith) {
  auto credential = basic("a consumer secret");
  credential.scheme = Credential::Scheme::oauth1;
  credential.signing.token_secret = Secret("the secret of a token");
  credential.signing.session_token = Secret("a session token+/==");
  EXPECT_EQ(cleaned(credential, "a consumer secret&the secret of a token, a session token+/=="),
            "[secret]&[secret], [secret]");
  // As it stands in a header of PLAINTEXT.
  EXPECT_EQ(cleaned(credential, "a%2520consumer%2520secret%26the%2520secret%2520of%2520a%2520token"),
            "[secret]%26[secret]");
}

TEST(EchoFilter, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(cleaned(basic("summer"), "A summer wedding"), "A summer wedding");
  EXPECT_EQ(cleaned(Credential(), "anything"), "anything");
  EXPECT_EQ(cleaned(basic("0123456789abcdef"), "0123456789abcde"), "0123456789abcde");
}

TEST(EchoFilter, TakesAShortPasswordOutOfAFailureOnly) {
  EchoFilter const filter(basic("s3cr3t/8"));
  Response refused;
  refused.status = 401;
  refused.body = "<p>wrong: s3cr3t/8, s3cr3t%2F8, s3cr3t\\/8</p>";
  refused.headers = {{"x-echo", "s3cr3t/8"}};
  Response fine = refused;
  fine.status = 200;
  auto const untouched = fine.body;
  filter.clean(refused);
  filter.clean(fine);
  EXPECT_EQ(refused.body, "<p>wrong: [secret], [secret], [secret]</p>");
  EXPECT_EQ(refused.headers[0].value, "[secret]");
  EXPECT_EQ(fine.body, untouched);
}

TEST(EchoFilter, ManyEchoesTakeOnePass) {
  std::string const secret = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += secret;
  auto const out = cleaned(basic(secret), text);
  EXPECT_EQ(out.size(), 200'000U * std::string_view("[secret]").size());
}

} // namespace
} // namespace garland::egress
