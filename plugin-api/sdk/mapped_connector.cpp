// Items made into documents for the rules: a hook's body and query, a file's rows.
#include <garland/sdk/mapping.hpp>

#include "fields_texts.h"

#include <algorithm>
#include <map>

namespace garland::sdk::intake {
namespace {

constexpr std::size_t kMostColumns = 500;

struct Settings {
  std::optional<std::string> account, currency, date_order, calling_code;
};
GARLAND_RECORD(Settings, account, currency, date_order, calling_code)

std::string listed(std::set<std::string> const& names) {
  std::string all;
  for (auto const& name : names) {
    if (all.size() > 500) return all + ", ...";
    all += (all.empty() ? "" : ", ") + name;
  }
  return all;
}

std::set<std::string> namesOf(json::object const& document) {
  std::set<std::string> names;
  for (auto const& member : document) names.emplace(member.key());
  return names;
}

// Members of the body, and those of the query that it does not have.
json::object documentOf(json::value const& body, json::object const& query) {
  auto document = withPlainNames(body);
  auto const more = withPlainNames(json::value(query));
  for (auto const& [name, value] : more.get_object()) document.get_object().emplace(name, value);
  return std::move(document.get_object());
}

bool isBlank(std::vector<std::string> const& row) {
  return std::ranges::all_of(
      row, [](std::string const& cell) { return cell.find_first_not_of(" \t\r\n") == std::string::npos; });
}

// By names: of several columns that are one name here, the first that says something. Failure(invalidInput)
// if two of them say different things, since only one could be kept.
json::object cellsOf(std::vector<std::string> const& row, std::vector<std::string> const& names,
                     std::vector<std::string> const& header) {
  json::object cells;
  std::map<std::string, std::size_t> from;
  for (std::size_t i = 0; i < std::min(names.size(), row.size()); ++i) {
    auto& cell = cells[names[i]];
    if (fields::trimmed(row[i]).empty()) {
      if (cell.is_null()) cell = "";
      continue;
    }
    auto const [first, is_new] = from.try_emplace(names[i], i);
    if (is_new)
      cell = row[i];
    else if (fields::trimmed(row[i]) != fields::trimmed(row[first->second]))
      throw Failure(Kind::invalidInput, "columns " + std::to_string(first->second + 1) + " (\"" +
                                            header[first->second] + "\") and " + std::to_string(i + 1) +
                                            " (\"" + header[i] + "\") are both read as " + names[i] +
                                            " and say different things: rename one or take it out");
  }
  return cells;
}

} // namespace

HealthReport MappedConnector::check(Account& account, Call&) {
  return {account.settingsAs<Settings>().account.value_or("")};
}

Outcome MappedConnector::parse(Account& account, Item const& item, Records& records) {
  if (!mapping_) mapping_.emplace(text_);
  mapping_->use(account.settings());
  if (item.hook) return hook(*item.hook, records);
  if (item.csv) return csv(*item.csv, records);
  return unknown("this connector reads no mails");
}

Outcome MappedConnector::hook(Hook const& hook, Records& records) const {
  json::array bodies;
  if (hook.json_ && hook.json_->is_array())
    bodies = hook.json_->get_array();
  else if (hook.json_)
    bodies.push_back(*hook.json_);
  else if (hook.form)
    bodies.emplace_back(*hook.form);
  else if (hook.text)
    return unknown("its body is a text, neither JSON nor a form");
  else
    bodies.emplace_back(json::object());
  if (bodies.empty()) return ignored("it is an empty list");

  std::string ignored_because;
  MadeUpIds made_up;
  std::size_t number = 0;
  for (auto const& body : bodies) {
    auto const place = bodies.size() == 1 ? std::string("hook") : "item " + std::to_string(++number);
    if (!body.is_object()) return unknown("its body is JSON, but no object with members");
    auto const document = documentOf(body, hook.query);
    auto const* rule = mapping_->find("hook", document);
    if (rule == nullptr)
      return unknown("no rule of the mapping fits a hook with the members: " + listed(namesOf(document)));
    if (rule->ignore)
      ignored_because = *rule->ignore;
    else
      mapping_->put(*rule, document, {place}, made_up, records);
  }
  // With a problem and no record it is `taken` all the same: the host has heard of the problem.
  if (records.count() == 0 && !ignored_because.empty()) return ignored(ignored_because);
  return taken();
}

Outcome MappedConnector::csv(Csv const& csv, Records& records) const {
  std::vector<std::string> names;
  for (auto const& column : csv.header) names.push_back(loose::memberName(column));
  std::set<std::string> const columns(names.begin(), names.end());
  if (names.size() > kMostColumns) return unknown("it has more than 500 columns");
  if (!mapping_->takes("csv", columns))
    return unknown("no rule of the mapping fits a file with the columns: " + listed(columns) +
                   "; it would need " + mapping_->columnsWanted("csv"));
  MadeUpIds made_up;
  auto number = csv.first_row;
  bool any = false;
  for (auto const& row : csv.rows) {
    auto const place = "row " + std::to_string(number++);
    if (isBlank(row)) continue;
    json::object cells;
    if (auto unclear = attempt([&] { cells = cellsOf(row, names, csv.header); })) {
      any = true;
      records.problem(place, *unclear);
      continue;
    }
    auto const* rule = mapping_->find("csv", cells, columns);
    if (rule == nullptr) {
      any = true;
      records.problem(place, Failure(Kind::invalidInput, "no rule of the mapping fits it"));
    } else if (!rule->ignore) {
      any = true;
      mapping_->put(*rule, cells, {place, "column"}, made_up, records);
    }
  }
  return any ? taken() : ignored("it has no row with anything that is kept");
}

} // namespace garland::sdk::intake
