// An OpenID provider behind a fake network: it gives a code to nobody, and an ID token to whoever has the
// verifier of PKCE. With what a browser does.
#pragma once

#include "host/api/testing/harness.h"
#include "host/vault/vault.h"
#include "host/webhooks/testing/token_signer.h"

#include <gtest/gtest.h>

#include <string>

namespace garland::api::testing {

class FakeProvider {
public:
  using Signer = webhooks::testing::TokenSigner;

  // Answers in the place of the house's network from now on. It must outlive the house's last request.
  explicit FakeProvider(Harness& house) : house_(house) {
    keys.push_back(signer.jwk());
    claims = json::object{{"iss", "https://id.example.com"},
                          {"aud", "garland"},
                          {"sub", "person-7"},
                          {"email", "rosa@studio.example"},
                          {"groups", json::array{"staff", "auditors"}}};
    document = json::object{{"issuer", "https://id.example.com"},
                            {"authorization_endpoint", "https://id.example.com/authorize"},
                            {"token_endpoint", "https://id.example.com/token"},
                            {"jwks_uri", "https://keys.example.com/jwks"}};
    house_.onLoop([this] {
      house_.egress.answer = [this](egress::Request const& request) { return answer(request); };
    });
  }

  static std::string parameter(std::string const& url, std::string const& name) {
    auto const at = url.find(name + "=");
    auto const begin = at + name.size() + 1;
    return at == std::string::npos ? "" : url.substr(begin, url.find('&', begin) - begin);
  }
  Answer bare(std::string const& method, std::string const& target, std::string const& cookie = "",
              std::string const& more = "") const {
    Client client(house_.server->port());
    client.send(method + " " + target + " HTTP/1.1\r\nHost: " + house_.host() + "\r\n" +
                (cookie.empty() ? "" : "Cookie: theme=dark; " + cookie + "\r\n") + more + "\r\n");
    return client.read();
  }

  // What the browser was sent away with.
  struct Begun {
    std::string cookie, location, state;
  };
  Begun begin() {
    auto const away = bare("GET", "/sign-in");
    EXPECT_EQ(away.status, 303) << away.body;
    Begun out;
    out.location = away.headers.count("location") != 0 ? away.headers.at("location") : "";
    auto const set = away.headers.count("set-cookie") != 0 ? away.headers.at("set-cookie") : "";
    out.cookie = set.substr(0, set.find(';'));
    out.state = parameter(out.location, "state");
    challenge = parameter(out.location, "code_challenge");
    claims["nonce"] = parameter(out.location, "nonce");
    return out;
  }
  Answer finish(Begun const& begun, std::string const& more = "") const {
    return bare("GET", "/sign-in/callback?code=c-1&state=" + begun.state + more, begun.cookie);
  }
  // "__Host-garland=gs_..."
  std::string signIn() {
    auto const done = finish(begin());
    EXPECT_EQ(done.status, 200) << done.body;
    auto const set = done.headers.at("set-cookie");
    return set.substr(0, set.find(';'));
  }

  Signer signer{Signer::Kind::p256, "key-1"};
  std::vector<json::object> keys;
  json::object claims, document;
  std::string challenge;
  std::string refuses; // how the token endpoint refuses everybody; "": it does not
  int keys_asked = 0;
  int tokens_asked = 0;

private:
  static egress::Response with(json::value const& body, int status = 200) {
    egress::Response response;
    response.status = status;
    response.body = json::serialize(body);
    return response;
  }
  Result<egress::Response> answer(egress::Request const& request) {
    if (request.url.ends_with("/.well-known/openid-configuration")) return with(document);
    if (request.url == "https://keys.example.com/jwks") {
      ++keys_asked;
      return with(webhooks::testing::keySetOf(keys));
    }
    if (request.url != "https://id.example.com/token") return with(json::object(), 404);
    ++tokens_asked;
    if (!refuses.empty()) return with(json::object{{"error", refuses}}, 401);
    auto const verifier = parameter(request.body, "code_verifier");
    if (Signer::part(vault::sha256(verifier)) != challenge)
      return with(json::object{{"error", "invalid_grant"}}, 400);
    auto const now = std::chrono::floor<std::chrono::seconds>(house_.clock.now()).time_since_epoch().count();
    claims["iat"] = now;
    claims["exp"] = now + 60;
    return with(json::object{{"id_token", signer.token(claims)}, {"access_token", "never kept"}});
  }

  Harness& house_;
};

} // namespace garland::api::testing
