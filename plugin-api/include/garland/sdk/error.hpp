// How a connector fails: it throws a Failure. The SDK catches it at the operation's edge and tells
// the host; nothing is thrown across the C ABI. Kinds and effects are those of garland/plugin.h.
#pragma once

#include <garland/plugin.h>

#include <boost/json/object.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace garland::sdk {

namespace json = boost::json;

// What the host does next; garland/plugin.h says it for each.
enum class Kind : garland_status {
  authExpired = GARLAND_E_AUTH_EXPIRED,
  authRevoked = GARLAND_E_AUTH_REVOKED,
  forbidden = GARLAND_E_FORBIDDEN,
  rateLimited = GARLAND_E_RATE_LIMITED,
  transient = GARLAND_E_TRANSIENT,
  invalidInput = GARLAND_E_INVALID_INPUT,
  notFound = GARLAND_E_NOT_FOUND,
  conflict = GARLAND_E_CONFLICT,
  unsupported = GARLAND_E_UNSUPPORTED,
  cancelled = GARLAND_E_CANCELLED,
  quota = GARLAND_E_QUOTA,
  providerBug = GARLAND_E_PROVIDER_BUG,
  pluginBug = GARLAND_E_PLUGIN_BUG,
  hostLimit = GARLAND_E_HOST_LIMIT,
};

// What the failed operation did at the provider.
enum class Effect : garland_effect {
  unknown = GARLAND_EFFECT_UNKNOWN,
  notApplied = GARLAND_EFFECT_NOT_APPLIED,
  applied = GARLAND_EFFECT_APPLIED,
};

// "auth_expired", "transient", ...: the words of garland.problem records.
std::string_view name(Kind kind);

// throw Failure(Kind::conflict, "the event was changed meanwhile").withDetail("current", etag);
struct Failure : std::exception {
  Failure(Kind kind_in, std::string message_in) : kind(kind_in), message(std::move(message_in)) {}

  char const* what() const noexcept override { return message.c_str(); }

  Failure&& withEffect(Effect value) && { return effect = value, std::move(*this); }
  Failure&& withHttpStatus(int value) && { return http_status = value, std::move(*this); }
  Failure&& withRetryAfter(std::chrono::milliseconds value) && {
    return retry_after = value, std::move(*this);
  }
  Failure&& withProviderCode(std::string value) && {
    return provider_code = std::move(value), std::move(*this);
  }
  Failure&& withUserMessage(std::string value) && {
    return user_message = std::move(value), std::move(*this);
  }
  // JSON Pointer into the operation's input: what is wrong there.
  Failure&& withField(std::string pointer) && { return field = std::move(pointer), std::move(*this); }
  Failure&& withDetail(std::string_view member, json::value value) && {
    detail[member] = std::move(value);
    return std::move(*this);
  }
  // The same failure told from further up: "CONTEXT: MESSAGE".
  Failure&& within(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
  }

  Kind kind;
  std::string message; // one sentence for operators: what happened, what to do; no secrets
  // Empty: what the requests of this call tell (see Call::effectSoFar).
  std::optional<Effect> effect;
  int http_status = 0;
  std::optional<std::chrono::milliseconds> retry_after;
  std::string provider_code; // verbatim, e.g. "valid-sync-token"
  std::string user_message;  // may be shown to the vendor
  std::string field;
  json::object detail;
};

// Runs `work`; the Failure that it threw, if any. For "this item is bad, go on with the next".
// Cancellation, and a host limit, are not failures of an item: they go on up.
template <class Work> std::optional<Failure> attempt(Work&& work) {
  try {
    std::forward<Work>(work)();
    return std::nullopt;
  } catch (Failure& failure) {
    if (failure.kind == Kind::cancelled || failure.kind == Kind::hostLimit) throw;
    return std::move(failure);
  }
}

} // namespace garland::sdk
