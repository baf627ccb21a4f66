// The OpenID provider at which people sign in: what it publishes of itself (Discovery 1.0), its keys, and the
// exchange of a code for who has signed in. All of it is fetched through egress, little and not for long.
#pragma once

#include "host/api/api.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace garland::api {

struct ProviderFacts {
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string jwks_uri;
  bool takes_basic = true;   // how the client shows its secret; false: in the body
  bool names_issuer = false; // its answers say whose they are (RFC 9207)
};

// providerBug: it is no such document, of another issuer, or names an address that is not safe.
Result<ProviderFacts> readProvider(std::string_view document, std::string const& issuer);
// Out of a token endpoint's answer. forbidden: the provider refused the code; providerBug: no such answer.
Result<std::string> readIdToken(int status, std::string_view answer);

// [loop thread]
class OidcProvider {
public:
  // `egress` null: everything is transient. What is pointed to must outlive it.
  OidcProvider(Clock const& clock, egress::Client* egress, OidcSettings const& settings,
               std::string extra_ca_file)
      : clock_(clock), egress_(egress), settings_(settings), extra_ca_file_(std::move(extra_ca_file)) {}

  // Kept for an hour.
  Task<ProviderFacts> facts();
  // The claims of a verified ID token. forbidden: the code or the token does not count, and why.
  // Of all errors here the message is for the log, and provider_code the chain's word: "unreachable" and
  // "wrong_provider" of the provider, "client_secret" of our file, "client_refused", "code_refused", "token".
  Task<json::object> redeem(std::string code, std::string verifier, std::string nonce);

private:
  Task<egress::Response> ask(egress::Request request, egress::Credential credential);
  Task<std::string> get(std::string url, std::size_t most);
  Task<std::string> exchange(ProviderFacts facts, std::string code, std::string verifier);
  Task<void> learnKeys(bool anew);

  Clock const& clock_;
  egress::Client* egress_;
  OidcSettings const& settings_;
  std::string extra_ca_file_;
  std::optional<ProviderFacts> facts_;
  Monotonic facts_until_{};
  std::optional<json::value> keys_;
  Monotonic keys_until_{};
  Monotonic keys_anew_{}; // before that they are not fetched again
};

} // namespace garland::api
