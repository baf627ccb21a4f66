// The public face of running plugins: which slot a call goes to, and the orderly end of all of them.
#include "host/runtime/plugin_slot.h"
#include "host/runtime/runtime.h"
#include "host/runtime/spawn.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto kPoll = 20ms; // how often shutdown looks whether calls still run

class WorkerSupervisor final : public Supervisor {
public:
  WorkerSupervisor(asio::any_io_executor executor, Clock& clock, Random& random, Log const& log,
                   SupervisorOptions options)
      : executor_(std::move(executor)), clock_(clock), random_(random), log_(log),
        options_(std::move(options)) {}

  Task<json::value> call(PluginInfo const& plugin, Call call, CallHost& host) override;
  std::vector<WorkerStatus> workers() const override;
  Task<void> shutdown() override;

private:
  Task<json::value> callWithin(PluginInfo const& plugin, Call call, CallHost& host);
  std::shared_ptr<PluginSlot> slotFor(PluginInfo const& plugin);
  asio::awaitable<void> waitForCalls(std::chrono::steady_clock::duration longest);

  asio::any_io_executor executor_;
  Clock& clock_;
  Random& random_;
  Log const& log_;
  SupervisorOptions options_;
  Spawner spawner_;                                          // must outlive the slots
  std::map<std::string, std::shared_ptr<PluginSlot>> slots_; // by digest of the shared object
  std::uint64_t next_call_ = 1;
  std::size_t calls_ = 0; // between the begin and the end of call()
  bool stopping_ = false;
};

std::shared_ptr<PluginSlot> WorkerSupervisor::slotFor(PluginInfo const& plugin) {
  auto& slot = slots_[plugin.digest];
  if (!slot)
    slot = std::make_shared<PluginSlot>(executor_, clock_, random_, log_, options_, spawner_, plugin);
  return slot;
}

// Cancellation is an error like any other in here; the caller's own rule is put back at the end.
Task<json::value> WorkerSupervisor::call(PluginInfo const& plugin, Call call, CallHost& host) {
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  ++calls_;
  auto result = co_await callWithin(plugin, std::move(call), host);
  --calls_;
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return result;
}

Task<json::value> WorkerSupervisor::callWithin(PluginInfo const& plugin, Call call, CallHost& host) {
  auto const deadline = std::chrono::steady_clock::now() + call.deadline;
  auto const& manifest = plugin.manifest;
  if (!plugin.refusal.empty())
    co_return Error(ErrorKind::unsupported, manifest.id + " may not be loaded: " + plugin.refusal);
  if (std::ranges::find(manifest.operations, call.operation) == manifest.operations.end())
    co_return Error(ErrorKind::unsupported, manifest.id + " does not offer " + call.operation);
  if (stopping_)
    co_return Error(ErrorKind::transient, "the host is stopping; repeat the call after it has started again");
  auto const slot = slotFor(plugin);
  auto worker = slot->ready();
  if (!worker) {
    auto acquired = co_await slot->acquire(call.deadline);
    if (!acquired) co_return std::move(acquired).error();
    worker = std::move(*acquired);
  }
  co_return co_await worker->run(next_call_++, std::move(call), host, deadline);
}

std::vector<WorkerStatus> WorkerSupervisor::workers() const {
  std::vector<WorkerStatus> out;
  for (auto const& [digest, slot] : slots_) out.push_back(slot->status());
  std::ranges::sort(out, {}, &WorkerStatus::plugin_id);
  return out;
}

asio::awaitable<void> WorkerSupervisor::waitForCalls(std::chrono::steady_clock::duration longest) {
  asio::steady_timer timer(executor_);
  auto const end = std::chrono::steady_clock::now() + longest;
  while (calls_ > 0 && std::chrono::steady_clock::now() < end) {
    timer.expires_after(kPoll);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

Task<void> WorkerSupervisor::shutdown() {
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  stopping_ = true;
  for (auto const& [digest, slot] : slots_) slot->refuseCalls();
  co_await waitForCalls(options_.drain);
  for (auto const& [digest, slot] : slots_)
    if (slot->ready()) slot->ready()->cancelCalls();
  co_await waitForCalls(2s); // cancelled calls end within a second, or their worker does
  for (auto const& [digest, slot] : slots_) slot->askToEnd();
  for (auto const& [digest, slot] : slots_) co_await slot->ended();
  slots_.clear();
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return Result<void>();
}

} // namespace

std::unique_ptr<Supervisor> Supervisor::create(asio::any_io_executor executor, Clock& clock, Random& random,
                                               Log const& log, SupervisorOptions options) {
  return std::make_unique<WorkerSupervisor>(std::move(executor), clock, random, log, std::move(options));
}

} // namespace garland::runtime
