// Nobody can add a table, or a column, without saying what it holds of people.
#include "host/base/test_folder.h"
#include "host/daemon/rooms.h"
#include "host/vault/vault.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::daemon {
namespace {

using Columns = std::vector<std::string>;

struct TableShape {
  Columns keys;
  Columns others;
};
using Shape = std::map<std::string, TableShape>;

template <class T> Result<T> run(asio::io_context& loop, Task<T> task) {
  std::optional<Result<T>> out;
  asio::co_spawn(loop, std::move(task),
                 [&out](std::exception_ptr, Result<T> result) { out.emplace(std::move(result)); });
  loop.restart();
  while (!out) loop.run_one();
  return std::move(*out);
}

// What all migrations together leave.
Shape shapeOf(std::vector<store::Migration> migrations) {
  TestFolder const folder;
  asio::io_context loop;
  store::Options options;
  options.url = "sqlite:" + (folder / "garland.db");
  options.sha256 = vault::sha256;
  auto const store =
      run(loop, store::Store::open(loop.get_executor(), options, std::move(migrations))).value();
  store::Statement query(
      "SELECT m.name, c.name, c.pk FROM sqlite_master m, pragma_table_info(m.name) c WHERE "
      "m.type='table' AND m.name NOT LIKE 'sqlite%' AND m.name<>'garland_migrations' "
      "ORDER BY m.name, c.pk, c.cid");
  auto const rows = run(loop, store->read(std::move(query))).value();
  Shape shape;
  for (auto const& row : rows.rows) {
    auto& table = shape[row.text(0)];
    (row.integer(2) > 0 ? table.keys : table.others).push_back(row.text(1));
  }
  (void)run(loop, store->close());
  return shape;
}

// Where the declarations and the tables differ, in words.
Columns objections(std::vector<PersonalTable> const& declared, Shape shape) {
  Columns out;
  for (auto const& table : declared) {
    auto const found = shape.find(table.name);
    if (found == shape.end()) {
      out.push_back(table.name + " is declared and no table, or declared twice");
      continue;
    }
    Columns keys;
    for (auto const& key : table.keys) keys.push_back(key.name);
    if (keys != found->second.keys) out.push_back(table.name + " has another primary key");
    std::map<std::string, int> times;
    for (auto const& column : found->second.others) times[column] = 0;
    auto const count = [&](std::string const& column) {
      if (std::ranges::find(keys, column) == keys.end()) ++times[column];
    };
    for (auto const& column : table.personal) count(column.name);
    for (auto const& column : table.along) count(column);
    for (auto const& column : table.plain) count(column);
    for (auto const& [column, declared_so_often] : times) {
      bool const is_there = std::ranges::find(found->second.others, column) != found->second.others.end();
      if (!is_there) out.push_back(table.name + "." + column + " is declared and no column");
      if (is_there && declared_so_often != 1)
        out.push_back(table.name + "." + column + " is declared " + std::to_string(declared_so_often) +
                      " times");
    }
    shape.erase(found);
  }
  for (auto const& [name, columns] : shape) out.push_back(name + " is not declared");
  return out;
}

TEST(PersonalData, EveryColumnOfEveryTableIsDeclaredOnce) {
  EXPECT_THAT(objections(allPersonalData(), shapeOf(allMigrations())), ::testing::IsEmpty());
}

TEST(PersonalData, ATableOrAColumnThatIsForgottenIsFound) {
  auto migrations = allMigrations();
  migrations.push_back(store::Migration{9'999, "test",
                                        "CREATE TABLE guests (vendor_id TEXT PRIMARY KEY);\n"
                                        "ALTER TABLE vendors ADD COLUMN phone TEXT"});
  EXPECT_THAT(objections(allPersonalData(), shapeOf(std::move(migrations))),
              ::testing::UnorderedElementsAre("guests is not declared", "vendors.phone is declared 0 times"));
}

TEST(PersonalData, WhatIsKeptOrLeftIsKeptForAReasonThatCanBeTold) {
  for (auto const& table : allPersonalData()) {
    bool const keeps_somebody = table.fate == Fate::kept && !table.personal.empty();
    EXPECT_EQ(keeps_somebody, !table.why_kept.empty()) << table.name;
    EXPECT_EQ(table.busy.empty(), table.why_busy.empty()) << table.name;
    if (!table.recount.empty()) EXPECT_EQ(table.keys.at(0).name, "vendor_id") << table.name;
  }
}

TEST(PersonalData, WhateverIsAVendorsGoesWithTheVendor) {
  for (auto const& table : allPersonalData()) {
    bool const keyed = std::ranges::find(table.keys, "vendor_id", &PersonalColumn::name) != table.keys.end();
    bool const named = std::ranges::find(table.plain, "vendor_id") != table.plain.end();
    EXPECT_EQ(table.of_vendor, keyed || named) << table.name;
  }
}

} // namespace
} // namespace garland::daemon
