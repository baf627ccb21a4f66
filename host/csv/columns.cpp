#include "host/csv/columns.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace garland::csv {
namespace {

constexpr int kDeepest = 4; // objects within objects; deeper ones are JSON

std::string nameOf(std::vector<std::string> const& path) {
  std::string name;
  for (auto const& part : path) name += (name.empty() ? "" : ".") + part;
  return name;
}

// A schema leaves the members of an object open if it says what any of them is.
bool isOpen(json::value const& schema) {
  auto const* more = find(schema, "/additionalProperties");
  return more != nullptr && more->is_object() && find(schema, "/properties") == nullptr;
}

class Walk {
public:
  explicit Walk(json::value const& root) : root_(root) {}

  // Columns of fixed members; open objects end up in open().
  void run(json::value const& schema, std::vector<std::string> const& path, bool required) {
    auto const& meant = resolved(schema);
    if (isOpen(meant) && !path.empty()) {
      open_.push_back({columns_.size(), path});
      return;
    }
    auto const* members = find(meant, "/properties");
    bool const object = members != nullptr && members->is_object();
    if (!object || path.size() >= kDeepest) {
      columns_.push_back({nameOf(path), path, formOf(meant), required});
      return;
    }
    auto const* needed = find(meant, "/required");
    for (auto const& [name, member] : members->as_object()) {
      // What is needed within a member that may be absent is not needed itself.
      bool const is_needed = needed != nullptr && needed->is_array() &&
                             std::find(needed->as_array().begin(), needed->as_array().end(),
                                       json::value(name)) != needed->as_array().end();
      auto inner = path;
      inner.emplace_back(name);
      run(member, inner, is_needed && path.empty());
    }
  }

  // Puts the open members of these names in their places. The last group first: places are counted in
  // columns.
  std::vector<Column> with(std::vector<std::set<std::string>> const& names) && {
    for (std::size_t i = open_.size(); i-- > 0;) {
      std::vector<Column> more;
      for (auto const& name : names[i]) {
        auto path = open_[i].path;
        path.push_back(name);
        more.push_back({nameOf(path), path, Column::Form::text, false});
      }
      columns_.insert(columns_.begin() + static_cast<std::ptrdiff_t>(open_[i].at), more.begin(), more.end());
    }
    return std::move(columns_);
  }

  struct Open {
    std::size_t at;
    std::vector<std::string> path;
  };
  std::vector<Open> const& open() const { return open_; }

private:
  json::value const& resolved(json::value const& schema) const {
    auto const reference = textOr(schema, "/$ref", "");
    auto const* target = reference.starts_with("#/") ? find(root_, reference.substr(1)) : nullptr;
    return target != nullptr ? *target : schema;
  }
  static Column::Form formOf(json::value const& schema) {
    auto const type = textOr(schema, "/type", "");
    if (type == "string" || find(schema, "/enum") != nullptr) return Column::Form::text;
    if (type == "integer") return Column::Form::integer;
    return type == "boolean" ? Column::Form::boolean : Column::Form::json;
  }

  json::value const& root_;
  std::vector<Column> columns_;
  std::vector<Open> open_;
};

json::value const* valueAt(json::value const& record, std::vector<std::string> const& path) {
  auto const* value = &record;
  for (auto const& part : path) {
    auto const* object = value->if_object();
    value = object == nullptr ? nullptr : object->if_contains(part);
    if (value == nullptr) return nullptr;
  }
  return value;
}

void setAt(json::object& record, std::vector<std::string> const& path, json::value value) {
  auto* object = &record;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    auto& inner = (*object)[path[i]];
    if (!inner.is_object()) inner = json::object();
    object = &inner.get_object();
  }
  (*object)[path.back()] = std::move(value);
}

Error badCell(Column const& column, std::string const& what) {
  return {ErrorKind::invalidInput, "column \"" + column.name + "\" must hold " + what};
}

Result<json::value> valueOf(std::string const& cell, Column const& column) {
  switch (column.form) {
  case Column::Form::text: return json::value(cell);
  case Column::Form::boolean:
    if (cell == "true" || cell == "false") return json::value(cell == "true");
    return badCell(column, "true or false");
  case Column::Form::integer: {
    std::int64_t number = 0;
    auto const [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    if (error == std::errc() && end == cell.data() + cell.size()) return json::value(number);
    return badCell(column, "a whole number");
  }
  case Column::Form::json: {
    auto value = parseJson(cell);
    if (!value) return badCell(column, "JSON: " + value.error().message);
    return value;
  }
  }
  return json::value();
}

} // namespace

std::vector<Column> columnsOf(json::value const& schema, std::vector<json::value> const& records) {
  Walk walk(schema);
  walk.run(schema, {}, false);
  std::vector<std::set<std::string>> names;
  for (auto const& open : walk.open()) {
    auto& group = names.emplace_back();
    for (auto const& record : records) {
      auto const* members = valueAt(record, open.path);
      if (members == nullptr || !members->is_object()) continue;
      for (auto const& member : members->get_object()) group.emplace(member.key());
    }
  }
  return std::move(walk).with(names);
}

Result<std::vector<Column>> columnsOf(json::value const& schema, Cells const& header) {
  Walk walk(schema);
  walk.run(schema, {}, false);
  std::vector<std::set<std::string>> names;
  for (auto const& open : walk.open()) {
    auto const prefix = nameOf(open.path) + ".";
    auto& group = names.emplace_back();
    for (auto const& name : header)
      if (name.starts_with(prefix)) group.insert(name.substr(prefix.size()));
  }
  auto const known = std::move(walk).with(names);
  std::vector<Column> columns;
  for (auto const& name : header) {
    auto const found =
        std::find_if(known.begin(), known.end(), [&](Column const& one) { return one.name == name; });
    if (found == known.end())
      return Error(ErrorKind::invalidInput, "there is no column \"" + name + "\" in records of this kind");
    columns.push_back(*found);
  }
  return columns;
}

Cells cellsOf(json::value const& record, std::vector<Column> const& columns) {
  Cells cells;
  for (auto const& column : columns) {
    auto const* value = valueAt(record, column.path);
    if (value == nullptr || value->is_null())
      cells.emplace_back();
    else if (value->is_string() && column.form == Column::Form::text)
      cells.emplace_back(value->get_string());
    else
      cells.push_back(json::serialize(*value));
  }
  return cells;
}

Result<json::value> recordOf(Cells const& cells, std::vector<Column> const& columns) {
  json::object record;
  for (std::size_t i = 0; i < columns.size() && i < cells.size(); ++i) {
    bool const empty_text = columns[i].required && columns[i].form == Column::Form::text;
    if (cells[i].empty() && !empty_text) continue;
    TRY(value, valueOf(cells[i], columns[i]));
    setAt(record, columns[i].path, std::move(value));
  }
  return json::value(std::move(record));
}

} // namespace garland::csv
