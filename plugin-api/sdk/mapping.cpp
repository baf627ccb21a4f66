// Rules applied to one document: which fits, and what records it makes.
#include <garland/sdk/mapping.hpp>
#include <garland/sdk/pointer.hpp>

#include "fields_texts.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace garland::sdk::intake {
namespace {

constexpr std::size_t kMostRest = 200;      // members
constexpr std::size_t kMostRestText = 4000; // bytes of one

json::value const* at(json::object const& document, std::string_view pointer) {
  auto const* value = sdk::find(document, pointer);
  return value;
}

// As people write it: JSON's own 1.2505E3 is no amount.
std::string numberText(json::value const& value) {
  auto const* number = value.if_double();
  if (number == nullptr) return json::serialize(value);
  std::array<char, 512> digits{}; // the least of all takes 326
  auto const end =
      std::to_chars(digits.data(), digits.data() + digits.size(), *number, std::chars_format::fixed).ptr;
  return {digits.data(), end};
}

// The text there: of numbers and yes or no as they are written, of a list its texts. Empty: no value.
std::string textOf(json::value const& value) {
  if (value.is_string()) return fields::trimmed(std::string_view(value.get_string()));
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_number()) return numberText(value);
  if (!value.is_array()) return {};
  std::string all;
  for (auto const& item : value.get_array())
    if (auto const text = item.is_array() ? std::string() : textOf(item); !text.empty())
      all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string firstText(std::vector<std::string> const& pointers, json::object const& document) {
  for (auto const& pointer : pointers)
    if (auto const* value = at(document, pointer))
      if (auto text = textOf(*value); !text.empty()) return text;
  return {};
}

std::string joinedTexts(std::vector<std::string> const& pointers, json::object const& document) {
  std::string all;
  for (auto const& pointer : pointers)
    if (auto const text = firstText({pointer}, document); !text.empty())
      all += (all.empty() ? "" : " ") + text;
  return all;
}

bool holds(rules::Condition const& condition, json::object const& document) {
  auto const text = firstText(condition.at, document);
  bool there = !text.empty();
  for (auto const& pointer : condition.at) {
    auto const* value = at(document, pointer);
    there = there || (value != nullptr && value->is_object() && !value->get_object().empty());
  }
  if (condition.present && *condition.present != there) return false;
  if (!condition.is) return true;
  auto const wanted = loose::memberName(text);
  return !text.empty() && std::ranges::any_of(*condition.is, [&](std::string const& word) {
    return loose::memberName(word) == wanted;
  });
}

// "/client/name" in plain names.
std::string plainPointer(std::string_view pointer) {
  std::string out;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    auto const end = std::min(pointer.find('/'), pointer.size());
    out += "/" + loose::memberName(pointer.substr(0, end));
    pointer.remove_prefix(end);
  }
  return out;
}

void plain(std::vector<std::string>& pointers) {
  for (auto& pointer : pointers) pointer = plainPointer(pointer);
}

bool saysNothing(json::value const& value) {
  if (value.is_object()) return value.get_object().empty();
  return value.is_null() || (value.is_string() && textOf(value).empty()) ||
         (value.is_array() && value.get_array().empty());
}

// The pointers of members that some rule has read, and what is left of a document without those.
using Read = std::set<std::string, std::less<>>;

// Of alternatives the one that counted, and those that say the same.
void addRead(Read& read, rules::Field const& field, json::object const& document) {
  auto const counted = loose::memberName(firstText(*field.from, document));
  for (auto const& pointer : *field.from)
    if (field.as == "joined" || loose::memberName(firstText({pointer}, document)) == counted)
      read.insert(pointer);
}

