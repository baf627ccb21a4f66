// Copies the write-ahead log back into the database file beside the commits instead of within one of
// them, which takes the long pauses out of commit times. Under a load that never pauses the log would
// grow for ever, so beyond a hard bound the writer itself waits for a complete copy.
#pragma once

#include "host/store/sqlite_connection.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace garland::store {

class SqliteCheckpointer {
public:
  // Watches the log of `writer`, with a connection of its own for the copying.
  static Result<std::unique_ptr<SqliteCheckpointer>> start(std::filesystem::path const& file,
                                                           SqliteConnection& writer);
  ~SqliteCheckpointer();
  SqliteCheckpointer(SqliteCheckpointer const&) = delete;
  SqliteCheckpointer& operator=(SqliteCheckpointer const&) = delete;

  // After each commit. [writer thread]
  void committed();

private:
  SqliteCheckpointer(SqliteConnection own, SqliteConnection& writer);
  void loop();

  SqliteConnection own_;
  SqliteConnection& writer_;
  std::atomic<int> log_pages_ = 0; // when the last commit ended
  std::atomic<int> asked_at_ = 0;  // so many they were when copying was asked for last
  std::mutex mutex_;
  std::condition_variable wake_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace garland::store
