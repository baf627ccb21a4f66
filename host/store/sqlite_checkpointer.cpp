#include "host/store/sqlite_checkpointer.h"

#include "host/store/thread_name.h"

namespace garland::store {
namespace {

// Pages of 4 KiB: copy from 4 MiB on, wait at 64 MiB.
constexpr int kCopyFrom = 1000;
constexpr int kWaitAt = 16384;

void checkpoint(SqliteConnection& connection, int mode) {
  // A checkpoint that fails (readers, a full disk) loses nothing: the log stays and is copied next time.
  (void)sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, mode, nullptr, nullptr);
}

int rememberPages(void* target, sqlite3*, char const*, int pages) {
  *static_cast<int*>(target) = pages;
  return SQLITE_OK;
}

} // namespace

Result<std::unique_ptr<SqliteCheckpointer>> SqliteCheckpointer::start(std::filesystem::path const& file,
                                                                      SqliteConnection& writer) {
  TRY(own, SqliteConnection::open(file, SqliteConnection::Use::checkpoint));
  return std::unique_ptr<SqliteCheckpointer>(new SqliteCheckpointer(std::move(own), writer));
}

SqliteCheckpointer::SqliteCheckpointer(SqliteConnection own, SqliteConnection& writer)
    : own_(std::move(own)), writer_(writer) {
  sqlite3_wal_hook(writer_.handle(), &rememberPages, &log_pages_);
  thread_ = std::thread([this] { loop(); });
}

SqliteCheckpointer::~SqliteCheckpointer() {
  sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SqliteCheckpointer::committed() {
  if (log_pages_ >= kWaitAt) return checkpoint(writer_, SQLITE_CHECKPOINT_RESTART);
  if (log_pages_ < kCopyFrom) return;
  {
    std::lock_guard const lock(mutex_);
    wanted_ = true;
  }
  wake_.notify_one();
}

void SqliteCheckpointer::loop() {
  nameThread("store log");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return wanted_ || stopping_; });
    if (stopping_) return;
    wanted_ = false;
    lock.unlock();
    checkpoint(own_, SQLITE_CHECKPOINT_PASSIVE);
    lock.lock();
  }
}

} // namespace garland::store
