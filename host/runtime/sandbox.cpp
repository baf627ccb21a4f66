#include "host/runtime/sandbox.h"

#include "host/runtime/sandbox_landlock.h"
#include "host/runtime/sandbox_namespaces.h"
#include "host/runtime/sandbox_seccomp.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace garland::runtime::sandbox {
namespace {

// The six inherited descriptors, what dlopen opens one at a time, and some room.
constexpr rlim_t kOpenFiles = 16;

Error failed(std::string_view what) {
  return {ErrorKind::unsupported, std::string(what) + " failed: " + std::strerror(errno)};
}

Result<void> limit(decltype(RLIMIT_CORE) resource, rlim_t value, std::string_view name) {
  rlimit const both{value, value};
  if (::setrlimit(resource, &both) != 0) return failed("setrlimit " + std::string(name));
  return {};
}

Result<void> limitResources(Options const& options) {
  TRY_VOID(limit(RLIMIT_CORE, 0, "CORE"));
  TRY_VOID(limit(RLIMIT_FSIZE, 0, "FSIZE"));
  TRY_VOID(limit(RLIMIT_NPROC, 0, "NPROC"));
  TRY_VOID(limit(RLIMIT_MEMLOCK, 0, "MEMLOCK"));
  TRY_VOID(limit(RLIMIT_NOFILE, kOpenFiles, "NOFILE"));
#ifndef GARLAND_SANITIZER_BUILD // a sanitizer reserves terabytes of address space for its shadow
  if (options.address_space != 0) {
    TRY_VOID(limit(RLIMIT_AS, options.address_space, "AS"));
  }
#else
  (void)options;
#endif
  return {};
}

FilesAfterLoading filesAfterLoading(Closed const& closed) {
  return closed.tier == SandboxTier::d ? FilesAfterLoading::none : FilesAfterLoading::asAllowed;
}

Refusals refusalsOf(Closed const& closed) { return closed.audited ? Refusals::audited : Refusals::answered; }

} // namespace

SandboxTier tierOf(bool landlock, bool private_root) {
  if (landlock) return private_root ? SandboxTier::a : SandboxTier::b;
  return private_root ? SandboxTier::c : SandboxTier::d;
}

Result<Closed> close(Options const& options) {
  Closed closed;
  auto const inside = enterNamespaces();
  closed.private_root = inside.private_root;
  closed.notes = inside.notes;
  // From here on nobody of the same user can trace this process or read its memory.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("PR_SET_DUMPABLE");
  // A garlandd that dies takes its workers along, even one whose plugin never returns.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return failed("PR_SET_PDEATHSIG");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("PR_SET_NO_NEW_PRIVS");
  TRY_VOID(limitResources(options));

  auto landlock = restrictFiles();
  if (landlock)
    closed.landlock_abi = *landlock;
  else
    closed.notes.push_back(landlock.error().message);

  closed.tier = tierOf(closed.landlock_abi > 0, closed.private_root);
  if (closed.tier == SandboxTier::d && !options.allow_degraded)
    return Error(ErrorKind::forbidden,
                 "this system offers neither Landlock nor a private root (tier D); plugins are not loaded "
                 "unless sandbox.allow_degraded is set");
  closed.audited = options.audit;
  TRY_VOID(filterSystemCalls(filesAfterLoading(closed), refusalsOf(closed)));
  return closed;
}

Result<void> seal(Closed const& closed) {
  return filterAfterLoading(filesAfterLoading(closed), refusalsOf(closed));
}

} // namespace garland::runtime::sandbox
