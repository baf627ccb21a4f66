// Field maps: which member of a canonical record is which member of the provider's, as a table.
//
//   constexpr fields::Word stages[] = {{"lead", "lead"}, {"booked", "won"}};
//   constexpr fields::Field project[] = {
//       {"/name", "/title", fields::Text{}, fields::Way::both, true},
//       {"/stage", "/state", fields::Words{stages, "other"}},
//       {"/total", "/sum", fields::Amount{.currency = "/currency"}, fields::Way::in},
//   };
//   auto record = fields::read(project, parse(response.body), context);
//   auto changed = fields::write(project, record, theirs_now, context);
//
// Absent, null and (for texts) "" are all "no value". Reading is lenient where nothing is lost: "12" is
// an integer, 7 an id. What does not fit is Failure(providerBug) "/state: must be ...", by its pointer.
// Writing touches only what differs by this very reading, so a provider's spelling, and every member
// that no row names, stays as it is. A bad value of ours is Failure(invalidInput) with its field.
#pragma once

#include <garland/sdk/json.hpp>
#include <garland/sdk/money.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace garland::sdk::fields {

// How a provider writes an amount.
enum class AmountForm {
  minor,   // 12050
  major,   // 120, whole units
  text,    // "120.50"
  number,  // 120.50
  account, // as Context::amounts says, which differs from account to account
};

// What rows need to know of the account. Empty: not known.
struct Context {
  std::string currency = {};              // ISO 4217, for amounts that do not name theirs
  std::string zone = {};                  // IANA name, for clock times that do not name theirs
  std::string calling_code = {};          // "1", for phone numbers without one
  std::optional<AmountForm> amounts = {}; // absent: rows of AmountForm::account have no value
};

enum class Way { both, in, out };

// Surrounding white space is not part of a text.
struct Text {};
struct Integer {};
struct Boolean {};
// "2026-06-13". A date-time is cut to its date, in the zone that it is written in.
struct Date {};
// Ours is RFC 3339 in UTC.
struct Timestamp {
  enum class Form { rfc3339, seconds, milliseconds };
  Form form = Form::rfc3339;
};
// Ours is a time as in record.calendar.event.json: a date, a clock time in a zone, or UTC. The row's own
// pointer is the date. A zone that is no IANA name is not believed: then `utc` counts.
struct When {
  std::string_view time = {};      // "14:00" or "14:00:00"; no value: a whole day
  std::string_view zone = {};      // IANA name; no value: the account's
  std::string_view utc = {};       // RFC 3339, only read
  std::string_view whole_day = {}; // true: a date
};
// Ours is "+493012345", or the bare digits if the country is not known; an extension is ";ext=12".
struct Phone {};
struct Email {}; // in lower case
struct Word {
  std::string_view ours;
  std::string_view theirs;
};
// With `otherwise`, every other word of theirs is read as this one, and this one is never written.
struct Words {
  std::span<Word const> table;
  std::string_view otherwise = {};
};
// Ours is {"amount": 12050, "currency": "EUR"} in minor units.
struct Amount {
  AmountForm form = AmountForm::minor;
  std::string_view currency = {}; // theirs; none: the account's
  bool lower_case = false;        // how a currency is written
  std::span<MinorDigits const> exceptions = {};
  bool whole_tens = false; // with three digits behind the point, the provider takes only a last digit of 0
};
// Theirs is first and last name, the row's pointer and this one; ours the whole name.
struct JoinName {
  std::string_view last;
};
// Theirs is the whole name; ours first and last name, the row's pointer and this one.
struct SplitName {
  std::string_view last;
};
// Theirs is [{key, value}, ...], ours {key: value}, texts both. Other members of an entry stay.
struct Pairs {
  std::string_view key; // pointers into an entry
  std::string_view value;
};
// An array of texts.
struct Texts {};

using Form = std::variant<Text, Integer, Boolean, Date, Timestamp, When, Phone, Email, Words, Amount,
                          JoinName, SplitName, Pairs, Texts>;

// One row. Pointers are JSON Pointers without array indices.
struct Field {
  std::string_view ours;
  std::string_view theirs;
  Form form = Text{};
  Way way = Way::both;
  bool required = false; // without it the record cannot be read, nor be written
};
using Map = std::span<Field const>;

// The canonical record; rows of Way::out are skipped.
json::object read(Map map, json::value const& theirs, Context const& context);

// `theirs`, an object, as it is to be at the provider; rows of Way::in are skipped.
json::object write(Map map, json::value const& ours, json::value const& theirs, Context const& context);

// The members of `after` that are not the same in `before`: the body for a provider that changes only
// what a request names.
json::object changes(json::value const& before, json::object const& after);

} // namespace garland::sdk::fields
