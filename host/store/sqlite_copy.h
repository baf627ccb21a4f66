// A copy of the whole database, made some pages at a time between commits. It reads by the writer's own
// connection: what is committed meanwhile SQLite puts into the copy as well, so that it comes to its end
// however much is written, and nobody waits for longer than a step takes.
#pragma once

#include "host/store/sqlite_connection.h"

#include <filesystem>
#include <memory>
#include <optional>

namespace garland::store {

// [writer thread]
class SqliteCopy {
public:
  // conflict if the file is there. `from` must outlive it, and commits by nobody else.
  static Result<SqliteCopy> begin(SqliteConnection& from, std::filesystem::path const& file);
  // Between two transactions. True: the copy is whole and durable.
  Result<bool> step();

private:
  struct Finish {
    void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
  };
  using Backup = std::unique_ptr<sqlite3_backup, Finish>;

  SqliteCopy(std::filesystem::path file, SqliteConnection to, Backup backup)
      : file_(std::move(file)), to_(std::move(to)), backup_(std::move(backup)) {}

  std::filesystem::path file_;
  std::optional<SqliteConnection> to_;
  Backup backup_;
};

} // namespace garland::store
