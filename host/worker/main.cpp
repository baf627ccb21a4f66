// garland-worker: one sandboxed process that serves the operations of one plugin.
//
// Started by garlandd only, with an empty environment and these descriptors:
//   0, 1, 2  /dev/null or pipes; what a plugin prints goes to the daemon's log
//   3        stream socket to garlandd (host/runtime/wire.h)
//   4        flight page, a shared memfd (optional: /dev/null or closed)
//   5        the plugin: a sealed memfd whose bytes garlandd has verified
//   6        with --clock-page: the time that the plugin sees, a shared memfd
// Options: --address-space=BYTES, --allow-degraded-sandbox, --clock-page; --audit, for developers
// (sandbox_audit.h).
//
// The order below is the point of this program: everything is closed before plugin code exists.
#include "host/runtime/sandbox.h"
#include "host/runtime/worker_host_table.h"
#include "host/runtime/worker_loader.h"
#include "host/runtime/worker_loop.h"
#include "host/runtime/worker_signals.h"
#include "host/runtime/worker_time.h"

#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <new>
#include <optional>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef GARLAND_SANITIZER_BUILD
// The sandbox lets the sanitizer start no symbolizer; who reads its report looks the places up
// (dev_source_lines.h).
extern "C" char const* __asan_default_options() { // NOLINT(bugprone-reserved-identifier): the runtime's name
  return "symbolize=0";
}
#endif

namespace garland::runtime::worker {
namespace {

constexpr int kIpc = 3;
constexpr int kFlight = 4;
constexpr int kPlugin = 5;
constexpr int kClock = 6;
constexpr char const* kPluginPath = "/proc/self/fd/5";

struct Options {
  sandbox::Options walls;
  bool clock_page = false;
};

std::optional<Options> readOptions(int argc, char** argv) {
  Options out;
  auto& options = out.walls;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    constexpr std::string_view kAddressSpace = "--address-space=";
    if (argument == "--allow-degraded-sandbox")
      options.allow_degraded = true;
    else if (argument == "--audit")
      options.audit = true;
    else if (argument == "--clock-page")
      out.clock_page = true;
    else if (argument.starts_with(kAddressSpace)) {
      argument.remove_prefix(kAddressSpace.size());
      auto const* const end = argument.data() + argument.size();
      auto const read = std::from_chars(argument.data(), end, options.address_space);
      if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    } else
      return std::nullopt;
  }
  return out;
}

// A plugin that prints must not block the worker when nobody reads: what does not fit is lost.
void makeOutputLossy() {
  for (int const fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat what{};
    if (::fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode)) ::fcntl(fd, F_SETFL, O_WRONLY | O_NONBLOCK);
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

bool isSocket(int fd) {
  struct stat what{};
  return ::fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
}

wire::FlightPage* mapFlightPage() {
  struct stat what{};
  if (::fstat(kFlight, &what) != 0 || !S_ISREG(what.st_mode)) return nullptr;
  if (what.st_size < static_cast<off_t>(wire::kFlightPageBytes)) return nullptr;
  void* const page = ::mmap(nullptr, wire::kFlightPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, kFlight, 0);
  return page == MAP_FAILED ? nullptr : static_cast<wire::FlightPage*>(page);
}

int refuse(Loop& loop, std::string stage, std::string reason, int code) {
  loop.channel().send(wire::Kind::loadFailed, 0, wire::LoadFailed{std::move(stage), std::move(reason)});
  loop.channel().flush();
  return code;
}

// Flushed while there is no plugin code in this process that could have written it.
void tellSandbox(Loop& loop, sandbox::Closed const& closed) {
  loop.channel().send(wire::Kind::closed, 0,
                      wire::Closed{static_cast<std::uint8_t>(closed.tier), closed.notes});
  loop.channel().flush();
}

// The process at the other end of the socket: garlandd. 0 if the kernel does not tell.
pid_t daemonPid() {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(kIpc, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

int serve(sandbox::Options const& options) {
  auto const daemon = daemonPid(); // asked now: the sandbox refuses the question
  // Neither is ever destroyed: plugin code keeps the table, and parked fibers keep the loop.
  auto& loop = *new Loop(kIpc);
  installSignals(kIpc, mapFlightPage());
  ::close(kFlight);

  auto const closed = sandbox::close(options);
  if (!closed) {
    auto const* const stage = closed.error().kind == ErrorKind::forbidden ? "tier" : "sandbox";
    return refuse(loop, stage, closed.error().message, wire::kExitSandbox);
  }
  // The kernel tells only of parents that die after it was asked to (PR_SET_PDEATHSIG).
  if (daemon != 0 && ::getppid() != daemon) return wire::kExitOk;
  tellSandbox(loop, *closed);
  auto& host = *new garland_host(hostTable(loop));
  auto const entry = openPlugin(kPluginPath);
  if (!entry) return refuse(loop, entry.error().stage, entry.error().reason, wire::kExitLoadFailed);
  // Static initialisers have run, since mapping code is what loading is; nothing else of the plugin has.
  if (auto const sealed = sandbox::seal(*closed); !sealed)
    return refuse(loop, "sandbox", sealed.error().message, wire::kExitSandbox);
  ::close(kPlugin);
  auto const loaded = describePlugin(*entry, host);
  if (!loaded) return refuse(loop, loaded.error().stage, loaded.error().reason, wire::kExitLoadFailed);

  auto& plugin = *new garland_plugin(*loaded);
  loop.channel().send(wire::Kind::hello, 0, helloOf(plugin));
  return loop.run(plugin);
}

} // namespace
} // namespace garland::runtime::worker

int main(int argc, char** argv) {
  using namespace garland::runtime;
  auto const options = worker::readOptions(argc, argv);
  if (!options || !worker::isSocket(worker::kIpc)) {
    std::fputs("garland-worker is started by garlandd; there is nothing to run by hand\n", stderr);
    return wire::kExitUsage;
  }
  if (options->clock_page && !worker::takeClockPage(worker::kClock)) {
    std::fputs("garland-worker: descriptor 6 is no clock page\n", stderr);
    return wire::kExitUsage;
  }
  ::close_range(worker::kPlugin + 1, ~0U, 0);
  worker::makeOutputLossy();
  int code = wire::kExitMemory;
  try {
    code = worker::serve(options->walls);
  } catch (std::bad_alloc const&) {
    std::fputs("garland-worker: out of memory\n", stderr);
  }
  std::fflush(nullptr);
  // Without destructors: the plugin's static objects had their last say in shutdown().
  ::_exit(code);
}
