// Errors as application/problem+json (RFC 9457).
#pragma once

#include "host/api/http.h"
#include "host/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace garland::api {

// The status that tells an HTTP client what to do about this kind of error.
int statusOf(ErrorKind kind);
std::string_view reasonOf(int status); // "Not Found"

// {"type","title","status","detail","kind","effect","request_id"} and, if known, "field",
// "provider_code", "retry_after_ms", "evidence". `status` 0: statusOf(error.kind).
Response problem(Error const& error, std::string_view request_id, int status = 0);

// 410: the feed does not hold the change after the number that was asked for any more, but those from `first`
// to `last`.
Response gone(std::string_view request_id, std::int64_t first, std::int64_t last);

} // namespace garland::api
