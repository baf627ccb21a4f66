// Reading what a request carries: query, forms with brackets, JSON, credentials; matching paths.
#include <garland/sdk/twin_http.hpp>

#include "twin_bytes.h"

#include <algorithm>
#include <charconv>

namespace garland::sdk::twin {
namespace {

constexpr std::size_t kMaxPairs = 10'000;
constexpr std::size_t kMaxBrackets = 16;
constexpr std::size_t kMaxName = 500; // bytes; names stand in refusals

bool sameName(std::string_view a, std::string_view b) {
  auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view find(std::vector<Header> const& headers, std::string_view name) {
  for (auto const& header : headers)
    if (sameName(header.name, name)) return header.value;
  return {};
}

// What follows "SCHEME " in an Authorization header; empty if it is of another scheme.
std::string_view credentials(Request const& request, std::string_view scheme) {
  auto const value = request.header("authorization");
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return {};
  return sameName(value.substr(0, scheme.size()), scheme) ? value.substr(scheme.size() + 1)
                                                          : std::string_view();
}

std::string formDecode(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  auto decoded = percentDecode(spaced);
  if (!isUtf8(decoded)) throw Malformed("a parameter is not UTF-8");
  return decoded;
}

// "a[b][]" as {"a","b",""}.
std::vector<std::string> keyPath(std::string_view name) {
  std::vector<std::string> path;
  auto const open = name.find('[');
  path.emplace_back(name.substr(0, open));
  if (open == std::string_view::npos) return path;
  for (auto rest = name.substr(open); !rest.empty();) {
    auto const close = rest.find(']');
    if (rest.front() != '[' || close == std::string_view::npos)
      throw Malformed("the parameter \"" + std::string(name) + "\" has brackets that do not match");
    path.emplace_back(rest.substr(1, close - 1));
    rest.remove_prefix(close + 1);
    if (path.size() > kMaxBrackets)
      throw Malformed("a parameter has more than " + std::to_string(kMaxBrackets) + " brackets");
  }
  return path;
}

// Objects whose members are 0, 1, 2, ... in any order become arrays. "a[]" is numbered as it comes.
json::value arraysOf(json::value value) {
  if (!value.is_object()) return value;
  auto& object = value.get_object();
  for (auto& member : object) member.value() = arraysOf(std::move(member.value()));
  json::array array(object.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    auto const* const item = object.if_contains(std::to_string(i));
    if (item == nullptr) return value;
    array[i] = *item;
  }
  return array.empty() ? value : json::value(std::move(array));
}

void put(json::object& tree, std::vector<std::string> const& path, std::string const& value) {
  auto* at = &tree;
  for (std::size_t i = 0;; ++i) {
    auto const key = path[i].empty() && i > 0 ? std::to_string(at->size()) : path[i];
    bool const leaf = i + 1 == path.size();
    auto& member = (*at)[key];
    if (leaf ? member.is_object() : !member.is_null() && !member.is_object())
      throw Malformed("the parameter \"" + path[0] + "\" is given both as a value and with brackets");
    if (leaf) {
      member = value;
      return;
    }
    if (member.is_null()) member = json::object();
    at = &member.get_object();
  }
}

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    auto const slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

} // namespace

std::string_view Request::header(std::string_view name) const { return find(headers, name); }

std::optional<std::string> Request::parameter(std::string_view name) const {
  for (auto const& [key, value] : parameters)
    if (key == name) return value;
  return std::nullopt;
}

std::string Request::parameterOr(std::string_view name, std::string_view fallback) const {
  auto value = parameter(name);
  return value ? std::move(*value) : std::string(fallback);
}

std::int64_t Request::numberOr(std::string_view name, std::int64_t fallback) const {
  auto const text = parameter(name);
  if (!text) return fallback;
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size())
    throw Malformed("the parameter \"" + std::string(name) + "\" must be a whole number");
  return number;
}

std::string const& Request::at(std::string_view name) const {
  static std::string const none;
  auto const found = captured.find(name);
  return found == captured.end() ? none : found->second;
}

json::value Request::bodyJson() const {
  try {
    return parse(body, Kind::invalidInput);
  } catch (Failure const& failure) {
    throw Malformed("the body is " + failure.message);
  }
}

json::object Request::bodyObject() const {
  auto document = bodyJson();
  if (!document.is_object()) throw Malformed("the body must be a JSON object");
  return std::move(document.get_object());
}

Query Request::form() const { return parseQuery(body); }
json::object Request::formObject() const { return bracketed(form()); }

std::string_view Request::bearer() const { return credentials(*this, "Bearer"); }

std::optional<std::pair<std::string, std::string>> Request::basic() const {
  auto const decoded = fromBase64(credentials(*this, "Basic"));
  if (!decoded) return std::nullopt;
  auto const colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return std::pair(decoded->substr(0, colon), decoded->substr(colon + 1));
}

std::string Request::urlWith(std::string_view name, std::string_view value) const {
  Query out;
  bool found = false;
  for (auto const& [key, old] : parameters) {
    out.emplace_back(key, key == name ? std::string(value) : old);
    found = found || key == name;
  }
  if (!found) out.emplace_back(std::string(name), std::string(value));
  return withQuery(origin + path, out);
}

Response::Response(int status_in, json::value const& document)
    : Response(status_in, "application/json", json::serialize(document)) {}

Response::Response(int status_in, std::string_view content_type, std::string body_in)
    : status(status_in), body(std::move(body_in)) {
  headers.push_back({"content-type", std::string(content_type)});
}

Response Response::empty(int status) {
  Response response;
  response.status = status;
  return response;
}

std::string_view Response::header(std::string_view name) const { return find(headers, name); }

std::optional<std::map<std::string, std::string, std::less<>>> matchPath(std::string_view pattern,
                                                                         std::string_view path) {
  auto const wanted = segments(pattern);
  auto const given = segments(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::map<std::string, std::string, std::less<>> captured;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto text = percentDecode(given[i]);
    if (wanted[i].starts_with('{') && wanted[i].ends_with('}')) {
      if (text.empty()) return std::nullopt;
      captured.emplace(wanted[i].substr(1, wanted[i].size() - 2), std::move(text));
    } else if (text != wanted[i]) {
      return std::nullopt;
    }
  }
  return captured;
}

json::object bracketed(Query const& pairs) {
  json::object tree;
  for (auto const& [name, value] : pairs) put(tree, keyPath(name), value);
  for (auto& member : tree) member.value() = arraysOf(std::move(member.value()));
  return tree;
}

Query parseQuery(std::string_view text) {
  Query out;
  while (!text.empty()) {
    auto const pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    if (out.size() == kMaxPairs)
      throw Malformed("there are more than " + std::to_string(kMaxPairs) + " parameters");
    auto const equals = pair.find('=');
    auto const value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    auto name = formDecode(pair.substr(0, equals));
    if (name.size() > kMaxName)
      throw Malformed("a parameter's name is longer than " + std::to_string(kMaxName) + " bytes");
    out.emplace_back(std::move(name), formDecode(value));
  }
  return out;
}

} // namespace garland::sdk::twin
