#include "host/runtime/spawn.h"

#include "host/runtime/wire.h"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace garland::runtime {
namespace {

constexpr int kFirstFree = 7; // below it lie the descriptors that a worker knows by number

Error systemError(std::string_view what, int number) {
  return Error(ErrorKind::transient, std::string(what) + " failed: " + std::strerror(number));
}

// The same file under a number that dup2 onto 0..6 cannot overwrite.
Result<OwnedFd> above(OwnedFd fd) {
  if (fd.get() >= kFirstFree) return fd;
  OwnedFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved) return systemError("moving a descriptor", errno);
  return moved;
}

struct Channels {
  OwnedFd null;
  OwnedFd output_host, output_worker;
  OwnedFd socket_host, socket_worker;
  OwnedFd flight;
};

// Its size is sealed: a worker that shrank the page would kill the host with SIGBUS.
Result<OwnedFd> makeFlightPage() {
  OwnedFd page(::memfd_create("garland-flight", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!page || ::ftruncate(page.get(), wire::kFlightPageBytes) != 0 ||
      ::fcntl(page.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return systemError("making the flight page", errno);
  return above(std::move(page));
}

Result<Channels> makeChannels() {
  Channels out;
  std::array<int, 2> pair{};
  if (::pipe2(pair.data(), O_CLOEXEC) != 0) return systemError("pipe2", errno);
  OwnedFd pipe_read(pair[0]);
  OwnedFd pipe_write(pair[1]);
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return systemError("socketpair", errno);
  OwnedFd socket_host(pair[0]);
  OwnedFd socket_worker(pair[1]);
  OwnedFd null_device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null_device) return systemError("opening /dev/null", errno);
  TRY(null_moved, above(std::move(null_device)));
  TRY(write_moved, above(std::move(pipe_write)));
  TRY(worker_moved, above(std::move(socket_worker)));
  TRY(flight, makeFlightPage());
  out.null = std::move(null_moved);
  out.output_host = std::move(pipe_read);
  out.output_worker = std::move(write_moved);
  out.socket_host = std::move(socket_host);
  out.socket_worker = std::move(worker_moved);
  out.flight = std::move(flight);
  return out;
}

// posix_spawn's two parameter objects; the first error of any step is kept.
class SpawnPlan {
public:
  SpawnPlan() {
    note(::posix_spawn_file_actions_init(&actions_));
    note(::posix_spawnattr_init(&attributes_));
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    note(::posix_spawnattr_setsigmask(&attributes_, &none));
    note(::posix_spawnattr_setsigdefault(&attributes_, &all));
    note(::posix_spawnattr_setpgroup(&attributes_, 0));
    note(::posix_spawnattr_setflags(&attributes_,
                                    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(SpawnPlan const&) = delete;
  SpawnPlan& operator=(SpawnPlan const&) = delete;

  void place(int from, int to) { note(::posix_spawn_file_actions_adddup2(&actions_, from, to)); }
  void closeFrom(int first) { note(::posix_spawn_file_actions_addclosefrom_np(&actions_, first)); }

  Result<pid_t> run(SpawnRequest const& request) {
    std::vector<char*> arguments{const_cast<char*>("garland-worker")};
    for (auto const& argument : request.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    std::array<char*, 1> environment{nullptr};
    pid_t pid = 0;
    if (failed_ == 0)
      note(::posix_spawn(&pid, request.worker_path.c_str(), &actions_, &attributes_, arguments.data(),
                         environment.data()));
    if (failed_ != 0) return systemError("starting " + request.worker_path, failed_);
    return pid;
  }

private:
  void note(int error) {
    if (failed_ == 0) failed_ = error;
  }
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  int failed_ = 0;
};

Result<Process> startProcess(SpawnRequest const& request, Channels const& channels, int image) {
  SpawnPlan plan;
  plan.place(channels.null.get(), 0);
  plan.place(channels.output_worker.get(), 1);
  plan.place(channels.output_worker.get(), 2);
  plan.place(channels.socket_worker.get(), 3);
  plan.place(channels.flight.get(), 4);
  plan.place(image, 5);
  if (request.clock) plan.place(request.clock->page(), 6);
  plan.closeFrom(request.clock ? kFirstFree : kFirstFree - 1);
  TRY(pid, plan.run(request));
  // Nobody else waits for this child, so its number cannot have gone to another process yet.
  OwnedFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    auto error = systemError("pidfd_open", errno);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return error;
  }
  return Process(pid, std::move(pidfd));
}

Result<std::shared_ptr<OwnedFd const>> imageFor(SpawnRequest const& request) {
  if (request.image) return request.image;
  TRY(sealed, sealImage(request.plugin));
  TRY(moved, above(std::move(sealed)));
  return std::make_shared<OwnedFd const>(std::move(moved));
}

} // namespace

Result<Spawned> spawnWorker(SpawnRequest const& request) {
  TRY(image, imageFor(request));
  TRY(channels, makeChannels());
  TRY(process, startProcess(request, channels, image->get()));
  // Not a duplicate: Asio makes what it watches non-blocking, and waiting at the end must block.
  OwnedFd exit_watch(static_cast<int>(::syscall(SYS_pidfd_open, process.pid(), 0)));
  if (!exit_watch) return systemError("watching the worker", errno);
  Spawned out;
  out.process = std::move(process);
  out.exit_watch = std::move(exit_watch);
  out.socket = std::move(channels.socket_host);
  out.output = std::move(channels.output_host);
  out.flight = std::move(channels.flight);
  out.image = std::move(image);
  return out;
}

Spawner::Spawner() : thread_([this] { run(); }) {}

Spawner::~Spawner() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Spawner::run() {
  for (std::unique_lock lock(mutex_);;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

Result<Spawned> Spawner::spawnShared(SpawnRequest& request) {
  auto& known = images_[request.plugin.digest];
  if (!request.image) request.image = known.lock();
  auto spawned = spawnWorker(request);
  if (spawned) known = spawned->image;
  std::erase_if(images_, [](auto const& entry) { return entry.second.expired(); });
  return spawned;
}

Task<Spawned> Spawner::start(SpawnRequest request) {
  auto const executor = co_await asio::this_coro::executor;
  auto outcome = std::make_shared<Result<Spawned>>(Error(ErrorKind::cancelled, "the worker was not started"));
  auto const submit = [this, executor, outcome, &request](auto handler) {
    using Handler = asio::any_completion_handler<void()>;
    auto waiting = std::make_shared<Handler>(std::move(handler));
    auto const work = asio::prefer(executor, asio::execution::outstanding_work.tracked);
    auto job = [this, work, waiting, outcome, request = std::move(request)]() mutable {
      *outcome = spawnShared(request);
      asio::post(work, [waiting] { std::move (*waiting)(); });
    };
    {
      std::lock_guard const lock(mutex_);
      jobs_.emplace_back(std::move(job));
    }
    changed_.notify_one();
  };
  co_await asio::async_initiate<asio::use_awaitable_t<> const, void()>(submit, asio::use_awaitable);
  co_return std::move(*outcome);
}

} // namespace garland::runtime
