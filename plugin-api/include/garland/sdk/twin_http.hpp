// HTTP as a twin sees it: the request that came in, the answer, and a table of routes.
//
//   static constexpr Route<Lists> routes[] = {
//       {"GET", "/lists/{list}", &Lists::show},
//       {"POST", "/lists", &Lists::create},
//   };
//
// No sockets here: the host reads and writes HTTP and hands over requests as data.
#pragma once

#include <garland/sdk/http.hpp>
#include <garland/sdk/json.hpp>
#include <garland/sdk/time.hpp>
#include <garland/sdk/url.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::twin {

namespace json = boost::json;
using sdk::decode;
using sdk::encode;
using sdk::Header;
using sdk::Milliseconds;
using sdk::parseRfc3339;
using sdk::Query;
using sdk::rfc3339;
using sdk::TimePoint;

// The body is not what its type promises. The kit answers it with Twin::refuse(400, ...).
struct Malformed : std::exception {
  explicit Malformed(std::string why_in) : why(std::move(why_in)) {}
  char const* what() const noexcept override { return why.c_str(); }
  std::string why;
};

struct Request {
  std::string method;
  std::string path;  // as sent, without the query; Request::at gives decoded segments
  std::string query; // as sent, without the "?"
  Query parameters;  // the query, decoded, in order
  std::vector<Header> headers;
  std::string body;   // any bytes
  TimePoint now;      // the provider's clock
  std::string origin; // "http://127.0.0.1:8123": where the client reached this twin, for links
  std::map<std::string, std::string, std::less<>> captured; // "{list}" of the route's path

  // The first of that name, compared without case; empty if there is none.
  std::string_view header(std::string_view name) const;
  // The first query parameter of that name.
  std::optional<std::string> parameter(std::string_view name) const;
  std::string parameterOr(std::string_view name, std::string_view fallback) const;
  // A query parameter that has to be a whole number; Malformed if it is none.
  std::int64_t numberOr(std::string_view name, std::int64_t fallback) const;
  // What stands for "{name}" in the route; empty if it has none of that name.
  std::string const& at(std::string_view name) const;

  json::value bodyJson() const;    // Malformed
  json::object bodyObject() const; // the same, and it is an object
  // The JSON body as a type of one's own; Malformed names what does not fit.
  template <class T> T bodyAs() const {
    try {
      return decode<T>(bodyJson(), Kind::invalidInput);
    } catch (Failure const& failure) {
      throw Malformed(failure.message);
    }
  }
  // The body as pairs of a form (application/x-www-form-urlencoded), decoded.
  Query form() const;
  // The same with brackets as structure: "a[b]=1&a[c][]=2&a[d][0][e]=3" is
  // {"a":{"b":"1","c":["2"],"d":[{"e":"3"}]}}. Every leaf is a text. Malformed if two pairs contradict.
  json::object formObject() const;

  // "Authorization: Bearer ..."; empty if it is not of that kind.
  std::string_view bearer() const;
  // "Authorization: Basic ..." as name and password.
  std::optional<std::pair<std::string, std::string>> basic() const;

  // This request's URL with one query parameter set, for links to other pages.
  std::string urlWith(std::string_view parameter, std::string_view value) const;
};

struct Response {
  Response() = default;
  Response(int status_in, json::value const& document);
  Response(int status_in, std::string_view content_type, std::string body_in);
  static Response empty(int status = 204);

  Response& with(std::string name, std::string value) & {
    return headers.push_back({std::move(name), std::move(value)}), *this;
  }
  Response&& with(std::string name, std::string value) && {
    return headers.push_back({std::move(name), std::move(value)}), std::move(*this);
  }
  std::string_view header(std::string_view name) const;

  int status = 200;
  std::vector<Header> headers;
  std::string body;
};

// Thrown to end a request with this answer from anywhere inside serve().
struct Refusal : std::exception {
  explicit Refusal(Response response_in) : response(std::move(response_in)) {}
  char const* what() const noexcept override { return "the request was refused"; }
  Response response;
};

// `path` is a template: each "{name}" stands for one segment, which Request::at(name) gives.
template <class Class> struct Route {
  std::string_view method;
  std::string_view path;
  Response (Class::*run)(Request const&);
};

// The segments that `pattern` captures from `path`; nothing if they do not match.
std::optional<std::map<std::string, std::string, std::less<>>> matchPath(std::string_view pattern,
                                                                         std::string_view path);

// "query" or a form's pairs as a tree, see Request::formObject.
json::object bracketed(Query const& pairs);
// "a=1&b=2" decoded; "+" is a space.
Query parseQuery(std::string_view text);

} // namespace garland::sdk::twin