// Null: nothing. What is no text at its own place has not been read there.
json::value unread(json::value const& value, std::string const& pointer, Read const& read) {
  if (saysNothing(value) || (read.contains(pointer) && !textOf(value).empty())) return nullptr;
  auto const below = read.lower_bound(pointer + "/");
  if (below == read.end() || !below->starts_with(pointer + "/")) return value;
  if (auto const* list = value.if_array()) {
    json::array left;
    for (std::size_t i = 0; i < list->size(); ++i)
      if (auto item = unread((*list)[i], pointer + "/" + std::to_string(i), read); !item.is_null())
        left.push_back(std::move(item));
    return left.empty() ? json::value() : json::value(std::move(left));
  }
  auto const* object = value.if_object();
  if (object == nullptr) return value;
  json::object left;
  for (auto const& [name, member] : *object)
    if (auto item = unread(member, pointer + "/" + std::string(std::string_view(name)), read);
        !item.is_null())
      left[name] = std::move(item);
  return left.empty() ? json::value() : json::value(std::move(left));
}

// A list of objects has no text of its own.
std::string restText(json::value const& value) {
  auto text = textOf(value);
  return text.empty() && !saysNothing(value) ? json::serialize(value) : text;
}

// In one spelling; but by its dots an address is told from another.
std::string idPart(json::value const& value) {
  auto const text = textOf(value);
  return text.find('@') == std::string::npos ? loose::memberName(text) : text;
}

[[noreturn]] void unclear(std::string const& what) { throw Failure(Kind::invalidInput, what); }

// "-5.00", "$-5.00" and, as bookkeepers write it, "(5.00)".
bool isBelowZero(std::string const& as, std::string const& text) {
  return as == "money" && text.find_first_of("-(") < text.find_first_of("0123456789");
}

std::optional<bool> yesOrNo(std::string const& text) {
  auto const word = loose::memberName(text);
  if (word == "true" || word == "yes" || word == "1" || word == "y" || word == "on") return true;
  if (word == "false" || word == "no" || word == "0" || word == "n" || word == "off") return false;
  return std::nullopt;
}

std::optional<json::value> momentOf(std::string const& text) {
  if (auto const when = parseRfc3339(text)) return json::value(rfc3339(*when));
  auto const number = loose::count(text);
  constexpr std::int64_t in_seconds = 100'000'000'000; // until the year 5138; milliseconds since 1973
  if (!number || *number < 100'000'000 || *number > 10'000'000'000'000) return std::nullopt;
  return json::value(rfc3339(TimePoint(Milliseconds(*number < in_seconds ? *number * 1000 : *number))));
}

bool hasColumnsOf(rules::Rule const& rule, std::set<std::string> const& columns) {
  return !rule.columns || std::ranges::all_of(*rule.columns, [&](rules::Column const& column) {
    return column.isAmong(columns);
  });
}

// By pointer into the record, what of the document its members were read from.
json::object placesOf(rules::Emit const& emit, json::object const& document, Part const& part) {
  json::object places{{"", part.name}};
  for (auto const& field : *emit.fields) {
    if (!field.from || places.contains(field.to)) continue;
    auto const read = std::ranges::find_if(
        *field.from, [&](std::string const& pointer) { return !firstText({pointer}, document).empty(); });
    if (read == field.from->end()) continue;
    auto const text = part.name + ", " + std::string(part.member) + " " +
                      std::string(fields::shortened(std::string_view(*read).substr(1), 100));
    places.emplace(field.to, text);
    if (field.else_) places.emplace(*field.else_, text);
  }
  return places;
}

// What stands at the pointer, or of an e-mail address that could not be read the text that is kept instead.
json::value const* identityAt(std::string const& pointer, rules::Emit const& emit,
                              json::object const& record) {
  auto const* value = at(record, pointer);
  if (value != nullptr || !emit.fields) return value;
  for (auto const& field : *emit.fields)
    if (value == nullptr && field.to == pointer && field.as == "email" && field.else_)
      value = at(record, *field.else_);
  return value;
}

// A sentence on an e-mail address that the document says and nobody can write to; "" if there is none.
std::string unreadEmail(rules::Emit const& emit, json::object const& document, json::object const& record) {
  for (auto const& field : *emit.fields) {
    if (field.as != "email" || !field.from || !field.else_) continue;
    auto const text = firstText(*field.from, document);
    auto const* kept = at(record, *field.else_);
    if (text.empty() || fields::emailOf(text) || kept == nullptr || *kept != json::value(text)) continue;
    return "\"" + std::string(fields::shortened(text, 100)) +
           "\" is no e-mail address, and is stored as a text in " + *field.else_;
  }
  return {};
}

