#include "host/runtime/worker_backtrace.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

namespace garland::runtime::worker {
namespace {

constexpr std::size_t kMostFrames = 40;
constexpr std::string_view kPluginPath = "/proc/self/fd/";

struct Place {
  std::uintptr_t instruction = 0;
  std::uintptr_t stack = 0;
};

Place placeOf(void* context) {
  if (context == nullptr) return {};
  auto const& registers = static_cast<ucontext_t const*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return {static_cast<std::uintptr_t>(registers.gregs[REG_RIP]),
          static_cast<std::uintptr_t>(registers.gregs[REG_RSP])};
#elif defined(__aarch64__)
  return {registers.pc, registers.sp};
#else
#error "name this machine's registers"
#endif
}

struct Walk {
  std::array<std::uintptr_t, kMostFrames> frames{};
  std::size_t count = 0;
  std::uintptr_t start = 0; // where the signal struck; may well be 0
  bool started = true;      // false: frames up to there are the handler's
};

_Unwind_Reason_Code onFrame(_Unwind_Context* frame, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  int exact = 0;
  auto const instruction = static_cast<std::uintptr_t>(_Unwind_GetIPInfo(frame, &exact));
  if (instruction == walk.start) walk.started = true;
  if (!walk.started) return _URC_NO_REASON;
  if (walk.count == walk.frames.size()) return _URC_END_OF_STACK;
  walk.frames[walk.count++] = exact != 0 || instruction == 0 ? instruction : instruction - 1;
  return _URC_NO_REASON;
}

std::string_view lastPart(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool isInAnObject(std::uintptr_t address) {
  Dl_info info{};
  return ::dladdr(reinterpret_cast<void const*>(address), &info) != 0;
}

void addFrame(std::uintptr_t address, StackText& out) {
  Dl_info info{};
  link_map* object = nullptr;
  if (::dladdr1(reinterpret_cast<void const*>(address), &info, reinterpret_cast<void**>(&object),
                RTLD_DL_LINKMAP) == 0 ||
      object == nullptr) {
    out.add("? ");
    out.addHex(address);
    return;
  }
  std::string_view const path = object->l_name == nullptr ? "" : object->l_name;
  bool const own = path.empty() || path.starts_with(kPluginPath);
  out.add(path.empty() ? "worker" : own ? "plugin" : lastPart(path));
  out.add(" ");
  if (!own && info.dli_sname != nullptr) {
    out.add(info.dli_sname);
    out.add("+");
    out.addHex(address - reinterpret_cast<std::uintptr_t>(info.dli_saddr));
  } else {
    out.addHex(address - object->l_addr);
  }
}

} // namespace

void describeStack(void* context, StackText& out) {
  auto const place = placeOf(context);
  Walk walk;
  walk.start = place.instruction;
  walk.started = context == nullptr;
  _Unwind_Backtrace(&onFrame, &walk);
  if (walk.count == 0 && context != nullptr) walk.frames[walk.count++] = place.instruction;
  // A call through a bad pointer: whoever made it has left the way back on top of the stack.
  std::uint64_t back = 0;
  if (walk.count == 1 && context != nullptr && !isInAnObject(walk.frames[0]) && readWord(place.stack, back))
    walk.frames[walk.count++] = static_cast<std::uintptr_t>(back) - 1;
  for (std::size_t i = 0; i < walk.count; ++i) {
    addFrame(walk.frames[i], out);
    out.add("\n");
  }
}

__attribute__((no_sanitize("address"))) bool readWord(std::uintptr_t address, std::uint64_t& word) {
  // The kernel reads the mask before it finds that there is no such thing to do with it.
  constexpr long kNoSuchThing = -1;
  int const saved = errno;
  bool const unreadable =
      ::syscall(SYS_rt_sigprocmask, kNoSuchThing, address, nullptr, sizeof word) != 0 && errno == EFAULT;
  errno = saved;
  if (unreadable) return false;
  std::memcpy(&word, reinterpret_cast<void const*>(address), sizeof word);
  return true;
}

} // namespace garland::runtime::worker
