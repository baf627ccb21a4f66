#include "host/daemon/config_oidc.h"

#include "host/base/ids.h"
#include "host/base/userinfo.h"
#include "host/daemon/config_together.h"

#include <algorithm>

namespace garland::daemon::oidc {
namespace {

// "https://id.example.com"; in the clear on this machine only, which is for trying it out.
bool isWebAddress(std::string const& value) {
  constexpr std::string_view clear = "http://";
  auto const host = value.substr(std::min(clear.size(), value.size()));
  bool const here = value.starts_with(clear) && isLoopback(host.substr(0, host.find_first_of(":/")));
  return (value.starts_with("https://") || here) && !hasUserinfo(value) &&
         value.find_first_of("?#@* \t\r\n\"") == std::string::npos;
}

// "operator", or "vendor:ven_...".
std::optional<api::OidcRole> oidcRole(std::string const& word) {
  constexpr std::string_view vendor = "vendor:";
  api::OidcRole out;
  if (word.starts_with(vendor)) {
    out.role = access::Role::vendor;
    out.vendor_id = word.substr(vendor.size());
    if (!isId("ven", out.vendor_id)) return std::nullopt;
    return out;
  }
  auto const role = access::roleNamed(word);
  if (!role || *role == access::Role::vendor) return std::nullopt;
  out.role = *role;
  return out;
}

} // namespace

Complaint takeIssuer(std::string const& value, Config& config) {
  if (!value.empty() && !isWebAddress(value))
    return "must be the address of an OpenID provider as it says it itself: \"https://id.example.com\"";
  config.oidc.issuer = value;
  return std::nullopt;
}

Complaint takePublicUrl(std::string const& value, Config& config) {
  bool const origin = isWebAddress(value) && value.find('/', value.find("://") + 3) == std::string::npos;
  if (!value.empty() && !origin)
    return "must be how browsers reach this daemon: \"https://garland.example.com\", without a path";
  config.oidc.public_url = value;
  return std::nullopt;
}

Complaint takeClientId(std::string const& value, Config& config) {
  config.oidc.client_id = value;
  return std::nullopt;
}

Complaint takeRolesClaim(std::string const& value, Config& config) {
  config.oidc.roles_claim = value;
  return std::nullopt;
}

Complaint takeScopes(std::string const& value, Config& config) {
  if ((" " + value + " ").find(" openid ") == std::string::npos)
    return "must be words with spaces between, \"openid\" among them";
  config.oidc.scopes = value;
  return std::nullopt;
}

Complaint takeAudiences(toml::node const& node, Config& config) {
  constexpr char const* wanted = "must be a list of texts";
  auto const* list = node.as_array();
  if (list == nullptr) return wanted;
  for (auto const& element : *list) {
    auto const value = element.value_exact<std::string>();
    if (!value || value->empty()) return wanted;
    config.oidc.audiences.push_back(*value);
  }
  return std::nullopt;
}

Complaint takeRoles(toml::node const& node, Config& config) {
  constexpr char const* wanted =
      "must be a table from values of the claim to \"operator\", \"partner\", \"reviewer\", \"auditor\" or "
      "\"vendor:ven_...\", such as { \"garland-admins\" = \"operator\" }";
  auto const* table = node.as_table();
  if (table == nullptr) return wanted;
  for (auto const& [value, element] : *table) {
    auto const word = element.value_exact<std::string>();
    auto role = word ? oidcRole(*word) : std::nullopt;
    if (!role) return wanted;
    config.oidc.roles.insert_or_assign(std::string(value.str()), std::move(*role));
  }
  return std::nullopt;
}

Complaint takePrivateNetwork(toml::node const& node, Config& config) {
  auto const value = node.value_exact<bool>();
  if (!value) return "must be true or false";
  config.oidc.private_network = *value;
  return std::nullopt;
}

} // namespace garland::daemon::oidc
