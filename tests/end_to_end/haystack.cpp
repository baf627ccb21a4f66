#include "tests/end_to_end/haystack.h"

#include "host/base/test_spellings.h"

#include <gmock/gmock.h>

#include <filesystem>

namespace garland::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string outputOf(std::vector<std::string> const& argv) {
  auto done = runProgram(argv, {}, "");
  EXPECT_EQ(done.exit_code, 0) << argv.front() << ": " << done.err;
  return std::move(done.out);
}

// Of PostgreSQL's own form, which is compressed.
bool isArchive(std::string const& database) { return database.starts_with("PGDMP"); }

} // namespace

void Haystack::addFolder(std::string const& place, std::string const& folder) {
  int files = 0;
  for (auto const& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    add(place + "/" + fs::relative(entry.path(), folder).string(), readFile(entry.path().string()));
  }
  EXPECT_GT(files, 0) << "nothing is in " << folder;
}

void Haystack::addDump(std::string const& database, std::string_view holds) {
  add("pg_dump", outputOf({"pg_dump", "--format=plain", "--dbname=" + database}));
  EXPECT_THAT(at("pg_dump"), HasSubstr(holds)) << "nothing was read, so nothing was checked";
}

void Haystack::addBackup(std::string const& file, std::string_view holds) {
  TestFolder const folder;
  outputOf({"tar", "-xf", file, "-C", folder.path()});
  if (isArchive(readFile(folder / "database")))
    writeFile(folder / "database", outputOf({"pg_restore", "--file=-", folder / "database"}));
  addFolder("backup", folder.path());
  EXPECT_THAT(at("backup/database"), HasSubstr(holds)) << "nothing was read, so nothing was checked";
}

void Haystack::addAllOf(Host& host, std::string const& vendor_name) {
  add("audit export", host.run({"audit", "export"}).out);
  EXPECT_THAT(at("audit export"), HasSubstr("\"act\":"));
  TestFolder const folder;
  writeFile(folder / "phrase", "correct horse battery staple\n");
  auto const file = folder / "backup";
  auto const made = host.run({"backup", file, "--passphrase-file", folder / "phrase"});
  ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
  addBackup(file, vendor_name);
  if (!host.database().empty()) addDump(host.database(), vendor_name);
  addFolder("folder", host.folder());
  EXPECT_FALSE(at("folder/garlandd.log").empty());
}

std::vector<std::string> Haystack::placesOf(std::string_view secret) const {
  std::vector<std::string> places;
  for (auto const& [place, text] : texts_)
    if (auto const spelling = spellingIn(text, secret); !spelling.empty())
      places.push_back(place + ": " + spelling);
  return places;
}

} // namespace garland::testing
