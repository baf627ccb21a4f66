#include "host/cli/typed_place.h"

#include <optional>
#include <utility>

namespace garland::cli {
namespace {

struct Typed {
  std::string_view field, words;
};

// Whole places.
constexpr Typed kPlaces[] = {{"/vendor", "--vendor"},
                             {"/vendor_id", "--vendor"},
                             {"/connection_id", "--connection"},
                             {"/operation", "OPERATION"},
                             {"/idempotency_key", "--key"},
                             {"/input", "--input"},
                             {"/output", "--output"},
                             {"/settings", "--set"},
                             {"/scheme", "--signed"},
                             {"/ids", "ID"},
                             {"/data", "the record"},
                             {"?vendor_id", "--vendor"},
                             {"?connection_id", "--connection"},
                             {"?file", "FILE"}};
// Options that are called as the member is.
constexpr std::string_view kSameName[] = {"/kind", "/from",   "/until", "/state", "/rotate", "/by",
                                          "/why",  "/folder", "/url",   "/user",  "?kind",   "?state",
                                          "?from", "?until",  "?zone",  "?after", "?limit"};
// What stands inside of one of them: before and behind the rest of the pointer.
struct Inner {
  std::string_view field, before, behind;
  bool name_only; // its first step is a name, not a pointer
};
constexpr Inner kInner[] = {
    {"/settings/", "--set ", "", true},       {"/parameters/", "--set ", "", true},
    {"/input/", "/", " in --input", false},   {"/output/", "/", " in --output", false},
    {"/scheme/", "/", " in --signed", false}, {"/data/", "/", " in the record", false}};

// What stands between "the body: " and the like and the sentence, if that is the end of the place: "/amount".
std::optional<std::pair<std::string_view, std::string_view>> placeAndRest(std::string_view message,
                                                                          std::string_view field) {
  auto const first = message.find(": /");
  if (first == std::string_view::npos) return std::nullopt;
  auto const rest = message.substr(first + 2);
  auto const end = rest.find(": ");
  if (end == std::string_view::npos || !field.ends_with(rest.substr(0, end))) return std::nullopt;
  return std::pair(rest.substr(0, end), rest.substr(end + 2));
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  if (auto const at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
  return text;
}

} // namespace

std::string typedPlace(std::string_view field) {
  for (auto const& known : kPlaces)
    if (known.field == field) return std::string(known.words);
  for (auto const same : kSameName)
    if (same == field) return "--" + std::string(same.substr(1));
  for (auto const& inner : kInner) {
    if (!field.starts_with(inner.field)) continue;
    auto rest = field.substr(inner.field.size());
    if (inner.name_only) rest = rest.substr(0, rest.find('/'));
    return std::string(inner.before) + std::string(rest) + std::string(inner.behind);
  }
  return {};
}

std::string inTypedWords(Error const& error) {
  constexpr std::string_view body = "the body: ";
  auto const place = typedPlace(error.field);
  std::string_view message = error.message;
  if (auto const told = placeAndRest(message, error.field); told && !place.empty())
    return place + ": " + std::string(told->second);
  if (message.starts_with(body)) message.remove_prefix(body.size());
  std::string text(message);
  if (place.empty() || error.field.empty()) return text;
  auto const parameter = "query parameter \"" + error.field.substr(1) + "\"";
  if (text.find(parameter) != std::string::npos) return replaced(std::move(text), parameter, place);
  if (text.starts_with("must ")) return place + ": " + text;
  if (text.find(error.field) != std::string::npos) return replaced(std::move(text), error.field, place);
  return text.find(place) == std::string::npos ? text + " (at " + place + ")" : text;
}

} // namespace garland::cli
