// What a manifest says of a provider's way with tokens, read into a Provider.
#include "host/oauth/oauth.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>

namespace garland::oauth {
namespace {

constexpr std::string_view kFromSettings = "setting:";
constexpr std::int64_t kLongest = 366LL * 86'400; // seconds

Error bad(std::string const& place, std::string const& what) {
  return Error(ErrorKind::invalidInput, "/oauth2" + place + ": " + what, "/oauth2" + place);
}

// A secret goes there, so it is https; plain http only to where egress lets it go, and in tests.
Result<std::string> address(json::value const& described, std::string const& member,
                            json::value const& settings) {
  auto const text = textOr(described, "/" + member, "");
  auto url = text;
  if (text.starts_with(kFromSettings)) url = textOr(settings, text.substr(kFromSettings.size()), "");
  auto const read = boost::urls::parse_uri(url);
  bool const web = read && (read->scheme() == "https" || read->scheme() == "http");
  if (!web || read->encoded_host().empty() || read->has_userinfo() || read->has_fragment())
    return bad("/" + member, "must be an address, or \"setting:\" and a JSON Pointer to it in the "
                             "connection's settings");
  return url;
}

Result<Provider::ClientAuth> clientAuth(std::string const& word) {
  using ClientAuth = Provider::ClientAuth;
  if (word == "basic") return ClientAuth::basic;
  if (word == "body") return ClientAuth::body;
  if (word == "none") return ClientAuth::none;
  return bad("/client", "must be basic, body or none");
}

Result<void> readRenewal(json::value const& described, Provider& provider) {
  using RenewBy = Provider::RenewBy;
  auto const by = textOr(described, "/renew_by", "refresh_token");
  if (by == "client") {
    provider.renew_by = RenewBy::client;
    provider.grant_type = "client_credentials";
    provider.token_parameter.clear();
  } else if (by == "access_token") {
    provider.renew_by = RenewBy::access;
  } else if (by == "assertion") {
    provider.renew_by = RenewBy::assertion;
    provider.grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    provider.token_parameter = "assertion";
  } else if (by != "refresh_token") {
    return bad("/renew_by", "must be refresh_token, access_token, client or assertion");
  }
  provider.grant_type = textOr(described, "/grant_type", provider.grant_type);
  if (provider.renew_by != RenewBy::client)
    provider.token_parameter = textOr(described, "/token_parameter", provider.token_parameter);
  auto const method = textOr(described, "/method", "POST");
  if (method != "POST" && method != "GET") return bad("/method", "must be POST or GET");
  provider.by_get = method == "GET";
  return {};
}

Result<std::optional<Milliseconds>> span(json::value const& described, std::string const& place) {
  std::optional<Milliseconds> none;
  if (find(described, place) == nullptr) return none;
  auto const seconds = integerOr(described, place, 0);
  if (seconds < 60 || seconds > kLongest) return bad(place, "must be between 60 and 31622400 seconds");
  return std::optional<Milliseconds>(std::chrono::seconds(seconds));
}

// Words joined as the provider wants them joined.
Result<std::string> scope(json::value const& described) {
  std::string out;
  auto const separator = textOr(described, "/scope_separator", " ");
  auto const* list = find(described, "/scopes");
  if (list == nullptr) return out;
  if (!list->is_array()) return bad("/scopes", "must be a list of texts");
  for (auto const& one : list->get_array()) {
    if (!one.is_string()) return bad("/scopes", "must be a list of texts");
    if (!out.empty()) out += separator;
    out += one.get_string();
  }
  return out;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

Result<Parameters> parameters(json::value const& described, std::string const& member) {
  Parameters out;
  auto const* members = find(described, "/" + member);
  if (members == nullptr) return out;
  if (!members->is_object()) return bad("/" + member, "must be texts by their names");
  for (auto const& [name, value] : members->get_object()) {
    if (!value.is_string()) return bad("/" + member, "must be texts by their names");
    out.emplace_back(name, value.get_string());
  }
  return out;
}

// What the host says itself, and an answer that it cannot read: the callback is a GET.
Result<void> checkOfPage(Parameters const& all) {
  constexpr std::array<std::string_view, 7> kOwn{"response_type", "client_id",      "redirect_uri",
                                                 "state",         "code_challenge", "code_challenge_method",
                                                 "scope"};
  for (auto const& [name, value] : all) {
    auto const place = "/authorize_parameters/" + name;
    if (std::ranges::find(kOwn, name) != kOwn.end()) return bad(place, "is said by the host");
    if (name == "response_mode" && value != "query") return bad(place, "must be query");
  }
  return {};
}

Result<void> readPage(json::value const& described, json::value const& settings, Provider& provider) {
  if (find(described, "/authorize_url") == nullptr) return {};
  if (provider.renew_by != Provider::RenewBy::refresh && provider.renew_by != Provider::RenewBy::access)
    return bad("/authorize_url", "is for tokens of people, not for a client that signs in for itself");
  TRY(page, address(described, "authorize_url", settings));
  TRY(more, parameters(described, "authorize_parameters"));
  TRY_VOID(checkOfPage(more));
  auto const pkce = textOr(described, "/pkce", "S256");
  if (pkce != "S256" && pkce != "none") return bad("/pkce", "must be S256 or none");
  provider.authorize_url = std::move(page);
  provider.authorize_parameters = std::move(more);
  provider.pkce = pkce == "S256";
  return {};
}

Result<void> readDevice(json::value const& described, json::value const& settings, Provider& provider) {
  if (find(described, "/device_url") == nullptr) return {};
  if (provider.renew_by != Provider::RenewBy::refresh && provider.renew_by != Provider::RenewBy::access)
    return bad("/device_url", "is for tokens of people, not for a client that signs in for itself");
  TRY(device, address(described, "device_url", settings));
  provider.device_url = std::move(device);
  return {};
}

Result<void> readClaims(json::value const& described, json::value const& settings, Provider& provider) {
  auto const* members = find(described, "/claims");
  if (members == nullptr) return {};
  if (!members->is_object()) return bad("/claims", "must be texts by their names");
  for (auto const& [name, value] : members->get_object()) {
    if (!value.is_string()) return bad("/claims", "must be texts by their names");
    std::string text(value.get_string());
    if (text.starts_with(kFromSettings)) text = textOr(settings, text.substr(kFromSettings.size()), "");
    if (!text.empty()) provider.claims.emplace_back(name, std::move(text)); // a setting may be left out
  }
  return {};
}

Result<void> readRefusals(json::value const& described, Provider& provider) {
  auto const* list = find(described, "/refusals");
  if (list == nullptr) return {};
  if (!list->is_array()) return bad("/refusals", "must be a list of texts");
  for (auto const& one : list->get_array()) {
    if (!one.is_string()) return bad("/refusals", "must be a list of texts");
    provider.refusals.emplace_back(one.get_string());
  }
  return {};
}

} // namespace

Result<Provider> readProvider(json::value const& described, json::value const& settings) {
  Provider provider;
  TRY(url, address(described, "token_url", settings));
  TRY_VOID(readRenewal(described, provider));
  // What signs an assertion is not sent.
  bool const signs = provider.renew_by == Provider::RenewBy::assertion;
  TRY(client, clientAuth(signs ? "none" : textOr(described, "/client", "basic")));
  TRY(life, span(described, "/life_seconds"));
  TRY(at_least, span(described, "/renew_at_least_seconds"));
  TRY(scopes, scope(described));
  TRY(more, parameters(described, "parameters"));
  TRY_VOID(readClaims(described, settings, provider));
  TRY_VOID(readRefusals(described, provider));
  TRY_VOID(readPage(described, settings, provider));
  TRY_VOID(readDevice(described, settings, provider));
  if (find(described, "/revoke_url") != nullptr) {
    TRY(revoke, address(described, "revoke_url", settings));
    provider.revoke_url = std::move(revoke);
  }
  provider.parameters = std::move(more);
  provider.token_url = std::move(url);
  provider.client_auth = client;
  provider.life = life;
  provider.at_least = at_least;
  provider.scope = std::move(scopes);
  return provider;
}

} // namespace garland::oauth
