#include "host/base/file_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace garland {
namespace {

Error cannotRead(std::string const& path, int reason) {
  if (reason == ENOENT || reason == ENOTDIR) return {ErrorKind::notFound, "there is no file " + path};
  if (reason == EACCES || reason == EPERM) return {ErrorKind::forbidden, "this user may not read " + path};
  if (reason == EISDIR) return {ErrorKind::invalidInput, path + " is a folder, not a file: name a file"};
  return {ErrorKind::hostLimit, "cannot read " + path + ": " + std::generic_category().message(reason)};
}

Result<std::string> readToEnd(int fd, std::string const& path, std::size_t most) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return cannotRead(path, errno);
  if (S_ISDIR(status.st_mode)) return cannotRead(path, EISDIR);
  std::string text;
  std::array<char, 16'384> chunk;
  for (;;) {
    auto const got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannotRead(path, errno);
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > most)
      return Error(ErrorKind::invalidInput, path + " is longer than " + std::to_string(most) + " bytes");
  }
}

} // namespace

Result<std::string> readFileText(std::string const& path, std::size_t most) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return cannotRead(path, errno);
  auto text = readToEnd(fd, path, most);
  ::close(fd);
  return text;
}

} // namespace garland
