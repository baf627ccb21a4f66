#include "host/runtime/sandbox_namespaces.h"

#include "host/base/result.h"
#include "host/runtime/sandbox_landlock.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace garland::runtime::sandbox {
namespace {

constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr uid_t kNobody = 65534;
// The private root is built over one of these; what was there is out of sight in the new namespace only.
constexpr std::array kMountPoints = {"/tmp", "/var/tmp", "/run", "/mnt"};

Error failed(std::string_view what) {
  return {ErrorKind::unsupported, std::string(what) + ": " + std::strerror(errno)};
}

Result<void> mountAt(char const* source, std::string const& target, char const* type, unsigned long flags,
                     char const* data) {
  if (::mount(source, target.c_str(), type, flags, data) != 0) return failed("mounting " + target);
  return {};
}

// Creates every directory of `path` below `root`.
void makeDirectories(std::string const& root, std::string_view path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    ::mkdir((root + std::string(path.substr(0, slash))).c_str(), 0755);
    if (slash == std::string_view::npos) return;
  }
}

// Shows `path` of the old root at the same place of the new one; /lib may be a symbolic link to usr/lib.
Result<void> show(std::string const& root, char const* path) {
  struct stat what{};
  if (::lstat(path, &what) != 0) return {};
  std::string_view const text = path;
  auto const target = root + path;
  if (auto const slash = text.rfind('/'); slash > 0) makeDirectories(root, text.substr(0, slash));
  if (S_ISLNK(what.st_mode)) {
    std::array<char, 256> link{};
    if (::readlink(path, link.data(), link.size() - 1) < 0 || ::symlink(link.data(), target.c_str()) != 0)
      return failed("linking " + target);
    return {};
  }
  if (S_ISDIR(what.st_mode))
    ::mkdir(target.c_str(), 0755);
  else if (int const file = ::open(target.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0444); file >= 0)
    ::close(file);
  return mountAt(path, target, nullptr, MS_BIND | MS_REC, nullptr);
}

Result<void> makeReadOnly(std::string const& root) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, root.c_str(), AT_RECURSIVE, &attributes, sizeof attributes) != 0)
    return failed("making the private root read-only");
  return {};
}

Result<void> changeRoot(std::string const& root) {
  if (::chdir(root.c_str()) != 0) return failed("entering " + root);
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return failed("pivot_root");
  if (::umount2(".", MNT_DETACH) != 0) return failed("leaving the old root");
  if (::chdir("/") != 0) return failed("entering the new root");
  return {};
}

std::string mountPoint() {
  for (char const* place : kMountPoints) {
    struct stat what{};
    if (::lstat(place, &what) == 0 && S_ISDIR(what.st_mode)) return place;
  }
  return "/tmp";
}

Result<void> makePrivateRoot() {
  auto const root = mountPoint();
  // The daemon's umask is 077; the folders made here must be open to the user that the worker becomes.
  ::umask(022);
  TRY_VOID(mountAt(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  TRY_VOID(mountAt("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0755"));
  for (char const* path : kReadablePaths) {
    TRY_VOID(show(root, path));
  }
  // The plugin is loaded from its descriptor, by the name /proc/self/fd/5. Of /proc only this process is
  // shown: the bind holds the directory of the pid, not the link "self".
  makeDirectories(root, "/proc/self");
  TRY_VOID(mountAt("/proc/self", root + "/proc/self", nullptr, MS_BIND, nullptr));
  TRY_VOID(makeReadOnly(root));
  return changeRoot(root);
}

Result<void> writeFile(char const* path, std::string const& text) {
  int const file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return failed(std::string("opening ") + path);
  auto const written = ::write(file, text.data(), text.size());
  ::close(file);
  if (written != static_cast<ssize_t>(text.size())) return failed(std::string("writing ") + path);
  return {};
}

// The same user and group inside as outside: nothing in there needs another one.
Result<void> enterUserNamespace() {
  auto const user = std::to_string(::geteuid());
  auto const group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | kNamespaces) != 0) return failed("user namespaces are not available");
  TRY_VOID(writeFile("/proc/self/setgroups", "deny"));
  TRY_VOID(writeFile("/proc/self/uid_map", user + " " + user + " 1"));
  return writeFile("/proc/self/gid_map", group + " " + group + " 1");
}

bool dropRoot() {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
         ::setresuid(kNobody, kNobody, kNobody) == 0;
}

// In the own UTS namespace only. The machine's name is no secret worth refusing to run for.
void hideHostName() {
  constexpr std::string_view kName = "garland";
  [[maybe_unused]] int const failed_quietly = ::sethostname(kName.data(), kName.size());
}

void dropRootOrNote(Inside& inside) {
  if (!dropRoot())
    inside.notes.emplace_back(
        "the worker could not give up root (no CAP_SETUID); run garlandd as an ordinary user");
}

void enterRootOrNote(Inside& inside, Result<void> namespaces) {
  if (namespaces) namespaces = makePrivateRoot();
  inside.private_root = namespaces.has_value();
  if (!namespaces)
    inside.notes.push_back("no private root (" + namespaces.error().message +
                           "): a plugin can learn which paths exist; allow unprivileged user namespaces "
                           "(sysctl kernel.unprivileged_userns_clone=1, AppArmor userns rule)");
}

} // namespace

Inside enterNamespaces() {
  Inside inside;
  if (::geteuid() == 0) {
    // Root needs no user namespace for the others, and becomes an ordinary user after them.
    if (::unshare(kNamespaces) == 0) {
      hideHostName();
      enterRootOrNote(inside, {});
      dropRootOrNote(inside);
      return inside;
    }
    dropRootOrNote(inside);
  }
  auto const namespaces = enterUserNamespace();
  inside.user_namespace = namespaces.has_value();
  if (namespaces) hideHostName();
  enterRootOrNote(inside, namespaces);
  return inside;
}

} // namespace garland::runtime::sandbox
