#include "host/sync/schedule.h"

#include "host/sync/commits.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>

namespace garland::sync {
namespace {

constexpr Milliseconds kTick{5'000};
constexpr Milliseconds kSoon{250}; // between two looks while runs wait for a place: more may be due

// Of a row with last_success and next_due.
Priority priorityOf(store::Row const& row) {
  if (row.integer(2) == kAskedFor) return Priority::interactive;
  return row.isNull(1) ? Priority::bulk : Priority::normal;
}

} // namespace

void Schedule::start() {
  if (ended_) return;
  ended_ = std::make_shared<Event>(context_.doors.executor);
  auto const ended = ended_;
  asio::co_spawn(context_.doors.executor, loop(),
                 asio::bind_cancellation_slot(cancel_.slot(),
                                              [ended](std::exception_ptr, Result<void>) { ended->set(); }));
}

Task<void> Schedule::stop() {
  if (!ended_) co_return Result<void>();
  auto const ended = ended_;
  cancel_.emit(asio::cancellation_type::terminal);
  co_return co_await ended->wait();
}

void Schedule::look() {
  if (woken_) woken_->set();
}

Task<void> Schedule::loop() {
  while (!context_.stopping) {
    CO_TRY_VOID(co_await begin());
    auto const looked = co_await also_();
    if (!looked && !context_.stopping)
      context_.doors.log.error("what waits could not be looked at: " + looked.error().message);
    auto left = kTick;
    for (; (isFull() || context_.run_places.waiting() > 0) && left > kSoon; left -= kSoon) {
      CO_TRY_VOID(co_await rest(kSoon));
      context_.run_places.look(context_.doors.clock.monotonic());
      CO_TRY_VOID(co_await begin());
    }
    CO_TRY_VOID(co_await rest(left));
  }
  co_return Result<void>();
}

Task<void> Schedule::begin() {
  woken_ = std::make_shared<Event>(context_.doors.executor); // who wakes it from here on means the next look
  ++wake_ups_;
  auto const started = co_await startDue();
  if (!started && !context_.stopping)
    context_.doors.log.error("the connections that are due could not be read: " + started.error().message);
  co_return Result<void>();
}

Task<void> Schedule::rest(Milliseconds longest) {
  Alarm const alarm(context_.doors.executor, context_.doors.clock, longest, woken_);
  co_return co_await woken_->wait();
}

// One look for all connections, at those that are due: whoever has been due longest first. Which of those
// that were started runs first is for the runs' places. A row that is under way is still due, and must not
// hide others.
Task<void> Schedule::startDue() {
  std::erase_if(started_, [this](std::string const& id) { return !runs_.isInFlight(id); });
  if (isFull()) co_return Result<void>();
  Values args{toMillis(context_.now()), static_cast<std::int64_t>(most_started_ + runs_.inFlight()),
              kAskedFor};
  auto const which = andMine(context_, "connections", args);
  store::Statement query(
      "SELECT connection_id, last_success, next_due FROM connections WHERE next_due<=$1 AND paused=0 AND "
      "(state IN ('connected','failing') OR (next_due=$3 AND state<>'revoked'))" +
          which + " ORDER BY next_due LIMIT $2",
      std::move(args));
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  for (auto const& row : rows.rows) {
    if (isFull()) break;
    bool const asked_for = row.integer(2) == kAskedFor;
    if (runs_.isInFlight(row.text(0)) && !asked_for) continue;
    if (!mine(context_, row.text(0))) continue; // it is just coming or going
    auto const started = co_await runs_.start(row.text(0), priorityOf(row));
    if (started) started_.insert(row.text(0));
    if (!started) context_.doors.log.warn("a sync that is due did not start: " + started.error().message);
  }
  co_return Result<void>();
}

} // namespace garland::sync
