// One SQLite connection with its prepared statements. Used by one thread at a time; knows nothing of
// queues, batches or coroutines.
#pragma once

#include "host/store/store.h"

#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>

#include <sqlite3.h>

namespace garland::store {

class SqliteConnection {
public:
  enum class Use { write, read, checkpoint };

  // The file must exist. WAL is switched on by the writer after the migrations were checked.
  static Result<SqliteConnection> open(std::filesystem::path const& file, Use use);

  // One statement with its arguments. `index` is its place in the unit, for messages.
  Result<Rows> run(Statement const& statement, std::size_t index = 0);
  // Any number of statements without arguments.
  Result<void> script(std::string const& sql);

  bool inTransaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
  sqlite3* handle() const { return database_.get(); }
  // What the last failed call means; `what` says where it happened.
  Error lastError(std::string_view what) const;

  // Below so many free bytes on the file's disk the database may not grow, see Options. Call it between
  // transactions.
  Result<void> keepFree(std::uint64_t bytes);
  // Every page anew, and the log empty, see Store::scrub. Outside of transactions.
  Result<void> rewrite();
  // Statements may call it as sha256(BYTEA) from now on, see Options.
  Result<void> offerSha256(std::string (*digest)(std::string_view));

private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Database = std::unique_ptr<sqlite3, CloseDatabase>;

  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Finalize> statement;
    std::vector<std::size_t> arguments; // argument for each of SQLite's parameters, in its order
    std::size_t needed = 0;             // the highest N of $N
    std::list<std::string_view>::iterator used;
  };

  SqliteConnection(std::filesystem::path file, Database database, Use use)
      : file_(std::move(file)), database_(std::move(database)), use_(use) {}

  Result<Prepared*> prepare(std::string const& sql, std::size_t index);
  Result<Prepared> compile(std::string const& sql, std::size_t index) const;
  Result<void> bind(Prepared const& prepared, Statement const& statement, std::size_t index) const;
  Result<Rows> step(sqlite3_stmt* statement, Statement const& source, std::size_t index) const;

  std::filesystem::path file_;
  Database database_;
  Use use_;
  std::string short_of_; // "256 MiB": less is free, so it may not grow; "" while it may
  // Least recently used last; bounded, because a caller may build texts with a varying number of rows.
  std::unordered_map<std::string, Prepared> prepared_;
  std::list<std::string_view> order_;
};

} // namespace garland::store
