#include "host/custody/mover.h"

#include "host/custody/table_sql.h"

#include <algorithm>

namespace garland::custody {
namespace {

constexpr std::size_t kPage = 50;             // rows of one unit
constexpr std::size_t kLongestProblem = 1000; // characters
constexpr char const* kEnd = ".";             // is the name of no table

void addProblem(std::string& problem, std::string const& row) {
  if (problem.size() + row.size() > kLongestProblem) return;
  problem += problem.empty() ? "" : ", ";
  problem += row;
}

// "(a,b)>($2,$3)": rows after one, in the order of their keys.
std::string isAfter(Table const& table, std::size_t first) {
  std::string values;
  for (std::size_t i = 0; i < table.keys.size(); ++i)
    values += (i == 0 ? "$" : ",$") + std::to_string(first + i);
  return "(" + listed(table.keys) + ")>(" + values + ")";
}

store::Statement rewrapped(Table const& table, store::Row const& row, std::string sealed) {
  auto const count = table.keys.size();
  Values args;
  args.emplace_back(std::move(sealed));
  for (std::size_t i = 0; i <= count; ++i) args.emplace_back(row.text(i));
  auto const set = table.on_rewrap.empty() ? std::string() : ", " + table.on_rewrap;
  return store::Statement("UPDATE " + table.name + " SET sealed=$1" + set + " WHERE " + isRow(table.keys, 2) +
                              " AND sealed=$" + std::to_string(count + 2),
                          std::move(args));
}

} // namespace

Table const* Mover::tableAt(Place const& place) const {
  auto const fits = [&](Table const& table) {
    return table.sealed && (place.table.empty() || table.name == place.table);
  };
  auto const found = std::ranges::find_if(with_.tables, fits);
  return found == with_.tables.end() ? nullptr : &*found;
}

Task<Mover::Page> Mover::pageAt(Place place, std::string prefix) {
  Page page;
  page.table = tableAt(place);
  if (page.table == nullptr) co_return page;
  auto const& table = *page.table;
  Values args;
  args.emplace_back(std::move(prefix));
  auto sql = "SELECT " + listed(table.keys) + ",sealed FROM " + table.name + " WHERE " + underAnotherKey(1);
  if (place.after.size() == table.keys.size()) {
    sql += " AND " + isAfter(table, 2);
    for (auto& key : place.after) args.emplace_back(std::move(key));
  }
  sql += " ORDER BY " + listed(table.keys) + " LIMIT " + std::to_string(kPage);
  store::Statement query(std::move(sql), std::move(args));
  CO_TRY(rows, co_await with_.store.read(std::move(query)));
  page.rows = std::move(rows.rows);
  page.is_last = page.rows.size() < kPage;
  co_return page;
}

store::Unit Mover::movedBy(MoveRow const& row, Page const& page) {
  auto const& table = *page.table;
  auto problem = row.move.problem;
  store::Unit unit;
  for (auto const& one : page.rows) {
    auto sealed = with_.vault.rewrap(one.text(table.keys.size()));
    if (sealed)
      unit.push_back(rewrapped(table, one, std::move(*sealed)));
    else
      addProblem(problem, table.name + " " + rowName(one, table.keys.size()));
  }
  Place place;
  place.table = table.name;
  if (page.is_last) {
    auto const next = std::find_if(&table + 1, with_.tables.data() + with_.tables.size(),
                                   [](Table const& other) { return other.sealed; });
    place.table = next == with_.tables.data() + with_.tables.size() ? std::string(kEnd) : next->name;
  } else {
    for (std::size_t i = 0; i < table.keys.size(); ++i) place.after.push_back(page.rows.back().text(i));
  }
  unit.push_back(moves_.goesTo(row, place, problem));
  return unit;
}

Task<Step> Mover::step() {
  auto const key_id = with_.vault.keyId();
  CO_TRY(row, co_await moves_.to(key_id));
  if (!row || row->move.state != MoveState::running) co_return Step::ended;
  auto const prefix = vault::sealedPrefix(key_id);
  CO_TRY(page, co_await pageAt(row->place, prefix));
  if (page.table == nullptr) co_return co_await finish(*row);
  auto unit = movedBy(*row, page);
  auto const done = co_await with_.store.commit(std::move(unit));
  // Another daemon did this step: it is read how far things are.
  if (!done && done.error().kind != ErrorKind::conflict) co_return done.error();
  co_return Step::more;
}

Task<Step> Mover::finish(MoveRow row) {
  store::Unit last;
  last.push_back(moves_.isDone(row));
  auto const done = co_await with_.store.commit(std::move(last));
  if (done) co_return Step::ended;
  if (done.error().kind != ErrorKind::conflict) co_return done.error();
  CO_TRY(now, co_await moves_.to(row.move.key_id));
  if (!now || now->revision != row.revision) co_return Step::more;
  store::Unit unit;
  if (row.move.problem.empty())
    unit.push_back(moves_.goesTo(row, Place(), std::string()));
  else
    unit.push_back(moves_.isStuck(row));
  auto const told = co_await with_.store.commit(std::move(unit));
  if (!told && told.error().kind != ErrorKind::conflict) co_return told.error();
  co_return row.move.problem.empty() ? Step::again : Step::ended;
}

} // namespace garland::custody
