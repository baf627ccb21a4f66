#include "host/marketplace/place_file.h"

#include "host/base/file_text.h"
#include "host/marketplace/marketplace.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace garland::marketplace {
namespace {

namespace fs = std::filesystem;

Error cannotWrite(std::string const& path) {
  return {ErrorKind::hostLimit, "cannot write " + path + ": " + std::strerror(errno)};
}

bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto const written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

} // namespace

Result<void> placeFile(std::string const& path, std::string_view bytes, unsigned mode) {
  if (auto const there = readFileText(path, bytes.size()); there && *there == bytes) return {};
  auto const above = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  std::error_code failed;
  fs::create_directories(above, failed);
  auto const fresh = path + ".new";
  int const fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return cannotWrite(path);
  bool const written = writeAll(fd, bytes);
  auto const why = errno;
  ::close(fd);
  errno = why;
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) {
    auto failure = cannotWrite(path);
    ::unlink(fresh.c_str());
    return failure;
  }
  int const folder = ::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool const kept = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!kept) return cannotWrite(path);
  return {};
}

Result<void> writeFile(std::string const& path, std::string_view bytes) {
  return placeFile(path, bytes, 0644);
}

} // namespace garland::marketplace
