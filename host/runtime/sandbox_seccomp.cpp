#include "host/runtime/sandbox_seccomp.h"

#include "host/runtime/sandbox_audit.h"
#include "host/runtime/sandbox_seal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <linux/seccomp.h>
#include <memory>
#include <seccomp.h>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace garland::runtime::sandbox {
namespace {

// What loading and running straight-line code takes, found by taking one call away at a time. brk is
// among them because it must never get an errno: the C library takes it for an address.
constexpr std::string_view kAllowed =
    "read readv write writev close fstat newfstatat lseek pread64 brk futex exit exit_group restart_syscall "
    "sched_yield gettid getpid getppid getuid "
    "geteuid getgid getegid uname rt_sigprocmask rt_sigreturn sigaltstack clock_gettime clock_getres "
    "clock_nanosleep gettimeofday nanosleep time getrandom ppoll poll";

// Allowed as well, but not for the page that holds the second filter (sandbox_seal.h).
constexpr std::string_view kMemory = "mmap munmap mprotect mremap madvise";

// Refused with EPERM: what a program can only mean to do. Everything that is in neither list answers ENOSYS,
// so that a newer C library falls back to an older call (clone3, statx, ...) instead of failing.
constexpr std::string_view kRefused =
    "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvfrom recvmsg "
    "recvmmsg shutdown fork vfork clone execve execveat kill tkill pidfd_open pidfd_send_signal "
    "pidfd_getfd ptrace process_vm_readv process_vm_writev process_madvise rt_sigaction "
    "rt_sigqueueinfo rt_tgsigqueueinfo setitimer timer_create mount umount2 pivot_root chroot "
    "unshare setns move_mount open_tree fsopen mount_setattr bpf perf_event_open io_uring_setup "
    "io_uring_enter io_uring_register userfaultfd keyctl add_key request_key memfd_create "
    "memfd_secret shmget shmat semget msgget mq_open setuid setgid setreuid setregid setresuid "
    "setresgid setgroups capset setrlimit prctl arch_prctl personality modify_ldt creat "
    "unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat "
    "truncate ftruncate chmod fchmod fchmodat chown fchown lchown fchownat mknod mknodat utimensat "
    "setxattr fsetxattr getdents64 access faccessat readlink readlinkat getcwd chdir fchdir ioctl "
    "fcntl dup dup2 dup3 pipe pipe2 eventfd2 signalfd4 inotify_init1 fanotify_init reboot kexec_load "
    "init_module finit_module delete_module swapon swapoff acct settimeofday clock_settime "
    "sethostname";

// The sanitizers' runtimes probe memory through a pipe, read /proc/self and look at limits and handlers.
#ifdef GARLAND_SANITIZER_BUILD
constexpr std::string_view kSanitizer =
    "pipe2 readlink readlinkat rt_sigaction getrlimit sched_getaffinity getcwd ioctl access "
    "getdents64 fcntl dup dup2";
#else
constexpr std::string_view kSanitizer;
#endif

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

Error failed(std::string_view what, int code) {
  return {ErrorKind::unsupported,
          "seccomp: " + std::string(what) + ": " + std::strerror(-code) + "; no plugin is loaded without it"};
}

// Names that this architecture or this libseccomp does not know are left to the default action.
template <class... Comparisons>
Result<void> rule(Filter const& filter, std::uint32_t action, char const* name, Comparisons... comparisons) {
  int const number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return {};
  std::array<scmp_arg_cmp, sizeof...(comparisons)> const all = {comparisons...};
  int const code =
      seccomp_rule_add_array(filter.get(), action, number, static_cast<unsigned>(all.size()), all.data());
  if (code != 0 && code != -EDOM) return failed(name, code);
  return {};
}

std::vector<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  return {std::istream_iterator<std::string>(stream), {}};
}

Result<void> rules(Filter const& filter, std::uint32_t action, std::vector<std::string> const& names) {
  for (auto const& name : names) {
    TRY_VOID(rule(filter, action, name.c_str()));
  }
  return {};
}

