// System calls of the daemon's own house-keeping.
#include "host/daemon/process.h"

#include "host/daemon/daemon.h"

#include <systemd/sd-daemon.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace garland::daemon {

namespace fs = std::filesystem;

void hardenProcess() {
  prctl(PR_SET_DUMPABLE, 0);
  rlimit const none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  umask(077);
  // A worker takes five descriptors.
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void tellServiceManager(std::string const& state) { sd_notify(0, state.c_str()); }

std::optional<Milliseconds> watchdogInterval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return Milliseconds(microseconds / 2000); // twice as often as asked
}

std::string programFolder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().string();
}

Result<FolderLock> FolderLock::take(std::string const& data_dir) {
  auto const path = lockPath(data_dir);
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return Error(ErrorKind::hostLimit,
                 "cannot open " + path + " (" + std::strerror(errno) + "): give this user the folder");
  FolderLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  auto const other = readReadyFile(data_dir);
  std::string const who =
      other ? " (process " + std::to_string(other->pid) + ", port " + std::to_string(other->port) + ")" : "";
  return Error(ErrorKind::unsupported, "another garlandd" + who + " runs on " + data_dir +
                                           ": stop it, or give this one a folder of its own with --data-dir");
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

bool isLocked(std::string const& data_dir) {
  int const fd = ::open(lockPath(data_dir).c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  bool const held = ::flock(fd, LOCK_EX | LOCK_NB) != 0;
  ::close(fd);
  return held;
}

Result<void> ensureDataDir(std::string const& data_dir) {
  std::error_code code;
  bool const there = fs::is_directory(data_dir, code);
  if (!there) {
    fs::create_directories(data_dir, code);
    if (code)
      return Error(ErrorKind::hostLimit, "cannot make the data folder " + data_dir + " (" + code.message() +
                                             "): choose another with --data-dir, or make it for this user");
    fs::permissions(data_dir, fs::perms::owner_all, code);
  }
  if (::access(data_dir.c_str(), R_OK | W_OK | X_OK) != 0)
    return Error(ErrorKind::hostLimit, "the data folder " + data_dir + " cannot be written (" +
                                           std::strerror(errno) +
                                           "): give it to the user that runs garlandd");
  return {};
}

} // namespace garland::daemon
