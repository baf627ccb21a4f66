// What a good daemon does to its own process: no core dumps, private files, news for systemd.
#pragma once

#include "host/base/clock.h"
#include "host/base/result.h"

#include <optional>
#include <string>

namespace garland::daemon {

// No core dump, not readable by other processes of this user, new files private to it.
void hardenProcess();

// Tells systemd ("READY=1"); does nothing without it.
void tellServiceManager(std::string const& state);
// How often WATCHDOG=1 must come, if systemd watches.
std::optional<Milliseconds> watchdogInterval();

// Folder of the running program.
std::string programFolder();

// Held while it lives; the kernel gives it back whatever happens to the process.
class FolderLock {
public:
  // unsupported if another daemon holds it.
  static Result<FolderLock> take(std::string const& data_dir);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  ~FolderLock();

private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// True if a daemon holds the lock.
bool isLocked(std::string const& data_dir);

// Makes the folder with mode 0700 if it is not there; an error says why it cannot be used.
Result<void> ensureDataDir(std::string const& data_dir);

} // namespace garland::daemon
