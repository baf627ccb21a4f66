// Starts worker processes, on one thread that lives as long as its owner: a worker asks the kernel
// to be killed when the THREAD that started it ends, so that thread must not come and go.
//
// What a worker inherits is this and nothing else: 0 /dev/null, 1 and 2 a pipe to the host, 3 the
// message socket, 4 the flight page, 5 the sealed plugin, 6 the clock page if there is one; an empty
// environment; its own process group.
#pragma once

#include "host/base/task.h"
#include "host/runtime/image.h"
#include "host/runtime/process.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace garland::runtime {

struct SpawnRequest {
  std::string worker_path;
  std::vector<std::string> arguments;
  PluginInfo plugin;
  std::shared_ptr<OwnedFd const> image; // sealed before; null: seal it now
  std::shared_ptr<PluginClock const> clock;
};

// The host's ends of a worker that was started.
struct Spawned {
  Process process;
  OwnedFd exit_watch; // a second pidfd, readable once it has ended
  OwnedFd socket;     // stream socket
  OwnedFd output;     // read end of what it prints
  OwnedFd flight;     // memfd of the flight page
  std::shared_ptr<OwnedFd const> image;
};

// Blocks. Call it through Spawner, or the worker dies with the calling thread.
Result<Spawned> spawnWorker(SpawnRequest const& request);

class Spawner {
public:
  Spawner();
  ~Spawner(); // waits for what is being started
  Spawner(Spawner const&) = delete;
  Spawner& operator=(Spawner const&) = delete;

  // [loop thread] Runs spawnWorker on the spawner's thread.
  Task<Spawned> start(SpawnRequest request);

private:
  void run();
  Result<Spawned> spawnShared(SpawnRequest& request);

  std::mutex mutex_;
  std::condition_variable changed_;
  // Sealed plugins that some slot still keeps, by digest: all workers of a build share one. [spawner's
  // thread]
  std::map<std::string, std::weak_ptr<OwnedFd const>> images_;
  std::deque<std::function<void()>> jobs_; // guarded by mutex_
  bool stopping_ = false;                  // guarded by mutex_
  std::thread thread_;
};

} // namespace garland::runtime
