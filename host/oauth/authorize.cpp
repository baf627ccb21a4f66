#include "host/oauth/authorize.h"

#include "host/base/bytes.h"

namespace garland::oauth {
namespace {

constexpr std::size_t kRandomBytes = 32;

void add(std::string& query, std::string_view name, std::string_view value) {
  query += query.empty() ? "" : "&";
  query += percentEncode(name) + "=" + percentEncode(value);
}

} // namespace

std::string pageOf(SendOff const& send_off, Secret const& ticket, Secret const& verifier) {
  auto const& provider = send_off.provider;
  std::string query;
  add(query, "response_type", "code");
  add(query, "client_id", send_off.client_id);
  add(query, "redirect_uri", send_off.redirect_uri);
  if (!provider.scope.empty()) add(query, "scope", provider.scope);
  add(query, "state", ticket.reveal());
  if (provider.pkce) {
    add(query, "code_challenge", base64Url(vault::sha256(verifier.reveal())));
    add(query, "code_challenge_method", "S256");
  }
  for (auto const& [name, value] : provider.authorize_parameters) add(query, name, value);
  bool const has_query = provider.authorize_url.find('?') != std::string::npos;
  return provider.authorize_url + (has_query ? "&" : "?") + query;
}

Secret newTicket(Random& random) {
  std::string bytes(kRandomBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  Secret ticket(base64Url(bytes));
  wipe(bytes.data(), bytes.size());
  return ticket;
}

} // namespace garland::oauth
