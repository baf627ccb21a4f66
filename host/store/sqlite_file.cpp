#include "host/store/sqlite_file.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace garland::store {
namespace {

constexpr std::string_view kScheme = "sqlite:";

Error fileError(std::string_view what, std::filesystem::path const& path, int code) {
  bool const full = code == ENOSPC || code == EDQUOT;
  std::string message = std::string(what) + " " + path.string() + ": " + std::strerror(code);
  if (full) return Error(ErrorKind::hostLimit, message + "; free space there and try again");
  return Error(ErrorKind::invalidInput,
               message + "; check the path and that the user who runs Garland may write there");
}

std::string holder(int descriptor) {
  std::array<char, 32> text{};
  auto const length = ::pread(descriptor, text.data(), text.size() - 1, 0);
  std::string_view digits(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return digits.empty() ? "another process" : "process " + std::string(digits);
}

} // namespace

Result<FileLock> FileLock::take(std::filesystem::path const& database) {
  auto const path = std::filesystem::path(database.string() + ".lock");
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.descriptor_ < 0) return fileError("cannot open the lock file", path, errno);
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fileError("cannot lock", path, errno);
    return Error(ErrorKind::unsupported, "the database " + database.string() + " is in use by " +
                                             holder(lock.descriptor_) +
                                             "; stop that daemon first, or give this one its own data_dir");
  }
  // Only for the message above; a full disk must not keep the daemon from starting.
  auto const pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.descriptor_, 0) == 0) (void)!::pwrite(lock.descriptor_, pid.data(), pid.size(), 0);
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::filesystem::path> sqlitePath(std::string_view url) {
  auto const text = url.substr(kScheme.size());
  if (text.empty() || text.find('\0') != std::string_view::npos)
    return Error(ErrorKind::invalidInput, "the database URL names no file; write sqlite:/path/to/file.db",
                 "/database/url");
  std::error_code code;
  auto path = std::filesystem::absolute(std::filesystem::path(text), code);
  if (!code) path = std::filesystem::weakly_canonical(path, code);
  if (code) return fileError("cannot resolve", std::filesystem::path(text), code.value());
  if (!std::filesystem::is_directory(path.parent_path(), code))
    return Error(ErrorKind::invalidInput,
                 "the folder " + path.parent_path().string() +
                     " for the database does not exist; make it, or name another file",
                 "/database/url");
  return path;
}

Result<void> createPrivately(std::filesystem::path const& database) {
  int const descriptor = ::open(database.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fileError("cannot open the database", database, errno);
  ::close(descriptor);
  return {};
}

} // namespace garland::store
