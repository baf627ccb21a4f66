#include "host/webhooks/jwt.h"

#include "host/vault/vault.h"
#include "host/webhooks/crypto.h"

#include <array>
#include <cmath>

namespace garland::webhooks {
namespace {

constexpr JsonLimits kTokenLimits{16U << 10U, 16};

struct Token {
  json::value header;
  json::value claims;
  std::string_view signed_text;
  std::string signature;
};

Reject malformed(std::string const& why) { return {Reason::malformed, "the token " + why}; }

Found<json::value> part(std::string_view text, std::string const& what) {
  auto const bytes = decoded(Encoding::base64url, text);
  if (!bytes) return malformed("has a " + what + " that is not base64url");
  auto value = parseJson(*bytes, kTokenLimits);
  if (!value || !value->is_object()) return malformed("has a " + what + " that is no JSON object");
  return std::move(*value);
}

Found<Token> split(std::string_view text) {
  auto const first = text.find('.');
  auto const last = text.rfind('.');
  if (first == std::string_view::npos || first == last || text.find('.', first + 1) != last)
    return malformed("does not have three parts");
  TRY(header, part(text.substr(0, first), "header"));
  TRY(claims, part(text.substr(first + 1, last - first - 1), "payload"));
  auto signature = decoded(Encoding::base64url, text.substr(last + 1));
  if (!signature) return malformed("has a signature that is not base64url");
  return Token{std::move(header), std::move(claims), text.substr(0, last), std::move(*signature)};
}

Found<Algorithm> algorithmOf(Token const& token, JwtRules const& rules) {
  // The rules decide, not the token: "none" and a public key used as an HMAC secret end here.
  auto const word = textOr(token.header, "/alg", "");
  if (!rules.algorithms.contains(word))
    return Reject{Reason::unknownVersion, "the token names an algorithm that the scheme does not take"};
  if (find(token.header, "/crit") != nullptr)
    return Reject{Reason::unknownVersion, "the token names extensions that must be understood"};
  if (word == "HS256") return Algorithm::hmacSha256;
  if (word == "HS512") return Algorithm::hmacSha512;
  return word == "RS256" ? Algorithm::rsaSha256 : Algorithm::ecdsaP256;
}

Found<bool> signedBy(std::string const& key, Algorithm algorithm, Token const& token, TimePoint now) {
  if (isHmac(algorithm))
    return !token.signature.empty() &&
           vault::equalInConstantTime(hmac(algorithm, key, token.signed_text), token.signature);
  TRY(known, PublicKey::read(algorithm, key, now));
  bool const pair = algorithm == Algorithm::ecdsaP256;
  return known.verifies(algorithm, token.signed_text, pair ? derSignature(token.signature) : token.signature);
}

// Seconds since 1970; a fraction is allowed and cut off.
std::optional<std::int64_t> numericDate(json::value const& claims, std::string_view pointer) {
  auto const* value = find(claims, pointer);
  if (value == nullptr) return std::nullopt;
  constexpr std::int64_t kYear9999 = 253'402'300'799;
  auto const bounded = [](std::int64_t time) { return time >= 0 && time <= kYear9999; };
  if (auto const* whole = value->if_int64(); whole != nullptr && bounded(*whole)) return *whole;
  if (auto const* real = value->if_double(); real != nullptr && *real >= 0 && *real <= double(kYear9999))
    return static_cast<std::int64_t>(*real);
  return std::nullopt;
}

Found<void> checkTimes(json::value const& claims, JwtCheck const& check) {
  auto const now = std::chrono::floor<std::chrono::seconds>(check.now).time_since_epoch().count();
  auto const leeway = check.leeway.count();
  auto const ends = numericDate(claims, "/exp");
  if (!ends) return malformed("does not say when it ends (\"exp\")");
  if (now - leeway >= *ends) return Reject{Reason::tooOld, "the token has expired"};
  for (auto const* pointer : {"/nbf", "/iat"}) {
    if (find(claims, pointer) == nullptr) continue;
    auto const begins = numericDate(claims, pointer);
    if (!begins) return malformed("has a time that is none");
    if (*begins > now + leeway)
      return Reject{Reason::tooNew, "the token is not valid yet; is this machine's clock right?"};
  }
  return {};
}

Found<void> checkClaims(json::value const& claims, JwtCheck const& check) {
  if (!check.rules.issuer.empty() && textOr(claims, "/iss", "") != check.rules.issuer)
    return Reject{Reason::wrongValue, "the token was issued by another party (\"iss\")"};
  if (check.audience.empty()) return {};
  auto const* audience = find(claims, "/aud");
  auto const isOurs = [&](json::value const& one) {
    return one.is_string() && std::string_view(one.get_string()) == check.audience;
  };
  bool ours = audience != nullptr && isOurs(*audience);
  if (audience != nullptr && audience->is_array())
    for (auto const& one : audience->get_array()) ours = ours || isOurs(one);
  if (!ours) return Reject{Reason::wrongValue, "the token is meant for another address (\"aud\")"};
  return {};
}

} // namespace

Found<json::value> jwtHeader(std::string_view text) {
  TRY(token, split(text));
  return std::move(token.header);
}

Found<json::value> checkJwt(std::string_view text, JwtCheck const& check) {
  TRY(token, split(text));
  TRY(algorithm, algorithmOf(token, check.rules));
  bool right = false;
  for (auto const& key : check.keys) {
    TRY(by_this, signedBy(key, algorithm, token, check.now));
    right = right || by_this;
  }
  if (!right) return Reject{Reason::mismatch, "the token was not signed with a secret that is kept here"};
  TRY_VOID(checkTimes(token.claims, check));
  TRY_VOID(checkClaims(token.claims, check));
  return std::move(token.claims);
}

} // namespace garland::webhooks
