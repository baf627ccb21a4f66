#include "host/runtime/sandbox_landlock.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace garland::runtime::sandbox {
namespace {

// The distribution's header knows version 2; what came later is spelled out here. Bits must never be
// removed: a right that is not handled is a right that everybody has.
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net; // version 4
  std::uint64_t scoped;             // version 6
};
constexpr std::uint64_t kFilesVersion1 = (1ULL << 13U) - 1;
constexpr std::uint64_t kRefer = 1ULL << 13U;    // version 2
constexpr std::uint64_t kTruncate = 1ULL << 14U; // version 3
constexpr std::uint64_t kIoctl = 1ULL << 15U;    // version 5
constexpr std::uint64_t kNet = 3;                // bind, connect
constexpr std::uint64_t kScopeAbstractSocket = 1;
constexpr std::uint64_t kScopeSignal = 2;

struct Attempt {
  int version;
  std::size_t size;
  RulesetAttributes attributes;
};

// Best first. Kernels with back-ported parts claim versions they do not have whole (EINVAL), so each one is
// tried; the version alone decides nothing.
constexpr Attempt kAttempts[] = {
    {6, 24, {kFilesVersion1 | kRefer | kTruncate | kIoctl, kNet, kScopeAbstractSocket | kScopeSignal}},
    {6, 24, {kFilesVersion1 | kRefer | kTruncate | kIoctl, kNet, kScopeAbstractSocket}},
    {5, 16, {kFilesVersion1 | kRefer | kTruncate | kIoctl, kNet, 0}},
    {4, 16, {kFilesVersion1 | kRefer | kTruncate, kNet, 0}},
    {3, 8, {kFilesVersion1 | kRefer | kTruncate, 0, 0}},
    {2, 8, {kFilesVersion1 | kRefer, 0, 0}},
    {1, 8, {kFilesVersion1, 0, 0}},
};

int createRuleset(RulesetAttributes const* attributes, std::size_t size, std::uint32_t flags) {
  return static_cast<int>(::syscall(SYS_landlock_create_ruleset, attributes, size, flags));
}

void allow(int ruleset, char const* path, std::uint64_t rights) {
  int const place = ::open(path, O_PATH | O_CLOEXEC);
  if (place < 0) return; // a path that is not there needs no rule
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = place;
  ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(place);
}

} // namespace

int landlockVersion() {
  int const version = createRuleset(nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? version : 0;
}

Result<int> restrictFiles() {
  for (auto const& attempt : kAttempts) {
    int const ruleset = createRuleset(&attempt.attributes, attempt.size, 0);
    if (ruleset < 0) continue;
    for (char const* path : kReadablePaths) allow(ruleset, path, LANDLOCK_ACCESS_FS_READ_FILE);
#ifdef GARLAND_SANITIZER_BUILD // the runtime reads its own memory map
    allow(ruleset, "/proc/self", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
#endif
    bool const restricted = ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    ::close(ruleset);
    if (restricted) return attempt.version;
  }
  return Error(ErrorKind::unsupported,
               std::string("Landlock is not available (") + std::strerror(errno) +
                   "): system libraries are readable to plugins; use a kernel with CONFIG_SECURITY_LANDLOCK "
                   "and \"landlock\" in its lsm= list");
}

} // namespace garland::runtime::sandbox
