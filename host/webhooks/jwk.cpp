#include "host/webhooks/jwk.h"

#include "host/webhooks/crypto.h"

namespace garland::webhooks {
namespace {

// Of one algorithm: a token without "kid" is tried with each.
constexpr std::size_t kMostKeys = 16;

// Absent, or this text.
bool saysNothingElse(json::value const& key, std::string_view member, std::string_view text) {
  auto const* value = find(key, member);
  return value == nullptr || (value->is_string() && std::string_view(value->get_string()) == text);
}

std::string numberIn(json::value const& key, std::string_view member) {
  return decoded(Encoding::base64url, textOr(key, member, "")).value_or("");
}

// Empty if it is no key of that algorithm.
std::string derOf(json::value const& key, std::string_view algorithm) {
  auto const type = textOr(key, "/kty", "");
  if (algorithm == "RS256" && type == "RSA") return rsaPublicKey(numberIn(key, "/n"), numberIn(key, "/e"));
  if (algorithm == "ES256" && type == "EC" && textOr(key, "/crv", "") == "P-256")
    return p256PublicKey(numberIn(key, "/x"), numberIn(key, "/y"));
  return {};
}

} // namespace

Found<std::vector<std::string>> keysFor(json::value const& key_set, json::value const& header) {
  auto const* keys = find(key_set, "/keys");
  auto const algorithm = textOr(header, "/alg", "");
  auto const* kid = find(header, "/kid");
  if (kid != nullptr && !kid->is_string()) return Reject{Reason::malformed, "the token's \"kid\" is no text"};
  std::vector<std::string> found;
  if (keys != nullptr && keys->is_array())
    for (auto const& key : keys->get_array()) {
      if (!saysNothingElse(key, "/use", "sig") || !saysNothingElse(key, "/alg", algorithm)) continue;
      if (kid != nullptr && textOr(key, "/kid", "") != std::string_view(kid->get_string())) continue;
      auto der = derOf(key, algorithm);
      if (!der.empty() && found.size() < kMostKeys) found.push_back(std::move(der));
    }
  if (found.empty())
    return Reject{Reason::noSecret, "the token is signed with a key that the provider does not publish"};
  return found;
}

} // namespace garland::webhooks
