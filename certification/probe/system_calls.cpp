#include "certification/probe/system_calls.h"

#include "certification/probe/watch.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <elf.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

extern "C" {
long garland_probe_call(long number, std::uint64_t const* arguments);
extern char garland_probe_call_end;
}

// Written out, so that its addresses are known: the filter lets calls from here pass.
#if defined(__x86_64__)
__asm__(R"(
.text
.globl garland_probe_call
.hidden garland_probe_call
.type garland_probe_call, @function
garland_probe_call:
  .cfi_startproc
  mov %rdi, %rax
  mov %rsi, %r11
  mov 0(%r11), %rdi
  mov 8(%r11), %rsi
  mov 16(%r11), %rdx
  mov 24(%r11), %r10
  mov 32(%r11), %r8
  mov 40(%r11), %r9
  syscall
  ret
  .cfi_endproc
.globl garland_probe_call_end
.hidden garland_probe_call_end
garland_probe_call_end:
  nop
)");
#elif defined(__aarch64__)
__asm__(R"(
.text
.globl garland_probe_call
.hidden garland_probe_call
.type garland_probe_call, %function
garland_probe_call:
  .cfi_startproc
  mov x8, x0
  mov x9, x1
  ldp x0, x1, [x9]
  ldp x2, x3, [x9, 16]
  ldp x4, x5, [x9, 32]
  svc 0
  ret
  .cfi_endproc
.globl garland_probe_call_end
.hidden garland_probe_call_end
garland_probe_call_end:
  nop
)");
#endif

namespace garland::probe {
namespace {

#ifdef GARLAND_SANITIZER_BUILD
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// The loader's code: it opens and maps libraries, and nobody else does so in its name.
Range loader() {
  Range out;
  auto const base = static_cast<std::uint64_t>(::getauxval(AT_BASE));
  auto const find = [](dl_phdr_info* object, std::size_t, void* into) {
    auto& range = *static_cast<Range*>(into);
    if (object->dlpi_addr != range.begin) return 0;
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      auto const& part = object->dlpi_phdr[i];
      if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0) {
        range = {object->dlpi_addr + part.p_vaddr, object->dlpi_addr + part.p_vaddr + part.p_memsz};
        return 1;
      }
    }
    return 0;
  };
  out.begin = base;
  ::dl_iterate_phdr(find, &out);
  return out;
}

// What waits, by its arguments: no clock is asked, so that the answer is the same on every machine.
bool waits(long number, std::array<std::uint64_t, 6> const& with) {
  switch (number) {
  case SYS_nanosleep:
  case SYS_clock_nanosleep:
#if defined(__x86_64__)
  case SYS_pause:
  case SYS_select:
  case SYS_epoll_wait:
#endif
  case SYS_pselect6:
  case SYS_epoll_pwait:
  case SYS_flock:
  case SYS_fsync: return true;
#if defined(__x86_64__)
  case SYS_poll: return with[2] != 0;
#endif
  case SYS_ppoll: return true;
  case SYS_futex: {
    auto const command = static_cast<int>(with[1]) & FUTEX_CMD_MASK;
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI;
  }
  default: return false;
  }
}

void note(long number, std::array<std::uint64_t, 6> const& with, long answer) {
  if (waits(number, with)) ++watch.seen.blocking;
  if (number == SYS_rt_sigaction && with[1] != 0) ++watch.seen.signal_handlers;
  bool opens = number == SYS_openat || number == SYS_socket || number == SYS_dup;
#if defined(__x86_64__)
  opens = opens || number == SYS_open;
#endif
  if (opens && answer >= 0) ++watch.seen.descriptors;
  if (number == SYS_close && answer == 0) --watch.seen.descriptors;
  for (auto& one : watch.seen.system_calls) {
    if (one.times != 0 && one.number != number) continue;
    one.number = number;
    ++one.times;
    return;
  }
}

void onTrap(int /*signal*/, siginfo_t* info, void* context) {
  int const saved = errno;
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  auto const value = [&](int number) { return static_cast<std::uint64_t>(registers.gregs[number]); };
  std::array<std::uint64_t, 6> const with{value(REG_RDI), value(REG_RSI), value(REG_RDX),
                                          value(REG_R10), value(REG_R8),  value(REG_R9)};
#else
  std::array<std::uint64_t, 6> const with{registers.regs[0], registers.regs[1], registers.regs[2],
                                          registers.regs[3], registers.regs[4], registers.regs[5]};
#endif
  bool const by_plugin = watch.in_plugin;
  long const answer = garland_probe_call(info->si_syscall, with.data());
  if (by_plugin) note(info->si_syscall, with, answer);
#if defined(__x86_64__)
  registers.gregs[REG_RAX] = answer;
#else
  registers.regs[0] = static_cast<std::uint64_t>(answer);
#endif
  errno = saved;
}

// Let pass: memory, the ends of things, and what must not trap because signals may be blocked around it.
constexpr std::array kQuiet = {
    SYS_mmap,         SYS_munmap,         SYS_mprotect, SYS_mremap,      SYS_madvise, SYS_brk,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_exit,     SYS_exit_group,  SYS_clone,   SYS_clone3,
    SYS_tgkill,       SYS_gettid,         SYS_getpid,   SYS_sigaltstack,
};

class Program {
public:
  void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void allow() { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  void trap() { add(BPF_RET | BPF_K, SECCOMP_RET_TRAP); }
  void allowNumber(std::uint32_t number) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    allow();
  }
  // The instruction pointer lies in [begin, end], both below 4 GiB of one another's upper half.
  void allowRange(Range range) {
    auto const high = static_cast<std::uint32_t>(range.begin >> 32U);
    load(offsetof(seccomp_data, instruction_pointer) + 4);
    add(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 4);
    load(offsetof(seccomp_data, instruction_pointer));
    add(BPF_JMP | BPF_JGE | BPF_K, static_cast<std::uint32_t>(range.begin), 0, 2);
    add(BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(range.end), 1, 0);
    allow();
  }
  bool install() {
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
  }

private:
  void add(int code, std::uint32_t value, std::uint8_t if_true = 0, std::uint8_t if_false = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, value});
  }
  std::vector<sock_filter> code_;
};

} // namespace

bool watchSystemCalls() {
  if (kSanitized) return true; // its runtime makes calls of its own
  auto const its_own = loader();
  Range const mine{reinterpret_cast<std::uint64_t>(&garland_probe_call),
                   reinterpret_cast<std::uint64_t>(&garland_probe_call_end)};
  // One half of an address tells them apart only if none of them lies across its end.
  if (its_own.end == 0 || its_own.begin >> 32U != its_own.end >> 32U || mine.begin >> 32U != mine.end >> 32U)
    return false;
  struct sigaction action{};
  action.sa_sigaction = onTrap;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return false;
  Program program;
  program.load(offsetof(seccomp_data, nr));
  for (auto const number : kQuiet) program.allowNumber(static_cast<std::uint32_t>(number));
  program.allowRange(its_own);
  program.allowRange(mine);
  program.trap();
  return program.install();
}

} // namespace garland::probe
