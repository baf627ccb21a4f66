#include "certification/folder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace garland::certification {
namespace {

namespace fs = std::filesystem;

constexpr char const* kBegin = "garland-certify-";
constexpr char const* kLock = "/lock";

// The lock of a folder, if nobody else holds it; -1. Workers do not inherit it.
int locked(std::string const& folder, int flags) {
  int const lock = ::open((folder + kLock).c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat seen{};
  // Whoever sweeps may have been quicker; then the file is gone.
  if (lock >= 0 && ::flock(lock, LOCK_EX | LOCK_NB) == 0 && ::fstat(lock, &seen) == 0 && seen.st_nlink > 0)
    return lock;
  if (lock >= 0) ::close(lock);
  return -1;
}

bool isOurs(fs::path const& folder) {
  struct stat seen{};
  return ::lstat(folder.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode) && seen.st_uid == ::geteuid();
}

} // namespace

Folder::~Folder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

std::string const& Folder::path() {
  constexpr int tries = 3;
  std::error_code failed;
  for (int i = 0; i < tries && path_.empty(); ++i) {
    auto pattern = (fs::temp_directory_path(failed) / (std::string(kBegin) + "XXXXXX")).string();
    if (failed || ::mkdtemp(pattern.data()) == nullptr) break;
    lock_ = locked(pattern, O_RDWR | O_CREAT);
    if (lock_ >= 0) path_ = pattern;
  }
  return path_;
}

std::string Folder::file(std::string const& name, std::string const& bytes) {
  if (path().empty()) return {};
  auto const place = path_ + "/" + name;
  std::ofstream out(place, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? place : std::string();
}

void sweepFolders() {
  std::error_code failed;
  std::vector<fs::path> found;
  fs::directory_iterator entry(fs::temp_directory_path(failed), failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed))
    if (entry->path().filename().string().starts_with(kBegin)) found.push_back(entry->path());
  for (auto const& folder : found) {
    int const lock = isOurs(folder) ? locked(folder.string(), O_RDWR) : -1;
    if (lock < 0) continue;
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    ::close(lock);
  }
}

} // namespace garland::certification
