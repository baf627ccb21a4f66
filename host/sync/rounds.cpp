#include "host/sync/rounds.h"

#include "host/sync/retry.h"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace garland::sync {

Rounds::Rounds(Context& context, std::size_t at_once, Round round)
    : context_(context), at_once_(at_once), round_(std::move(round)), nursery_(context.doors.executor),
      round_ended_(std::make_shared<Event>(context.doors.executor)) {}

void Rounds::due(std::string const& name, TimePoint when) {
  auto const [place, first] = due_.emplace(name, Turn{when, turns_});
  if (first) ++turns_;
  if (!first && place->second.when <= when) return;
  place->second.when = when;
  wake();
}

void Rounds::start() {
  if (loop_ended_) return;
  loop_ended_ = std::make_shared<Event>(context_.doors.executor);
  auto const ended = loop_ended_;
  asio::co_spawn(context_.doors.executor, loop(),
                 [ended](std::exception_ptr, Result<void>) { ended->set(); });
}

Task<void> Rounds::stop() {
  wake();
  if (loop_ended_) {
    auto const ended = loop_ended_;
    CO_TRY_VOID(co_await ended->wait());
  }
  co_return co_await nursery_.drained();
}

Task<void> Rounds::quiet(std::string name) {
  while (running_.contains(name)) {
    auto const ended = round_ended_;
    CO_TRY_VOID(co_await ended->wait());
  }
  co_return Result<void>();
}

void Rounds::wake() {
  if (woken_) woken_->set();
}

Task<void> Rounds::loop() {
  while (!context_.stopping) {
    auto const woken = std::make_shared<Event>(context_.doors.executor);
    woken_ = woken;
    auto const next = beginDue();
    std::optional<Alarm> alarm;
    if (next) alarm.emplace(context_.doors.executor, context_.doors.clock, *next - context_.now(), woken);
    CO_TRY_VOID(co_await woken->wait());
  }
  co_return Result<void>();
}

// Who has waited longest comes first. Whoever is running or held is looked at again when that ends, and so is
// everybody when all places are taken.
std::optional<TimePoint> Rounds::beginDue() {
  auto const now = context_.now();
  std::optional<TimePoint> next;
  std::vector<std::pair<Turn, std::string>> ready;
  for (auto const& [name, turn] : due_) {
    if (running_.contains(name) || held_.contains(name)) continue;
    if (turn.when <= now)
      ready.emplace_back(turn, name);
    else if (!next || turn.when < *next)
      next = turn.when;
  }
  auto const count = std::min(ready.size(), at_once_ - std::min(at_once_, running_.size()));
  std::ranges::partial_sort(ready, ready.begin() + static_cast<std::ptrdiff_t>(count));
  ready.resize(count);
  for (auto& [turn, name] : ready) {
    running_.insert(name);
    due_.erase(name);
    nursery_.spawn(carryOut(std::move(name)));
  }
  return next;
}

Task<void> Rounds::carryOut(std::string name) {
  Running running(*this, name);
  running.again = context_.now() + kRest; // should it throw
  auto const next = co_await round_(name);
  if (next) {
    running.again = *next;
  } else if (!context_.stopping) {
    tellFailure(name, cut(next.error().message));
    running.again = context_.now() + kRest;
  }
  co_return Result<void>();
}

// While the database is away the rounds of all names fail alike.
void Rounds::tellFailure(std::string const& name, std::string const& why) {
  auto const failed = failures_.count(why, context_.doors.clock.monotonic());
  if (!failed) return;
  context_.doors.log.error("what came in for " + name + " waits a moment: " + why,
                           json::object{{"count", *failed}});
}

Rounds::Running::~Running() {
  rounds.running_.erase(name);
  if (again) rounds.due(name, *again);
  std::exchange(rounds.round_ended_, std::make_shared<Event>(rounds.context_.doors.executor))->set();
  rounds.wake();
}

} // namespace garland::sync
