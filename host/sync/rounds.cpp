#include "host/sync/rounds.h"

#include "host/sync/retry.h"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace garland::sync {

Rounds::Rounds(Context& context, std::size_t at_once, Round round)
    : context_(context), at_once_(at_once), round_(std::move(round)), nursery_(context.doors.executor),
      round_ended_(std::make_shared<Event>(context.doors.executor)) {}

void Rounds::due(std::string const& name, TimePoint when) {
  auto const then = context_.doors.clock.monotonic() + (when - context_.now());
  auto const [place, first] = due_.emplace(name, Turn{then, turns_});
  if (first) ++turns_;
  if (!first && place->second.when <= then) return;
  stepAside(name);
  place->second.when = then;
  lineUp(name);
  wake();
}

void Rounds::forget(std::string const& name) {
  stepAside(name);
  due_.erase(name);
}

void Rounds::lineUp(std::string const& name) {
  auto const found = due_.find(name);
  if (found == due_.end() || running_.contains(name) || held_.contains(name)) return;
  line_.emplace(found->second, name);
}

void Rounds::stepAside(std::string const& name) {
  if (auto const found = due_.find(name); found != due_.end()) line_.erase(found->second);
}

Rounds::Hold::Hold(Rounds& rounds, std::string name)
    : rounds_(rounds), place_(rounds.held_.insert(std::move(name))) {
  rounds_.stepAside(*place_);
}

Rounds::Hold::~Hold() {
  auto const ended = rounds_.held_.extract(place_);
  rounds_.lineUp(ended.value());
  rounds_.wake();
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
    if (next) {
      auto const left = std::chrono::ceil<Milliseconds>(*next - context_.doors.clock.monotonic());
      alarm.emplace(context_.doors.executor, context_.doors.clock, left, woken);
    }
    CO_TRY_VOID(co_await woken->wait());
  }
  co_return Result<void>();
}

// Who has waited longest comes first. When all places are taken, the end of a round looks again.
std::optional<Monotonic> Rounds::beginDue() {
  auto const now = context_.doors.clock.monotonic();
  while (running_.size() < at_once_ && !line_.empty() && line_.begin()->first.when <= now) {
    auto name = std::move(line_.extract(line_.begin()).mapped());
    due_.erase(name);
    running_.insert(name);
    nursery_.spawn(carryOut(std::move(name)));
  }
  if (line_.empty() || line_.begin()->first.when <= now) return std::nullopt;
  return line_.begin()->first.when;
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
  rounds.lineUp(name); // what became due meanwhile
  std::exchange(rounds.round_ended_, std::make_shared<Event>(rounds.context_.doors.executor))->set();
  rounds.wake();
}

} // namespace garland::sync
