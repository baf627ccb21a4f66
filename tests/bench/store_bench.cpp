// Records per second through Store::commit against a plain bulk upsert by the database's own client
// library, for SQLite and PostgreSQL, in one run. A record is a row with a text key and 1 KB of JSON.
//
//   garland_store_bench [--rows N] [--database postgresql://...]
//
// Prints one JSON object: medians of five interleaved rounds in rows a second, and ratios (store / plain).
// "by_64_callers" is group commit: many callers at once, against one plain client with a commit a row.
// Without --database only SQLite is measured. The files are made in a temporary folder.
#include "host/base/json.h"
#include "host/store/store.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include <libpq-fe.h>
#include <sqlite3.h>

namespace {

using namespace garland;
using store::Value;

constexpr int kRounds = 5;
constexpr std::size_t kCallers = 64;
// Row by row, a commit each: enough for a figure, not for an afternoon.
constexpr std::size_t kMaxSingleRows = 2000;
constexpr auto kTable =
    "CREATE TABLE bench_records (vendor_id TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT "
    "NULL, data TEXT NOT NULL, PRIMARY KEY (vendor_id, id))";
constexpr auto kUpsert =
    "INSERT INTO bench_records (vendor_id, id, version, data) VALUES ($1, $2, $3, $4) ON CONFLICT "
    "(vendor_id, id) DO UPDATE SET version = excluded.version, data = excluded.data";
constexpr auto kUnnest =
    "INSERT INTO bench_records (vendor_id, id, version, data) SELECT * FROM unnest($1::text[], $2::text[], "
    "$3::bigint[], $4::text[]) ON CONFLICT (vendor_id, id) DO UPDATE SET version = excluded.version, data = "
    "excluded.data";

struct Record {
  std::string vendor = "ven_01";
  std::string id;
  std::int64_t version = 1;
  std::string data;
};

[[noreturn]] void die(std::string const& message) {
  std::fprintf(stderr, "garland_store_bench: %s\n", message.c_str());
  std::exit(3);
}

// Ids in ascending order, as ULIDs are.
std::vector<Record> makeRecords(std::int64_t count) {
  std::vector<Record> records(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto number = std::to_string(i);
    records[i].id = "rec_" + std::string(20 - number.size(), '0') + number;
    records[i].data = R"({"title":")" + std::string(1000, static_cast<char>('a' + i % 26)) + R"("})";
  }
  return records;
}

double rowsPerSecond(std::size_t rows, std::function<void()> const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
  return static_cast<double>(rows) / took.count();
}

template <class T> T runTask(asio::io_context& loop, Task<T> task) {
  std::optional<Result<T>> result;
  asio::co_spawn(loop, std::move(task), [&result](std::exception_ptr failure, Result<T> value) {
    if (failure) std::rethrow_exception(failure);
    result = std::move(value);
  });
  loop.restart();
  while (!result) loop.run_one();
  if (!*result) die(result->error().message);
  return std::move(**result);
}

store::Unit unitOf(std::vector<Record> const& records, std::size_t first, std::size_t last) {
  store::Unit unit;
  for (auto i = first; i < last; ++i) {
    auto const& record = records[i];
    unit.emplace_back(kUpsert, std::vector<Value>{record.vendor, record.id, record.version, record.data});
  }
  return unit;
}

// One unit after the other, as a pull commits page after page.
Task<std::size_t> throughStore(store::Store* target, std::vector<Record> const* records, std::size_t batch) {
  for (std::size_t first = 0; first < records->size(); first += batch) {
    auto unit = unitOf(*records, first, std::min(first + batch, records->size()));
    CO_TRY_VOID(co_await target->commit(std::move(unit)));
  }
  co_return records->size();
}

// Many callers, each with units of one row: what group commit is for.
void byManyCallers(asio::io_context& loop, store::Store* target, std::vector<Record> const& records) {
  std::vector<std::vector<Record>> shares(kCallers);
  for (std::size_t i = 0; i < records.size(); ++i) shares[i % kCallers].push_back(records[i]);
  std::size_t finished = 0;
  for (auto const& share : shares)
    asio::co_spawn(loop, throughStore(target, &share, 1), [&](std::exception_ptr, Result<std::size_t> done) {
      if (!done) die(done.error().message);
      ++finished;
    });
  loop.restart();
  while (finished < shares.size()) loop.run_one();
}

std::unique_ptr<store::Store> openStore(asio::io_context& loop, std::string const& url) {
  store::Options options;
  options.url = url;
  std::vector<store::Migration> migrations{store::Migration{1, "bench", kTable}};
  return runTask(loop, store::Store::open(loop.get_executor(), options, std::move(migrations)));
}

// SQLite by its own C interface: WAL, synchronous=FULL, one prepared statement, a transaction a batch.
class PlainSqlite {
public:
  explicit PlainSqlite(std::string const& file) {
    if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK) die("cannot open " + file);
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    run(kTable);
    sqlite3_prepare_v2(database_, kUpsert, -1, &upsert_, nullptr);
  }
  ~PlainSqlite() {
    sqlite3_finalize(upsert_);
    sqlite3_close(database_);
  }
  PlainSqlite(PlainSqlite const&) = delete;
  PlainSqlite& operator=(PlainSqlite const&) = delete;

