#include "host/store/sqlite_connection.h"

#include "host/store/values.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <sys/statvfs.h>

namespace garland::store {
namespace {

constexpr std::size_t kMaxPrepared = 256;
constexpr int kBusyMilliseconds = 5000;

bool outOfSpace(int code, int system_error) {
  return code == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE ||
         ((code & 0xff) == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT));
}

Error classify(int code, int system_error, std::string const& file) {
  if (outOfSpace(code, system_error))
    return Error(ErrorKind::hostLimit, "the disk that holds " + file +
                                           " is full, so nothing of this was kept; free space and try again");
  switch (code & 0xff) {
  case SQLITE_CONSTRAINT:
    if (code == SQLITE_CONSTRAINT_NOTNULL || code == SQLITE_CONSTRAINT_CHECK)
      return Error(ErrorKind::invalidInput, "a value breaks a rule of the table");
    return Error(ErrorKind::conflict, "it contradicts what the database holds; read it again");
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return Error(ErrorKind::transient, "another program keeps " + file + " locked; close it and try again");
  case SQLITE_IOERR:
    return Error(ErrorKind::transient, "reading or writing " + file + " failed; check the disk and its log");
  case SQLITE_CANTOPEN:
  case SQLITE_READONLY:
  case SQLITE_PERM:
    return Error(ErrorKind::transient,
                 file + " cannot be opened for writing; check its permissions and those of its folder");
  case SQLITE_CORRUPT: return Error(ErrorKind::invalidInput, file + " is damaged; restore a backup");
  case SQLITE_NOTADB:
    return Error(ErrorKind::invalidInput, file + " is not an SQLite database; name another file");
  case SQLITE_NOMEM: return Error(ErrorKind::hostLimit, "there is not enough memory for it");
  case SQLITE_TOOBIG: return Error(ErrorKind::invalidInput, "a value is larger than SQLite can keep");
  default: return Error(ErrorKind::invalidInput, "SQLite does not accept the statement");
  }
}

// SQLite's own sentence, where it names tables and columns but cannot quote a bound value.
bool isSafeToShow(int code) {
  switch (code) {
  case SQLITE_CONSTRAINT_UNIQUE:
  case SQLITE_CONSTRAINT_PRIMARYKEY:
  case SQLITE_CONSTRAINT_NOTNULL:
  case SQLITE_CONSTRAINT_CHECK:
  case SQLITE_CONSTRAINT_FOREIGNKEY: return true;
  default: return false;
  }
}

Error placeholderError(std::string const& sql, std::size_t index, std::string_view why) {
  return Error(ErrorKind::invalidInput, describe(sql, index) + ": " + std::string(why));
}

int bindOne(sqlite3_stmt* statement, int at, Value const& value) {
  if (auto const* number = std::get_if<std::int64_t>(&value))
    return sqlite3_bind_int64(statement, at, *number);
  if (auto const* text = std::get_if<std::string>(&value))
    return sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  if (auto const* bytes = std::get_if<Bytes>(&value)) {
    // An empty vector's data() may be null, which SQLite would take for NULL.
    if (bytes->empty()) return sqlite3_bind_zeroblob(statement, at, 0);
    return sqlite3_bind_blob64(statement, at, bytes->data(), bytes->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, at);
}

// Nothing if the column holds a kind of value that the store does not carry.
std::optional<Value> columnValue(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
  case SQLITE_NULL: return Value(nullptr);
  case SQLITE_INTEGER: return Value(std::int64_t{sqlite3_column_int64(statement, column)});
  case SQLITE_TEXT: {
    auto const* text = reinterpret_cast<char const*>(sqlite3_column_text(statement, column));
    return Value(std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))));
  }
  case SQLITE_BLOB: {
    auto const* bytes = static_cast<std::uint8_t const*>(sqlite3_column_blob(statement, column));
    return Value(Bytes(bytes, bytes + sqlite3_column_bytes(statement, column)));
  }
  default: return std::nullopt;
  }
}

