#include "host/runtime/image.h"

#include "host/runtime/elf_image.h"
#include "host/vault/vault.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <limits>

namespace garland::runtime {
namespace {

constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

Error systemError(std::string_view what) {
  return Error(ErrorKind::transient, std::string(what) + " failed: " + std::strerror(errno));
}

Result<void> writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto const written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return systemError("writing the plugin's memory file");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<OwnedFd> sealedCopy(std::string_view bytes) {
  OwnedFd file(::memfd_create("garland-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return systemError("memfd_create");
  TRY_VOID(writeAll(file.get(), bytes));
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) return systemError("sealing the plugin's memory file");
  return file;
}

// A read-only view of a sealed file.
class Mapping {
public:
  Mapping(int fd, std::size_t size)
      : size_(size), at_(::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0)) {}
  Mapping(Mapping const&) = delete;
  Mapping& operator=(Mapping const&) = delete;
  ~Mapping() {
    if (*this) ::munmap(at_, size_);
  }
  explicit operator bool() const { return at_ != MAP_FAILED; }
  std::string_view bytes() const { return {static_cast<char const*>(at_), size_}; }

private:
  std::size_t size_;
  void* at_;
};

Result<void> checkSealed(std::string_view bytes, PluginInfo const& plugin) {
  if (vault::sha256Hex(bytes) != plugin.digest)
    return Error(ErrorKind::invalidInput,
                 plugin.path + " changed since it was catalogued; scan the plugins again");
  auto image = readElf(bytes);
  if (!image) return Error(ErrorKind::invalidInput, plugin.path + " " + image.error().message);
  auto const note = parseJson(image->manifest);
  if (!note || *note != plugin.manifest.document)
    return Error(ErrorKind::invalidInput, plugin.path + " carries another manifest than the catalogue's");
  return {};
}

Error unreadable(int number) {
  auto kind = ErrorKind::transient; // EMFILE, EIO, EACCES, ...: nothing that the file itself could help
  if (number == ENOENT) kind = ErrorKind::notFound;
  if (number == ELOOP || number == ENOTDIR || number == ENXIO) kind = ErrorKind::invalidInput;
  return Error(kind, std::string("cannot be read: ") + std::strerror(number));
}

// A file that is not there, or that the host cannot read now, is not yet another one than the catalogue saw.
Error notSealed(PluginInfo const& plugin, Error const& error) {
  bool const other = error.kind == ErrorKind::invalidInput || error.kind == ErrorKind::hostLimit;
  return Error(other ? ErrorKind::invalidInput : ErrorKind::transient, plugin.path + " " + error.message);
}

} // namespace

Result<std::string> readPluginFile(std::string const& path, std::size_t limit) {
  OwnedFd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return unreadable(errno);
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return Error(ErrorKind::invalidInput, "cannot be read: it is not a regular file");
  std::string out;
  for (std::string chunk(256U << 10U, '\0');;) {
    auto const got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(errno);
    if (got == 0) return out;
    out.append(chunk.data(), static_cast<std::size_t>(got));
    if (out.size() > limit)
      return Error(ErrorKind::hostLimit, "is too large: more than " + std::to_string(limit) + " bytes");
  }
}

Result<OwnedFd> sealImage(PluginInfo const& plugin) {
  auto bytes = readPluginFile(plugin.path, kMaxPluginBytes);
  if (!bytes) return notSealed(plugin, bytes.error());
  if (bytes->empty()) return Error(ErrorKind::invalidInput, plugin.path + " is empty");
  TRY(file, sealedCopy(*bytes));
  Mapping const sealed(file.get(), bytes->size());
  if (!sealed) return systemError("mapping the plugin's memory file");
  TRY_VOID(checkSealed(sealed.bytes(), plugin));
  return std::move(file);
}

} // namespace garland::runtime
