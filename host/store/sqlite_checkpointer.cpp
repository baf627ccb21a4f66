#include "host/store/sqlite_checkpointer.h"

#include "host/store/thread_name.h"

namespace garland::store {
namespace {

// Pages of 4 KiB: copy each 4 MiB, wait at 64 MiB.
constexpr int kCopyEach = 1000;
constexpr int kWaitAt = 16384;
// Each round copies what was committed during the one before, so where commits leave pauses one of them
// copies all, and the log begins anew; where they do not, none does.
constexpr int kRounds = 4;

// How many pages of the log are in the file. A checkpoint that fails (readers, a full disk) loses nothing:
// the log stays and is copied next time.
int checkpoint(SqliteConnection& connection, int mode) {
  int copied = 0;
  (void)sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, mode, nullptr, &copied);
  return copied;
}

int rememberPages(void* target, sqlite3*, char const*, int pages) {
  *static_cast<std::atomic<int>*>(target) = pages;
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
  int const pages = log_pages_;
  if (pages >= kWaitAt) return (void)checkpoint(writer_, SQLITE_CHECKPOINT_RESTART);
  if (pages < asked_at_) asked_at_ = 0; // the log has begun anew, after a wait
  if (pages < asked_at_ + kCopyEach) return;
  asked_at_ = pages;
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
    for (int round = 0; round < kRounds; ++round)
      if (checkpoint(own_, SQLITE_CHECKPOINT_PASSIVE) >= log_pages_) {
        asked_at_ = 0; // the next commit begins the log anew
        break;
      }
    lock.lock();
  }
}

} // namespace garland::store
