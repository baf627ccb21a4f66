// A canary in every column that a room has declared to name people, in the tables that all migrations leave:
// exported, then erased, then looked for in every column of every table. The features themselves put theirs
// there in tests/end_to_end/privacy_test.cpp; here no place is left out.
#include "host/base/file_text.h"
#include "host/daemon/rooms.h"
#include "host/privacy/privacy.h"
#include "host/sync/testing/house.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

namespace garland::daemon {
namespace {

using sync::testing::House;

constexpr char const* kCanary = "rosa@canary.example";

struct Column {
  std::string name;
  bool number = false;
  bool bytes = false;
};

class EveryPlace : public ::testing::Test {
protected:
  EveryPlace() {
    addOtherRooms();
    for (auto const& row : house.rows("SELECT m.name, c.name, c.type FROM sqlite_master m, "
                                      "pragma_table_info(m.name) c WHERE m.type='table' AND "
                                      "m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid"))
      columns[row.text(0)].push_back(
          Column{row.text(1), row.text(2) == "BIGINT" || row.text(2) == "INTEGER", row.text(2) == "BYTEA"});
    vendor = house.vendor();
    tables = allPersonalData();
    office = privacy::Office::create(privacy::Dependencies{house.loop.get_executor(),
                                                           house.clock,
                                                           house.random,
                                                           house.log,
                                                           *house.store,
                                                           *house.book,
                                                           *house.engine,
                                                           {},
                                                           tables,
                                                           {},
                                                           folder / "exports"});
  }

  // The house has the tables of its own three rooms.
  void addOtherRooms() {
    std::set<std::int64_t> there;
    for (auto const& one : sync::testing::allMigrations()) there.insert(one.version);
    for (auto const& one : allMigrations()) {
      if (there.contains(one.version)) continue;
      for (std::size_t from = 0; from < one.sql.size();) {
        auto const end = std::min(one.sql.find(";\n", from), one.sql.size());
        auto const statement = one.sql.substr(from, end - from);
        if (statement.find_first_not_of(" \n;") != std::string::npos) house.write(statement);
        from = end + 2;
      }
    }
  }

  // What is erased with, or from, its row.
  static std::vector<std::string> placesIn(PersonalTable const& table) {
    std::vector<std::string> all;
    for (auto const& column : table.personal) all.push_back(column.name);
    if (table.fate == Fate::removed) all.insert(all.end(), table.along.begin(), table.along.end());
    return all;
  }
  // A record and what hangs on it have rules of their own, and what is kept is kept: host/privacy has tests.
  static bool isErased(PersonalTable const& table) {
    return !table.personal.empty() && (table.fate == Fate::removed || table.fate == Fate::rewritten);
  }

  // A row whose places hold the canary.
  void put(PersonalTable const& table) {
    auto const places = placesIn(table);
    std::string names, values;
    for (auto const& column : columns.at(table.name)) {
      std::string value = "'x'";
      if (column.number) value = "1";
      if (column.name == "vendor_id") value = "'" + vendor + "'";
      if (std::ranges::find(places, column.name) != places.end())
        value = "'" + column.name + " of " + kCanary + "'";
      if (column.bytes) value = "CAST(" + value + " AS BLOB)";
      names += (names.empty() ? "" : ",") + column.name;
      values += (values.empty() ? "" : ",") + value;
    }
    house.write("INSERT INTO " + table.name + " (" + names + ") VALUES (" + values + ")");
  }

  // "table.column" wherever it stands.
  std::vector<std::string> found() {
    std::vector<std::string> places;
    for (auto const& [table, all] : columns)
      for (auto const& column : all)
        if (!house
                 .rows("SELECT 1 FROM " + table + " WHERE CAST(" + column.name + " AS TEXT) LIKE '%" +
                       kCanary + "%'")
                 .empty())
          places.push_back(table + "." + column.name);
    return places;
  }
  std::vector<std::string> declared() const {
    std::vector<std::string> places;
    for (auto const& table : tables)
      if (isErased(table))
        for (auto const& column : placesIn(table)) places.push_back(table.name + "." + column);
    return places;
  }

  TestFolder folder;
  House house{folder.path()};
  std::string vendor;
  std::vector<PersonalTable> tables;
  std::map<std::string, std::vector<Column>> columns; // by table
  std::unique_ptr<privacy::Office> office;
};

TEST_F(EveryPlace, ThatMayNameSomebodyIsExportedAndErased) {
  for (auto const& table : tables)
    if (isErased(table)) put(table);
  ASSERT_THAT(found(), ::testing::UnorderedElementsAreArray(declared())) << "a canary that is not there";
  EXPECT_GT(declared().size(), 30U);

  auto const file = house.run(office->exportPerson(privacy::Person{{kCanary}, ""})).value();
  auto const lines = readFileText(folder / "exports/" + file).value();
  for (auto const& table : tables)
    if (isErased(table))
      for (auto const& column : table.personal)
        EXPECT_NE(lines.find("\"" + column.name + " of " + kCanary), std::string::npos)
            << table.name << "." << column.name;

  auto const receipt = house.run(office->erasePerson(privacy::Person{{kCanary}, ""})).value();
  EXPECT_THAT(found(), ::testing::IsEmpty());
  for (auto const& table : tables) {
    if (!isErased(table)) continue;
    auto const left = house.rows("SELECT 1 FROM " + table.name).size();
    EXPECT_EQ(left, table.fate == Fate::removed ? 0U : 1U) << table.name;
  }
  EXPECT_EQ(json::serialize(receipt).find("canary"), std::string::npos);
}

TEST_F(EveryPlace, ThatIsAVendorsIsEmptyAfterItsErasure) {
  std::vector<std::string> theirs;
  for (auto const& table : tables) {
    if (!table.of_vendor || table.name == "connections" || table.name == "vendors") continue;
    put(table);
    theirs.push_back(table.name);
  }
  EXPECT_GT(theirs.size(), 25U);
  house.run(office->eraseVendor(vendor)).value();
  for (auto const& [table, all] : columns)
    if (std::ranges::find(all, "vendor_id", &Column::name) != all.end())
      EXPECT_TRUE(house.rows("SELECT 1 FROM " + table + " WHERE vendor_id='" + vendor + "'").empty())
          << table;
}

} // namespace
} // namespace garland::daemon
