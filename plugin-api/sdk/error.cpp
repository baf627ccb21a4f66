// The words for failures.
#include <garland/sdk/advice.hpp>
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

std::string_view adviceFor(Kind kind) {
  switch (kind) {
  case Kind::authExpired: return "The sign-in has run out. Connect this account again.";
  case Kind::authRevoked:
    return "The provider no longer accepts this sign-in. Check the credentials there, and connect the "
           "account again.";
  case Kind::forbidden:
    return "This account may not do that. Give it the missing right at the provider, then try again.";
  case Kind::rateLimited:
    return "The provider asks for a pause. Nothing has to be done: it goes on by itself.";
  case Kind::transient:
    return "The provider cannot be reached just now. It is tried again by itself; if it lasts for "
           "a day, look for the provider's own news.";
  case Kind::invalidInput:
    return "Something that was entered cannot be used. Correct the marked field and try again.";
  case Kind::notFound:
    return "It is not there any more at the provider. Look for it there, or remove it here.";
  case Kind::conflict:
    return "It was changed at the provider meanwhile. Look at its newest state, then decide anew.";
  case Kind::unsupported: return "This provider does not offer that. Do it at the provider itself.";
  case Kind::cancelled: return "It was stopped before it was finished. Start it again if it is still wanted.";
  case Kind::quota:
    return "What the account has is used up. Raise its limit at the provider, or wait until it is renewed.";
  case Kind::providerBug:
    return "The provider's answer cannot be used. It is tried again later; if it lasts, tell the provider's "
           "support.";
  case Kind::pluginBug:
    return "This connector has a fault. Nothing has to be done; please tell its maker's support.";
  case Kind::hostLimit:
    return "There is more than can be handled at once. Ask whoever runs Garland to raise the limit.";
  }
  return "Something went wrong. Try again later.";
}

} // namespace garland::sdk
