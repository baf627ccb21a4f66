// garland-probe: garland-worker for certification. The same library, sandbox and messages, started by the
// same supervisor; between the worker and the plugin there is a shim that looks at both and makes the
// plugin's life as hard as the ABI allows. It is a program of its own so that garland-worker has no such
// code.
//
// Descriptors and options as garland-worker (host/worker/main.cpp), without --audit.
#include "certification/probe/shim.h"
#include "certification/probe/system_calls.h"
#include "certification/probe/watch.h"
#include "host/runtime/sandbox.h"
#include "host/runtime/worker_host_table.h"
#include "host/runtime/worker_loader.h"
#include "host/runtime/worker_signals.h"
#include "host/runtime/worker_time.h"

#include <charconv>
#include <cstdio>
#include <dlfcn.h>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace garland::probe {
namespace {

namespace worker = runtime::worker;
namespace wire = runtime::wire;
namespace sandbox = runtime::sandbox;

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
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    constexpr std::string_view kAddressSpace = "--address-space=";
    if (argument == "--allow-degraded-sandbox") {
      out.walls.allow_degraded = true;
    } else if (argument == "--clock-page") {
      out.clock_page = true;
    } else if (argument.starts_with(kAddressSpace)) {
      argument.remove_prefix(kAddressSpace.size());
      auto const* const last = argument.data() + argument.size();
      auto const read = std::from_chars(argument.data(), last, out.walls.address_space);
      if (read.ec != std::errc() || read.ptr != last) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

int refuse(worker::Loop& loop, std::string stage, std::string reason, int code) {
  loop.channel().send(wire::Kind::loadFailed, 0, wire::LoadFailed{std::move(stage), std::move(reason)});
  loop.channel().flush();
  return code;
}

// By hand and not by the worker's loader, which looks at files by itself: what is seen here is the plugin's.
garland_entry_v1_fn load(std::string& problem) {
  worker::enterPlugin(0, "loading the plugin", nullptr, worker::kLoadingMs);
  watch.metered = true;
  void* library = nullptr;
  {
    In const plugin(true);
    library = ::dlopen(kPluginPath, RTLD_NOW | RTLD_LOCAL);
  }
  watch.metered = false;
  worker::leavePlugin();
  void* const entry = library == nullptr ? nullptr : ::dlsym(library, "garland_entry_v1");
  if (entry == nullptr) {
    auto const* const words = ::dlerror();
    problem = words != nullptr ? words : "it has no garland_entry_v1";
  }
  return reinterpret_cast<garland_entry_v1_fn>(entry);
}

int serve(sandbox::Options const& walls) {
  // Neither is ever destroyed: plugin code keeps the table, and parked fibers keep the loop.
  auto& loop = *new worker::Loop(kIpc);
  worker::installSignals(kIpc, nullptr);
  ::close(kFlight);
  if (!watchSystemCalls())
    return refuse(loop, "sandbox", "the kernel does not let system calls be watched", wire::kExitSandbox);
  auto const closed = sandbox::close(walls);
  if (!closed) {
    auto const* const stage = closed.error().kind == ErrorKind::forbidden ? "tier" : "sandbox";
    return refuse(loop, stage, closed.error().message, wire::kExitSandbox);
  }
  loop.channel().send(wire::Kind::closed, 0,
                      wire::Closed{static_cast<std::uint8_t>(closed->tier), closed->notes});
  loop.channel().flush();
  std::string problem;
  auto const entry = load(problem);
  if (entry == nullptr) return refuse(loop, "load", problem, wire::kExitLoadFailed);
  if (auto const sealed = sandbox::seal(*closed); !sealed)
    return refuse(loop, "sandbox", sealed.error().message, wire::kExitSandbox);
  ::close(kPlugin);
  auto& shim = *new Shim(loop, entry, worker::hostTable(loop));
  watch.metered = true;
  worker::enterPlugin(0, "loading the plugin", nullptr, worker::kLoadingMs);
  auto const status = shim.enter({});
  worker::leavePlugin();
  watch.metered = false;
  watch.at_load = watch.seen;
  if (status != GARLAND_OK || !GARLAND_HAS(&shim.plugin(), shutdown))
    return refuse(loop, "entry", "garland_entry_v1 answered " + std::to_string(status),
                  wire::kExitLoadFailed);
  watch.seen = {};
  auto& plugin = *new garland_plugin(shim.descriptor());
  loop.channel().send(wire::Kind::hello, 0, worker::helloOf(plugin));
  return loop.run(plugin);
}

bool isSocket(int fd) {
  struct stat what{};
  return ::fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
}

} // namespace
} // namespace garland::probe

int main(int argc, char** argv) {
  using namespace garland;
  auto const options = probe::readOptions(argc, argv);
  if (!options || !probe::isSocket(probe::kIpc)) {
    std::fputs("garland-probe is started by garland certify; there is nothing to run by hand\n", stderr);
    return runtime::wire::kExitUsage;
  }
  if (options->clock_page && !runtime::worker::takeClockPage(probe::kClock)) {
    std::fputs("garland-probe: descriptor 6 is no clock page\n", stderr);
    return runtime::wire::kExitUsage;
  }
  ::close_range(probe::kPlugin + 1, ~0U, 0);
  ::prctl(PR_SET_NAME, "garland-worker"); // whoever asks for the name of its thread gets that of production
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  int const code = probe::serve(options->walls);
  std::fflush(nullptr);
  ::_exit(code);
}
