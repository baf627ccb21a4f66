#include "host/oauth/request.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace garland::oauth {
namespace {

constexpr std::size_t kLongestAnswer = std::size_t{256} << 10U;

void add(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += percentEncode(name) + "=" + percentEncode(value);
}

// What every request says of who asks. A client without a secret says at least who it is (RFC 6749, section
// 3.2.1), unless an assertion says that.
void addClient(std::string& form, Use const& use) {
  using Auth = Provider::ClientAuth;
  auto const& provider = use.provider;
  bool const asserted = provider.renew_by == Provider::RenewBy::assertion;
  bool const named = provider.client_auth == Auth::none && !asserted && !use.client_id.empty();
  if (provider.client_auth == Auth::body || named) add(form, "client_id", use.client_id);
  if (provider.client_auth == Auth::body) add(form, "client_secret", use.client_secret.reveal());
  for (auto const& [name, value] : provider.parameters) add(form, name, value);
}

std::string formFor(Use const& use, Secret const& token) {
  auto const& provider = use.provider;
  std::string form;
  add(form, "grant_type", provider.grant_type);
  if (!provider.token_parameter.empty()) add(form, provider.token_parameter, token.reveal());
  // A refresh asks for what was granted; naming less would narrow it.
  if (provider.renew_by == Provider::RenewBy::client && !provider.scope.empty())
    add(form, "scope", provider.scope);
  addClient(form, use);
  return form;
}

std::string formFor(Use const& use, Secret const& code, Redemption const& redemption) {
  std::string form;
  add(form, "grant_type", "authorization_code");
  add(form, "code", code.reveal());
  add(form, "redirect_uri", redemption.redirect_uri);
  if (!redemption.verifier.empty()) add(form, "code_verifier", redemption.verifier.reveal());
  addClient(form, use);
  return form;
}

// A provider may want to know who asks before it knows the client.
void addNamedClient(std::string& form, Use const& use) {
  addClient(form, use);
  if (use.provider.client_auth == Provider::ClientAuth::basic) add(form, "client_id", use.client_id);
}

std::string hostOf(std::string const& address) {
  auto const url = boost::urls::parse_uri(address);
  if (!url) return {};
  std::string host(url->encoded_host());
  if (url->has_port() && !url->port().empty()) host += ":" + std::string(url->port());
  return host;
}

TokenRequest carrying(std::string form, Use const& use, std::string const& address, bool by_get,
                      Milliseconds timeout) {
  auto const& provider = use.provider;
  TokenRequest out;
  auto& request = out.request;
  request.url = address;
  request.timeout = timeout;
  request.max_body = kLongestAnswer;
  request.audit_subject = use.place.connection_id;
  request.headers.push_back(egress::Header{"Accept", "application/json"});
  if (by_get) {
    request.url += (request.url.find('?') == std::string::npos ? "?" : "&") + form;
    wipe(form.data(), form.size());
  } else {
    request.method = "POST";
    request.headers.push_back(egress::Header{"Content-Type", "application/x-www-form-urlencoded"});
    request.body = std::move(form);
  }
  out.policy = use.policy;
  out.policy.allowed_hosts = {hostOf(address)};
  out.policy.max_redirects = 0;
  if (provider.client_auth != Provider::ClientAuth::basic) return out;
  // RFC 6749, section 2.3.1: each is encoded as in a form before it is joined to the other.
  out.credential.scheme = egress::Credential::Scheme::basic;
  out.credential.username = percentEncode(use.client_id);
  out.credential.secret = Secret(percentEncode(use.client_secret.reveal()));
  return out;
}

} // namespace

TokenRequest requestFor(Use const& use, Secret const& token, Milliseconds timeout) {
  return carrying(formFor(use, token), use, use.provider.token_url, use.provider.by_get, timeout);
}

TokenRequest redemptionFor(Use const& use, Secret const& code, Redemption const& redemption,
                           Milliseconds timeout) {
  return carrying(formFor(use, code, redemption), use, use.provider.token_url, use.provider.by_get, timeout);
}

TokenRequest deviceRequestFor(Use const& use, Milliseconds timeout) {
  std::string form;
  if (!use.provider.scope.empty()) add(form, "scope", use.provider.scope);
  addNamedClient(form, use);
  return carrying(std::move(form), use, use.provider.device_url, false, timeout);
}

TokenRequest pollFor(Use const& use, Secret const& device_code, Milliseconds timeout) {
  std::string form;
  add(form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
  add(form, "device_code", device_code.reveal());
  addNamedClient(form, use);
  return carrying(std::move(form), use, use.provider.token_url, use.provider.by_get, timeout);
}

TokenRequest revocationFor(Use const& use, Secret const& token, bool is_refresh_token, Milliseconds timeout) {
  std::string form;
  add(form, "token", token.reveal());
  add(form, "token_type_hint", is_refresh_token ? "refresh_token" : "access_token");
  addClient(form, use);
  return carrying(std::move(form), use, use.provider.revoke_url, false, timeout);
}

} // namespace garland::oauth
