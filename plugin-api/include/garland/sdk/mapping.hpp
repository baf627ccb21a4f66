// A connector that is a mapping: hooks and rows of CSV files become records by rules in a file
// (mapping.json), whose format is sdk-docs/intake.md and plugin-api/schemas/mapping.json. No provider is
// known here.
#pragma once

#include <garland/sdk/intake.hpp>
#include <garland/sdk/loose.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace garland::sdk::intake {

namespace rules {

struct Condition {
  std::vector<std::string> at; // alternatives: the first that has a value
  std::optional<std::vector<std::string>> is;
  std::optional<bool> present;
};
GARLAND_RECORD(Condition, at, is, present)

struct Field {
  std::string to; // pointer into our record
  std::optional<std::vector<std::string>> from;
  std::optional<std::string> as;
  std::optional<json::value> value; // a constant, instead of `from`
  std::optional<bool> required;
  std::optional<std::string> else_; // where the text goes that the converter cannot read
  std::optional<std::map<std::string, std::string>> words;
  std::optional<std::string> otherwise;
};
GARLAND_RECORD(Field, to, from, as, value, required, else_, words, otherwise)

struct Emit {
  std::string kind;
  std::optional<std::vector<std::string>> id;
  std::optional<std::vector<std::string>> id_of; // pointers into our record
  std::optional<std::vector<Field>> fields;
  std::optional<std::vector<std::string>> use; // names of sets, whose fields come behind its own
  std::optional<std::string> rest;
};
GARLAND_RECORD(Emit, kind, id, id_of, fields, use, rest)

// A column that a file must have: a name, or a list of names of which one must be there.
struct Column {
  std::vector<std::string> names;

  static Column fromJson(json::value const& value, Place const& place);
  bool isAmong(std::set<std::string> const& columns) const;
};

struct Rule {
  std::string name;
  std::optional<std::vector<Condition>> when;
  std::optional<std::vector<Column>> columns; // of CSV files
  std::optional<std::string> ignore;          // why; instead of `emit`
  std::optional<std::vector<Emit>> emit;
};
GARLAND_RECORD(Rule, name, when, columns, ignore, emit)

struct Defaults {
  std::optional<std::string> currency;
  std::optional<std::string> date_order;
  std::optional<std::string> calling_code;
};
GARLAND_RECORD(Defaults, currency, date_order, calling_code)

} // namespace rules

// `value` with all names in one spelling (loose::memberName), at every depth. Of two names that become one,
// the first that has a value counts.
json::value withPlainNames(json::value const& value);

// Where a document stands in its item, for people: "row 4", whose members are "column".
struct Part {
  std::string name;
  std::string_view member = "member";
};

// The records of one item whose ids were made of their members: a second of one id would be stored as the
// same record, though nobody said that it is.
class MadeUpIds {
public:
  // Failure(invalidInput) if the rule made this id of this item before.
  void add(rules::Rule const& rule, std::string const& kind, std::string const& id,
           json::object const& record, std::string_view place);

private:
  struct First {
    std::string place;
    json::object record;
  };
  std::map<std::tuple<rules::Rule const*, std::string, std::string>, First> firsts_; // by rule, kind, id
};

class Mapping {
public:
  // Failure(pluginBug) with its place.
  explicit Mapping(std::string_view text);

  // Account settings of the names of the defaults come first.
  void use(json::object const& settings);

  // The first rule of the section that fits; `columns`: the names of a file's columns, if it is one.
  rules::Rule const* find(std::string_view section, json::object const& document,
                          std::set<std::string> const& columns = {}) const;
  // Whether a rule of the section is for files of these columns.
  bool takes(std::string_view section, std::set<std::string> const& columns) const;
  // Which columns its rules want, in words: "email or email_address (contacts); project_name (projects)".
  std::string columnsWanted(std::string_view section) const;
  // Those of a section, in order, with plain names.
  std::vector<rules::Rule> const& rulesOf(std::string_view section) const;
  // What one of the rule's `emit` makes of a document. Failure(invalidInput) if it cannot be read.
  json::object recordOf(rules::Rule const& rule, rules::Emit const& emit, json::object const& document) const;
  // What the rule makes of a document with plain names. What cannot be read is a problem of its part, and so
  // is what has a made-up id that `made_up`, one of each item, knows already. [suspends]
  void put(rules::Rule const& rule, json::object const& document, Part const& part, MadeUpIds& made_up,
           Records& out) const;

private:
  void prepare(rules::Rule& rule, std::map<std::string, std::vector<rules::Field>> const& sets) const;
  json::object record(rules::Emit const& emit, json::object const& document) const;
  std::string givenId(rules::Emit const& emit, json::object const& document) const;
  std::string madeUpId(rules::Emit const& emit, json::object const& record) const;
  void field(rules::Field const& field, json::object const& document, json::object& out) const;
  std::optional<json::value> converted(rules::Field const& field, std::string const& text) const;
  std::string rest(rules::Rule const& rule, rules::Emit const& emit, json::object const& document,
                   json::object& out) const;

  std::map<std::string, std::vector<rules::Rule>, std::less<>> sections_;
  rules::Defaults file_defaults_;
  std::string currency_;
  std::string calling_code_;
  loose::DateOrder date_order_ = loose::DateOrder::mdy;
};

// Reads hooks and CSV rows by its mapping. garland_add_mapped_connector() makes a connector of it.
class MappedConnector : public IntakeConnector {
public:
  explicit MappedConnector(std::string_view mapping) : text_(mapping) {}
  HealthReport check(Account& account, Call& call) override; // that the settings can be read
  Outcome parse(Account& account, Item const& item, Records& records) override;

private:
  Outcome hook(Hook const& hook, Records& records) const;
  Outcome csv(Csv const& csv, Records& records) const;

  std::string_view text_;
  std::optional<Mapping> mapping_; // read at first use, where a failure can be told
};

} // namespace garland::sdk::intake
