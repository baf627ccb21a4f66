// How the workers of a replaced build leave: they end their calls, hand on what their instances want to keep,
// and are ended. A state is a cache of the plugin: it is bounded, and losing one costs nobody anything. It is
// opaque to the host, which checks only that it is JSON, and it is given on once, so that a state on which a
// newer build dies cannot kill it twice.
#include "host/runtime/fleet.h"

namespace garland::runtime {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxState = 256U << 10U;    // of one instance, bytes of JSON
constexpr std::size_t kMaxAllStates = 16U << 20U; // of one plugin
constexpr auto kExportTime = 2s;                  // for all instances of a worker

// Handing on is between the instance and the host alone.
class NoDoors final : public CallHost {
public:
  Task<HttpAnswer> http(HttpAsk) override { co_return refusal(); }
  Task<void> emit(std::string, std::string) override { co_return refusal(); }
  Task<void> checkpoint(std::string) override { co_return refusal(); }
  Task<KvEntry> kvGet(std::string) override { co_return refusal(); }
  Task<void> kvPut(std::string, Bytes, std::uint64_t, Milliseconds) override { co_return refusal(); }
  void log(LogLevel, std::string, std::string) override {}
  void progress(std::uint64_t, std::uint64_t, std::string) override {}

private:
  static Error refusal() {
    return Error(ErrorKind::unsupported, "an instance that hands its state on may ask nothing");
  }
};

} // namespace

asio::awaitable<void> Fleet::leave(std::shared_ptr<Fleet> self, std::shared_ptr<Place> place) {
  co_await place->unused.wait();
  ++self->handing_over_;
  if (place->heir) co_await handOver(self, place);
  --self->handing_over_;
  if (auto const slot = place->slot; slot && !self->stopping_) {
    slot->askToEnd();
    co_await slot->ended();
    std::erase(self->leaving_, place);
  }
}

asio::awaitable<void> Fleet::handOver(std::shared_ptr<Fleet> self, std::shared_ptr<Place> place) {
  auto const deadline = std::chrono::steady_clock::now() + kExportTime;
  NoDoors nothing;
  for (auto const& account_id : place->accounts) {
    if (!place->slot || self->stopping_ || std::chrono::steady_clock::now() >= deadline) co_return;
    auto const worker = place->slot->ready();
    if (!worker) co_return;
    auto state = co_await worker->exportState(self->nextCall(), account_id, nothing, deadline);
    if (state) self->keepState(*place, account_id, std::move(*state));
  }
}

void Fleet::keepState(Place const& place, std::string const& account_id, std::string text) {
  auto& kept = states_[place.build->manifest.id];
  if (text.empty() || text == "null" || kept.heir != place.heir) return; // a still newer build runs by now
  if (text.size() > kMaxState || kept.bytes + text.size() > kMaxAllStates) {
    log_.warn("an instance's state is too large to hand on; the newer version starts without it",
              {{"plugin", place.build->manifest.id}, {"account", account_id}, {"bytes", text.size()}});
    return;
  }
  auto& slot = kept.by_account[account_id];
  kept.bytes = kept.bytes - slot.size() + text.size();
  slot = std::move(text);
}

std::string Fleet::takeState(Build const& build, std::string const& account_id) {
  auto const found = states_.find(build->manifest.id);
  if (found == states_.end() || found->second.heir != build) return {};
  auto taken = found->second.by_account.extract(account_id);
  if (taken.empty()) return {};
  found->second.bytes -= taken.mapped().size();
  return std::move(taken.mapped());
}

// States that `from` was to get and has not asked for are for its heir.
void Fleet::redirectStates(Build const& from, Build const& heir) {
  auto& states = states_[from->manifest.id];
  if (states.heir && states.heir != from) return; // it was only tried out
  states.heir = heir;
  if (!heir) states_.erase(from->manifest.id);
}

} // namespace garland::runtime
