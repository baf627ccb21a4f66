// Which columns a rule reads, and what has to stand in them.
#include <garland/sdk/mapped_table.hpp>
#include <garland/sdk/pointer.hpp>

#include <algorithm>
#include <set>

namespace garland::sdk::intake {
namespace {

bool isPart(rules::Field const& field) { return field.as == "first_name" || field.as == "last_name"; }

// "/full_name" is a column; "/guests/0/name" is none.
std::optional<std::string> columnOf(std::string const& pointer) {
  if (!pointer.starts_with('/') || pointer.find('/', 1) != std::string::npos) return std::nullopt;
  return pointer.substr(1);
}

bool wants(rules::Rule const& rule, std::string const& column) {
  return rule.columns && std::ranges::any_of(*rule.columns, [&](rules::Column const& one) {
           return std::ranges::find(one.names, column) != one.names.end();
         });
}

std::string wordFor(rules::Field const& field, std::string const& ours, json::object const& record) {
  if (field.words)
    for (auto const& [theirs, word] : *field.words)
      if (word == ours) return theirs;
  if (!field.else_) return ours;
  auto const* unread = sdk::find(record, *field.else_);
  return unread != nullptr && unread->is_string() ? std::string(unread->get_string()) : std::string();
}

std::string amountText(json::value const& value) {
  auto const* amount = value.is_object() ? value.get_object().if_contains("amount") : nullptr;
  if (amount == nullptr || !amount->is_int64()) return {};
  auto const currency = textOr(value, "/currency");
  return decimal(amount->get_int64(), minorDigits(currency)) + " " + currency;
}

std::string textFor(rules::Field const& field, json::object const& record) {
  auto const* value = sdk::find(record, field.to);
  if (value == nullptr && field.else_) value = sdk::find(record, *field.else_);
  if (value == nullptr || value->is_null()) return {};
  if (field.as == "money" && value->is_object()) return amountText(*value);
  if (field.as == "words" && value->is_string())
    return wordFor(field, std::string(value->get_string()), record);
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

json::object documentOf(std::vector<std::string> const& names, std::vector<std::string> const& cells) {
  json::object document;
  for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) document[names[i]] = cells[i];
  return withPlainNames(document).as_object();
}

std::string firstDifference(json::object const& wanted, json::object const& got, std::string const& place) {
  for (auto const& [name, value] : wanted) {
    auto const here = place + "/" + std::string(std::string_view(name));
    auto const* other = got.if_contains(name);
    if (other == nullptr) return here + " is lost";
    if (value.is_object() && other->is_object()) {
      if (auto found = firstDifference(value.get_object(), other->get_object(), here); !found.empty())
        return found;
    } else if (value != *other) {
      return here + " becomes " + json::serialize(*other);
    }
  }
  for (auto const& [name, value] : got)
    if (!wanted.contains(name)) return place + "/" + std::string(std::string_view(name)) + " is added";
  return {};
}

} // namespace

MappedTable::MappedTable(Mapping const& mapping, std::string_view kind,
                         std::vector<json::object> const& records)
    : mapping_(mapping) {
  for (auto const& rule : mapping.rulesOf("csv")) {
    if (!rule.emit) continue;
    for (auto const& emit : *rule.emit) {
      if (emit.kind != kind) continue;
      bool const better = rule_ == nullptr || (rule_->emit->size() > 1 && rule.emit->size() == 1);
      if (!better) continue;
      rule_ = &rule;
      emit_ = &emit;
    }
  }
  if (rule_ == nullptr)
    throw Failure(Kind::invalidInput,
                  "the mapping has no rule under \"csv\" that makes records of kind " + std::string(kind));
  if (emit_->id)
    for (auto const& pointer : *emit_->id)
      if (auto const name = columnOf(pointer); name && columns_.empty()) column(*name).id = true;
  addConditions();
  addFields();
  addWanted();
  if (emit_->rest) addRest(records);
}

MappedTable::Column& MappedTable::column(std::string const& name) {
  auto const known = std::ranges::find(columns_, name, &Column::name);
  if (known != columns_.end()) return *known;
  columns_.emplace_back().name = name;
  return columns_.back();
}

// By "type" is "client", say, a row tells which rule it is for.
void MappedTable::addConditions() {
  for (auto const& condition : rule_->when.value_or(std::vector<rules::Condition>())) {
    if (!condition.is || condition.is->empty()) continue;
    if (auto const name = columnOf(condition.at.front())) column(*name).constant = condition.is->front();
  }
}

// Of fields with one `to` the first that has a column to itself; of its alternatives a name that the rule
// knows its files by, else the first that nobody else has. Parts of a name are read from where the whole
// stands.
void MappedTable::addFields() {
  std::set<std::string> served;
  for (bool const parts : {false, true})
    for (auto const& field : *emit_->fields) {
      if (!field.from || served.contains(field.to) || (isPart(field) || field.as == "joined") != parts)
        continue;
      Column* chosen = nullptr;
      std::optional<std::string> free;
      for (auto const& pointer : *field.from) {
        auto const name = columnOf(pointer);
        if (!name) continue;
        auto const taken = std::ranges::find(columns_, *name, &Column::name);
        bool const shared =
            taken != columns_.end() && isPart(field) && !taken->fields.empty() && isPart(*taken->fields[0]);
        if (shared) chosen = &*taken;
        if (taken == columns_.end() && (!free || (wants(*rule_, *name) && !wants(*rule_, *free))))
          free = name;
      }
      if (chosen == nullptr && free) chosen = &column(*free);
      if (chosen == nullptr) continue;
      chosen->fields.push_back(&field);
      served.insert(field.to);
    }
}

// What the rule knows its files by, where no member of the record has made such a column.
void MappedTable::addWanted() {
  for (auto const& wanted : rule_->columns.value_or(std::vector<rules::Column>())) {
    bool const there = std::ranges::any_of(wanted.names, [&](std::string const& name) {
      return std::ranges::find(columns_, name, &Column::name) != columns_.end();
    });
    if (!there && !wanted.names.empty()) column(wanted.names.front());
  }
}

bool MappedTable::isRead(std::string const& name) const {
  auto const reads = [&](rules::Field const& field) {
    return field.from && std::ranges::find(*field.from, "/" + name) != field.from->end();
  };
  return std::ranges::any_of(*emit_->fields, reads);
}

void MappedTable::addRest(std::vector<json::object> const& records) {
  std::set<std::string> names;
  for (auto const& record : records)
    if (auto const* rest = sdk::find(record, *emit_->rest); rest != nullptr && rest->is_object())
      for (auto const& [name, value] : rest->get_object()) names.emplace(name);
  for (auto const& name : names) {
    auto const taken = std::ranges::find(columns_, name, &Column::name) != columns_.end();
    auto const is_else = std::ranges::any_of(
        *emit_->fields, [&](rules::Field const& field) { return field.else_ == *emit_->rest + "/" + name; });
    if (!taken && !is_else && !isRead(name)) column(name).rest = *emit_->rest + "/" + name;
  }
}

std::vector<std::string> MappedTable::header() const {
  std::vector<std::string> names;
  for (auto const& column : columns_) names.push_back(column.name);
  return names;
}

std::string MappedTable::cell(Column const& column, json::object const& record) const {
  if (!column.rest.empty()) {
    auto const* value = sdk::find(record, column.rest);
    if (value == nullptr || value->is_null()) return {};
    return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
  }
  std::string text;
  for (auto const* field : column.fields)
    if (auto const part = textFor(*field, record); !part.empty()) text += (text.empty() ? "" : " ") + part;
  return text.empty() ? column.constant : text;
}

std::vector<std::string> MappedTable::row(json::object const& record, std::string_view id) const {
  std::vector<std::string> cells;
  bool const named = emit_->id_of && std::ranges::any_of(*emit_->id_of, [&](std::string const& pointer) {
                       return sdk::find(record, pointer) != nullptr;
                     });
  for (auto const& column : columns_)
    cells.push_back(column.id ? std::string(named ? std::string_view() : id) : cell(column, record));
  return cells;
}

std::optional<std::string> MappedTable::loss(json::object const& record,
                                             std::vector<std::string> const& row) const {
  auto const names = header();
  auto const document = documentOf(names, row);
  std::set<std::string> columns;
  for (auto const& name : names) columns.insert(loose::memberName(name));
  if (mapping_.find("csv", document, columns) != rule_) return "another rule of the mapping would read it";
  json::object again;
  if (auto failure = attempt([&] { again = mapping_.recordOf(*rule_, *emit_, document); }))
    return failure->message;
  auto difference = firstDifference(record, again, "");
  if (difference.empty()) return std::nullopt;
  return difference;
}

} // namespace garland::sdk::intake