Result<Filter> newFilter(std::uint32_t by_default) {
  Filter filter(seccomp_init(by_default));
  if (!filter) return failed("no filter could be made", -ENOMEM);
  // no_new_privs is set already; setting it again would need a system call that stage 1 refuses.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  // Another calling convention (x32, 32 bit) would be a way around every number above.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  return filter;
}

Result<void> load(Filter const& filter) {
  if (int const code = seccomp_load(filter.get()); code != 0) return failed("the filter was refused", code);
  return {};
}

scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp noneOf(unsigned argument, scmp_datum_t bits) { return {argument, SCMP_CMP_MASKED_EQ, bits, 0}; }
scmp_arg_cmp atLeast(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_GE, value, 0}; }
scmp_arg_cmp below(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_LT, value, 0}; }
scmp_arg_cmp allOf(unsigned argument, scmp_datum_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

// Opening for reading only; `flags` is the number of the argument that says so.
Result<void> readOnly(Filter const& filter, char const* name, unsigned flags) {
  constexpr auto kWriting =
      std::to_array<scmp_datum_t>({O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_TMPFILE & ~O_DIRECTORY});
  scmp_datum_t all = 0;
  for (auto const bit : kWriting) {
    all |= bit;
    TRY_VOID(rule(filter, SCMP_ACT_ERRNO(EPERM), name, allOf(flags, bit)));
  }
  return rule(filter, SCMP_ACT_ALLOW, name, noneOf(flags, all));
}

// What is allowed with certain arguments only.
Result<void> allowNarrowly(Filter const& filter) {
  // abort() of this process, no other signal and nobody else.
  auto const self = static_cast<scmp_datum_t>(::getpid());
  TRY_VOID(rule(filter, SCMP_ACT_ALLOW, "tgkill", equals(0, self), equals(2, SIGABRT)));
  // Asking for its own limits is harmless, and pthread_getattr_np() does; setting them is not.
  return rule(filter, SCMP_ACT_ALLOW, "prlimit64", equals(0, 0), equals(2, 0));
}

// An audit is for a developer's own plugin, and a sanitizer has its own ideas of where memory lies: there
// stage 2 is built when it is due, and a static initialiser could get in its way.
bool sealIsKept([[maybe_unused]] Refusals refusals) {
#ifdef GARLAND_SANITIZER_BUILD
  return false;
#else
  return refusals == Refusals::answered;
#endif
}

// seccomp() for stage 2 alone, and nobody near the page that it lies in.
Result<void> guardSeal(Filter const& filter) {
  TRY_VOID(rule(filter, SCMP_ACT_ALLOW, "seccomp", equals(0, SECCOMP_SET_MODE_FILTER), equals(1, 0),
                equals(2, kSealAt)));
  for (char const* name : {"munmap", "mprotect", "madvise"}) {
    TRY_VOID(rule(filter, SCMP_ACT_ALLOW, name, atLeast(0, kSealEnd)));
  }
  // Only a fixed address replaces what is mapped there, and realloc() needs none.
  TRY_VOID(rule(filter, SCMP_ACT_ALLOW, "mremap", atLeast(0, kSealEnd), noneOf(3, MREMAP_FIXED)));
  TRY_VOID(rule(filter, SCMP_ACT_ALLOW, "mmap", atLeast(0, kSealEnd)));
  return rule(filter, SCMP_ACT_ALLOW, "mmap", below(0, kSealEnd), noneOf(3, MAP_FIXED));
}

// Where stage 2 is not kept: it is loaded through seccomp(), and refuses the call from then on.
Result<void> leaveOpen(Filter const& filter) {
  TRY_VOID(rules(filter, SCMP_ACT_ALLOW, words(kMemory)));
  return rule(filter, SCMP_ACT_ALLOW, "seccomp", equals(0, SECCOMP_SET_MODE_FILTER), equals(1, 0));
}

// Stage 2.
Result<Filter> secondFilter(FilesAfterLoading files, Refusals refusals) {
  TRY(filter, newFilter(SCMP_ACT_ALLOW));
  auto const refuse = refusals == Refusals::audited ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM);
  TRY_VOID(rule(filter, refuse, "mmap", allOf(2, PROT_EXEC)));
  TRY_VOID(rule(filter, refuse, "mprotect", allOf(2, PROT_EXEC)));
  TRY_VOID(rule(filter, refuse, "pkey_mprotect", allOf(2, PROT_EXEC)));
  TRY_VOID(rule(filter, refuse, "seccomp"));
  // In an audit every open() traps already, and the handler's own must not.
  if (files == FilesAfterLoading::none && refusals == Refusals::answered) {
    TRY_VOID(rule(filter, refuse, "openat"));
    TRY_VOID(rule(filter, refuse, "open"));
  }
  return filter;
}

