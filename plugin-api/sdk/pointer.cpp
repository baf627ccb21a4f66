// Pointers by Boost.JSON where it reads, by hand where it would refuse to make members.
#include <garland/sdk/pointer.hpp>

namespace garland::sdk {
namespace {

std::string unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    bool const escape = token[i] == '~' && i + 1 < token.size();
    out += escape ? (token[i + 1] == '1' ? '/' : '~') : token[i];
    if (escape) ++i;
  }
  return out;
}

// The first token of "/a/b", and the rest "/b".
std::pair<std::string, std::string_view> split(std::string_view pointer) {
  pointer.remove_prefix(1);
  auto const slash = pointer.find('/');
  return {unescaped(pointer.substr(0, slash)),
          slash == std::string_view::npos ? std::string_view() : pointer.substr(slash)};
}

} // namespace

json::value const* find(json::value const& document, std::string_view pointer) {
  json::error_code error;
  return document.find_pointer(pointer, error);
}

json::value const* find(json::object const& document, std::string_view pointer) {
  if (!pointer.starts_with('/')) return nullptr;
  auto const [token, rest] = split(pointer);
  auto const* member = document.if_contains(token);
  return member == nullptr || rest.empty() ? member : find(*member, rest);
}

std::string textOr(json::value const& document, std::string_view pointer, std::string_view otherwise) {
  auto const* value = find(document, pointer);
  if (value != nullptr && value->is_string()) return std::string(std::string_view(value->get_string()));
  if (value != nullptr && value->is_int64()) return std::to_string(value->get_int64());
  if (value != nullptr && value->is_uint64()) return std::to_string(value->get_uint64());
  return std::string(otherwise);
}

void put(json::object& document, std::string_view pointer, json::value value) {
  auto* object = &document;
  while (true) {
    auto const [token, rest] = split(pointer);
    auto& member = (*object)[token];
    if (rest.empty()) {
      member = std::move(value);
      return;
    }
    if (!member.is_object()) member = json::object();
    object = &member.get_object();
    pointer = rest;
  }
}

void erase(json::object& document, std::string_view pointer) {
  auto* object = &document;
  while (true) {
    auto const [token, rest] = split(pointer);
    if (rest.empty()) {
      object->erase(token);
      return;
    }
    auto* member = object->if_contains(token);
    if (member == nullptr || !member->is_object()) return;
    object = &member->get_object();
    pointer = rest;
  }
}

} // namespace garland::sdk
