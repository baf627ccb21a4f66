// The words for failures.
#include <garland/sdk/error.hpp>

namespace garland::sdk {

std::string_view name(Kind kind) {
  switch (kind) {
  case Kind::authExpired: return "auth_expired";
  case Kind::authRevoked: return "auth_revoked";
  case Kind::forbidden: return "forbidden";
  case Kind::rateLimited: return "rate_limited";
  case Kind::transient: return "transient";
  case Kind::invalidInput: return "invalid_input";
  case Kind::notFound: return "not_found";
  case Kind::conflict: return "conflict";
  case Kind::unsupported: return "unsupported";
  case Kind::cancelled: return "cancelled";
  case Kind::quota: return "quota";
  case Kind::providerBug: return "provider_bug";
  case Kind::pluginBug: return "plugin_bug";
  case Kind::hostLimit: return "host_limit";
  }
  return "provider_bug";
}

} // namespace garland::sdk