template <class T> std::optional<json::value> valueOr(std::optional<T> const& found) {
  if (!found) return std::nullopt;
  return json::value(*found);
}

} // namespace

rules::Column rules::Column::fromJson(json::value const& value, Place const& place) {
  if (value.is_array()) return {decode<std::vector<std::string>>(value, place)};
  return {{decode<std::string>(value, place)}};
}

bool rules::Column::isAmong(std::set<std::string> const& columns) const {
  return std::ranges::any_of(names, [&](std::string const& name) { return columns.contains(name); });
}

json::value withPlainNames(json::value const& value) {
  if (auto const* list = value.if_array()) {
    json::array items;
    for (auto const& item : *list) items.push_back(withPlainNames(item));
    return items;
  }
  auto const* object = value.if_object();
  if (object == nullptr) return value;
  json::object members;
  for (auto const& [name, member] : *object) {
    auto& place = members[loose::memberName(name)];
    if (saysNothing(place)) place = withPlainNames(member);
  }
  return members;
}

Mapping::Mapping(std::string_view text) {
  auto const file = parse(text, Kind::pluginBug);
  Place const whole(Kind::pluginBug);
  if (!file.is_object()) whole.fail("a mapping is an object");
  std::map<std::string, std::vector<rules::Field>> sets;
  for (auto const& [name, section] : file.get_object()) {
    Place const here(whole, name);
    if (name == "defaults") file_defaults_ = decode<rules::Defaults>(section, here);
    if (name == "sets") sets = decode<decltype(sets)>(section, here);
    if (section.is_array())
      sections_[std::string(std::string_view(name))] = decode<std::vector<rules::Rule>>(section, here);
  }
  for (auto& [name, all] : sections_)
    for (auto& rule : all) prepare(rule, sets);
  use({});
}

// Names in one spelling, and sets put in their place.
void Mapping::prepare(rules::Rule& rule, std::map<std::string, std::vector<rules::Field>> const& sets) const {
  if (rule.when)
    for (auto& condition : *rule.when) plain(condition.at);
  if (rule.columns)
    for (auto& column : *rule.columns)
      for (auto& name : column.names) name = loose::memberName(name);
  if (!rule.emit) return;
  for (auto& emit : *rule.emit) {
    if (!emit.fields) emit.fields.emplace();
    for (auto const& name : emit.use.value_or(std::vector<std::string>())) {
      auto const set = sets.find(name);
      if (set == sets.end()) throw Failure(Kind::pluginBug, "the mapping has no set \"" + name + "\"");
      emit.fields->insert(emit.fields->end(), set->second.begin(), set->second.end());
    }
    if (emit.id) plain(*emit.id);
    for (auto& field : *emit.fields)
      if (field.from) plain(*field.from);
  }
}

void Mapping::use(json::object const& settings) {
  auto const one = [&](std::string_view name, std::optional<std::string> const& otherwise) {
    auto const* set = settings.if_contains(name);
    auto const text = set == nullptr ? std::string() : textOf(*set);
    return text.empty() ? otherwise.value_or("") : text;
  };
  currency_ = one("currency", file_defaults_.currency);
  calling_code_ = one("calling_code", file_defaults_.calling_code);
  bool const day_first = one("date_order", file_defaults_.date_order) == "dmy";
  date_order_ = day_first ? loose::DateOrder::dmy : loose::DateOrder::mdy;
}

bool Mapping::takes(std::string_view section, std::set<std::string> const& columns) const {
  auto const found = sections_.find(section);
  return found != sections_.end() && std::ranges::any_of(found->second, [&](rules::Rule const& rule) {
           return hasColumnsOf(rule, columns);
         });
}

std::string Mapping::columnsWanted(std::string_view section) const {
  std::string all;
  for (auto const& rule : rulesOf(section)) {
    std::string wanted;
    for (auto const& column : rule.columns.value_or(std::vector<rules::Column>())) {
      std::string names;
      for (auto const& name : column.names) names += (names.empty() ? "" : " or ") + name;
      wanted += (wanted.empty() ? "" : " and ") + names;
    }
    if (wanted.empty()) continue;
    wanted += " (" + rule.name + ")";
    if (all.find(wanted) == std::string::npos) all += (all.empty() ? "" : "; ") + wanted;
  }
  return all;
}

