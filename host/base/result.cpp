#include "host/base/result.h"

#include <boost/json/object.hpp>

#include <array>
#include <stdexcept>

namespace garland {
namespace {

constexpr std::array<std::string_view, 15> kKindNames = {
    "ok",        "auth_expired",  "auth_revoked", "forbidden",  "rate_limited",
    "transient", "invalid_input", "not_found",    "conflict",   "unsupported",
    "cancelled", "quota",         "provider_bug", "plugin_bug", "host_limit"};

} // namespace

std::string_view name(ErrorKind kind) {
  auto const index = static_cast<std::size_t>(kind);
  return index > 0 && index < kKindNames.size() ? kKindNames[index] : "provider_bug";
}

std::optional<ErrorKind> errorKindNamed(std::string_view wanted) {
  for (std::size_t i = 1; i < kKindNames.size(); ++i)
    if (kKindNames[i] == wanted) return static_cast<ErrorKind>(i);
  return std::nullopt;
}

std::string_view name(Effect effect) {
  switch (effect) {
  case Effect::notApplied: return "not_applied";
  case Effect::applied: return "applied";
  case Effect::unknown: break;
  }
  return "unknown";
}

boost::json::value toJson(Error const& error) {
  boost::json::object out;
  out["kind"] = name(error.kind);
  out["effect"] = name(error.effect);
  out["message"] = error.message;
  if (!error.user_message.empty()) out["user_message"] = error.user_message;
  if (!error.field.empty()) out["field"] = error.field;
  if (!error.provider_code.empty()) out["provider_code"] = error.provider_code;
  if (error.http_status != 0) out["http_status"] = error.http_status;
  if (error.retry_after) out["retry_after_ms"] = error.retry_after->count();
  if (!error.detail.is_null()) out["detail"] = error.detail;
  return out;
}

void throw_exception_from_error(Error const& error, boost::source_location const& where) {
  throw std::logic_error(std::string("value() on an error at ") + where.file_name() + ":" +
                         std::to_string(where.line()) + ": " + error.message);
}

} // namespace garland
