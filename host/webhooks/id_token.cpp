// ID tokens: the signature first, by what verifies every token of this room; then what it says.
#include "host/vault/vault.h"
#include "host/webhooks/jwk.h"
#include "host/webhooks/jwt.h"

#include <algorithm>

namespace garland::webhooks {
namespace {

constexpr std::size_t kLongestToken = 16U << 10U;
constexpr std::size_t kLongestSubject = 255; // OpenID Connect Core 1.0, section 2

Reject wrong(std::string sentence) { return {Reason::wrongValue, std::move(sentence)}; }
Reject malformed(std::string sentence) { return {Reason::malformed, std::move(sentence)}; }

// That the client is among them was checked with the signature.
Found<void> checkAudiences(json::value const& claims, IdTokenRules const& rules) {
  auto const* audience = find(claims, "/aud");
  bool const several = audience->is_array() && audience->get_array().size() > 1;
  if (audience->is_array())
    for (auto const& one : audience->get_array()) {
      if (!one.is_string()) return malformed("the token is meant for something that is no text (\"aud\")");
      std::string_view const name = one.get_string();
      if (name != rules.client_id && std::ranges::find(rules.audiences, name) == rules.audiences.end())
        return wrong("the token is meant for others as well (\"aud\"), which are not in [oidc] audiences");
    }
  auto const* party = find(claims, "/azp");
  if (party == nullptr && !several) return {};
  if (textOr(claims, "/azp", "") != rules.client_id)
    return wrong("the token was issued to another client (\"azp\")");
  return {};
}

Found<void> checkClaims(json::value const& claims, IdTokenRules const& rules) {
  if (find(claims, "/iat") == nullptr)
    return malformed("the token does not say when it was issued (\"iat\")");
  TRY_VOID(checkAudiences(claims, rules));
  if (rules.nonce.empty() || !vault::equalInConstantTime(textOr(claims, "/nonce", ""), rules.nonce))
    return wrong("the token belongs to another sign-in (\"nonce\")");
  auto const subject = textOr(claims, "/sub", "");
  if (subject.empty() || subject.size() > kLongestSubject)
    return malformed("the token does not say who it is about (\"sub\")");
  return {};
}

Found<json::value> checked(std::string_view token, json::value const& key_set, IdTokenRules const& rules,
                           TimePoint now) {
  if (token.size() > kLongestToken)
    return Reject{Reason::tooLarge, "the token is longer than anything honest"};
  JwtRules signing;
  signing.algorithms = {"RS256", "ES256"};
  signing.issuer = rules.issuer;
  if (rules.issuer.empty() || rules.client_id.empty())
    return Reject{Reason::badKey, "no issuer or no client is configured"};
  TRY(header, jwtHeader(token));
  if (!signing.algorithms.contains(textOr(header, "/alg", "")))
    return Reject{Reason::unknownVersion, "the token is not signed by RS256 or ES256"};
  TRY(keys, keysFor(key_set, header));
  TRY(claims, checkJwt(token, {signing, keys, rules.client_id, rules.leeway, now}));
  TRY_VOID(checkClaims(claims, rules));
  return std::move(claims);
}

} // namespace

IdToken checkIdToken(std::string_view token, json::value const& key_set, IdTokenRules const& rules,
                     TimePoint now) {
  auto claims = checked(token, key_set, rules, now);
  IdToken out;
  if (!claims) {
    out.reason = claims.error().reason;
    out.sentence = claims.error().sentence;
    return out;
  }
  out.reason = Reason::accepted;
  out.sentence = "the token holds";
  out.claims = std::move(claims->get_object());
  return out;
}

} // namespace garland::webhooks
