#include "host/base/schema_pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace garland::schema_patterns {
namespace {

constexpr std::int64_t kMostMemory = 1 << 20; // bytes, of one pattern

// Their members are named by the author, and each is a schema.
constexpr std::array<std::string_view, 4> kMapsOfSchemas{"properties", "definitions", "$defs",
                                                         "dependencies"};
// Values that are compared, not schemas.
constexpr std::array<std::string_view, 4> kData{"enum", "const", "default", "examples"};

bool among(std::array<std::string_view, 4> const& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

Result<json::value> schemaAt(json::value const& value, std::string const& place);

Result<json::value> eachOf(json::array const& list, std::string const& place) {
  json::array out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto handed = schemaAt(list[i], place + "/" + std::to_string(i));
    if (!handed) return handed.error();
    out.push_back(std::move(*handed));
  }
  return out;
}

Result<json::value> eachMember(json::object const& map, std::string const& place) {
  json::object out;
  for (auto const& member : map) {
    auto handed = schemaAt(member.value(), place + "/" + std::string(member.key()));
    if (!handed) return handed.error();
    out.emplace(member.key(), std::move(*handed));
  }
  return out;
}

Result<json::value> keywordAt(std::string_view keyword, json::value const& value, std::string const& place) {
  if (among(kData, keyword)) return value;
  if (among(kMapsOfSchemas, keyword) && value.is_object()) return eachMember(value.get_object(), place);
  return schemaAt(value, place);
}

Result<json::value> schemaAt(json::value const& value, std::string const& place) {
  if (auto const* list = value.if_array()) return eachOf(*list, place);
  auto const* object = value.if_object();
  if (object == nullptr) return value;
  json::object out;
  for (auto const& member : *object) {
    std::string_view const keyword = member.key();
    auto const here = place + "/" + std::string(keyword);
    if (keyword == "patternProperties")
      return Error(ErrorKind::invalidInput, here + ": is not supported; say it with propertyNames");
    if (keyword == "pattern" && member.value().is_string()) {
      auto const compiled = Pattern::compile(member.value().get_string());
      if (!compiled) return Error(ErrorKind::invalidInput, here + ": " + compiled.error().message);
      out.emplace(kKeyword, member.value());
      continue;
    }
    auto handed = keywordAt(keyword, member.value(), here);
    if (!handed) return handed.error();
    out.emplace(keyword, std::move(*handed));
  }
  return out;
}

} // namespace

Result<Pattern> Pattern::compile(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  auto compiled = std::make_shared<re2::RE2 const>(re2::StringPiece(text.data(), text.size()), options);
  if (!compiled->ok())
    return Error(ErrorKind::invalidInput,
                 "not a pattern that can be matched in linear time: " + compiled->error());
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

Result<json::value> handedOver(json::value const& schema) { return schemaAt(schema, ""); }

} // namespace garland::schema_patterns
