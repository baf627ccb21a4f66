#include "host/sync/credential.h"

namespace garland::sync {
namespace {

egress::Credential::Scheme schemeOf(std::string_view name) {
  using Scheme = egress::Credential::Scheme;
  if (name == "basic") return Scheme::basic;
  if (name == "bearer") return Scheme::bearer;
  if (name == "header") return Scheme::header;
  if (name == "query") return Scheme::query;
  if (name == "address") return Scheme::address;
  if (name == "oauth1") return Scheme::oauth1;
  if (name == "sigv4") return Scheme::sigv4;
  return Scheme::none;
}

egress::Signing::Method methodOf(std::string_view name) {
  using Method = egress::Signing::Method;
  if (name == "HMAC-SHA1") return Method::hmacSha1;
  return name == "HMAC-SHA256" ? Method::hmacSha256 : Method::plaintext;
}

// A name in the manifest that stands for itself or for what a setting holds.
Result<std::string> namedOrSet(std::string const& named, json::value const& settings) {
  constexpr std::string_view from_settings = "setting:";
  if (!named.starts_with(from_settings)) return named;
  auto const pointer = named.substr(from_settings.size());
  auto value = textOr(settings, pointer, "");
  if (value.empty())
    return Error(ErrorKind::invalidInput,
                 "requests cannot be signed: the setting " + pointer + " of this connection is empty; set it",
                 "/settings" + pointer);
  return value;
}

} // namespace

Result<egress::Credential> credentialOf(runtime::AuthSlot const& slot, json::value const& fields,
                                        json::value const& settings) {
  using Scheme = egress::Credential::Scheme;
  auto const field = [&](std::size_t i) {
    return i < slot.fields.size() ? textOr(fields, "/" + slot.fields[i], "") : std::string();
  };
  egress::Credential credential;
  credential.scheme = schemeOf(slot.scheme);
  credential.name = slot.parameter;
  bool const named = credential.scheme == Scheme::basic || credential.scheme == Scheme::oauth1 ||
                     credential.scheme == Scheme::sigv4;
  if (named) credential.username = field(0);
  credential.secret = Secret(field(named ? 1 : 0));
  auto& signing = credential.signing;
  if (credential.scheme == Scheme::oauth1) {
    signing.method = methodOf(slot.signature);
    signing.token = field(2);
    signing.token_secret = Secret(field(3));
  }
  if (credential.scheme == Scheme::sigv4) {
    TRY(region, namedOrSet(slot.region, settings));
    TRY(service, namedOrSet(slot.service, settings));
    signing.region = std::move(region);
    signing.service = std::move(service);
    signing.session_token = Secret(field(2));
  }
  return credential;
}

std::vector<std::string_view> secretsOf(egress::Credential const& credential) {
  auto const& signing = credential.signing;
  return {credential.secret.reveal(), signing.token_secret.reveal(), signing.session_token.reveal()};
}

} // namespace garland::sync
