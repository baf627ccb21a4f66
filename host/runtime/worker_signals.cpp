#include "host/runtime/worker_signals.h"

#include "host/runtime/worker_backtrace.h"
#include "host/runtime/worker_stack.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define GARLAND_ASAN_REPORTS 1
#endif
#endif

namespace garland::runtime::worker {
namespace {

constexpr int kTickMs = 100;
constexpr suseconds_t kTickMicroseconds = 100'000;
// Instrumented or unoptimised code is that much slower.
#if defined(GARLAND_SANITIZER_BUILD)
constexpr int kPatience = 5;
#elif !defined(NDEBUG)
constexpr int kPatience = 3;
#else
constexpr int kPatience = 1;
#endif

// Written by the worker's thread, read by handlers on the same thread.
struct Running {
  std::atomic<bool> in_plugin{false};
  std::atomic<bool> in_host{false};
  std::atomic<std::uint64_t> slice{0};
  std::uint64_t call_id = 0;
  char const* stack_limit = nullptr;
  int ticks_allowed = 1;
  std::array<char, 128> operation{};
  std::size_t operation_size = 0;
  int ipc = -1;
  wire::FlightPage* flight = nullptr;
};
Running running;

// Handlers run on the thread that writes, so that the order of its instructions is all there is to keep.
void beforeHandlers() { std::atomic_signal_fence(std::memory_order_seq_cst); }

// Only this thread counts.
void countUp(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

std::string_view runningOperation() { return {running.operation.data(), running.operation_size}; }

// Never block here: a host that does not read must not keep a dead worker alive.
void writeOrLose(int fd, std::string_view bytes) {
  pollfd writable{fd, POLLOUT, 0};
  if (::poll(&writable, 1, 0) != 1 || (writable.revents & POLLOUT) == 0) return;
  [[maybe_unused]] auto const written = ::write(fd, bytes.data(), bytes.size());
}

void sayDying(std::string_view reason) {
  auto const operation = runningOperation();
  SignalFrame frame(wire::Kind::dying, running.call_id);
  frame.text(reason);
  frame.text(operation);
  writeOrLose(running.ipc, frame.finish());

  FixedText<512> line;
  line.add("garland-worker: ");
  line.add(reason);
  line.add(" while ");
  line.add(operation.empty() ? "no plugin code" : operation);
  line.add(" ran\n");
  writeOrLose(STDERR_FILENO, line.view());
}

// After sayDying(), because this may be what the process dies of.
void sayStack(void* context) {
  static StackText stack; // one thread, and it dies once
  describeStack(context, stack);
  SignalFrame frame(wire::Kind::stack, running.call_id);
  frame.text(stack.view());
  writeOrLose(running.ipc, frame.finish());
}

std::string_view nameOf(int signal, siginfo_t const* info) {
  switch (signal) {
  case SIGSEGV: {
    auto const* const address = static_cast<char const*>(info->si_addr);
    bool const in_guard = running.in_plugin && running.stack_limit != nullptr &&
                          address < running.stack_limit &&
                          address >= running.stack_limit - StackPool::kGuardBytes;
    return in_guard ? "SIGSEGV: the stack of 256 KiB was used up" : "SIGSEGV";
  }
  case SIGBUS: return "SIGBUS";
  case SIGILL: return "SIGILL";
  case SIGFPE: return "SIGFPE";
  case SIGABRT: return "SIGABRT";
  case SIGSYS: return "SIGSYS: a forbidden calling convention";
  default: return "a signal";
  }
}

// How much more could be mapped, to the MiB and at most half of the limit.
rlim_t roomFor(rlim_t limit) {
  constexpr rlim_t kMebibyte = 1U << 20U;
  rlim_t room = 0;
  for (auto step = limit / 2; step >= kMebibyte; step /= 2) {
    auto* const got =
        ::mmap(nullptr, room + step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) continue;
    ::munmap(got, room + step);
    room += step;
  }
  return room;
}

// A plugin that gets no memory often dies of what it does next: then the signal says the least of it.
void addMemory(FixedText<256>& reason) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  auto const room = roomFor(limit.rlim_cur);
  if (room >= limit.rlim_cur / 4) return;
  reason.add("; it had used ");
  reason.addDecimal((limit.rlim_cur - room) >> 20U);
  reason.add(" of its ");
  reason.addDecimal(limit.rlim_cur >> 20U);
  reason.add(" MiB of memory");
}

// Installed with SA_RESETHAND: returning repeats the fault, which then ends the process by its own signal.
void onCrash(int signal, siginfo_t* info, void* context) {
  static bool said = false;
  if (std::exchange(said, true)) return; // the stack could not be walked
  FixedText<256> reason;
  reason.add(nameOf(signal, info));
  addMemory(reason);
  sayDying(reason.view());
  sayStack(context);
}

void onTick(int /*signal*/, siginfo_t* /*info*/, void* context) {
  static std::uint64_t last_slice = 0;
  static int ticks = 0;
  auto const slice = running.slice.load(std::memory_order_relaxed);
  if (!running.in_plugin || slice != last_slice) {
    last_slice = slice;
    ticks = 0;
    return;
  }
  if (++ticks < running.ticks_allowed * kPatience || running.in_host) return;
  sayDying("watchdog: it held the processor without giving way");
  sayStack(context);
  ::_exit(wire::kExitWatchdog);
}

void handle(int signal, int flags, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = flags | SA_SIGINFO | SA_ONSTACK;
  ::sigaction(signal, &action, nullptr);
}

void installCrashHandlers() {
#ifdef GARLAND_ASAN_REPORTS
  // The sanitizer's own handlers say more; this is called after their report.
  __sanitizer_set_death_callback([] {
    sayDying("a sanitizer's report");
    sayStack(nullptr);
  });
#else
  alignas(16) static std::array<char, 64U << 10U> alternative_stack;
  stack_t stack{};
  stack.ss_sp = alternative_stack.data();
  stack.ss_size = alternative_stack.size();
  ::sigaltstack(&stack, nullptr);
  for (int const signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE})
    handle(signal, static_cast<int>(SA_RESETHAND), onCrash);
#endif
  for (int const signal : {SIGABRT, SIGSYS}) handle(signal, static_cast<int>(SA_RESETHAND), onCrash);
}

void installWatchdog() {
  handle(SIGPROF, SA_RESTART, onTick);
  itimerval const every{{0, kTickMicroseconds}, {0, kTickMicroseconds}};
  ::setitimer(ITIMER_PROF, &every, nullptr);
}

} // namespace

