// Requests and answers as this room's handlers see them. No Beast here: http_codec.cpp turns bytes
// into a Request and a Response into bytes.
#pragma once

#include "host/base/json.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::api {

struct Header {
  Header(std::string name_in, std::string value_in) : name(std::move(name_in)), value(std::move(value_in)) {}
  std::string name; // lower case
  std::string value;
};

struct Request {
  std::string id; // "req_...": in the answer, the log and every problem
  std::string method;
  std::string target;                                     // as sent
  std::vector<std::string> segments;                      // of the path, decoded: "/a/b%20c" is {"a", "b c"}
  std::vector<std::pair<std::string, std::string>> query; // decoded
  std::vector<Header> headers;
  std::string body;
  std::string peer; // address that it came from, without the port; "" if that is not known

  // Filled by the router once the route is known and its parameters and body were checked.
  std::map<std::string, std::string, std::less<>> parameters; // of path and query
  json::value json;                                           // the body
  std::string of_vendor; // whose key it came with, if it reaches that vendor's things only; else ""
  std::string by_key;    // the id of the key it came with; "" if it came with none

  // The first header of that name (lower case), or nullptr.
  std::string const* header(std::string_view name) const;
  // A parameter's value, or `fallback` if it was not given.
  std::string text(std::string_view parameter, std::string_view fallback = "") const;
  std::int64_t integer(std::string_view parameter, std::int64_t fallback) const;
  bool flag(std::string_view parameter) const;
};

struct StreamStart; // stream_door.h

struct Response {
  Response() = default;
  explicit Response(int status_in) : status(status_in) {}
  Response(int status_in, json::value const& value);

  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<Header> headers; // besides content-type, content-length and connection
  // The answer is the beginning of a stream, and the connection is the stream's from then on.
  std::shared_ptr<StreamStart> stream;
};

} // namespace garland::api