std::optional<std::size_t> placeholderNumber(char const* name) {
  std::string_view const text = name == nullptr ? "" : name;
  std::size_t number = 0;
  if (text.size() < 2 || text.front() != '$') return std::nullopt;
  auto const [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

// The SQL function; what digests is its user data.
void callDigest(sqlite3_context* context, int, sqlite3_value** values) {
  using Digest = std::string (*)(std::string_view);
  auto const* digest = static_cast<Digest const*>(sqlite3_user_data(context));
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return sqlite3_result_null(context);
  // Two BLOBs that were joined by || are of type TEXT with the same bytes.
  auto const* bytes = static_cast<char const*>(sqlite3_value_blob(values[0]));
  auto const length = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  auto const out = (*digest)(std::string_view(bytes, length));
  sqlite3_result_blob64(context, out.data(), out.size(), SQLITE_TRANSIENT);
}

// Puts the statement back to its start, so that it holds no read transaction open.
struct ResetAtEnd {
  sqlite3_stmt* statement;
  ~ResetAtEnd() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

} // namespace

Result<SqliteConnection> SqliteConnection::open(std::filesystem::path const& file, Use use) {
  sqlite3* raw = nullptr;
  int const flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  int const code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  SqliteConnection connection(file, Database(raw), use);
  if (code != SQLITE_OK) return connection.lastError("opening the database");
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  // Automatic checkpoints would stand in the way of a commit; see SqliteCheckpointer.
  sqlite3_wal_autocheckpoint(raw, 0);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  TRY_VOID(connection.script("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY"));
  TRY_VOID(connection.script(use == Use::write ? "PRAGMA cache_size=-16384" : "PRAGMA cache_size=-4096"));
  if (use == Use::read) {
    TRY_VOID(connection.script("PRAGMA query_only=ON"));
  }
  return connection;
}

Error SqliteConnection::lastError(std::string_view what) const {
  auto* const database = database_.get();
  int const code = database == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(database);
  int const system_error = database == nullptr ? 0 : sqlite3_system_errno(database);
  auto error = classify(code, system_error, file_.string());
  if (code == SQLITE_FULL && !short_of_.empty())
    error.message =
        "the disk that holds " + file_.string() + " has less than " + short_of_ +
        " left ([database] min_free_mib of garland.toml), so nothing of this was kept; free space and "
        "try again";
  if (database != nullptr && isSafeToShow(code))
    error.message += " [" + std::string(sqlite3_errmsg(database)) + "]";
  error.provider_code = "SQLITE_" + std::to_string(code);
  return std::move(error).within(what);
}

// SQLite itself refuses new pages then, and goes on to use those that it has.
Result<void> SqliteConnection::keepFree(std::uint64_t bytes) {
  struct statvfs disk{};
  bool const known = bytes > 0 && ::statvfs(file_.c_str(), &disk) == 0;
  bool const is_short = known && std::uint64_t{disk.f_bavail} * disk.f_frsize < bytes;
  if (is_short == !short_of_.empty()) return {};
  TRY_VOID(run(Statement(is_short ? "PRAGMA max_page_count=1" : "PRAGMA max_page_count=4294967294")));
  short_of_ = is_short ? std::to_string(bytes >> 20U) + " MiB" : "";
  return {};
}

// VACUUM writes every page anew, into the log; the checkpoint copies it and cuts the log off. What it makes
// meanwhile is as large as the file, which is no thing for memory.
Result<void> SqliteConnection::rewrite() {
  TRY_VOID(script("PRAGMA temp_store=FILE"));
  auto written = script("VACUUM");
  TRY_VOID(script("PRAGMA temp_store=MEMORY"));
  if (!written) return written;
  TRY(cut, run(Statement("PRAGMA wal_checkpoint(TRUNCATE)")));
  if (!cut.rows.empty() && cut.rows[0].integer(0) == 0) return {};
  return Error(ErrorKind::transient, "what was deleted is still in the log of " + file_.string() +
                                         ", because somebody reads the database; try again");
}

Result<void> SqliteConnection::offerSha256(std::string (*digest)(std::string_view)) {
  if (digest == nullptr) return {};
  auto own = std::make_unique<std::string (*)(std::string_view)>(digest);
  int const flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  auto const forget = [](void* kept) { delete static_cast<std::string (**)(std::string_view)>(kept); };
  // SQLite calls `forget` whether it takes the function or not.
  int const code =
      sqlite3_create_function_v2(database_.get(), "sha256", 1, flags, static_cast<void*>(own.release()),
                                 callDigest, nullptr, nullptr, forget);
  if (code != SQLITE_OK) return lastError("adding the function sha256");
  return {};
}

Result<void> SqliteConnection::script(std::string const& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  auto error = lastError("running the script");
  if ((sqlite3_extended_errcode(database_.get()) & 0xff) == SQLITE_ERROR)
    error.message += " [" + std::string(sqlite3_errmsg(database_.get())) + "]";
  return error;
}

Result<Rows> SqliteConnection::run(Statement const& statement, std::size_t index) {
  TRY(prepared, prepare(statement.sql, index));
  auto* const handle = prepared->statement.get();
  if (use_ == Use::read && sqlite3_stmt_readonly(handle) == 0)
    return placeholderError(statement.sql, index, "read() takes a query; use commit() to write");
  ResetAtEnd const reset{handle};
  TRY_VOID(bind(*prepared, statement, index));
  return step(handle, statement, index);
}

Result<SqliteConnection::Prepared*> SqliteConnection::prepare(std::string const& sql, std::size_t index) {
  if (auto const found = prepared_.find(sql); found != prepared_.end()) {
    order_.splice(order_.begin(), order_, found->second.used);
    return &found->second;
  }
  TRY(compiled, compile(sql, index));
  if (prepared_.size() >= kMaxPrepared) {
    auto const oldest = prepared_.find(std::string(order_.back()));
    order_.pop_back();
    prepared_.erase(oldest);
  }
  auto const added = prepared_.emplace(sql, std::move(compiled)).first;
  order_.push_front(added->first);
  added->second.used = order_.begin();
  return &added->second;
}

Result<SqliteConnection::Prepared> SqliteConnection::compile(std::string const& sql,
                                                             std::size_t index) const {
  sqlite3_stmt* raw = nullptr;
  char const* rest = nullptr;
  int const code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, &rest);
  Prepared prepared;
  prepared.statement.reset(raw);
  if (code != SQLITE_OK) {
    // Nothing is bound yet, so SQLite's sentence can only quote the text of the statement.
    auto error = lastError(describe(sql, index));
    error.message += " [" + std::string(sqlite3_errmsg(database_.get())) + "]";
    return error;
  }
  std::string_view const tail(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  if (raw == nullptr || tail.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return placeholderError(sql, index, "must be exactly one statement");
  int const parameters = sqlite3_bind_parameter_count(raw);
  for (int at = 1; at <= parameters; ++at) {
    auto const number = placeholderNumber(sqlite3_bind_parameter_name(raw, at));
    if (!number) return placeholderError(sql, index, "placeholders are written $1 to $N");
    prepared.arguments.push_back(*number - 1);
    prepared.needed = std::max(prepared.needed, *number);
  }
  return prepared;
}

Result<void> SqliteConnection::bind(Prepared const& prepared, Statement const& statement,
                                    std::size_t index) const {
  if (statement.args.size() != prepared.needed)
    return placeholderError(statement.sql, index,
                            "it has " + std::to_string(prepared.needed) + " placeholders but " +
                                std::to_string(statement.args.size()) + " arguments");
  auto checked = checkArguments(statement);
  if (!checked) return std::move(checked).error().within(describe(statement.sql, index));
  for (std::size_t i = 0; i < prepared.arguments.size(); ++i) {
    auto const& value = statement.args[prepared.arguments[i]];
    if (bindOne(prepared.statement.get(), static_cast<int>(i) + 1, value) != SQLITE_OK)
      return lastError(describe(statement.sql, index));
  }
  return {};
}

Result<Rows> SqliteConnection::step(sqlite3_stmt* statement, Statement const& source,
                                    std::size_t index) const {
  auto* const database = database_.get();
  auto const changes_before = sqlite3_total_changes64(database);
  int const columns = sqlite3_column_count(statement);
  Rows result;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    std::vector<Value> row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      auto value = columnValue(statement, column);
      if (!value)
        return placeholderError(source.sql, index,
                                "column " + std::to_string(column + 1) +
                                    " is a floating-point number; the store carries TEXT, BIGINT and BYTEA");
      row.push_back(std::move(*value));
    }
    result.rows.emplace_back(std::move(row));
  }
  if (code != SQLITE_DONE) return lastError(describe(source.sql, index));
  // sqlite3_changes() keeps the count of an earlier statement when this one was a query.
  if (sqlite3_total_changes64(database) != changes_before) result.affected = sqlite3_changes64(database);
  return result;
}

} // namespace garland::store
