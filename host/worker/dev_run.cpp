#include "host/worker/dev_run.h"

#include "host/runtime/spawn.h"
#include "host/runtime/worker_host_table.h"
#include "host/runtime/worker_loader.h"
#include "host/runtime/worker_loop.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <thread>

namespace garland::runtime::dev {
namespace {

constexpr int kOutOfTheWay = 64; // a worker's own descriptors have low numbers
constexpr std::chrono::milliseconds kLook{100};

Error systemError(std::string_view what) {
  return Error(ErrorKind::transient, std::string(what) + " failed: " + std::strerror(errno));
}

Result<std::shared_ptr<OwnedFd const>> inMemory(std::string_view bytes) {
  OwnedFd const file(::memfd_create("garland-plugin", MFD_CLOEXEC));
  if (!file) return systemError("memfd_create");
  while (!bytes.empty()) {
    auto const written = ::write(file.get(), bytes.data(), bytes.size());
    if (written <= 0) return systemError("copying the plugin");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  OwnedFd moved(::fcntl(file.get(), F_DUPFD_CLOEXEC, kOutOfTheWay));
  if (!moved) return systemError("copying the plugin");
  return std::make_shared<OwnedFd const>(std::move(moved));
}

std::string workerPath(Options const& options) {
  if (!options.worker.empty()) return options.worker;
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "garland-worker").string();
}

SpawnRequest requestFor(Options const& options) {
  SpawnRequest request;
  request.worker_path = workerPath(options);
  request.arguments.push_back("--address-space=" + std::to_string(SupervisorOptions().address_space));
  if (options.mode == Mode::audit) request.arguments.emplace_back("--audit");
  if (options.allow_degraded) request.arguments.emplace_back("--allow-degraded-sandbox");
  return request;
}

// How it ended, if not in order.
std::string endOf(Process& process, Outcome const& outcome, Options const& options) {
  if (outcome.timed_out) {
    process.killAndReap();
    return "did not end within " + std::to_string(options.limit.count()) +
           " s and was killed (--deadline=SECONDS)";
  }
  if (!outcome.broken.empty()) {
    process.killAndReap();
    return "broke the protocol: " + outcome.broken;
  }
  ExitStatus status;
  while (!process.reap(status)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  bool const in_order = status.signal == 0 && status.code == wire::kExitOk && outcome.done;
  if (in_order || outcome.load_failed) return {};
  auto const& dying = outcome.dying;
  return status.describe(dying ? dying->reason : "");
}

bool isTraced() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("TracerPid:")) return line.find_first_of("123456789") != std::string::npos;
  return false;
}

void waitForDebugger(Session::Teller const& teller) {
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); // where only parents may attach (Yama)
  teller.story("waiting for a debugger: gdb -p " + std::to_string(::getpid()));
  while (!isTraced()) std::this_thread::sleep_for(kLook);
}

// Never destroyed, as in garland-worker: plugin code keeps the table, and parked fibers keep the loop.
void servePlugin(int socket, std::string const& path) {
  static auto* const loop = new worker::Loop(socket);
  static auto* const host = new garland_host(worker::hostTable(*loop));
  auto const loaded = worker::loadPlugin(path.c_str(), *host);
  if (!loaded) {
    loop->channel().send(wire::Kind::loadFailed, 0, loaded.error());
    loop->channel().flush();
    return;
  }
  static auto* const plugin = new garland_plugin(*loaded);
  loop->channel().send(wire::Kind::hello, 0, worker::helloOf(*plugin));
  static_cast<void>(loop->run(*plugin));
}

} // namespace

Result<Ran> runInWorker(Options const& options, std::string const& plugin, wire::Call call,
                        RecordedAnswers& answers, Session::Teller const& teller) {
  auto request = requestFor(options);
  TRY(image, inMemory(plugin));
  request.image = std::move(image);
  TRY(spawned, spawnWorker(request));
  teller.story(request.worker_path + ", process " + std::to_string(spawned.process.pid()));
  Session session({spawned.socket.get(), spawned.output.get()}, answers, teller);
  Ran ran;
  ran.outcome = session.run(std::move(call), options.limit);
  ran.how = endOf(spawned.process, ran.outcome, options);
  return ran;
}

Result<Ran> runHere(Options const& options, wire::Call call, RecordedAnswers& answers,
                    Session::Teller const& teller) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return systemError("socketpair");
  OwnedFd const host_end(pair[0]);
  OwnedFd plugin_end(pair[1]);
  if (options.wait_for_debugger) waitForDebugger(teller);
  Ran ran;
  std::thread host([&] {
    Session session({host_end.get(), -1}, answers, teller);
    ran.outcome = session.run(std::move(call), std::nullopt);
  });
  servePlugin(plugin_end.get(), std::filesystem::absolute(options.plugin).string());
  plugin_end.reset();
  host.join();
  if (!ran.outcome.done && !ran.outcome.load_failed)
    ran.how = "ended early" + (ran.outcome.broken.empty() ? "" : ": " + ran.outcome.broken);
  return ran;
}

} // namespace garland::runtime::dev
