#include "host/sync/limits.h"

namespace garland::sync {
namespace {

// For which a refusal without Retry-After is news.
constexpr Milliseconds kRefusalIsNews{10'000};

std::string nameOfApp(std::string const& app) { return "app " + app; }

Error stopping() { return Error(ErrorKind::cancelled, "the daemon is stopping; the next one goes on"); }

} // namespace

Task<void> Limits::enter(Asker asker, Milliseconds patience) {
  forgetOneIdle();
  auto const begun = clock_.monotonic();
  CO_TRY_VOID(co_await pass(asker.connection_id, asker.of_connection, &asker, patience));
  if (asker.app.empty() || !asker.of_app) co_return Result<void>();
  auto const left = patience - std::chrono::ceil<Milliseconds>(clock_.monotonic() - begun);
  co_return co_await pass(nameOfApp(asker.app), asker.of_app, &asker, left);
}

Task<void> Limits::pass(std::string name, std::optional<runtime::RequestLimit> limit, Asker const* asker,
                        Milliseconds patience) {
  if (stopped_ && asker->can_stop) co_return stopping();
  auto const turn = std::make_shared<Turn>(executor_, asker->can_stop);
  {
    auto& where = gate(name, limit);
    auto const wait = where.pace.wait(clock_.monotonic());
    if (wait == Milliseconds::zero() && where.waiting.empty()) {
      where.pace.take(clock_.monotonic());
      co_return Result<void>();
    }
    if (wait > patience) co_return tooFast(wait, 0);
    where.waiting.push(asker->priority, turn);
    if (!where.alarm) serve(name);
  }
  ++figures_.waited;
  ++figures_.waiting;
  Alarm const alarm(executor_, clock_, patience, turn->called);
  auto const called = co_await turn->called->wait();
  --figures_.waiting;
  if (turn->admitted) co_return Result<void>();
  auto& where = gate(name, limit);
  where.waiting.erase(turn);
  if (!called) co_return called.error();
  if (stopped_ && asker->can_stop) co_return stopping();
  co_return tooFast(where.pace.wait(clock_.monotonic(), where.waiting.size()), where.waiting.size());
}

// Whoever may go goes, and for the next one the gate wakes itself once.
void Limits::serve(std::string const& name) {
  auto& where = gates_.at(name);
  where.alarm.reset();
  auto const now = clock_.monotonic();
  auto wait = where.pace.wait(now);
  while (!where.waiting.empty() && wait == Milliseconds::zero()) {
    auto const turn = where.waiting.pop();
    where.pace.take(now);
    turn->admitted = true;
    turn->called->set();
    wait = where.pace.wait(now);
  }
  if (!where.waiting.empty()) where.alarm.emplace(executor_, clock_, wait, [this, name] { serve(name); });
}

void Limits::answered(Asker const& asker, Pace::Seen const& seen) {
  auto const now = clock_.monotonic();
  gate(asker.connection_id, asker.of_connection).pace.answered(now, seen);
  if (asker.app.empty() || !asker.of_app) return;
  auto& app = gate(nameOfApp(asker.app), asker.of_app);
  if (!isRefusal(seen)) {
    app.pace.answered(now, seen);
    return;
  }
  // One connection that is refused may have used up what is its own. A second one at the same time says that
  // it is the app's, so that all of them leave the provider alone.
  bool const everybody = now < app.refused_until && app.refused != asker.connection_id;
  app.refused = asker.connection_id;
  app.refused_until = now + seen.retry_after.value_or(kRefusalIsNews);
  if (everybody) app.pace.answered(now, seen);
}

std::optional<Milliseconds> Limits::closedFor(std::string const& connection_id) const {
  auto const found = gates_.find(connection_id);
  auto const now = clock_.monotonic();
  if (found == gates_.end() || found->second.pace.closedUntil() <= now) return std::nullopt;
  return std::chrono::ceil<Milliseconds>(found->second.pace.closedUntil() - now);
}

void Limits::stop() {
  stopped_ = true;
  for (auto& [name, where] : gates_)
    where.waiting.eraseIf([](std::shared_ptr<Turn> const& turn) {
      if (turn->can_stop) turn->called->set();
      return turn->can_stop;
    });
}

Limits::Figures Limits::figures() const {
  auto figures = figures_;
  figures.paces = gates_.size();
  return figures;
}

Limits::Gate& Limits::gate(std::string const& name, std::optional<runtime::RequestLimit> const& limit) {
  return gates_.try_emplace(name, limit, clock_.monotonic()).first->second;
}

// With each request one is looked at, so that those of connections that rest go without a round over all.
void Limits::forgetOneIdle() {
  auto const next = gates_.upper_bound(looked_at_);
  looked_at_.clear(); // from the beginning again
  if (next == gates_.end()) return;
  looked_at_ = next->first;
  auto& [name, where] = *next;
  if (where.waiting.empty() && where.pace.isIdle(clock_.monotonic())) gates_.erase(next);
}

// `others` wait as well: for one that comes now there is no room before them all have gone.
Error Limits::tooFast(Milliseconds wait, std::size_t others) {
  ++figures_.refused;
  auto const at = rfc3339(clock_.now() + wait);
  std::string message = "the provider takes no more requests before " + at;
  if (others > 0)
    message = std::to_string(others) + (others == 1 ? " other request waits" : " other requests wait") +
              " for the provider's limit, which has room for one more at " + at;
  Error error(ErrorKind::rateLimited, message + "; try again then");
  error.effect = Effect::notApplied;
  error.retry_after = wait;
  return error;
}

} // namespace garland::sync