void installSignals(int ipc, wire::FlightPage* flight) {
  running.ipc = ipc;
  running.flight = flight;
  ::signal(SIGPIPE, SIG_IGN);
  installCrashHandlers();
  installWatchdog();
}

void tellFromSignal(std::string_view frame) { writeOrLose(running.ipc, frame); }
std::uint64_t runningCall() { return running.call_id; }

void enterPlugin(std::uint64_t call_id, std::string_view operation, char const* stack_limit, int allowed_ms) {
  running.call_id = call_id;
  running.stack_limit = stack_limit;
  running.ticks_allowed = std::max(1, (allowed_ms + kTickMs - 1) / kTickMs);
  running.operation_size = std::min(operation.size(), running.operation.size());
  std::memcpy(running.operation.data(), operation.data(), running.operation_size);
  countUp(running.slice);
  running.in_host.store(false, std::memory_order_relaxed);
  beforeHandlers();
  running.in_plugin.store(true, std::memory_order_relaxed);
  if (running.flight != nullptr) {
    running.flight->call_id.store(call_id, std::memory_order_relaxed);
    countUp(running.flight->slices);
  }
  beforeHandlers();
}

void leavePlugin() {
  beforeHandlers();
  running.in_plugin.store(false, std::memory_order_relaxed);
  beforeHandlers();
  running.call_id = 0;
  running.operation_size = 0;
  if (running.flight != nullptr) running.flight->call_id.store(0, std::memory_order_release);
}

InHost::InHost() { set(true); }
InHost::~InHost() { set(false); }
bool InHost::now() { return running.in_host.load(std::memory_order_relaxed); }
void InHost::set(bool in_host) {
  beforeHandlers();
  running.in_host.store(in_host, std::memory_order_relaxed);
  beforeHandlers();
}

} // namespace garland::runtime::worker