  void upsert(std::vector<Record> const& records, std::size_t batch) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (i % batch == 0) run("BEGIN IMMEDIATE");
      bind(1, records[i].vendor);
      bind(2, records[i].id);
      sqlite3_bind_int64(upsert_, 3, records[i].version);
      bind(4, records[i].data);
      if (sqlite3_step(upsert_) != SQLITE_DONE) die(sqlite3_errmsg(database_));
      sqlite3_reset(upsert_);
      if ((i + 1) % batch == 0 || i + 1 == records.size()) run("COMMIT");
    }
  }
  void clear() { run("DELETE FROM bench_records"); }

private:
  void run(char const* sql) {
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) die(sqlite3_errmsg(database_));
  }
  void bind(int at, std::string const& text) {
    sqlite3_bind_text(upsert_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  sqlite3* database_ = nullptr;
  sqlite3_stmt* upsert_ = nullptr;
};

// PostgreSQL by libpq: one INSERT ... SELECT FROM unnest(...) a batch, which is its own transaction.
class PlainPostgres {
public:
  explicit PlainPostgres(std::string const& url) : connection_(PQconnectdb(url.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) die(PQerrorMessage(connection_));
    check(PQprepare(connection_, "upsert", kUnnest, 0, nullptr));
  }
  ~PlainPostgres() { PQfinish(connection_); }
  PlainPostgres(PlainPostgres const&) = delete;
  PlainPostgres& operator=(PlainPostgres const&) = delete;

  void upsert(std::vector<Record> const& records, std::size_t batch) {
    for (std::size_t first = 0; first < records.size(); first += batch) {
      std::array<std::string, 4> columns;
      auto const last = std::min(first + batch, records.size());
      for (auto i = first; i < last; ++i) {
        add(columns[0], records[i].vendor);
        add(columns[1], records[i].id);
        add(columns[2], std::to_string(records[i].version));
        add(columns[3], records[i].data);
      }
      std::array<char const*, 4> values{};
      for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i] += '}';
        values[i] = columns[i].c_str();
      }
      check(PQexecPrepared(connection_, "upsert", 4, values.data(), nullptr, nullptr, 0));
    }
  }
  void run(char const* sql) { check(PQexec(connection_, sql)); }

private:
  static void add(std::string& array, std::string const& text) {
    array += array.empty() ? "{\"" : ",\"";
    for (char const c : text) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  void check(PGresult* result) {
    auto const status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) die(PQerrorMessage(connection_));
  }
  PGconn* connection_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// One way to bring records in, by transactions of `batch` rows.
using Upsert = std::function<void(std::vector<Record> const&, std::size_t batch)>;

struct Ways {
  Upsert store;
  Upsert store_by_many_callers; // always one row a unit
  Upsert plain;
  std::function<void()> clear;
};

