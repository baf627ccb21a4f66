// Reading what the router has checked already: a parameter that is not a number cannot get here.
#include "host/api/http.h"

#include <boost/json/serialize.hpp>

#include <charconv>

namespace garland::api {

std::string const* Request::header(std::string_view name) const {
  for (Header const& field : headers)
    if (field.name == name) return &field.value;
  return nullptr;
}

std::string Request::text(std::string_view parameter, std::string_view fallback) const {
  auto const found = parameters.find(parameter);
  return found == parameters.end() ? std::string(fallback) : found->second;
}

std::int64_t Request::integer(std::string_view parameter, std::int64_t fallback) const {
  auto const found = parameters.find(parameter);
  if (found == parameters.end()) return fallback;
  std::int64_t value = fallback;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

bool Request::flag(std::string_view parameter) const {
  auto const value = text(parameter);
  return value == "1" || value == "true";
}

Response::Response(int status_in, json::value const& value)
    : status(status_in), content_type("application/json"), body(json::serialize(value)) {}

} // namespace garland::api