// The same allow-list; what is not on it traps, and so does every open() that the handler did not mark, and
// whatever could block SIGSYS. (readWord() asks with a number that means nothing to the kernel.)
Result<void> filterAudited() {
  installAudit(kRefused);
  TRY(filter, newFilter(SCMP_ACT_TRAP));
  auto allowed = words(kAllowed);
  std::erase(allowed, "rt_sigprocmask");
  TRY_VOID(rules(filter, SCMP_ACT_ALLOW, allowed));
  TRY_VOID(rule(filter, SCMP_ACT_ALLOW, "rt_sigprocmask", equals(0, SIG_UNBLOCK)));
  TRY_VOID(rule(filter, SCMP_ACT_ALLOW, "rt_sigprocmask", atLeast(0, SIG_SETMASK + 1)));
  TRY_VOID(rules(filter, SCMP_ACT_ALLOW, words(kSanitizer)));
  TRY_VOID(rule(filter, SCMP_ACT_ALLOW, "openat", equals(5, kAuditMark)));
  TRY_VOID(allowNarrowly(filter));
  TRY_VOID(leaveOpen(filter));
  return load(filter);
}

} // namespace

Result<void> filterSystemCalls(FilesAfterLoading files, Refusals refusals) {
  if (refusals == Refusals::audited) return filterAudited();
  TRY(filter, newFilter(SCMP_ACT_ERRNO(ENOSYS)));
  auto const sanitizer = words(kSanitizer);
  auto refused = words(kRefused);
  // A sanitizer needs some of what is refused otherwise; two rules for one call would contradict.
  std::erase_if(refused,
                [&](auto const& name) { return std::ranges::find(sanitizer, name) != sanitizer.end(); });
  TRY_VOID(rules(filter, SCMP_ACT_ALLOW, words(kAllowed)));
  TRY_VOID(rules(filter, SCMP_ACT_ALLOW, sanitizer));
  TRY_VOID(rules(filter, SCMP_ACT_ERRNO(EPERM), refused));
  TRY_VOID(readOnly(filter, "openat", 2));
  TRY_VOID(readOnly(filter, "open", 1));
  TRY_VOID(allowNarrowly(filter));
  TRY_VOID(rule(filter, SCMP_ACT_ERRNO(EPERM), "prlimit64", scmp_arg_cmp{2, SCMP_CMP_NE, 0, 0}));
  if (!sealIsKept(refusals)) {
    TRY_VOID(leaveOpen(filter));
    return load(filter);
  }
  TRY(second, secondFilter(files, refusals));
  TRY_VOID(keepSeal(second.get()));
  TRY_VOID(guardSeal(filter));
  return load(filter);
}

Result<void> filterAfterLoading(FilesAfterLoading files, Refusals refusals) {
  if (sealIsKept(refusals)) return putUpSeal();
  TRY(filter, secondFilter(files, refusals));
  return load(filter);
}

} // namespace garland::runtime::sandbox
