#include "host/store/sqlite_copy.h"

#include "host/store/drivers.h"
#include "host/store/sqlite_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace garland::store {
namespace {

namespace fs = std::filesystem;

constexpr int kPages = 256; // of 4 KiB, a step: about a millisecond

Error cannotWrite(fs::path const& path, int code) {
  return {ErrorKind::hostLimit, "cannot write " + path.string() + ": " + std::strerror(code)};
}

Error isThere(fs::path const& path) {
  return {ErrorKind::conflict, path.string() + " is there already, and is not overwritten"};
}

Result<void> makeNew(fs::path const& file) {
  int const fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST) return isThere(file);
  if (fd < 0) return cannotWrite(file, errno);
  ::close(fd);
  return {};
}

// What was written to the file or folder reaches the disk.
Result<void> makeDurable(fs::path const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  bool const kept = fd >= 0 && ::fsync(fd) == 0;
  int const why = errno;
  if (fd >= 0) ::close(fd);
  if (!kept) return cannotWrite(path, why);
  return {};
}

// Takes the copy's bytes to where they can be renamed from.
Result<void> bringNear(fs::path const& copy, fs::path const& fresh) {
  std::error_code failed;
  // Of an attempt that was killed; its log would be taken for that of the new file.
  for (char const* const beside : {"", "-wal", "-shm", "-journal"})
    fs::remove(fresh.string() + beside, failed);
  fs::rename(copy, fresh, failed);
  if (!failed) return {};
  TRY_VOID(makeNew(fresh)); // on another disk
  fs::copy_file(copy, fresh, fs::copy_options::overwrite_existing, failed);
  if (failed) return cannotWrite(fresh, failed.value());
  return {};
}

Result<void> finish(fs::path const& fresh, std::string const& then) {
  TRY(connection, SqliteConnection::open(fresh, SqliteConnection::Use::write));
  auto const done = connection.script("BEGIN IMMEDIATE; " + then + " COMMIT");
  if (!done) return Error(done.error()).within("the copy of the database");
  // Of one file again, without a log beside it.
  return connection.script("PRAGMA journal_mode=DELETE");
}

} // namespace

Result<SqliteCopy> SqliteCopy::begin(SqliteConnection& from, fs::path const& file) {
  TRY_VOID(makeNew(file));
  TRY(to, SqliteConnection::open(file, SqliteConnection::Use::checkpoint));
  // A copy that is not whole is thrown away, so nothing has to be undone in it.
  TRY_VOID(to.script("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"));
  Backup backup(sqlite3_backup_init(to.handle(), "main", from.handle(), "main"));
  if (!backup) return to.lastError("copying the database");
  return SqliteCopy(file, std::move(to), std::move(backup));
}

Result<bool> SqliteCopy::step() {
  int const code = sqlite3_backup_step(backup_.get(), kPages);
  if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) return false;
  // This is what tells the copy's own connection what went wrong.
  int const ended = sqlite3_backup_finish(backup_.release());
  if (code != SQLITE_DONE || ended != SQLITE_OK) return to_->lastError("copying the database");
  to_.reset();
  TRY_VOID(makeDurable(file_));
  TRY_VOID(makeDurable(file_.parent_path()));
  return true;
}

Result<void> putBackSqlite(std::string const& url, std::string const& copy, std::string const& then) {
  TRY(path, sqlitePath(url));
  TRY(lock, FileLock::take(path));
  for (char const* const beside : {"", "-wal", "-journal"}) {
    std::error_code unreadable;
    auto const there = path.string() + beside;
    if (fs::exists(there, unreadable) || unreadable) return isThere(there);
  }
  auto const fresh = fs::path(path.string() + ".restored");
  TRY_VOID(bringNear(copy, fresh));
  TRY_VOID(finish(fresh, then));
  TRY_VOID(makeDurable(fresh));
  std::error_code failed;
  fs::rename(fresh, path, failed);
  if (failed) return cannotWrite(path, failed.value());
  return makeDurable(path.parent_path());
}

} // namespace garland::store
