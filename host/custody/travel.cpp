#include "host/custody/travel.h"

#include "host/custody/table_sql.h"

#include <set>

namespace garland::custody {
namespace {

constexpr int kAttempts = 3;

store::Value valueAt(store::Row const& row, std::size_t column, Table const& table) {
  if (row.isNull(column)) return nullptr;
  auto const first = table.keys.size();
  bool const integer =
      column >= first && column < first + table.columns.size() && table.columns[column - first].integer;
  if (integer) return row.integer(column);
  return row.text(column);
}

Values valuesOf(store::Row const& row, Table const& table) {
  Values values;
  for (std::size_t i = 0; i < row.size(); ++i) values.push_back(valueAt(row, i, table));
  return values;
}

// The same rows, their secrets under another key.
Result<std::vector<store::Row>> rewrapped(std::vector<store::Row> const& rows, Table const& table,
                                          vault::Vault& to, vault::Vault const& from) {
  std::vector<store::Row> out;
  for (auto const& row : rows) {
    auto values = valuesOf(row, table);
    if (table.sealed && !row.text(row.size() - 1).empty()) {
      auto sealed = to.rewrap(row.text(row.size() - 1), from);
      if (!sealed)
        return std::move(sealed.error())
            .within("the secret of " + table.name + " " + rowName(row, table.keys.size()));
      values.back() = std::move(*sealed);
    }
    out.emplace_back(std::move(values));
  }
  return out;
}

std::string keysOf(store::Row const& row, Table const& table) { return rowName(row, table.keys.size()); }

// Columns by their place among the values: keys first.
store::Statement replaced(store::Row const& row, Table const& table) {
  auto const names = columnsOf(table);
  std::string set;
  for (std::size_t i = table.keys.size(); i < names.size(); ++i)
    set += (set.empty() ? "" : ", ") + names[i] + "=$" + std::to_string(i + 1);
  if (!table.on_replace.empty()) set += (set.empty() ? "" : ", ") + table.on_replace;
  return store::Statement("UPDATE " + table.name + " SET " + set + " WHERE " + isRow(table.keys, 1),
                          valuesOf(row, table))
      .expecting(1);
}

store::Statement added(store::Row const& row, Table const& table) {
  auto names = columnsOf(table);
  std::string values;
  for (std::size_t i = 0; i < names.size(); ++i) values += (i == 0 ? "$" : ",$") + std::to_string(i + 1);
  for (auto const& [name, begins] : table.begin) {
    names.push_back(name);
    values += "," + begins;
  }
  return store::Statement("INSERT INTO " + table.name + " (" + listed(names) + ") VALUES (" + values + ")",
                          valuesOf(row, table))
      .expecting(1);
}

Task<std::set<std::string>> rowsThatAre(Dependencies const* with, Table const* table) {
  store::Statement query("SELECT " + listed(table->keys) + " FROM " + table->name);
  CO_TRY(rows, co_await with->store.read(std::move(query)));
  std::set<std::string> keys;
  for (auto const& row : rows.rows) keys.insert(keysOf(row, *table));
  co_return keys;
}

Imported put(TableRows const& content, std::set<std::string> const& there, store::Unit& unit) {
  auto const& table = *content.table;
  Imported told;
  told.table = table.name;
  for (auto const& row : content.rows) {
    auto key = keysOf(row, table);
    bool const is_there = there.contains(key);
    if (is_there && !table.replaces) {
      ++told.kept;
    } else if (is_there) {
      unit.push_back(replaced(row, table));
      told.replaced.push_back(std::move(key));
    } else {
      unit.push_back(added(row, table));
      ++told.added;
    }
  }
  return told;
}

Task<std::vector<Imported>> writeOnce(Dependencies const* with, std::vector<TableRows> const* content) {
  std::vector<Imported> told;
  store::Unit unit;
  for (auto const& one : *content) {
    CO_TRY(there, co_await rowsThatAre(with, one.table));
    told.push_back(put(one, there, unit));
  }
  if (unit.empty()) co_return told;
  CO_TRY_VOID(co_await with->store.commit(std::move(unit)));
  co_return told;
}

} // namespace

Task<std::vector<TableRows>> readAll(Dependencies const* with, vault::Vault* to) {
  store::Unit unit; // of one transaction
  for (auto const& table : with->tables)
    unit.emplace_back("SELECT " + listed(columnsOf(table)) + " FROM " + table.name + " ORDER BY " +
                      listed(table.keys));
  CO_TRY(all, co_await with->store.commit(std::move(unit)));
  std::vector<TableRows> content;
  for (std::size_t i = 0; i < all.size(); ++i) {
    TableRows one;
    one.table = &with->tables[i];
    CO_TRY(rows, rewrapped(all[i].rows, *one.table, *to, with->vault));
    one.rows = std::move(rows);
    content.push_back(std::move(one));
  }
  co_return content;
}

Task<std::vector<Imported>> writeAll(Dependencies const* with, std::vector<TableRows> content,
                                     vault::Vault const* from) {
  for (auto& one : content) {
    CO_TRY(rows, rewrapped(one.rows, *one.table, with->vault, *from));
    one.rows = std::move(rows);
  }
  for (int attempt = 1;; ++attempt) {
    auto told = co_await writeOnce(with, &content);
    if (told || told.error().kind != ErrorKind::conflict) co_return told;
    if (attempt < kAttempts) continue;
    co_return Error(
        ErrorKind::conflict,
        "nothing was imported: it does not go with what is here; an account of the export may be "
        "connected here under another id, then disconnect that one (garland connections ls) and try again");
  }
}

} // namespace garland::custody