// A B A B, with an empty table before each, so that both meet the same disk.
json::value interleave(std::vector<Record> const& records, std::size_t batch, Upsert const& ours,
                       Upsert const& plain, std::function<void()> const& clear) {
  std::array<std::vector<double>, 2> speeds;
  for (int round = 0; round < kRounds; ++round) {
    std::size_t which = 0;
    for (auto const* way : {&ours, &plain}) {
      clear();
      speeds[which++].push_back(rowsPerSecond(records.size(), [&] { (*way)(records, batch); }));
    }
  }
  auto const store_speed = median(speeds[0]);
  auto const plain_speed = median(speeds[1]);
  return {{"rows", records.size()},
          {"store_rows_per_second", static_cast<std::int64_t>(store_speed)},
          {"plain_rows_per_second", static_cast<std::int64_t>(plain_speed)},
          {"ratio", std::round(store_speed / plain_speed * 1000) / 1000}};
}

json::object compare(std::vector<Record> const& all, Ways const& ways) {
  auto few = all;
  few.resize(std::min(all.size(), kMaxSingleRows));
  json::object report;
  report["batch_1"] = interleave(few, 1, ways.store, ways.plain, ways.clear);
  report["batch_1_by_64_callers"] = interleave(few, 1, ways.store_by_many_callers, ways.plain, ways.clear);
  report["batch_100"] = interleave(all, 100, ways.store, ways.plain, ways.clear);
  report["batch_1000"] = interleave(all, 1000, ways.store, ways.plain, ways.clear);
  return report;
}

Ways waysThrough(asio::io_context& loop, store::Store* target) {
  Ways ways;
  ways.store = [&loop, target](auto const& rows, std::size_t batch) {
    runTask(loop, throughStore(target, &rows, batch));
  };
  ways.store_by_many_callers = [&loop, target](auto const& rows, std::size_t) {
    byManyCallers(loop, target, rows);
  };
  return ways;
}

json::object benchSqlite(std::vector<Record> const& records) {
  std::string folder = (std::filesystem::temp_directory_path() / "garland-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) die("cannot make a temporary folder");
  json::object report;
  {
    asio::io_context loop;
    auto const target = openStore(loop, "sqlite:" + folder + "/store.db");
    PlainSqlite plain(folder + "/plain.db");
    auto ways = waysThrough(loop, target.get());
    ways.plain = [&](auto const& rows, std::size_t batch) { plain.upsert(rows, batch); };
    ways.clear = [&] {
      runTask(loop, target->commit({store::Statement("DELETE FROM bench_records")}));
      plain.clear();
    };
    report = compare(records, ways);
  }
  std::filesystem::remove_all(folder);
  return report;
}

json::object benchPostgres(std::vector<Record> const& records, std::string const& url) {
  asio::io_context loop;
  auto const target = openStore(loop, url);
  PlainPostgres plain(url);
  auto ways = waysThrough(loop, target.get());
  ways.plain = [&](auto const& rows, std::size_t batch) { plain.upsert(rows, batch); };
  ways.clear = [&] { plain.run("TRUNCATE bench_records"); };
  auto report = compare(records, ways);
  plain.run("DROP TABLE bench_records, garland_migrations");
  return report;
}

} // namespace

int main(int count, char** arguments) {
  std::map<std::string, std::string> options{{"--rows", "20000"}, {"--database", ""}};
  for (int i = 1; i < count; i += 2) {
    auto const found = options.find(arguments[i]);
    if (found == options.end() || i + 1 == count) {
      std::fprintf(stderr, "usage: garland_store_bench [--rows N] [--database postgresql://...]\n");
      return 2;
    }
    found->second = arguments[i + 1];
  }
  auto const rows = std::atoll(options["--rows"].c_str());
  if (rows < 1) die("--rows must be a positive number");
  auto const records = makeRecords(rows);
  json::object report{{"bench", "store"}, {"rounds", kRounds}};
  report["sqlite"] = benchSqlite(records);
  if (!options["--database"].empty()) report["postgresql"] = benchPostgres(records, options["--database"]);
  std::printf("%s\n", json::serialize(report).c_str());
}
