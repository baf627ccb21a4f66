// valijson says which keyword failed but not what the schema asks for; so the place is looked up in the
// schema, and the sentence made from what stands there. Sentences that are not known here come out in general
// words.
#include "host/base/schema_words.h"

#include "host/base/schema_pattern.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

namespace garland::schema_words {
namespace {

using Places = std::vector<json::object const*>;

constexpr std::size_t kMostListed = 30;
constexpr double kBeyondIntegers = 9223372036854775808.0; // 2^63; a number of more digits is read as a double

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// What stands at one place of a document: the subschema, what it refers to, and its alternatives.
void expand(json::value const& root, json::value const* schema, Places& out) {
  auto const* object = schema == nullptr ? nullptr : schema->if_object();
  if (object == nullptr || std::find(out.begin(), out.end(), object) != out.end()) return;
  out.push_back(object);
  if (auto const* reference = object->if_contains("$ref"); reference != nullptr && reference->is_string())
    if (std::string_view const text = reference->as_string(); text.starts_with('#'))
      expand(root, find(root, text.substr(1)), out);
  for (auto const* list : {"allOf", "oneOf", "anyOf"})
    if (auto const* all = object->if_contains(list); all != nullptr && all->is_array())
      for (auto const& one : all->as_array()) expand(root, &one, out);
  for (auto const* one : {"then", "else"}) expand(root, object->if_contains(one), out);
}

json::value const* child(json::object const& schema, std::string const& step) {
  if (auto const* members = schema.if_contains("properties"); members != nullptr && members->is_object())
    if (auto const* member = members->as_object().if_contains(step)) return member;
  if (auto const* items = schema.if_contains("items"); items != nullptr && items->is_object()) return items;
  auto const* others = schema.if_contains("additionalProperties");
  return others != nullptr && others->is_object() ? others : nullptr;
}

Places placesAt(json::value const& root, std::vector<std::string> const& steps) {
  Places here;
  expand(root, &root, here);
  for (auto const& step : steps) {
    Places next;
    for (auto const* place : here) expand(root, child(*place, step), next);
    here = std::move(next);
  }
  return here;
}

json::value const* keyword(Places const& places, std::string_view name) {
  for (auto const* place : places)
    if (auto const* found = place->if_contains(name)) return found;
  return nullptr;
}

json::value const* valueAt(json::value const& document, std::vector<std::string> const& steps) {
  auto const* here = &document;
  for (auto const& step : steps) {
    if (auto const* object = here->if_object()) {
      here = object->if_contains(step);
    } else {
      std::size_t index = 0;
      std::from_chars(step.data(), step.data() + step.size(), index);
      auto const* array = here->if_array();
      here = array == nullptr || index >= array->size() ? nullptr : &(*array)[index];
    }
    if (here == nullptr) return nullptr;
  }
  return here;
}

std::string_view kindOf(json::value const* value) {
  if (value == nullptr) return "nothing";
  switch (value->kind()) {
  case json::kind::null: return "null";
  case json::kind::bool_: return "true or false";
  case json::kind::int64:
  case json::kind::uint64:
  case json::kind::double_: return "a number";
  case json::kind::string: return "a text";
  case json::kind::array: return "a list";
  case json::kind::object: break;
  }
  return "an object";
}

std::string_view typeInWords(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kWords{
      {{"string", "a text"},
       {"integer", "a whole number"},
       {"number", "a number"},
       {"boolean", "true or false"},
       {"array", "a list"},
       {"object", "an object"},
       {"null", "null"}}};
  auto const found =
      std::find_if(kWords.begin(), kWords.end(), [&](auto const& word) { return word.first == type; });
  return found == kWords.end() ? type : found->second;
}

// What the schema says of the place, as the end of a sentence; "" if it says nothing.
std::string aboutPlace(Places const& places) {
  auto const* about = keyword(places, "description");
  if (about == nullptr || !about->is_string()) return {};
  std::string_view description = about->as_string();
  if (description.ends_with('.')) description.remove_suffix(1);
  return " (" + std::string(description) + ")";
}

// "a, b or c"
std::string anyOf(std::vector<std::string> const& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

std::string numberOf(Places const& places, std::string_view name) {
  auto const* value = keyword(places, name);
  return value == nullptr ? "?" : json::serialize(*value);
}

std::string counted(std::string const& number, std::string_view what) {
  return number + " " + std::string(what) + (number == "1" ? "" : "s");
}

// ---- one function per keyword whose sentence needs the schema

std::string wrongType(Places const& places, json::value const* value) {
  std::vector<std::string> wanted;
  auto const* type = keyword(places, "type");
  if (type != nullptr && type->is_string()) wanted.emplace_back(typeInWords(type->as_string()));
  if (type != nullptr && type->is_array())
    for (auto const& one : type->as_array()) wanted.emplace_back(typeInWords(one.as_string()));
  if (wanted.empty()) return "is of the wrong type";
  bool const whole = wanted.size() == 1 && wanted.front() == typeInWords("integer");
  bool const broken = whole && value != nullptr && value->is_double();
  if (broken && std::abs(value->get_double()) >= kBeyondIntegers)
    return "must be a whole number of at most 18 digits" + aboutPlace(places);
  auto text =
      "must be " + anyOf(wanted) + ", not " + (broken ? "one with a fraction" : std::string(kindOf(value)));
  return whole ? text + aboutPlace(places) : text; // of what unit
}

// The first member of the value whose name is not allowed there, by the forms that propertyNames asks for and
// forbids; or "".
std::string wrongName(Places const& places, json::value const* value) {
  auto const* object = value == nullptr ? nullptr : value->if_object();
  auto const* names = keyword(places, "propertyNames");
  if (object == nullptr || names == nullptr) return {};
  auto const wanted = schema_patterns::Pattern::compile(textOr(*names, "/pattern", ""));
  auto const unwanted = textOr(*names, "/not/pattern", "");
  auto const forbidden = schema_patterns::Pattern::compile(unwanted);
  for (auto const& member : *object) {
    std::string_view const name = member.key();
    bool const asked = !wanted || wanted->matches(name);
    if (!asked || (!unwanted.empty() && forbidden && forbidden->matches(name))) return std::string(name);
  }
  return {};
}

std::string wrongForm(Places const& places, json::value const* value) {
  auto const* pattern = keyword(places, "pattern");
  if (pattern == nullptr || !pattern->is_string()) return "holds a member whose name is not allowed";
  std::string_view const text = pattern->as_string();
  if (text == "^https?://") {
    bool const feed = value != nullptr && value->is_string() &&
                      std::string_view(value->get_string()).starts_with("webcal://");
    return std::string("must begin with http:// or https://, such as https://studio.example/") +
           (feed ? "; webcal:// is another word for https://" : "");
  }
  auto const about = aboutPlace(places);
  return about.empty() ? "must match the pattern " + std::string(text)
                       : "does not have the form it must have" + about;
}

std::string notListed(Places const& places) {
  auto const* list = keyword(places, "enum");
  if (list == nullptr || !list->is_array()) return "is none of the values that are allowed";
  std::vector<std::string> words;
  for (auto const& one : list->as_array()) words.push_back(json::serialize(one));
  return "must be " + anyOf(words);
}

constexpr std::string_view kUnknown = "Object contains a property";

std::string sayUnknown(Places const& places, std::string_view name) {
  std::set<std::string> known;
  for (auto const* place : places)
    if (auto const* members = place->if_contains("properties"); members != nullptr && members->is_object())
      for (auto const& member : members->as_object()) known.emplace(member.key());
  std::string text = "unknown member " + quoted(name);
  if (known.empty() || known.size() > kMostListed) return text;
  std::string listed;
  for (auto const& one : known) listed += (listed.empty() ? "" : ", ") + one;
  return text + "; the members are: " + listed;
}

// The members of which one must be there, if a place says so by `keyword` (oneOf, anyOf); else empty.
std::vector<std::string> choicesOf(Places const& places, std::string_view keyword) {
  for (auto const* place : places) {
    auto const* branches = place->if_contains(keyword);
    if (branches == nullptr || !branches->is_array()) continue;
    std::vector<std::string> names;
    for (auto const& branch : branches->as_array()) {
      auto const* required = find(branch, "/required");
      if (required == nullptr || !required->is_array() || required->as_array().size() != 1) return {};
      names.push_back(quoted(required->as_array()[0].as_string()));
    }
    return names;
  }
  return {};
}

std::string missingMember(Places const& places, std::string_view name) {
  for (auto const& [keyword, how_many] : {std::pair("oneOf", "exactly"), std::pair("anyOf", "at least")}) {
    auto const choices = choicesOf(places, keyword);
    if (std::find(choices.begin(), choices.end(), quoted(name)) != choices.end())
      return "must have " + std::string(how_many) + " one of " + anyOf(choices);
  }
  return "the member " + quoted(name) + " is missing";
}

// What stands between the first and the last apostrophe.
std::string_view nameIn(std::string_view description) {
  auto const first = description.find('\'');
  auto const last = description.rfind('\'');
  return first == last ? std::string_view() : description.substr(first + 1, last - first - 1);
}

struct Sentence {
  std::string_view beginning; // of valijson's
  std::string (*words)(Places const&, json::value const*, std::string_view);
};

constexpr std::string_view kWrongMember = "Failed to validate against schema associated with property name";
constexpr std::string_view kWrongName = "A name is not allowed"; // our own

constexpr Sentence kSentences[] = {
    {kWrongName,
     [](Places const& at, json::value const* value, std::string_view) {
       return "no member may be called " + quoted(std::string_view(wrongName(at, value))) + aboutPlace(at);
     }},
    {"Value type not permitted",
     [](Places const& at, json::value const* value, std::string_view) { return wrongType(at, value); }},
    {"Failed to match regex",
     [](Places const& at, json::value const* value, std::string_view) { return wrongForm(at, value); }},
    {"Failed to match against any enum",
     [](Places const& at, json::value const*, std::string_view) { return notListed(at); }},
    {"Failed to match expected value set by 'const'",
     [](Places const& at, json::value const*, std::string_view) {
       return "must be " + numberOf(at, "const");
     }},
    {kUnknown, [](Places const& at, json::value const*,
                  std::string_view told) { return sayUnknown(at, unknownMember(told)); }},
    {"Missing required property", [](Places const& at, json::value const*,
                                     std::string_view told) { return missingMember(at, nameIn(told)); }},
    {"Missing dependency",
     [](Places const&, json::value const*, std::string_view told) {
       return "the member " + quoted(nameIn(told)) + " must be there too";
     }},
    {"Failed to validate against exactly one child",
     [](Places const& at, json::value const*, std::string_view) {
       auto const choices = choicesOf(at, "oneOf");
       return choices.empty() ? std::string("fits several of the forms it may have, and must fit one")
                              : "must have exactly one of " + anyOf(choices);
     }},
    {"String should be no fewer",
     [](Places const& at, json::value const*, std::string_view) {
       auto const least = numberOf(at, "minLength");
       return least == "1" ? std::string("must not be empty")
                           : "must have at least " + counted(least, "character");
     }},
    {"String should be no more",
     [](Places const& at, json::value const*, std::string_view) {
       return "must have at most " + counted(numberOf(at, "maxLength"), "character");
     }},
    {"Array should contain no fewer",
     [](Places const& at, json::value const*, std::string_view) {
       return "must have at least " + counted(numberOf(at, "minItems"), "item");
     }},
    {"Array should contain no more",
     [](Places const& at, json::value const*, std::string_view) {
       return "must have at most " + counted(numberOf(at, "maxItems"), "item");
     }},
    {"Elements at indexes", [](Places const&, json::value const*,
                               std::string_view) { return std::string("holds the same item twice"); }},
    {"Object should have no fewer",
     [](Places const& at, json::value const*, std::string_view) {
       return "must have at least " + counted(numberOf(at, "minProperties"), "member");
     }},
    {"Object should have no more",
     [](Places const& at, json::value const*, std::string_view) {
       return "must have at most " + counted(numberOf(at, "maxProperties"), "member");
     }},
    {"Expected number greater than or equal",
     [](Places const& at, json::value const*, std::string_view) {
       return "must be at least " + numberOf(at, "minimum");
     }},
    {"Expected number less than or equal",
     [](Places const& at, json::value const*, std::string_view) {
       return "must be at most " + numberOf(at, "maximum");
     }},
    {"Expected number greater",
     [](Places const& at, json::value const*, std::string_view) {
       return "must be greater than " + numberOf(at, "exclusiveMinimum");
     }},
    {"Expected number less",
     [](Places const& at, json::value const*, std::string_view) {
       return "must be less than " + numberOf(at, "exclusiveMaximum");
     }},
    {"Value should be a multiple",
     [](Places const& at, json::value const*, std::string_view) {
       return "must be a multiple of " + numberOf(at, "multipleOf");
     }},
    {"String should be a valid ",
     [](Places const&, json::value const*, std::string_view told) {
       auto const format = told.substr(std::string_view("String should be a valid ").size());
       if (format.starts_with("date-time"))
         return std::string("must be a date with a time and its zone, such as 2026-06-13T12:00:00Z");
       if (format.starts_with("date")) return std::string("must be a date such as 2026-06-13");
       if (format.starts_with("time"))
         return std::string("must be a time of day with its zone, such as 12:00:00Z");
       return "must be a valid " + std::string(format);
     }},
};

} // namespace

bool enclosesOthers(std::string_view description) {
  return description.starts_with("Failed to validate") &&
         !description.starts_with("Failed to validate against exactly one child");
}

Told placed(json::value const& schema, json::value const& document, Told told) {
  if (!enclosesOthers(told.description)) return told;
  auto steps = told.steps;
  if (told.description.starts_with(kWrongMember)) steps.emplace_back(nameIn(told.description));
  if (wrongName(placesAt(schema, steps), valueAt(document, steps)).empty()) return told;
  return {std::move(steps), std::string(kWrongName)};
}

std::string unknownMember(std::string_view description) {
  // Its own first apostrophes are around 'properties'.
  auto const colon = description.find("constraints: ");
  if (!description.starts_with(kUnknown) || colon == std::string_view::npos) return {};
  return std::string(nameIn(description.substr(colon)));
}

std::string say(json::value const& schema, json::value const& document, Told const& told) {
  for (auto const& sentence : kSentences)
    if (told.description.starts_with(sentence.beginning))
      return sentence.words(placesAt(schema, told.steps), valueAt(document, told.steps), told.description);
  return "does not have the form it must have";
}

} // namespace garland::schema_words
