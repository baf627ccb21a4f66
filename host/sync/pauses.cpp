#include "host/sync/pauses.h"

#include "host/sync/commits.h"
#include "host/sync/leases.h"

#include <utility>

namespace garland::sync {
namespace {

constexpr Milliseconds kAskAgain{5'000}; // what daemons tell each other may be lost
constexpr Milliseconds kRests{60'000};   // a call of its owner may be under way

Error doesNotRestYet(std::string const& id) {
  return Error(
      ErrorKind::transient,
      "connection " + id +
          " is paused, and within 5 seconds nothing more of it begins, but the daemon that runs it has "
          "not said yet that nothing is under way; pause it again to wait for that (garland doctor "
          "shows the daemons)");
}

} // namespace

Task<Connection> Pauses::pause(std::string id, std::string by) {
  CO_TRY(connection, co_await connections_.one(id));
  Owner const owner{connection.vendor_id, connection.id};
  ++acts_;
  auto const barrier = hold(owner);
  store::Unit unit;
  unit.emplace_back("UPDATE connections SET paused=1, "
                    "paused_by=CASE WHEN paused=1 THEN paused_by ELSE $3 END, "
                    "paused_after=CASE WHEN paused=1 THEN paused_after ELSE resumed END "
                    "WHERE vendor_id=$1 AND connection_id=$2",
                    Values{connection.vendor_id, connection.id, std::move(by)});
  unit.push_back(told(context_, "connection.pause", connection.vendor_id, connection.id));
  auto const saved = co_await context_.doors.store.commit(std::move(unit));
  ++acts_;
  if (!saved) {
    if (connection.state != "paused") paused_.erase(id);
    co_return saved.error();
  }
  paused_.insert_or_assign(id, barrier); // a look at the table that began before may have dropped it
  CO_TRY_VOID(co_await quiet(owner, barrier));
  if (!mine(context_, id)) {
    CO_TRY_VOID(co_await restElsewhere(owner));
  }
  co_return co_await connections_.one(id);
}

// What waited meanwhile goes on, and it is due.
Task<Connection> Pauses::resume(std::string id) {
  CO_TRY(connection, co_await connections_.one(id));
  ++acts_;
  store::Unit unit;
  unit.emplace_back(
      "UPDATE connections SET paused=0, resumed=$1, next_due=$1 WHERE vendor_id=$2 AND connection_id=$3 AND "
      "paused=1",
      Values{toMillis(context_.now()), connection.vendor_id, connection.id});
  unit.push_back(told(context_, "connection.resume", connection.vendor_id, connection.id));
  auto news = newsFor(context_, NewsKind::pauses, connection.vendor_id, connection.id);
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit), std::move(news)));
  ++acts_;
  // What came in before this daemon knew of the pause was passed over: the end of a barrier wakes it.
  hold(Owner{connection.vendor_id, connection.id});
  paused_.erase(id);
  co_return co_await connections_.one(id);
}

Task<void> Pauses::tick() {
  auto const acts = acts_;
  store::Statement query("SELECT vendor_id, connection_id FROM connections WHERE paused=1");
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (acts != acts_) co_return Result<void>();
  std::map<std::string, Owner> paused;
  for (auto const& row : rows.rows) paused.emplace(row.text(1), Owner{row.text(0), row.text(1)});
  follow(paused);
  co_return Result<void>();
}

void Pauses::follow(std::map<std::string, Owner> const& paused) {
  std::erase_if(paused_, [&](auto const& each) { return !paused.contains(each.first); });
  for (auto const& [id, owner] : paused)
    if (!paused_.contains(id)) nursery_.spawn(quiet(owner, hold(owner)));
}

Task<bool> Pauses::isPaused(Owner owner) {
  store::Statement query("SELECT 1 FROM connections WHERE vendor_id=$1 AND connection_id=$2 AND paused=1",
                         {std::move(owner.vendor_id), std::move(owner.connection_id)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  co_return !rows.rows.empty();
}

Task<void> Pauses::takeOver(Owner owner) {
  CO_TRY(paused, co_await isPaused(owner));
  if (paused) nursery_.spawn(quiet(owner, hold(owner)));
  co_return Result<void>();
}

Task<void> Pauses::look(Owner owner) {
  auto const acts = acts_;
  CO_TRY(paused, co_await isPaused(owner));
  if (acts != acts_ || context_.stopping) co_return Result<void>();
  auto barrier = hold(owner);
  if (paused) {
    nursery_.spawn(quiet(owner, std::move(barrier)));
  } else {
    paused_.erase(owner.connection_id); // as in resume()
  }
  co_return Result<void>();
}

// Asks until the daemon that runs the connection says so, whichever that is by then.
Task<void> Pauses::restElsewhere(Owner owner) {
  auto const& id = owner.connection_id;
  auto const give_up = context_.doors.clock.monotonic() + kRests;
  while (!context_.stopping && context_.doors.clock.monotonic() < give_up) {
    auto const event = std::make_shared<Event>(context_.doors.executor);
    asking_.emplace(id, event);
    std::vector<News> news(1, News(NewsKind::pauses, owner.vendor_id, id));
    auto const asked = co_await commitTelling(&context_, store::Unit(), std::move(news));
    Alarm const alarm(context_.doors.executor, context_.doors.clock, kAskAgain, event);
    auto const woken = co_await event->wait();
    auto const in_vain = std::erase_if(asking_, [&](auto const& each) { return each.second == event; });
    if (!woken) co_return woken;
    if (in_vain == 0) co_return Result<void>();
    if (!asked) co_return asked.error();
  }
  co_return doesNotRestYet(id);
}

void Pauses::rests(std::string const& id) {
  auto const [first, last] = asking_.equal_range(id);
  for (auto each = first; each != last; ++each) each->second->set();
  asking_.erase(first, last);
}

Task<void> Pauses::stop() {
  for (auto const& [id, event] : asking_) event->set();
  return nursery_.drained();
}

Pauses::Held Pauses::hold(Owner const& owner) {
  auto& held = paused_[owner.connection_id];
  if (!held) held = std::make_shared<Barrier>(callers_, owner);
  return held;
}

Task<void> Pauses::quiet(Owner owner, Held barrier) {
  CO_TRY_VOID(co_await barrier->quiet());
  co_return co_await tellRest(std::move(owner));
}

// Only who runs the connection knows. Whoever runs it next follows the table before anything begins.
Task<void> Pauses::tellRest(Owner owner) {
  if (!context_.leases || !context_.leases->leaseOf(owner.connection_id)) co_return Result<void>();
  rests(owner.connection_id);
  std::vector<News> news(1, News(NewsKind::rests, owner.vendor_id, owner.connection_id));
  CO_TRY_VOID(co_await commitTelling(&context_, store::Unit(), std::move(news)));
  co_return Result<void>();
}

} // namespace garland::sync
