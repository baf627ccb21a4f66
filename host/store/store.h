// The durable store: one SQL text, two drivers (SQLite by default, PostgreSQL by URL).
//
// A write is a Unit: statements as data with the row counts they must have. The store commits many
// units of one moment together (group commit) but each unit is applied whole or not at all, and
// commit() answers only after its transaction is durable. There are no interactive transactions:
// read, decide, then commit a unit whose expectations prove that what was read still holds. A failed
// expectation gives `conflict` and the caller reads again.
//
// SQL rules: placeholders are $1..$N; types are TEXT, BIGINT and BYTEA; JSON is TEXT; booleans are
// BIGINT 0/1; times are BIGINT milliseconds UTC. Upserts use ON CONFLICT, results use RETURNING.
// Every table's primary key begins with vendor_id, except those of the installation itself.
#pragma once

#include "host/base/bytes.h"
#include "host/base/carrier.h"
#include "host/base/random.h"
#include "host/base/task.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace garland::store {

using Value = std::variant<std::nullptr_t, std::int64_t, std::string, Bytes>;

struct Statement {
  Statement(std::string sql_in, std::vector<Value> args_in = {})
      : sql(std::move(sql_in)), args(std::move(args_in)) {}
  // The statement must affect (or return) exactly this many rows, or the unit fails with `conflict`.
  Statement expecting(std::int64_t rows) && {
    expected_rows = rows;
    return std::move(*this);
  }
  // It writes a row that other daemons write as well, such as a counter; the name is any that they use, too.
  // Units of one commit take such rows in the order of their names (PostgreSQL), whatever order they came in.
  Statement contendingFor(std::string row) && {
    contended_row = std::move(row);
    return std::move(*this);
  }
  std::string sql;
  std::vector<Value> args;
  std::optional<std::int64_t> expected_rows;
  std::string contended_row;
};

using Unit = std::vector<Statement>;

// Reading a column that is not there, or as another type than it holds, is a bug: std::logic_error.
class Row {
public:
  Row() = default;
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  std::string const& text(std::size_t column) const; // "" if NULL
  std::int64_t integer(std::size_t column) const;    // 0 if NULL
  Bytes const& bytes(std::size_t column) const;      // empty if NULL
  bool isNull(std::size_t column) const;
  std::size_t size() const { return values_.size(); }

private:
  std::vector<Value> values_;
};

struct Rows {
  std::vector<Row> rows;     // of SELECT or RETURNING
  std::int64_t affected = 0; // rows inserted, updated or deleted
};

// Forward only. The checksum of an applied migration's text is kept; a changed text is refused. A daemon is
// of the version of the last migration that it knows. See decision 0045.
struct Migration {
  std::int64_t version; // ascending over all rooms, never reused
  std::string name;
  std::string sql; // statements separated by ";\n"
  // The oldest version whose daemons read and write rightly what this one leaves; 0: its own, so that older
  // daemons must have stopped before.
  std::int64_t compatible_from = 0;
};

struct Options {
  // "sqlite:/path/to/file.db" or "postgresql://user@host:port/name"
  std::string url;
  int max_batch_units = 256; // group commit: units per transaction
  int read_connections = 2;
  // PostgreSQL: nobody else who asks for either of these may have the database open; `unsupported` if
  // somebody has. A SQLite file is never shared.
  bool single_daemon = false;
  // PostgreSQL: others who ask for this may have it open as well, but nobody who wants it alone.
  bool other_daemons = false;
  // SQLite: with less free space than that on the disk of the file it takes no new pages: what needs any is
  // `hostLimit`, as on a full disk. 0: only a full disk is full.
  std::uint64_t min_free_bytes = 0;
  // PostgreSQL: of pauses between tries; null: the kernel's.
  std::shared_ptr<Random> random;
  // What units tell goes by this, and not by the database; close() closes it. Null: by the database.
  std::shared_ptr<Carrier> carrier;
  // What the SQL function sha256(BYTEA) is: PostgreSQL has it, SQLite has none and calls this. null: there is
  // none. [any thread]
  std::string (*sha256)(std::string_view bytes) = nullptr;
};

