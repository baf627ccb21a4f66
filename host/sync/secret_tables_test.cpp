// An export of the vault goes from one host to another, whose master key is another.
#include "host/base/file_text.h"
#include "host/sync/testing/sealed_house.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace garland::sync {
namespace {

using custody::Imported;
using testing::SealedHouse;

Secret passphrase() { return Secret("correct horse battery"); }

class VaultExport : public ::testing::Test {
protected:
  VaultExport() { here.addEverything(); }

  std::string exported() {
    auto const keeper = custody::Custody::create(here.with(*here.house.vault));
    auto const name = here.house.run(keeper->exportFile(passphrase())).value();
    return here.folder / ("exports/" + name);
  }
  Result<std::vector<Imported>> import(std::string const& file, Secret secret = passphrase()) {
    std::filesystem::create_directories(there.folder / "exports");
    std::filesystem::copy_file(file, there.folder / "exports/incoming",
                               std::filesystem::copy_options::overwrite_existing);
    auto const keeper = custody::Custody::create(there.with(*there.house.vault));
    return there.house.run(keeper->importFile("incoming", std::move(secret)));
  }
  static Imported const& of(std::vector<Imported> const& all, std::string const& table) {
    return *std::ranges::find(all, table, &Imported::table);
  }
  bool isEmpty() {
    for (auto const& table : secretTables())
      if (!there.house.rows("SELECT 1 FROM " + table.name).empty()) return false;
    return true;
  }

  SealedHouse here;
  SealedHouse there;
};

TEST_F(VaultExport, IntoAnEmptyHostGivesTheSameSecretsUnderItsOwnKey) {
  auto const told = import(exported());
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(there.secrets(*there.house.vault), here.secrets(*here.house.vault));
  EXPECT_EQ(there.secrets(*there.house.vault).size(), 4U);
  for (auto const& one : *told) {
    EXPECT_EQ(one.added, one.table == "intake_doors" ? 2 : 1) << one.table;
    EXPECT_TRUE(one.replaced.empty()) << one.table;
  }
  auto const connection = there.house.run(there.house.engine->connection("con_0")).value();
  EXPECT_EQ(connection.account_name, "ada");
  EXPECT_EQ(connection.state, "connected");
  EXPECT_EQ(there.house.rows("SELECT value FROM counters")[0].integer(0), 0) << "its feed begins anew";
}

TEST(SecretTables, AreAllThatHaveAColumnOfSealedText) {
  std::set<std::string> known;
  for (auto const& table : secretTables())
    if (table.sealed) known.insert(table.name);
  std::set<std::string> found;
  std::regex const table(R"(CREATE TABLE (\w+) \(([^;]*)\))");
  for (auto const& migration : migrations())
    for (std::sregex_iterator at(migration.sql.begin(), migration.sql.end(), table), end; at != end; ++at)
      if ((*at)[2].str().find(" sealed ") != std::string::npos) found.insert((*at)[1]);
  EXPECT_EQ(found, known);
}

TEST(VaultExportOfAConnection, ThatWorksWorksElsewhere) {
  SealedHouse here;
  SealedHouse there;
  auto const vendor = here.house.vendor();
  auto const connection = here.house.connect(vendor, "books");
  auto const keeper = custody::Custody::create(here.with(*here.house.vault));
  auto const name = here.house.run(keeper->exportFile(passphrase())).value();
  std::filesystem::create_directories(there.folder / "exports");
  std::filesystem::copy_file(here.folder / ("exports/" + name), there.folder / "exports/incoming");
  auto const elsewhere = custody::Custody::create(there.with(*there.house.vault));
  ASSERT_TRUE(there.house.run(elsewhere->importFile("incoming", passphrase())));
  there.house.provider("books");
  there.house.restart();
  EXPECT_EQ(there.house.sync(connection).state, "done");
}

TEST_F(VaultExport, TellsWhatItReplacesAndWhatItLeaves) {
  there.addEverything();
  there.commit("UPDATE vendors SET name='another name'", {});
  there.commit("UPDATE credentials SET sealed=$1", {there.sealed("what was here")});
  auto const told = import(exported());
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(of(*told, "credentials").replaced, std::vector<std::string>{"ven_1/con_0/login"});
  EXPECT_EQ(of(*told, "connections").replaced, std::vector<std::string>{"ven_1/con_0"});
  EXPECT_EQ(of(*told, "vendors").kept, 1);
  EXPECT_EQ(there.secrets(*there.house.vault), here.secrets(*here.house.vault));
  EXPECT_EQ(there.house.rows("SELECT name FROM vendors")[0].text(0), "another name");
  EXPECT_EQ(there.house.rows("SELECT credential_version FROM connections")[0].integer(0), 1);
}

TEST_F(VaultExport, BringsARevokedAccountThatIsStillRevoked) {
  here.commit("UPDATE connections SET state='revoked', state_reason='it was taken back'", {});
  here.commit("DELETE FROM credentials", {});
  auto const file = exported();
  auto const arrived = [&] { return there.house.run(there.house.engine->connection("con_0")).value(); };
  ASSERT_TRUE(import(file));
  EXPECT_EQ(arrived().state, "revoked");
  EXPECT_EQ(arrived().state_reason, "it was taken back");
  there.commit("UPDATE connections SET state='connected', state_reason=''", {});
  ASSERT_TRUE(import(file));
  EXPECT_EQ(arrived().state, "revoked") << "also in the place of one that is here";
}

TEST_F(VaultExport, ThatDoesNotGoWithWhatIsHereChangesNothing) {
  there.addConnection("con_another"); // the same account
  auto const told = import(exported());
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::conflict);
  EXPECT_NE(told.error().message.find("nothing was imported"), std::string::npos);
  EXPECT_TRUE(there.house.rows("SELECT 1 FROM vendors").empty());
  EXPECT_TRUE(there.house.rows("SELECT 1 FROM credentials").empty());
}

TEST_F(VaultExport, WithAWrongPassphraseOrAFlippedBitIsRefusedWhole) {
  auto const file = exported();
  auto const wrong = import(file, Secret("correct horse batterz"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "the passphrase is wrong, or the export was changed");
  EXPECT_FALSE(std::filesystem::exists(there.folder / "exports/incoming")) << "it is not left behind";
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(200);
  auto const byte = static_cast<char>(bytes.get() ^ 1);
  bytes.seekp(200);
  bytes.put(byte);
  bytes.close();
  EXPECT_EQ(import(file).error().message, wrong.error().message);
  EXPECT_TRUE(isEmpty());
}

TEST_F(VaultExport, ShowsNoSecretAndIsItsOwnersOnly) {
  auto const file = exported();
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  auto const bytes = readFileText(file).value();
  EXPECT_EQ(bytes.find("con_0"), std::string::npos);
  EXPECT_EQ(here.house.log_text.find("correct horse"), std::string::npos);
}

} // namespace
} // namespace garland::sync
