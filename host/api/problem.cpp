// The one place where an Error becomes an HTTP answer.
#include "host/api/problem.h"

#include <algorithm>
#include <array>

namespace garland::api {

int statusOf(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::invalidInput: return 400;
  case ErrorKind::forbidden: return 403;
  case ErrorKind::notFound: return 404;
  case ErrorKind::conflict: return 409;
  // The provider refused the vendor's credential; 401 would tell the client that its API key is bad.
  case ErrorKind::authExpired:
  case ErrorKind::authRevoked: return 422;
  case ErrorKind::rateLimited:
  case ErrorKind::quota: return 429;
  case ErrorKind::unsupported: return 501;
  case ErrorKind::providerBug:
  case ErrorKind::pluginBug: return 502;
  case ErrorKind::transient:
  case ErrorKind::cancelled: return 503;
  case ErrorKind::hostLimit: return 507;
  }
  return 500;
}

std::string_view reasonOf(int status) {
  struct Reason {
    int status;
    std::string_view text;
  };
  static constexpr std::array<Reason, 24> reasons{{{400, "Bad Request"},
                                                   {401, "Unauthorized"},
                                                   {403, "Forbidden"},
                                                   {404, "Not Found"},
                                                   {405, "Method Not Allowed"},
                                                   {408, "Request Timeout"},
                                                   {409, "Conflict"},
                                                   {410, "Gone"},
                                                   {412, "Precondition Failed"},
                                                   {413, "Content Too Large"},
                                                   {415, "Unsupported Media Type"},
                                                   {417, "Expectation Failed"},
                                                   {421, "Misdirected Request"},
                                                   {422, "Unprocessable Content"},
                                                   {426, "Upgrade Required"},
                                                   {429, "Too Many Requests"},
                                                   {431, "Request Header Fields Too Large"},
                                                   {500, "Internal Server Error"},
                                                   {501, "Not Implemented"},
                                                   {502, "Bad Gateway"},
                                                   {503, "Service Unavailable"},
                                                   {504, "Gateway Timeout"},
                                                   {505, "HTTP Version Not Supported"},
                                                   {507, "Insufficient Storage"}}};
  auto const found = std::find_if(reasons.begin(), reasons.end(),
                                  [status](Reason const& reason) { return reason.status == status; });
  return found == reasons.end() ? "Error" : found->text;
}

Response problem(Error const& error, std::string_view request_id, int status) {
  if (status == 0) status = statusOf(error.kind);
  json::object body{{"type", "urn:garland:problem:" + std::string(name(error.kind))},
                    {"title", reasonOf(status)},
                    {"status", status},
                    {"detail", error.message},
                    {"kind", name(error.kind)},
                    {"effect", name(error.effect)},
                    {"request_id", request_id}};
  if (!error.field.empty()) body["field"] = error.field;
  if (!error.user_message.empty()) body["user_message"] = error.user_message;
  if (!error.provider_code.empty()) body["provider_code"] = error.provider_code;
  if (error.retry_after) body["retry_after_ms"] = error.retry_after->count();
  if (!error.detail.is_null()) body["evidence"] = error.detail;
  Response response(status, body);
  response.content_type = "application/problem+json";
  if (error.retry_after) {
    auto const seconds = (error.retry_after->count() + 999) / 1000;
    response.headers.push_back(Header{"retry-after", std::to_string(seconds)});
  }
  if (status == 401) response.headers.push_back(Header{"www-authenticate", "Bearer realm=\"garland\""});
  return response;
}

Response gone(std::string_view request_id, std::int64_t first, std::int64_t last) {
  Error error(
      ErrorKind::notFound,
      "the changes after that number are not kept any more, or were never made: list the records anew "
      "and subscribe from number " +
          std::to_string(last));
  error.provider_code = "gone";
  error.detail = json::object{{"first", first}, {"last", last}};
  return problem(error, request_id, 410);
}

} // namespace garland::api