rules::Rule const* Mapping::find(std::string_view section, json::object const& document,
                                 std::set<std::string> const& columns) const {
  auto const found = sections_.find(section);
  if (found == sections_.end()) return nullptr;
  for (auto const& rule : found->second) {
    bool fits = hasColumnsOf(rule, columns);
    if (fits && rule.when)
      fits =
          std::ranges::all_of(*rule.when, [&](auto const& condition) { return holds(condition, document); });
    if (fits) return &rule;
  }
  return nullptr;
}

std::vector<rules::Rule> const& Mapping::rulesOf(std::string_view section) const {
  static std::vector<rules::Rule> const none;
  auto const found = sections_.find(section);
  return found == sections_.end() ? none : found->second;
}

json::object Mapping::recordOf(rules::Rule const& rule, rules::Emit const& emit,
                               json::object const& document) const {
  auto made = record(emit, document);
  if (givenId(emit, document).empty()) madeUpId(emit, made);
  auto const left_out = emit.rest ? rest(rule, emit, document, made) : std::string();
  if (!left_out.empty()) unclear(left_out);
  return made;
}

void Mapping::put(rules::Rule const& rule, json::object const& document, Part const& part, MadeUpIds& made_up,
                  Records& out) const {
  if (!rule.emit) return;
  for (auto const& emit : *rule.emit) {
    auto failure = attempt([&] {
      auto made = record(emit, document);
      auto const given = givenId(emit, document);
      auto const id = given.empty() ? madeUpId(emit, made) : given;
      auto const left_out = emit.rest ? rest(rule, emit, document, made) : std::string();
      if (given.empty()) made_up.add(rule, emit.kind, id, made, part.name);
      auto const no_email = unreadEmail(emit, document, made);
      out.put(emit.kind, id, std::move(made), placesOf(emit, document, part));
      if (!no_email.empty())
        out.problem(part.name, Failure(Kind::invalidInput, no_email).within(rule.name + ", " + emit.kind));
      if (!left_out.empty()) unclear(left_out);
    });
    if (failure) out.problem(part.name, std::move(*failure).within(rule.name + ", " + emit.kind));
  }
}

json::object Mapping::record(rules::Emit const& emit, json::object const& document) const {
  json::object out;
  for (auto const& one : *emit.fields) {
    field(one, document, out);
    if (one.required.value_or(false) && sdk::find(out, one.to) == nullptr) unclear(one.to + " is missing");
  }
  return out;
}

// Empty: the provider gave none.
std::string Mapping::givenId(rules::Emit const& emit, json::object const& document) const {
  return emit.id ? firstText(*emit.id, document) : std::string();
}

// Values may hold the separator, so it is told from theirs. An amount alone says of nothing which it is, and
// a person's name alone, behind members that are blank, not of whom.
std::string Mapping::madeUpId(rules::Emit const& emit, json::object const& record) const {
  std::string id;
  std::vector<std::string> telling;
  auto const pointers = emit.id_of.value_or(std::vector<std::string>());
  for (auto const& pointer : pointers) {
    auto const* value = identityAt(pointer, emit, record);
    auto const text = value == nullptr ? std::string() : idPart(*value);
    if (!text.empty() && !value->is_number()) telling.push_back(pointer);
    id += (id.empty() ? "of " : " | ") + text;
  }
  if (telling.empty()) unclear("nothing in it says which record is meant");
  if (telling.size() == 1 && telling[0] == "/name" && pointers[0] != "/name")
    unclear("nothing but a name says which record is meant, and others may have the same: give it an id or " +
            std::string(fields::shortened(std::string_view(pointers[0]).substr(1), 100)));
  return id;
}

