#include "host/runtime/sandbox_audit.h"

#include "host/runtime/worker_backtrace.h"
#include "host/runtime/worker_signals.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <seccomp.h>
#include <sstream>
#include <string>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

namespace garland::runtime::sandbox {
namespace {

constexpr int kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
constexpr std::size_t kMaxPath = 256;

// Set before the filter is loaded; read by the handler.
std::vector<int>& permissionDenied() {
  static std::vector<int> numbers;
  return numbers;
}

// The registers of the system call that trapped.
class Trapped {
public:
  explicit Trapped(void* context)
      : registers_(static_cast<ucontext_t*>(context)->uc_mcontext),
        mask_(static_cast<ucontext_t*>(context)->uc_sigmask) {}

  // The signals that are blocked once the handler has returned, as the kernel has them.
  std::uint64_t blocked() const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &mask_, sizeof bits);
    return bits;
  }
  void block(std::uint64_t bits) { std::memcpy(&mask_, &bits, sizeof bits); }

#if defined(__x86_64__)
  std::array<std::uint64_t, 6> arguments() const {
    auto const value = [this](int number) { return static_cast<std::uint64_t>(registers_.gregs[number]); };
    return {value(REG_RDI), value(REG_RSI), value(REG_RDX), value(REG_R10), value(REG_R8), value(REG_R9)};
  }
  void answer(long value) { registers_.gregs[REG_RAX] = value; }
#elif defined(__aarch64__)
  std::array<std::uint64_t, 6> arguments() const {
    return {registers_.regs[0], registers_.regs[1], registers_.regs[2],
            registers_.regs[3], registers_.regs[4], registers_.regs[5]};
  }
  void answer(long value) { registers_.regs[0] = static_cast<std::uint64_t>(value); }
#endif

private:
  mcontext_t& registers_;
  sigset_t& mask_;
};

using Path = worker::FixedText<kMaxPath>;

// A C string of the plugin, as far as it can be read.
void readText(std::uint64_t address, Path& out) {
  std::array<char, sizeof(std::uint64_t)> bytes{};
  for (std::size_t read = 0; address != 0 && read < kMaxPath; read += bytes.size()) {
    std::uint64_t word = 0;
    if (!worker::readWord(static_cast<std::uintptr_t>(address + read), word)) return;
    std::memcpy(bytes.data(), &word, bytes.size());
    auto const end = std::ranges::find(bytes, '\0');
    out.add({bytes.data(), static_cast<std::size_t>(end - bytes.begin())});
    if (end != bytes.end()) return;
  }
}

// Which argument names a file; -1: none does.
int pathArgument(long number) {
  switch (number) {
#if defined(__x86_64__)
  case SYS_open:
  case SYS_access:
  case SYS_readlink:
  case SYS_unlink:
  case SYS_mkdir:
  case SYS_rmdir:
  case SYS_rename:
  case SYS_creat:
  case SYS_chmod:
  case SYS_chown:
  case SYS_symlink:
  case SYS_link:
#endif
  case SYS_truncate:
  case SYS_chdir:
  case SYS_chroot:
  case SYS_execve: return 0;
  case SYS_openat:
  case SYS_faccessat:
  case SYS_readlinkat:
  case SYS_unlinkat:
  case SYS_mkdirat:
  case SYS_renameat:
  case SYS_fchmodat:
  case SYS_fchownat:
  case SYS_execveat:
  case SYS_statx: return 1;
  default: return -1;
  }
}

// Opens for reading what the plugin asked for: a descriptor, or minus errno.
long openMarked(long number, std::array<std::uint64_t, 6> const& arguments) {
  bool const at = number == SYS_openat;
  auto const folder = at ? arguments[0] : static_cast<std::uint64_t>(AT_FDCWD);
  auto const path = at ? arguments[1] : arguments[0];
  auto const flags = at ? arguments[2] : arguments[1];
  if ((flags & static_cast<std::uint64_t>(kWriting)) != 0) return -EPERM;
  auto const opened = ::syscall(SYS_openat, folder, path, flags, 0, 0, kAuditMark);
  return opened >= 0 ? opened : -static_cast<long>(errno);
}

// rt_sigprocmask for the plugin and its libraries, but SIGSYS is never blocked: pthread_create(), fork() and
// system() block every signal before the call that the audit is to tell of, and a blocked SIGSYS is deadly.
long changeMask(Trapped& call, std::array<std::uint64_t, 6> const& arguments) {
  constexpr std::uint64_t kSigsys = std::uint64_t{1} << (SIGSYS - 1);
  auto const [how, set, old, size, unused5, unused6] = arguments;
  std::uint64_t wanted = 0;
  std::uint64_t writable = 0;
  if (size != sizeof wanted) return -EINVAL;
  if (set != 0 && !worker::readWord(static_cast<std::uintptr_t>(set), wanted)) return -EFAULT;
  if (old != 0 && !worker::readWord(static_cast<std::uintptr_t>(old), writable)) return -EFAULT;
  auto const before = call.blocked();
  if (set != 0) call.block((how == SIG_BLOCK ? before | wanted : wanted) & ~kSigsys);
  if (old != 0)
    std::memcpy(reinterpret_cast<void*>(static_cast<std::uintptr_t>(old)), &before, sizeof before);
  return 0;
}

bool isOpen(long number) {
#if defined(__x86_64__)
  if (number == SYS_open) return true;
#endif
  return number == SYS_openat;
}

long answerTo(long number, std::array<std::uint64_t, 6> const& arguments) {
  if (isOpen(number)) return openMarked(number, arguments);
  auto const& denied = permissionDenied();
  return std::binary_search(denied.begin(), denied.end(), static_cast<int>(number)) ? -EPERM : -ENOSYS;
}

void onTrap(int /*signal*/, siginfo_t* info, void* context) {
  int const saved = errno;
  Trapped call(context);
  auto const arguments = call.arguments();
  long const number = info->si_syscall;
  auto const answer =
      number == SYS_rt_sigprocmask ? changeMask(call, arguments) : answerTo(number, arguments);
  call.answer(answer);
  if (answer < 0) {
    Path path;
    if (int const at = pathArgument(number); at >= 0) readText(arguments[static_cast<std::size_t>(at)], path);
    worker::StackText stack;
    worker::describeStack(context, stack);
    worker::SignalFrame frame(wire::Kind::refused, worker::runningCall());
    frame.number(static_cast<std::int64_t>(number));
    frame.number(static_cast<std::uint32_t>(arguments.size()));
    for (auto const argument : arguments) frame.number(argument);
    frame.number(static_cast<std::int32_t>(-answer));
    frame.text(path.view());
    frame.text(stack.view());
    worker::tellFromSignal(frame.finish());
  }
  errno = saved;
}

} // namespace

void installAudit(std::string_view refused) {
  std::istringstream names{std::string(refused)};
  auto& denied = permissionDenied();
  for (std::string name; names >> name;)
    if (int const number = ::seccomp_syscall_resolve_name(name.c_str()); number >= 0)
      denied.push_back(number);
  for (int const number : {SYS_mmap, SYS_mprotect, SYS_pkey_mprotect, SYS_seccomp, SYS_prlimit64, SYS_tgkill})
    denied.push_back(number);
  std::ranges::sort(denied);
  struct sigaction action{};
  action.sa_sigaction = onTrap;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSYS, &action, nullptr);
}

std::string systemCallName(std::int64_t number) {
  using Text = std::unique_ptr<char, decltype(&std::free)>;
  Text const name(::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number)), &std::free);
  return name ? std::string(name.get()) : "system call " + std::to_string(number);
}

} // namespace garland::runtime::sandbox