inline constexpr std::string_view kNoticeChannel = "garland";
// Stands in a unit, which tells this text to the other daemons on a PostgreSQL database if and only if it is
// kept: one line of at most 7,999 bytes. The same text is told once for a batch. A carrier is told after the
// commit, so that a process which dies between the two tells nothing.
Statement notice(std::string text);
// Called with each text, of this daemon's own units too; with "" whenever something may have been missed, so
// at the begin as well.
using Listener = Carrier::Listener;

// Rows that wait for a time of day. Each is SQL: an expression of columns of the table, but for its name.
struct Waiting {
  std::string table;
  std::string until;           // a column; NULL: it waits for nothing
  std::string since;           // the moment from which it waits
  std::string at_once = "1=0"; // which of them wait for their turn and for no time
};
// After the time of day was set back they would wait that much longer. " FROM ... WHERE ..." of those of
// which that can be seen: the moment from which they wait is more than a minute from now, and they wait for
// no time that was named since. The one argument, $1, is the time it is now.
std::string waitsTooLong(Waiting const& waiting);
// The UPDATE after which those wait from now on, as long as they were to. What they say of the past stays.
std::string bringForward(Waiting const& waiting);

// Errors: transient (database away, with what to check), conflict (expectation or unique key),
// hostLimit (disk full: nothing of the unit was kept), invalidInput (bad URL), unsupported (the database is
// of a newer version with which this one is not compatible, older daemons are on it that are not compatible
// with ours, or another daemon holds the file).
// All methods: [loop thread]; the store's own threads post their answers back to `executor`.
class Store {
public:
  virtual ~Store() = default;

  // Opens, takes the single-daemon lock, runs the missing migrations.
  static Task<std::unique_ptr<Store>> open(asio::any_io_executor executor, Options options,
                                           std::vector<Migration> migrations);

  // How many migrations open() would apply; looks only, and makes nothing: a file that does not exist
  // yet, or an empty database, needs all of them. Errors: those of open(), but for the lock.
  static Task<std::size_t> pendingMigrations(asio::any_io_executor executor, Options options,
                                             std::vector<Migration> migrations);

  virtual Task<Rows> read(Statement statement) = 0;
  // One Rows per statement, in order.
  virtual Task<std::vector<Rows>> commit(Unit unit) = 0;
  // Waits for everything accepted and closes; later calls answer `cancelled`.
  virtual Task<void> close() = 0;

  // What was deleted or overwritten leaves the files as well, which takes as long, and for a moment as much
  // disk, as writing them anew: for after an erasure. False: this driver cannot (PostgreSQL: its VACUUM
  // FULL does, and is told by its administrator). transient if somebody read for so long that the log could
  // not be emptied.
  virtual Task<bool> scrub() { co_return false; }

  virtual std::string_view driver() const = 0; // "sqlite" or "postgresql"

  // All that the database held at one moment of the copying, in a new file that only its owner can read,
  // while everything goes on; durable on return. SQLite: a database file; PostgreSQL: an archive of pg_dump,
  // whose programs have to be installed. The file may be there in part after an error. Errors: conflict (the
  // file is there), notFound (no pg_dump), hostLimit, unsupported (not this store), and those of the class.
  virtual Task<void> copyTo(std::string file);

  // In the place of an earlier listener; an empty one ends it, and so does close(). Never called by SQLite,
  // where nobody else writes.
  virtual void listen(Listener) {}
};

// Makes a database of what copyTo() wrote: all of it or nothing, whenever the process ends. `then` is SQL
// that is a part of it, statements with ";" behind each; what it says is believed. The copy may be gone
// afterwards. `url` names a SQLite file that is not there, or a PostgreSQL database without tables. Errors:
// conflict (there is something), invalidInput (not a copy of this kind of database), notFound (psql or
// pg_restore is not installed), hostLimit, unsupported (somebody has the file). Blocks. [any thread]
Result<void> putBack(std::string const& url, std::string const& copy, std::string const& then);

} // namespace garland::store
