// JSON to and from a connector's own types.
//
//   enum class State { active, cancelled };
//   GARLAND_WORDS(State, active, cancelled)
//   struct Booking { std::string id; State state; std::optional<std::string> note; };
//   GARLAND_RECORD(Booking, id, state, note)
//   auto booking = decode<Booking>(parse(response.body));
//
// Members are required unless they are std::optional (absent and null are the same); unknown members
// are ignored; what does not fit is told by its place: "/state: must be one of active, cancelled".
// A trailing underscore of a member's name is dropped, for names that C++ has taken ("class_").
#pragma once

#include <garland/sdk/error.hpp>
#include <garland/sdk/time.hpp>

#include <boost/describe.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#define GARLAND_RECORD(Type, ...) BOOST_DESCRIBE_STRUCT(Type, (), (__VA_ARGS__))
#define GARLAND_WORDS(Type, ...) BOOST_DESCRIBE_ENUM(Type, __VA_ARGS__)

namespace garland::sdk {

// One complete document; Failure(kind) "... at byte N" if it does not parse.
json::value parse(std::string_view text, Kind kind = Kind::providerBug);

// A place in a document, built up while decoding and written out only when something is wrong.
// `kind` is what a misfit means: providerBug in an answer, invalidInput in an operation's input.
class Place {
public:
  explicit Place(Kind kind = Kind::providerBug) : kind_(kind) {}
  Place(Place const& parent, std::string_view member)
      : parent_(&parent), member_(member), kind_(parent.kind_) {}
  Place(Place const& parent, std::size_t index) : parent_(&parent), index_(index), kind_(parent.kind_) {}

  std::string pointer() const;                         // RFC 6901
  [[noreturn]] void fail(std::string_view what) const; // "POINTER: WHAT"

private:
  Place const* parent_ = nullptr;
  std::string_view member_;
  std::size_t index_ = 0;
  Kind kind_;
};

template <class T> T decode(json::value const& value, Place const& place);

// Decodes a whole document; throws Failure(kind).
template <class T> T decode(json::value const& value, Kind kind = Kind::providerBug) {
  return decode<T>(value, Place(kind));
}

template <class T> json::value encode(T const& value);

namespace detail {

template <class> inline constexpr bool never = false;
template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_vector = false;
template <class T, class A> inline constexpr bool is_vector<std::vector<T, A>> = true;
template <class T> inline constexpr bool is_text_map = false;
template <class T, class C, class A> inline constexpr bool is_text_map<std::map<std::string, T, C, A>> = true;

// A type may bring its own form: `static T fromJson(json::value const&, Place const&)` and
// `json::value toJson() const`.
template <class T>
concept ReadsItself = requires(json::value const& v, Place const& p) {
  { T::fromJson(v, p) } -> std::same_as<T>;
};
template <class T>
concept WritesItself = requires(T const& t) {
  { t.toJson() } -> std::convertible_to<json::value>;
};

constexpr std::string_view memberName(char const* name) {
  std::string_view text = name;
  if (text.ends_with('_')) text.remove_suffix(1);
  return text;
}

json::object const& objectAt(json::value const& value, Place const& place);
json::array const& arrayAt(json::value const& value, Place const& place);
std::string_view textAt(json::value const& value, Place const& place);
std::int64_t integerAt(json::value const& value, Place const& place, std::int64_t least, std::int64_t most);
double numberAt(json::value const& value, Place const& place);
bool boolAt(json::value const& value, Place const& place);
TimePoint instantAt(json::value const& value, Place const& place);

template <class T> T decodeWord(json::value const& value, Place const& place) {
  auto const text = textAt(value, place);
  T found{};
  bool known = false;
  std::string words;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto word) {
    if (text == memberName(word.name)) {
      found = word.value;
      known = true;
    }
    words += (words.empty() ? "" : ", ") + std::string(memberName(word.name));
  });
  if (!known) place.fail("must be one of " + words);
  return found;
}

template <class T> T decodeRecord(json::value const& value, Place const& place) {
  auto const& object = objectAt(value, place);
  T record{};
  using Members =
      boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(record.*member.pointer)>;
    auto const name = memberName(member.name);
    Place const here(place, name);
    if (auto const* found = object.if_contains(name)) {
      record.*member.pointer = decode<Member>(*found, here);
    } else if constexpr (!is_optional<Member>) {
      here.fail("is missing");
    }
  });
  return record;
}

template <class T> json::object encodeRecord(T const& record) {
  json::object object;
  using Members =
      boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    auto const& value = record.*member.pointer;
    if constexpr (is_optional<std::remove_cvref_t<decltype(value)>>) {
      if (value) object[memberName(member.name)] = encode(*value);
    } else {
      object[memberName(member.name)] = encode(value);
    }
  });
  return object;
}

} // namespace detail

// Decodes the value at `place` of a document.
template <class T> T decode(json::value const& value, Place const& place) {
  if constexpr (std::same_as<T, json::value>) {
    return value;
  } else if constexpr (std::same_as<T, json::object>) {
    return detail::objectAt(value, place);
  } else if constexpr (detail::ReadsItself<T>) {
    return T::fromJson(value, place);
  } else if constexpr (std::same_as<T, bool>) {
    return detail::boolAt(value, place);
  } else if constexpr (std::integral<T>) {
    static_assert(sizeof(T) < 8 || std::signed_integral<T>, "use std::int64_t");
    return static_cast<T>(
        detail::integerAt(value, place, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else if constexpr (std::same_as<T, double>) {
    return detail::numberAt(value, place);
  } else if constexpr (std::same_as<T, std::string>) {
    return std::string(detail::textAt(value, place));
  } else if constexpr (std::same_as<T, TimePoint>) {
    return detail::instantAt(value, place);
  } else if constexpr (detail::is_optional<T>) {
    if (value.is_null()) return std::nullopt;
    return decode<typename T::value_type>(value, place);
  } else if constexpr (detail::is_vector<T>) {
    T items;
    for (auto const& item : detail::arrayAt(value, place))
      items.push_back(decode<typename T::value_type>(item, Place(place, items.size())));
    return items;
  } else if constexpr (detail::is_text_map<T>) {
    T members;
    for (auto const& [name, member] : detail::objectAt(value, place))
      members.emplace(name, decode<typename T::mapped_type>(member, Place(place, name)));
    return members;
  } else if constexpr (boost::describe::has_describe_enumerators<T>::value) {
    return detail::decodeWord<T>(value, place);
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    return detail::decodeRecord<T>(value, place);
  } else {
    static_assert(detail::never<T>, "describe this type with GARLAND_RECORD or GARLAND_WORDS");
  }
}

// The JSON of a value. Optionals without a value are left out of records.
template <class T> json::value encode(T const& value) {
  if constexpr (detail::WritesItself<T>) {
    return value.toJson();
  } else if constexpr (std::same_as<T, TimePoint>) {
    return json::value(rfc3339(value));
  } else if constexpr (detail::is_optional<T>) {
    return value ? encode(*value) : json::value();
  } else if constexpr (detail::is_vector<T>) {
    json::array items;
    for (auto const& item : value) items.push_back(encode(item));
    return items;
  } else if constexpr (detail::is_text_map<T>) {
    json::object members;
    for (auto const& [name, member] : value) members[name] = encode(member);
    return members;
  } else if constexpr (boost::describe::has_describe_enumerators<T>::value) {
    return json::value(detail::memberName(boost::describe::enum_to_string(value, "")));
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    return detail::encodeRecord(value);
  } else {
    return json::value(value);
  }
}

} // namespace garland::sdk
