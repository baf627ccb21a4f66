#include "host/oauth/assertion.h"

#include <boost/algorithm/string/replace.hpp>

namespace garland::oauth {
namespace {

constexpr std::chrono::seconds kLife{300};
// The provider's clock may be behind ours.
constexpr std::chrono::seconds kAgo{10};

std::int64_t secondsOf(TimePoint when) {
  return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

json::object claimsOf(Use const& use, std::string const& id, TimePoint now) {
  json::object claims;
  claims["iss"] = use.client_id;
  claims["aud"] = use.provider.token_url;
  claims["jti"] = id;
  claims["iat"] = secondsOf(now - kAgo);
  claims["exp"] = secondsOf(now + kLife);
  if (!use.provider.scope.empty()) claims["scope"] = use.provider.scope;
  for (auto const& [name, value] : use.provider.claims) claims[name] = value;
  return claims;
}

} // namespace

Result<Secret> assertionFor(Use const& use, std::string const& id, TimePoint now) {
  // As it stands in the JSON that providers give out, where it is often copied from.
  Secret const pem(boost::algorithm::replace_all_copy(std::string(use.client_secret.reveal()), "\\n", "\n"));
  std::string text =
      base64Url(R"({"alg":"RS256","typ":"JWT"})") + "." + base64Url(canonicalJson(claimsOf(use, id, now)));
  TRY(signature, vault::signRs256(pem, text));
  text += "." + base64Url(signature);
  return Secret(std::move(text));
}

} // namespace garland::oauth