void MadeUpIds::add(rules::Rule const& rule, std::string const& kind, std::string const& id,
                    json::object const& record, std::string_view place) {
  auto const [first, is_new] =
      firsts_.try_emplace(std::tuple(&rule, kind, id), First{std::string(place), record});
  if (is_new) return;
  auto const& there = first->second;
  if (there.record == record)
    unclear("it says the same as " + there.place +
            ", and nothing tells the two apart, so one record is kept: if there were two, give this one an "
            "id of its own and hand it in again; if it is the same one twice, dismiss this");
  unclear("nothing tells it from " + there.place +
          ", which says something else, and it is not kept: give each an id, and hand them in again");
}

void Mapping::field(rules::Field const& field, json::object const& document, json::object& out) const {
  if (field.value && sdk::find(out, field.to) == nullptr) return sdk::put(out, field.to, *field.value);
  if (!field.from || sdk::find(out, field.to) != nullptr) return;
  auto const text =
      field.as == "joined" ? joinedTexts(*field.from, document) : firstText(*field.from, document);
  if (text.empty()) return;
  if (auto value = converted(field, text)) {
    if (!value->is_null()) sdk::put(out, field.to, std::move(*value));
    return;
  }
  if (!field.else_)
    unclear(field.to + ": \"" + std::string(fields::shortened(text, 100)) + "\" cannot be read as " +
            *field.as + (isBelowZero(*field.as, text) ? ": amounts below zero are not taken" : ""));
  sdk::put(out, *field.else_, json::value(text));
}

// Null: read, and no value.
std::optional<json::value> Mapping::converted(rules::Field const& field, std::string const& text) const {
  auto const as = field.as.value_or("text");
  if (as == "text" || as == "joined") return json::value(text);
  if (as == "date") return valueOr(loose::date(text, date_order_));
  if (as == "integer") return valueOr(loose::count(text));
  if (as == "boolean") return valueOr(yesOrNo(text));
  if (as == "timestamp") return momentOf(text);
  if (as == "phone") return valueOr(fields::phoneOf(text, calling_code_));
  if (as == "email") return valueOr(fields::emailOf(text));
  if (as == "first_name" || as == "last_name") {
    auto const [first, last] = fields::splitName(text);
    auto const& part = as == "first_name" ? first : last;
    return part.empty() ? json::value() : json::value(part); // of one word, there is no last name
  }
  if (as == "money") {
    auto const amount = loose::money(text, currency_);
    return amount ? std::optional(encode(*amount)) : std::nullopt;
  }
  if (as != "words" || !field.words)
    throw Failure(Kind::pluginBug, "the mapping has no converter \"" + as + "\"");
  auto const word = loose::memberName(text);
  for (auto const& [theirs, ours] : *field.words)
    if (loose::memberName(theirs) == word) return json::value(ours);
  return field.otherwise ? std::optional(json::value(*field.otherwise)) : std::nullopt;
}

// What this rule does not read, so that a form's own questions are not lost. The answer: a sentence on what
// would not fit.
std::string Mapping::rest(rules::Rule const& rule, rules::Emit const& emit, json::object const& document,
                          json::object& out) const {
  Read read;
  if (rule.when)
    for (auto const& condition : *rule.when) read.insert(condition.at.begin(), condition.at.end());
  for (auto const& one : *rule.emit) {
    if (one.id) read.insert(one.id->begin(), one.id->end());
    for (auto const& field : *one.fields)
      if (field.from) addRead(read, field, document);
  }
  std::size_t count = 0;
  std::string left_out;
  for (auto const& [member, value] : document) {
    auto const name = std::string(std::string_view(member)); // a plain name has no slash
    auto const left = unread(value, "/" + name, read);
    auto const pointer = *emit.rest + "/" + name;
    if (left.is_null() || sdk::find(out, pointer) != nullptr) continue;
    auto const text = restText(left);
    if (text.size() <= kMostRestText && count < kMostRest) {
      ++count;
      sdk::put(out, pointer, json::value(text));
    } else if (left_out.size() < 200) {
      left_out += (left_out.empty() ? "" : ", ") + std::string(fields::shortened(name, 100));
    }
  }
  if (left_out.empty()) return {};
  return "it is stored without " + left_out + ": " + *emit.rest + " takes 200 members of 4000 bytes";
}

} // namespace garland::sdk::intake
