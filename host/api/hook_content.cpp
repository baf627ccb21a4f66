#include "host/api/hook_content.h"

#include "host/base/utf8.h"
#include "host/csv/csv.h"

#include <algorithm>
#include <optional>

namespace garland::api {
namespace {

constexpr std::size_t kMostType = 200;
constexpr std::size_t kMostParameters = 2'000;
constexpr std::size_t kMostDepth = 24; // of JSON; connectors read 32, with what is put around it

// "Application/JSON; charset=utf-8" is "application/json".
std::string mediaType(std::string_view content_type) {
  std::string type(content_type.substr(0, std::min(content_type.find(';'), kMostType)));
  std::erase_if(type, [](char c) { return c <= ' ' || c > '~'; });
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return type;
}

// "text/plain; Charset=\"utf-8\"" is utf-8; "" if none is said.
std::string_view charsetOf(std::string_view content_type) {
  constexpr std::string_view wanted = "charset=";
  auto const same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  auto const found =
      std::search(content_type.begin(), content_type.end(), wanted.begin(), wanted.end(), same);
  if (found == content_type.end()) return {};
  auto charset = std::string_view(found, content_type.end()).substr(wanted.size());
  if (charset.starts_with('"')) charset.remove_prefix(1);
  return charset.substr(0, charset.find_first_of("\"; \t"));
}

// As its charset says; what is UTF-8 is that, whatever it says. Another body stays as it is.
std::string inUtf8(std::string_view content_type, std::string_view body) {
  if (isUtf8(body)) return std::string(body);
  return csv::utf8Of(body, charsetOf(content_type)).value_or(std::string(body));
}

// Old forms send Windows-1252, as old files have it.
std::string readable(std::string_view bytes) {
  if (isUtf8(bytes)) return std::string(bytes);
  auto old = csv::textOf(bytes);
  return old ? std::move(old->utf8) : asUtf8(bytes);
}

// A name that comes more than once has all its values.
json::object texts(Parameters const& parameters) {
  json::object out;
  for (auto const& [name, value] : parameters) {
    auto key = readable(name);
    auto text = readable(value);
    auto* known = out.if_contains(key);
    if (known == nullptr) {
      out[key] = text;
    } else if (known->is_array()) {
      known->get_array().emplace_back(std::move(text));
    } else {
      json::array both;
      both.push_back(std::move(*known));
      both.emplace_back(std::move(text));
      *known = std::move(both);
    }
  }
  return out;
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int const high = text[i] == '%' && i + 2 < text.size() ? hexDigit(text[i + 1]) : -1;
    int const low = high >= 0 ? hexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// JSON goes by many types, text/plain among them.
bool isMeantAsJson(std::string_view type, std::string_view body) {
  auto const first = body.find_first_not_of(" \t\r\n");
  bool const looks_so = first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
  return looks_so || type.find("json") != std::string_view::npos;
}

Result<json::value> jsonIn(std::string_view body) {
  JsonLimits limits;
  limits.max_depth = kMostDepth;
  return parseJson(body, limits);
}

} // namespace

Parameters formParameters(std::string_view text) {
  Parameters out;
  while (!text.empty() && out.size() < kMostParameters) {
    auto const end = std::min(text.find('&'), text.size());
    auto const pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    auto const equals = std::min(pair.find('='), pair.size());
    out.emplace_back(decoded(pair.substr(0, equals)),
                     decoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return out;
}

json::object hookContent(std::string_view content_type, Parameters const& query, std::string_view body) {
  auto const type = mediaType(content_type);
  json::object content;
  content["content_type"] = type;
  content["query"] = texts(query);
  if (body.empty()) return content;
  auto const text = inUtf8(content_type, body);
  auto value = isMeantAsJson(type, text) ? jsonIn(text) : Result<json::value>(Error());
  if (value)
    content["json"] = std::move(*value);
  else if (type == "application/x-www-form-urlencoded")
    content["form"] = texts(formParameters(body));
  else
    content["text"] = readable(text);
  return content;
}

std::string brokenJson(std::string_view content_type, std::string_view body) {
  auto const text = inUtf8(content_type, body);
  if (text.empty() || !isMeantAsJson(mediaType(content_type), text)) return {};
  auto const value = jsonIn(text);
  return value ? std::string() : readable(value.error().message);
}

} // namespace garland::api
