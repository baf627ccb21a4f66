// HTTP as a connector sees it: a request that the host carries out, and its answer.
#pragma once

#include <garland/sdk/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method = "GET";
  std::string url = {}; // absolute, or relative to Account::base
  std::vector<Header> headers = {};
  std::string body = {};
  // Credential slot of the manifest. Absent: the account's first slot. Empty: anonymous.
  std::optional<std::string> slot = {};
  std::string idempotency_key = {};     // empty: the host derives one for writes
  std::chrono::milliseconds timeout{0}; // 0: what is left of the call
  std::uint64_t max_body = 0;           // bytes; 0: the manifest's limit
  // May the request change something at the provider? Absent: by its method (GET, HEAD, OPTIONS,
  // PROPFIND, REPORT and SEARCH do not). Set it to false for a POST that only asks.
  std::optional<bool> writes = {};
};

// Texts are the host's and valid until the operation returns.
struct Response {
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  int status = 0;
  std::vector<Field> headers; // in the order received
  std::string_view body;
  std::optional<std::chrono::milliseconds> retry_after;

  bool ok() const { return status >= 200 && status < 300; }
  // The first header of that name, compared without case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

// What an answer outside 200..299 means. 401 authExpired, 402 and 507 quota, 403 forbidden, 404 and
// 410 notFound, 409 and 412 conflict, 429 rateLimited, 408, 423, 425 and 5xx transient,
// 501 and 405 unsupported, 400, 413, 415 and 422 invalidInput, everything else providerBug.
// The message names method, URL without its query, and status.
Failure failureOf(Request const& request, Response const& response);

// Throws failureOf() unless the answer is in 200..299.
void expectSuccess(Request const& request, Response const& response);

} // namespace garland::sdk
