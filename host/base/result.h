// The one way a failure travels inside Garland: Result<T> holding an Error.
//
// An Error says what kind of failure it is (what the caller should do), what is known about the
// effect at the far side, and one clear sentence for the person who reads it. The kinds and effects
// are those of the plugin ABI (garland/plugin.h), number for number, so nothing is translated.
// Exceptions mean a bug and never cross a room's door.
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace garland {

// DO NOT CHANGE THESE VALUES: they are the ABI's garland_status codes and are stored in databases.
enum class ErrorKind : std::int32_t {
  authExpired = 1,
  authRevoked = 2,
  forbidden = 3,
  rateLimited = 4,
  transient = 5,
  invalidInput = 6,
  notFound = 7,
  conflict = 8,
  unsupported = 9,
  cancelled = 10,
  quota = 11,
  providerBug = 12,
  pluginBug = 13,
  hostLimit = 14,
};

// DO NOT CHANGE THESE VALUES: they are the ABI's garland_effect codes and are stored in databases.
enum class Effect : std::int32_t { unknown = 0, notApplied = 1, applied = 2 };

struct Error {
  ErrorKind kind = ErrorKind::transient;
  Effect effect = Effect::notApplied;
  std::string message;       // one sentence for operators: what happened and what to do; no secrets
  std::string user_message;  // may be shown to the vendor; may be empty
  std::string field;         // JSON Pointer into the input that is wrong; may be empty
  std::string provider_code; // verbatim, e.g. "valid-sync-token"; may be empty
  int http_status = 0;       // 0: no HTTP answer was involved
  std::optional<std::chrono::milliseconds> retry_after;
  boost::json::value detail; // kind-specific members; null if none

  Error() = default;
  Error(ErrorKind kind_in, std::string message_in) : kind(kind_in), message(std::move(message_in)) {}
  Error(ErrorKind kind_in, std::string message_in, std::string field_in)
      : kind(kind_in), message(std::move(message_in)), field(std::move(field_in)) {}

  Error withEffect(Effect value) && {
    effect = value;
    return std::move(*this);
  }
  // The same error told from further up: "CONTEXT: MESSAGE".
  Error within(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
  }
};

template <class T = void> using Result = boost::system::result<T, Error>;

// "auth_expired", "transient", ...; unknown numbers read as "provider_bug" (ABI rule E5).
std::string_view name(ErrorKind kind);
std::string_view name(Effect effect);
std::optional<ErrorKind> errorKindNamed(std::string_view name);

// {"kind","effect","message", ...}; members that are empty are left out.
boost::json::value toJson(Error const& error);

// Called by Result::value() on an error: reading a value that is not there is a bug.
[[noreturn]] void throw_exception_from_error(Error const& error, boost::source_location const& where);

} // namespace garland

// TRY(name, expression): name is the value, or the enclosing function returns the error.
// CO_TRY is the same inside a coroutine. The _VOID forms drop the value.
// One macro statement per line: the expression is evaluated once into a named local, which keeps
// every co_await in a statement of its own.
#define GARLAND_CONCAT_(a, b) a##b
#define GARLAND_CONCAT(a, b) GARLAND_CONCAT_(a, b)
#define TRY_IMPL_(result, name, ret, ...)                                                                    \
  auto result = __VA_ARGS__;                                                                                 \
  if (!result) ret std::move(result).error();                                                                \
  auto name = std::move(*result)
#define TRY(name, ...) TRY_IMPL_(GARLAND_CONCAT(garland_try_, __LINE__), name, return, __VA_ARGS__)
#define CO_TRY(name, ...) TRY_IMPL_(GARLAND_CONCAT(garland_try_, __LINE__), name, co_return, __VA_ARGS__)
#define TRY_VOID_IMPL_(result, ret, ...)                                                                     \
  auto result = __VA_ARGS__;                                                                                 \
  if (!result) ret std::move(result).error()
#define TRY_VOID(...) TRY_VOID_IMPL_(GARLAND_CONCAT(garland_try_, __LINE__), return, __VA_ARGS__)
#define CO_TRY_VOID(...) TRY_VOID_IMPL_(GARLAND_CONCAT(garland_try_, __LINE__), co_return, __VA_ARGS__)
