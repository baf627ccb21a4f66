// What HTTP answers mean to a connector.
#include <garland/sdk/http.hpp>
#include <garland/sdk/url.hpp>

#include <algorithm>

namespace garland::sdk {
namespace {

bool equalsWithoutCase(std::string_view a, std::string_view b) {
  auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Kind kindOf(int status) {
  switch (status) {
  case 400:
  case 413:
  case 415:
  case 422: return Kind::invalidInput;
  case 401: return Kind::authExpired;
  case 402:
  case 507: return Kind::quota;
  case 403: return Kind::forbidden;
  case 404:
  case 410: return Kind::notFound;
  case 405:
  case 501: return Kind::unsupported;
  case 408:
  case 423:
  case 425: return Kind::transient;
  case 409:
  case 412: return Kind::conflict;
  case 429: return Kind::rateLimited;
  default: return status >= 500 ? Kind::transient : Kind::providerBug;
  }
}

} // namespace

std::string_view Response::header(std::string_view name) const {
  for (auto const& field : headers)
    if (equalsWithoutCase(field.name, name)) return field.value;
  return {};
}

Failure failureOf(Request const& request, Response const& response) {
  Failure failure(kindOf(response.status), request.method + " " + shownUrl(request.url) +
                                               " was answered with status " +
                                               std::to_string(response.status));
  failure.http_status = response.status;
  failure.retry_after = response.retry_after;
  return failure;
}

void expectSuccess(Request const& request, Response const& response) {
  if (!response.ok()) throw failureOf(request, response);
}

} // namespace garland::sdk
