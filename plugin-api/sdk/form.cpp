// Forms and multipart bodies.
#include <garland/sdk/form.hpp>
#include <garland/sdk/url.hpp>

#include "hash.h"

#include <algorithm>

namespace garland::sdk::form {
namespace {

constexpr std::size_t deepest = 32;
constexpr std::size_t most_members = 10'000;

std::string scalarText(json::value const& value) {
  if (value.is_string()) return std::string(std::string_view(value.get_string()));
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_number()) return json::serialize(value);
  return {};
}

void append(std::string& out, std::string const& name, json::value const& value) {
  auto const* object = value.if_object();
  auto const* array = value.if_array();
  if (object != nullptr && !object->empty()) {
    for (auto const& [key, member] : *object) append(out, name + "[" + percentEncode(key) + "]", member);
  } else if (array != nullptr && !array->empty()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      append(out, name + "[" + std::to_string(i) + "]", (*array)[i]);
  } else {
    out += (out.empty() ? "" : "&") + name + "=" + percentEncode(scalarText(value));
  }
}

std::string plain(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percentDecode(spaced);
}

// "a[b][]" as a, b and "". What follows a bracket that is not closed belongs to the name.
std::vector<std::string> stepsOf(std::string const& name, Kind kind) {
  auto bracket = name.find('[');
  std::vector<std::string> steps{name.substr(0, bracket)};
  while (bracket != std::string::npos) {
    auto const end = name.find(']', bracket);
    if (end == std::string::npos) return {name};
    steps.push_back(name.substr(bracket + 1, end - bracket - 1));
    bracket = end + 1 < name.size() && name[end + 1] == '[' ? end + 1 : std::string::npos;
  }
  if (steps.size() > deepest)
    throw Failure(kind, "the form nests deeper than " + std::to_string(deepest) + " brackets");
  return steps;
}

// Objects whose names are 0, 1, 2, ... in this order become arrays.
json::value settled(json::value value) {
  auto* object = value.if_object();
  if (object == nullptr) return value;
  bool counts = !object->empty();
  std::size_t next = 0;
  for (auto& [name, member] : *object) {
    member = settled(std::move(member));
    counts = counts && std::string_view(name) == std::to_string(next++);
  }
  if (!counts) return value;
  json::array items;
  for (auto& [name, member] : *object) items.push_back(std::move(member));
  return items;
}

void place(json::object& root, std::vector<std::string> const& steps, std::string const& value, Kind kind) {
  auto* object = &root;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto const name = steps[i].empty() && i > 0 ? std::to_string(object->size()) : steps[i];
    bool const last = i + 1 == steps.size();
    auto* there = object->if_contains(name);
    if (there != nullptr && there->is_object() == last)
      throw Failure(kind, "the form's member \"" + name + "\" is both a value and an object");
    if (last) {
      (*object)[name] = value;
      return;
    }
    if (there == nullptr) there = &((*object)[name] = json::object());
    object = &there->get_object();
  }
}

// A name or file name inside of quotes, as browsers write it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char const c : text) {
    if (c == '"')
      out += "%22";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else
      out += c;
  }
  return out + "\"";
}

// A line break in a type would begin another header, or the content.
void refuseControls(Part const& part) {
  auto const control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(part.content_type, control))
    throw Failure(Kind::invalidInput,
                  "the type of the part " + quoted(part.name) + " holds a line break or control character");
}

std::string boundaryFor(std::vector<Part> const& parts) {
  std::string all;
  for (auto const& part : parts) all += part.name + part.content;
  for (int attempt = 0;; ++attempt) {
    auto boundary = "garland-" + hashOf(all + std::to_string(attempt));
    auto const inside = [&](Part const& part) { return part.content.find(boundary) != std::string::npos; };
    if (std::ranges::none_of(parts, inside)) return boundary;
  }
}

} // namespace

std::string encode(json::object const& document) {
  std::string out;
  for (auto const& [name, member] : document) append(out, percentEncode(name), member);
  return out;
}

json::object decode(std::string_view text, Kind kind) {
  json::object root;
  for (std::size_t members = 0; !text.empty(); ++members) {
    if (members == most_members)
      throw Failure(kind, "the form has more than " + std::to_string(most_members) + " members");
    auto const end = std::min(text.find('&'), text.size());
    auto const pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    auto const equals = std::min(pair.find('='), pair.size());
    auto const value = equals < pair.size() ? plain(pair.substr(equals + 1)) : std::string();
    place(root, stepsOf(plain(pair.substr(0, equals)), kind), value, kind);
  }
  for (auto& [name, member] : root) member = settled(std::move(member));
  return root;
}

Body multipart(std::vector<Part> const& parts) {
  auto const boundary = boundaryFor(parts);
  Body body{"multipart/form-data; boundary=" + boundary, {}};
  for (auto const& part : parts) {
    refuseControls(part);
    body.bytes += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + quoted(part.name);
    if (part.file_name) body.bytes += "; filename=" + quoted(*part.file_name);
    if (!part.content_type.empty()) body.bytes += "\r\nContent-Type: " + part.content_type;
    body.bytes += "\r\n\r\n" + part.content + "\r\n";
  }
  body.bytes += "--" + boundary + "--\r\n";
  return body;
}

Request post(std::string url, Body body) {
  Request request{.method = "POST", .url = std::move(url), .body = std::move(body.bytes)};
  request.headers = {{"Accept", "application/json"}, {"Content-Type", std::move(body.content_type)}};
  return request;
}

} // namespace garland::sdk::form
