// A daemon's runtime in small: the public Supervisor with its loop, and hosts that keep what plugins say.
#pragma once

#include "host/runtime/runtime.h"
#include "tests/hostile/driver/scene.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <stdexcept>

namespace garland::hostile {

struct Tier {
  char letter = 'A'; // 'A'..'D'
  // The worker of that tier: garland-worker, or one that believes the kernel lacks something.
  std::string workerPath() const;
  runtime::SandboxTier tier() const { return static_cast<runtime::SandboxTier>(letter - 'A'); }
};

// Answers at once, but takes its time over each record of a plugin that is watched, as a database would.
// What that plugin sends is heard by the scene, and counted.
class Host final : public runtime::CallHost {
public:
  explicit Host(Scene* scene) : scene_(scene) {}

  Task<runtime::HttpAnswer> http(runtime::HttpAsk ask) override;
  Task<void> emit(std::string kind, std::string record) override;
  Task<void> checkpoint(std::string cursor) override;
  Task<runtime::KvEntry> kvGet(std::string key) override;
  Task<void> kvPut(std::string key, Bytes value, std::uint64_t if_version, Milliseconds ttl) override;
  void log(LogLevel level, std::string message, std::string fields) override;
  void progress(std::uint64_t done, std::uint64_t total, std::string what) override;

  std::string last_record;
  std::uint64_t records = 0;
  std::uint64_t requests = 0;
  std::uint64_t log_lines = 0;

private:
  void hear(std::string_view words);
  Scene* scene_; // nullptr: of a bystander
  SystemClock clock_;
};

class Stage {
public:
  Stage(Scene& scene, runtime::SupervisorOptions options);
  Stage(Stage const&) = delete;
  Stage& operator=(Stage const&) = delete;
  ~Stage();

  // Runs the loop until the task has ended. Throws on an error: the environment is at fault.
  void run(Task<void> task);
  Task<json::value> call(runtime::PluginInfo const& plugin, std::string vendor, std::string operation,
                         json::value input, Milliseconds deadline, runtime::CallHost& host);
  // The worker of one plugin (and one vendor, where vendors have their own); nullptr without one.
  std::optional<runtime::WorkerStatus> worker(std::string_view plugin_id, std::string_view vendor) const;
  // How the last worker of a plugin ended; "" if none has.
  std::string lastExit(std::string_view plugin_id, std::string_view vendor) const;

  asio::io_context loop{1};
  SystemClock clock;
  SystemRandom random;
  Redactor redactor;
  Log log;
  std::unique_ptr<runtime::Supervisor> supervisor;
};

} // namespace garland::hostile
