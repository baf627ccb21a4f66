#include "host/sync/pauses.h"

#include "host/sync/sql.h"

#include <utility>

namespace garland::sync {

Task<Connection> Pauses::pause(std::string id) {
  CO_TRY(connection, co_await connections_.one(id));
  ++acts_;
  auto const barrier = hold(Owner{connection.vendor_id, connection.id});
  store::Unit unit;
  unit.emplace_back("UPDATE connections SET paused=1 WHERE vendor_id=$1 AND connection_id=$2",
                    Values{connection.vendor_id, connection.id});
  auto const saved = co_await context_.doors.store.commit(std::move(unit));
  ++acts_;
  if (!saved) {
    if (connection.state != "paused") paused_.erase(id);
    co_return saved.error();
  }
  CO_TRY_VOID(co_await quiet(barrier));
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
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
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
    if (!paused_.contains(id)) nursery_.spawn(quiet(hold(owner)));
}

Pauses::Held Pauses::hold(Owner const& owner) {
  auto& held = paused_[owner.connection_id];
  if (!held) held = std::make_shared<Barrier>(callers_, owner);
  return held;
}

Task<void> Pauses::quiet(Held barrier) { co_return co_await barrier->quiet(); }

} // namespace garland::sync
