// Signed requests for others to judge: the vectors of signature-vectors.json, which other libraries made, and
// what arrives on the wire, which contract/check.mjs lets these libraries sign again.
#include "host/egress/egress_fixture.h"
#include "host/egress/oauth1.h"
#include "host/egress/sigv4.h"

#include "host/base/bytes.h"
#include "host/base/file_text.h"
#include "host/base/json.h"
#include "host/base/provider_specs.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>

namespace garland::egress::testing {
namespace {

std::string const kVectors = providerSpecs() + "/signature-vectors.json";

// The members of an Authorization header, whose order does not count.
std::set<std::string> membersOf(std::string header) {
  std::set<std::string> members;
  std::size_t from = 0;
  for (auto at = header.find(", "); at != std::string::npos; at = header.find(", ", from)) {
    members.insert(header.substr(from, at - from));
    from = at + 2;
  }
  members.insert(header.substr(from));
  // "OAuth " and "AWS4-HMAC-SHA256 " stand before whichever member is first.
  std::set<std::string> without;
  for (auto const& member : members) {
    auto const space = member.find(' ');
    without.insert(space == std::string::npos ? member : member.substr(space + 1));
    if (space != std::string::npos) without.insert(member.substr(0, space));
  }
  return without;
}

std::string lineOf(HeaderList const& list, std::string const& name) {
  for (auto const* node = list.list(); node != nullptr; node = node->next)
    if (std::string_view const line(node->data); line.starts_with(name + ": "))
      return std::string(line.substr(name.size() + 2));
  return {};
}

json::array const* casesOf(json::value const& vectors, std::string_view scheme) {
  auto const* found = find(vectors, "/schemes/" + std::string(scheme) + "/cases");
  return found == nullptr ? nullptr : found->if_array();
}

class SigningContract : public EgressFixture {
protected:
  void SetUp() override {
    if (auto const text = readFileText(kVectors)) vectors_ = parseJson(*text).value();
    ASSERT_FALSE(vectors_.is_null() && contractsRequired()) << "there is no " << kVectors;
    if (vectors_.is_null()) GTEST_SKIP() << "there is no " << kVectors;
  }
  json::value vectors_;
};

TEST_F(SigningContract, OAuth1SignsAsTheVectorsHaveIt) {
  auto const* cases = casesOf(vectors_, "oauth1_request");
  ASSERT_TRUE(cases != nullptr && cases->size() >= 2);
  for (auto const& vector : *cases) {
    auto credential = named(Credential::Scheme::oauth1, "", textAt(vector, "/consumer/secret").value());
    credential.username = textAt(vector, "/consumer/key").value();
    credential.signing.token = textAt(vector, "/token/key").value();
    credential.signing.token_secret = Secret(textAt(vector, "/token/secret").value());
    auto const method = textAt(vector, "/request/method").value();
    auto const url = Url::parse(textAt(vector, "/request/url").value()).value();
    TimePoint const now(std::chrono::seconds(integerAt(vector, "/timestamp").value()));
    auto const made =
        oauth1Authorization({method, url, {}, {}}, credential, now, textAt(vector, "/nonce").value());
    EXPECT_EQ(membersOf(made), membersOf(textAt(vector, "/headers/Authorization").value()));
  }
  std::printf("contracts: oauth 1.0a: %zu signatures checked; skipped: nothing\n", cases->size());
}

// "20251009T085320Z"
TimePoint timeOf(std::string const& text) {
  return parseRfc3339(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 5) + ":" +
                      text.substr(11, 2) + ":" + text.substr(13))
      .value();
}

TEST_F(SigningContract, SigV4SignsAsTheVectorsHaveIt) {
  auto const* cases = casesOf(vectors_, "aws_sigv4_request");
  ASSERT_TRUE(cases != nullptr && cases->size() >= 2);
  for (auto const& vector : *cases) {
    auto const wanted = textAt(vector, "/headers/Authorization").value();
    auto credential =
        named(Credential::Scheme::sigv4, "", textAt(vector, "/credentials/secretAccessKey").value());
    credential.username = textAt(vector, "/credentials/accessKeyId").value();
    credential.signing.session_token = Secret(textOr(vector, "/credentials/sessionToken", ""));
    auto const host = textAt(vector, "/request/host").value();
    credential.signing.service = "ses";
    credential.signing.region = host.substr(6, host.find('.', 6) - 6); // "email.eu-west-1.amazonaws.com"
    auto const method = textAt(vector, "/request/method").value();
    auto const url = Url::parse("https://" + host + textAt(vector, "/request/path").value()).value();
    auto const body = textAt(vector, "/request/body").value();
    std::vector<Header> headers;
    if (auto const type = textOr(vector, "/headers/Content-Type", ""); !type.empty())
      headers.emplace_back("Content-Type", type);
    HeaderList list;
    addSigV4(list, {method, url, headers, body}, credential,
             timeOf(textAt(vector, "/headers/X-Amz-Date").value()));
    EXPECT_EQ(membersOf(lineOf(list, "Authorization")), membersOf(wanted));
    EXPECT_EQ(lineOf(list, "x-amz-date"), textAt(vector, "/headers/X-Amz-Date").value());
    EXPECT_EQ(lineOf(list, "x-amz-security-token"), textOr(vector, "/headers/X-Amz-Security-Token", ""));
  }
  std::printf("contracts: aws signature 4: %zu signatures checked; skipped: nothing\n", cases->size());
}

struct Sent {
  std::string method;
  std::string target;
  std::vector<Header> headers;
  std::string body;
};

// Every shape of address, body and header in which a signature may go wrong.
std::vector<Sent> shapes() {
  Header const form{"Content-Type", "application/x-www-form-urlencoded"};
  return {{"GET", "/", {}, {}},
          {"GET", "/api/v2/album/SJT3DX!images?start=1&count=100&_verbosity=1", {}, {}},
          {"GET", "/a%20b/(c)'*~/%C3%A4/x,y;z=1:@&=$", {}, {}},
          {"GET", "/?b=2&a=2&a=1&A=0&c&d=&e=%26%3D%25", {}, {}},
          {"GET", "/?q=%C3%A4+b%20c&r=*'()!~", {}, {}},
          {"GET", "/one//two///three/", {}, {}},
          {"GET", "/a/./b/../c?x=1", {}, {}},
          {"HEAD", "/head?x=1", {}, {}},
          {"DELETE", "/album/1", {}, {}},
          {"POST", "/empty", {}, {}},
          {"POST", "/form?a3=a&b5=%3D%253D", {form}, "c2=&a3=2+q&u=%C3%BC"},
          {"POST", "/json", {{"Content-Type", "application/json"}}, R"({"a":"ä"})"},
          {"PUT", "/text", {{"Content-Type", " text/plain;   charset=utf-8 "}}, "one\r\ntwo"},
          {"PATCH", "/amz", {{"X-Amz-Meta-One", "a   b"}, {"X-Amz-Target", "Do.It"}}, "x"}};
}

json::object seenAs(Seen const& seen, Credential const& credential, std::uint16_t port) {
  auto const line = seen.line();
  auto const space = line.find(' ');
  json::object headers;
  for (std::size_t at = seen.head.find("\r\n") + 2; at < seen.head.size();) {
    auto const end = seen.head.find("\r\n", at);
    auto const header = seen.head.substr(at, end - at);
    if (auto const colon = header.find(':'); colon != std::string::npos)
      headers[header.substr(0, colon)] = header.substr(header.find_first_not_of(' ', colon + 1));
    if (end == std::string::npos) break;
    at = end + 2;
  }
  json::object out{{"method", line.substr(0, space)},
                   {"target", line.substr(space + 1, line.rfind(' ') - space - 1)},
                   {"port", port},
                   {"headers", std::move(headers)},
                   {"body", base64(seen.body)}};
  out["scheme"] = credential.scheme == Credential::Scheme::oauth1 ? "oauth1" : "sigv4";
  out["key"] = credential.username;
  out["secret"] = credential.secret.reveal();
  out["token"] = credential.signing.token;
  out["token_secret"] = credential.signing.token_secret.reveal();
  out["service"] = credential.signing.service;
  out["region"] = credential.signing.region;
  out["session_token"] = credential.signing.session_token.reveal();
  return out;
}

// A name of this test's own for what check.mjs reads; without it there is nobody to judge.
TEST_F(SigningContract, WhatArrivesIsWrittenDownForTheOthersToSign) {
  char const* const file = std::getenv("GARLAND_SIGNED_REQUESTS");
  if (file == nullptr) GTEST_SKIP() << "contract/run names a file for it";
  std::ofstream out(file);
  for (int kind = 0; kind < 7; ++kind) {
    auto const make_credential = [&] {
      auto made =
          named(kind < 4 ? Credential::Scheme::oauth1 : Credential::Scheme::sigv4, "", "s+cr&t/ \xc3\xa4");
      made.username = kind < 4 ? "the key&" : "AKIDEXAMPLE";
      made.signing.method = kind == 1   ? Signing::Method::hmacSha256
                            : kind == 2 ? Signing::Method::plaintext
                                        : Signing::Method::hmacSha1;
      made.signing.token = kind < 3 ? "the token" : "";
      made.signing.token_secret = Secret(kind < 3 ? "tok&n s%cret" : "");
      made.signing.region = "eu-west-1";
      made.signing.service = kind == 5 ? "s3" : "ses";
      made.signing.session_token = Secret(kind == 6 ? "TOKEN==" : "");
      return made;
    };
    TestServer server(loop_, [](Seen const&) { return Answer{ok()}; });
    for (auto const& shape : shapes()) {
      auto request = make(shape.method, server.url(shape.target), shape.body);
      request.headers = shape.headers;
      auto const got = fetch(std::move(request), inside({server.rule()}), make_credential());
      ASSERT_TRUE(got) << got.error().message;
      out << json::serialize(seenAs(server.seen().back(), make_credential(), server.port())) << '\n';
    }
  }
}

} // namespace
} // namespace garland::egress::testing
