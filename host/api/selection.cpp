#include "host/api/selection.h"

namespace garland::api {

std::vector<QueryParameter> pageParameters(std::string_view states, std::string_view after) {
  return {{"vendor_id", ParameterType::text, false, "Only those of this vendor."},
          {"connection_id", ParameterType::text, false, "Only those of this connection."},
          {"state", ParameterType::text, false, states},
          {"after", ParameterType::text, false, after},
          {"limit", ParameterType::integer, false, "At most so many.", 1, 1000}};
}

Result<void> requireIdIfAny(std::string_view prefix, std::string_view text, std::string_view what) {
  if (text.empty()) return {};
  return requireId(prefix, text, what);
}

Result<std::optional<TimePoint>> readTime(json::value const& body, std::string const& pointer) {
  auto const text = textOr(body, pointer, "");
  if (text.empty()) return std::optional<TimePoint>();
  auto const time = parseRfc3339(text);
  if (!time) return Error(ErrorKind::invalidInput, "must be a time such as 2026-06-13T12:00:00Z", pointer);
  return std::optional<TimePoint>(*time);
}

} // namespace garland::api
