// Key files are made beside their place under a random name and then linked there: link(2) is
// atomic and fails if the name is taken, so of two daemons that start at once one makes the key and
// the other finds it complete.
#include "host/vault/key_file.h"
#include "host/vault/vault.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace garland::vault {
namespace {

Error systemError(std::string const& what, int reason) {
  auto const kind = reason == ENOENT                       ? ErrorKind::notFound
                    : reason == EACCES || reason == EPERM  ? ErrorKind::forbidden
                    : reason == ENOTDIR || reason == ELOOP ? ErrorKind::invalidInput
                                                           : ErrorKind::hostLimit;
  return {kind, what + ": " + std::generic_category().message(reason)};
}

Result<void> writeAll(int fd, std::string_view content, std::string const& path) {
  while (!content.empty()) {
    auto const written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return systemError("the key file " + path + " could not be written", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fchmod(fd, S_IRUSR | S_IWUSR) != 0 || ::fsync(fd) != 0)
    return systemError("the key file " + path + " could not be written", errno);
  return {};
}

// Makes the file's name as durable as its bytes.
Result<void> syncFolder(std::string const& path) {
  auto folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  OpenFile const open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (open.fd() < 0 || ::fsync(open.fd()) != 0)
    return systemError("the folder " + folder + " of a key file could not be written", errno);
  return {};
}

std::string draftName(std::string const& path, Random& random) {
  std::array<std::byte, 8> salt{};
  random.fill(salt);
  // A seeded Random gives two processes the same salt; the process id keeps their drafts apart.
  return path + "." + std::to_string(::getpid()) + "." +
         hex({reinterpret_cast<char const*>(salt.data()), salt.size()}) + ".new";
}

} // namespace

Result<OpenFile> openKeyFile(std::string const& path, mode_t forbidden) {
  // O_NONBLOCK: a named pipe must not hold the daemon up; it has no effect on a regular file.
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.fd() < 0) return systemError("the key file " + path + " could not be read", errno);
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0)
    return systemError("the key file " + path + " could not be examined", errno);
  if (!S_ISREG(status.st_mode))
    return Error(ErrorKind::invalidInput, "the key file " + path + " is not a regular file");
  if ((status.st_mode & forbidden) != 0)
    return Error(ErrorKind::forbidden,
                 "the key file " + path + " is open to its group or to others; run: chmod 600 " + path);
  file.bytes = static_cast<std::size_t>(status.st_size);
  return file;
}

Result<void> readAll(OpenFile const& file, std::span<std::byte> out, std::string const& path) {
  while (!out.empty()) {
    auto const got = ::read(file.fd(), out.data(), out.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return systemError("the key file " + path + " could not be read", errno);
    if (got == 0) return Error(ErrorKind::invalidInput, "the key file " + path + " ends too early");
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<Secret> readKeyFile(std::string const& path, std::size_t max_bytes) {
  TRY(file, openKeyFile(path));
  if (file.bytes > max_bytes)
    return Error(ErrorKind::invalidInput, "the key file " + path + " is " + std::to_string(file.bytes) +
                                              " bytes long; at most " + std::to_string(max_bytes) +
                                              " belong there");
  std::string content;
  // Short strings live inside the object and would leave a copy behind when moved.
  content.reserve(file.bytes + sizeof(std::string));
  content.resize(file.bytes);
  TRY_VOID(readAll(file, std::as_writable_bytes(std::span(content)), path));
  return Secret(std::move(content));
}

Result<bool> createKeyFile(std::string const& path, std::string_view content, Random& random) {
  auto const draft = draftName(path, random);
  OpenFile const file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.fd() < 0) return systemError("the key file " + path + " could not be made", errno);
  auto const written = writeAll(file.fd(), content, path);
  int const linked = written.has_error() ? 0 : ::link(draft.c_str(), path.c_str());
  int const reason = errno;
  ::unlink(draft.c_str());
  TRY_VOID(written);
  if (linked != 0 && reason != EEXIST)
    return systemError("the key file " + path + " could not be made", reason);
  // For the loser of a race too: what it seals next must not outlive the key's name.
  TRY_VOID(syncFolder(path));
  return linked == 0;
}

} // namespace garland::vault
