// The floor under a durable acknowledgement, for `tests/bench/run webhooks`: a loop that inserts one row a
// commit into SQLite (WAL, synchronous=FULL), with a key that must be new, by SQLite's own interface.
//
//   garland_insert_loop FILE ROWS BYTES    prints {"per_second", "p50_ms", "p99_ms"}; the file is made anew
#include "tests/bench/load.h"

#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>

namespace garland::bench {
namespace {

class Database {
public:
  explicit Database(std::string const& file) {
    for (auto const* tail : {"", "-wal", "-shm"}) std::filesystem::remove(file + tail);
    check(sqlite3_open(file.c_str(), &database_));
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE webhooks (connection TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, "
        "PRIMARY KEY (connection, key)) WITHOUT ROWID");
    check(sqlite3_prepare_v2(database_,
                             "INSERT INTO webhooks VALUES ('con_1', ?1, ?2) ON CONFLICT DO NOTHING", -1,
                             &insert_, nullptr));
  }
  ~Database() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }
  Database(Database const&) = delete;
  Database& operator=(Database const&) = delete;

  void insert(std::string const& key, std::string const& body) {
    sqlite3_bind_text(insert_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    sqlite3_bind_blob(insert_, 2, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
    if (sqlite3_step(insert_) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database_));
    sqlite3_reset(insert_);
  }

private:
  void run(char const* sql) { check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }
  void check(int code) {
    if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database_));
  }
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

void measure(std::string const& file, std::size_t rows, std::size_t bytes) {
  Database database(file);
  std::string const body(bytes, 'x');
  std::vector<float> took;
  took.reserve(rows);
  auto const begun = Steady::now();
  for (std::size_t i = 0; i < rows; ++i) {
    auto const key = "id evt_" + std::to_string(i);
    auto const before = Steady::now();
    database.insert(key, body);
    took.push_back(milliseconds(Steady::now() - before));
  }
  auto const seconds = std::chrono::duration<double>(Steady::now() - begun).count();
  json::object out{{"per_second", static_cast<double>(rows) / seconds}};
  out["p50_ms"] = quantile(took, 0.5);
  out["p99_ms"] = quantile(took, 0.99);
  writeLine(out);
}

} // namespace
} // namespace garland::bench

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: garland_insert_loop FILE ROWS BYTES\n");
    return 2;
  }
  return garland::bench::runBench([&] {
    garland::bench::measure(words[1], std::strtoull(words[2], nullptr, 10),
                            std::strtoull(words[3], nullptr, 10));
  });
}
