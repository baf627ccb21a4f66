// The tour of samples/first-sync on both databases.
#include "host/store/postgres_fixture.h"
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gtest/gtest.h>

namespace garland::testing {
namespace {

Finished tour(std::vector<std::string> more) {
  TestFolder const state;
  std::vector<std::string> words = {inSources("/samples/first-sync/run"), "--stop-at-end", "--state",
                                    state / "tour"};
  words.insert(words.end(), more.begin(), more.end());
  return runProgram(words, {{"GARLAND_BIN", binFolder()}}, "");
}

TEST(Tour, FirstSyncRunsOnSqlite) {
  auto const done = tour({});
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
}

TEST(Tour, AnUnknownOptionIsToldBeforeAnythingIsBuilt) {
  auto const done = runProgram({inSources("/samples/first-sync/run"), "--bogus"}, {}, "");
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_NE(done.err.find("--bogus"), std::string::npos) << done.err;
  EXPECT_EQ(done.out.find("build"), std::string::npos) << done.out;
}

TEST(Tour, FirstSyncRunsOnPostgresql) {
  auto const postgres = store::PostgresFixture::start();
  ASSERT_TRUE(postgres) << postgres.error().message;
  auto const done = tour({"--database", (*postgres)->url()});
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
}

} // namespace
} // namespace garland::testing
