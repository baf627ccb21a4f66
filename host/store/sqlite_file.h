// The database file as a thing on disk: made private, and held by one process at a time.
#pragma once

#include "host/store/store.h"

#include <filesystem>

namespace garland::store {

// Holds `<file>.lock` by flock(2) while it lives. The kernel lets go when the process ends, however it
// ends, so a crash leaves nothing to clean up. The lock file itself stays; removing it would race.
class FileLock {
public:
  // unsupported if another process (or another Store of this one) holds the file.
  static Result<FileLock> take(std::filesystem::path const& database);
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock();

private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// The file that a "sqlite:" URL names, with symbolic links followed: two names of one file must meet
// at one lock. invalidInput if there is no path, or its folder does not exist.
Result<std::filesystem::path> sqlitePath(std::string_view url);

// Makes the file with mode 0600 if it is not there. Call it under the lock and before SQLite opens the
// file: closing any descriptor of it later would drop SQLite's own locks.
Result<void> createPrivately(std::filesystem::path const& database);

} // namespace garland::store
