#include "host/sync/storage.h"

#include "host/sync/commits.h"
#include "host/sync/forgetting.h"

#include <limits>
#include <map>

namespace garland::sync {
namespace {

constexpr char const* kOwner = "WHERE vendor_id=$1 AND connection_id=$2";

// On PostgreSQL a statement sees what was committed before it began, so whoever waits here counts right.
store::Statement lockCounts(Owner const& owner) {
  return store::Statement("UPDATE connection_storage SET records=records " + std::string(kOwner),
                          {owner.vendor_id, owner.connection_id})
      .expecting(1);
}

std::string inMebibytes(std::int64_t bytes) {
  constexpr std::int64_t kMebibyte = 1 << 20;
  auto const tenths = bytes * 10 / kMebibyte;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " MiB";
}

Error quotaError(Owner const& owner, std::string const& most, std::string const& setting) {
  Error error(ErrorKind::quota,
              "connection " + owner.connection_id + " may make Garland keep " + most +
                  ", and this goes beyond; what was kept before stays. Let its account or its "
                  "plugin keep less, or raise [limits] " +
                  setting + " in garland.toml");
  error.provider_code = "storage_limit";
  return error;
}

} // namespace

store::Statement recordsGrow(Owner const& owner, Storage const& growth, Storage const& most) {
  // Who is above a limit that was lowered may still shrink.
  auto const limit = [](std::int64_t grows, std::int64_t to) {
    return grows > 0 ? to : std::numeric_limits<std::int64_t>::max();
  };
  return store::Statement("UPDATE connection_storage SET records=records+$3, record_bytes=record_bytes+$4 " +
                              std::string(kOwner) + " AND records+$3<=$5 AND record_bytes+$4<=$6",
                          {owner.vendor_id, owner.connection_id, growth.records, growth.record_bytes,
                           limit(growth.records, most.records),
                           limit(growth.record_bytes, most.record_bytes)})
      .expecting(1);
}

Task<void> refuseRecordsOver(Context* context, Owner owner, Storage growth) {
  CO_TRY(now, co_await storedFor(context, owner));
  auto const& most = context->doors.limits;
  if (growth.records > 0 && now.records + growth.records > most.records)
    co_return quotaError(owner, std::to_string(most.records) + " records", "records");
  if (growth.record_bytes > 0 && now.record_bytes + growth.record_bytes > most.record_bytes)
    co_return quotaError(owner, inMebibytes(most.record_bytes) + " of records", "records_mib");
  co_return Result<void>();
}

void countValue(store::Unit& unit, Owner const& owner, std::string const& key, std::int64_t bytes,
                Storage const& most) {
  std::string const same = "FROM plugin_kv WHERE vendor_id=$1 AND connection_id=$2 AND name=$3)";
  auto const had = "(SELECT COUNT(*) " + same;
  auto const had_bytes = "(SELECT COALESCE(SUM(LENGTH(value)),0) " + same;
  unit.push_back(lockCounts(owner));
  unit.push_back(
      store::Statement("UPDATE connection_storage SET stored_values=stored_values+1-" + had +
                           ", value_bytes=value_bytes+$4-" + had_bytes + " " + kOwner +
                           " AND (stored_values+1-" + had + "<=$5 OR " + had + "=1) AND (value_bytes+$4-" +
                           had_bytes + "<=$6 OR " + had_bytes + ">=$4)",
                       {owner.vendor_id, owner.connection_id, key, bytes, most.values, most.value_bytes})
          .expecting(1));
}

Task<void> refuseValueOver(Context* context, Owner owner, std::string key, std::int64_t bytes) {
  auto const now = toMillis(context->now());
  store::Unit unit;
  unit.push_back(lockCounts(owner));
  unit.emplace_back("DELETE FROM plugin_kv " + std::string(kOwner) + " AND expires<>0 AND expires<=$3",
                    Values{owner.vendor_id, owner.connection_id, now});
  unit.emplace_back(
      "UPDATE connection_storage SET stored_values=(SELECT COUNT(*) FROM plugin_kv " + std::string(kOwner) +
          "), value_bytes=(SELECT COALESCE(SUM(LENGTH(value)),0) FROM plugin_kv " + kOwner + ") " + kOwner,
      Values{owner.vendor_id, owner.connection_id});
  CO_TRY_VOID(co_await commitOwned(context, owner, std::move(unit)));
  store::Statement query("SELECT LENGTH(value) FROM plugin_kv " + std::string(kOwner) + " AND name=$3",
                         {owner.vendor_id, owner.connection_id, std::move(key)});
  CO_TRY(same, co_await context->doors.store.read(std::move(query)));
  CO_TRY(stored, co_await storedFor(context, owner));
  auto const& most = context->doors.limits;
  bool const is_new = same.rows.empty();
  auto const grows = bytes - (is_new ? 0 : same.rows[0].integer(0));
  if (is_new && stored.values + 1 > most.values)
    co_return quotaError(owner, std::to_string(most.values) + " values", "values");
  if (grows > 0 && stored.value_bytes + grows > most.value_bytes)
    co_return quotaError(owner, inMebibytes(most.value_bytes) + " of values", "values_mib");
  co_return Result<void>();
}

store::Statement itemsGrow(Owner const& owner, std::int64_t bytes, Storage const& most) {
  return store::Statement("UPDATE connection_storage SET items=items+1, item_bytes=item_bytes+$3 " +
                              std::string(kOwner) + " AND items+1<=$4 AND item_bytes+$3<=$5",
                          {owner.vendor_id, owner.connection_id, bytes, most.items, most.item_bytes})
      .expecting(1)
      .contendingFor(owner.vendor_id);
}

namespace {

constexpr std::int64_t kForgottenAtOnce = 20;
constexpr std::int64_t kEndedAtOnce = 500;

struct Room {
  std::int64_t items = 0;
  std::int64_t bytes = 0;
};

// With a little more, so that not every item has to make its own.
Room roomFor(Storage const& stored, std::int64_t bytes, Storage const& most) {
  Room room;
  if (stored.items + 1 > most.items) room.items = stored.items + 1 - most.items + most.items / 100;
  if (stored.item_bytes + bytes > most.item_bytes)
    room.bytes = stored.item_bytes + bytes - most.item_bytes + most.item_bytes / 32;
  return room;
}

struct Oldest {
  std::string last; // id of an item
  std::int64_t count = 0;
};

// Those of one connection up to the last that had their end before that, and their counts.
store::Unit itemsGo(Context const& context, Owner const& owner, Oldest const& oldest, TimePoint ended,
                    Forgets why) {
  auto const those = " FROM inbox " + std::string(kOwner) + " AND item_id<=$3 AND finished<$4";
  Values const which = {owner.vendor_id, owner.connection_id, oldest.last, toMillis(ended)};
  store::Unit unit;
  unit.push_back(lockCounts(owner));
  unit.emplace_back("UPDATE connection_storage SET items=items-(SELECT COUNT(*)" + those +
                        "), item_bytes=item_bytes-(SELECT COALESCE(SUM(bytes),0)" + those + ") " + kOwner,
                    which);
  unit.push_back(store::Statement("DELETE" + those, which).expecting(oldest.count));
  unit.push_back(toldForgotten(context, owner, "items", oldest.count, why));
  return unit;
}

// The oldest that have their end, no more than are needed: the key of each, by which what is repeated is
// known, goes with it. How many there were.
Task<std::int64_t> forgetOldItems(Context* context, Owner owner, Room room) {
  std::string const ended = std::string(kOwner) + " AND finished IS NOT NULL";
  store::Statement query("SELECT item_id, bytes FROM inbox " + ended + " ORDER BY item_id LIMIT $3",
                         {owner.vendor_id, owner.connection_id, kForgottenAtOnce});
  CO_TRY(oldest, co_await context->doors.store.read(std::move(query)));
  Oldest go;
  for (auto const& row : oldest.rows) {
    if (room.items <= 0 && room.bytes <= 0) break;
    go.last = row.text(0);
    go.count += 1;
    room.items -= 1;
    room.bytes -= row.integer(1);
  }
  if (go.count == 0) co_return std::int64_t{0};
  auto unit = itemsGo(*context, owner, go, TimePoint::max(), Forgets::forRoom);
  auto const done = co_await context->doors.store.commit(std::move(unit));
  // Somebody else has just made room, or needs an item again: whoever asks looks again.
  if (!done && done.error().kind != ErrorKind::conflict) co_return done.error();
  co_return std::int64_t{go.count};
}

} // namespace

// No item that came later can have had its end earlier: so what came since is not read, whatever is in it.
Task<bool> forgetItemsEndedBefore(Context* context, std::string vendor_id, TimePoint before) {
  store::Statement query("SELECT item_id, connection_id FROM inbox WHERE vendor_id=$1 AND item_id<$2 AND "
                         "finished<$3 ORDER BY item_id LIMIT $4",
                         {vendor_id, idsBefore("itm", before), toMillis(before), kEndedAtOnce});
  CO_TRY(oldest, co_await context->doors.store.read(std::move(query)));
  std::map<std::string, Oldest> all; // by connection
  for (auto const& row : oldest.rows) {
    auto& of_connection = all[row.text(1)];
    of_connection.last = row.text(0);
    of_connection.count += 1;
  }
  for (auto const& [connection_id, some] : all) {
    Owner const owner{vendor_id, connection_id};
    auto unit = itemsGo(*context, owner, some, before, Forgets::old);
    auto const gone = co_await context->doors.store.commit(std::move(unit));
    // Its connection was ended meanwhile, and took them along; or one of them is needed again.
    if (!gone && gone.error().kind != ErrorKind::conflict) co_return gone.error();
  }
  co_return std::ssize(oldest.rows) == kEndedAtOnce;
}

Task<void> refuseItemOver(Context* context, Owner owner, std::int64_t bytes) {
  auto const& most = context->doors.limits;
  for (;;) {
    CO_TRY(stored, co_await storedFor(context, owner));
    if (stored.items + 1 <= most.items && stored.item_bytes + bytes <= most.item_bytes)
      co_return Result<void>();
    auto const room = roomFor(stored, bytes, most);
    CO_TRY(forgotten, co_await forgetOldItems(context, owner, room));
    if (forgotten > 0) continue;
    if (stored.items + 1 > most.items)
      co_return quotaError(owner, std::to_string(most.items) + " items that came in by themselves",
                           "intake_items");
    co_return quotaError(owner, inMebibytes(most.item_bytes) + " of items that came in by themselves",
                         "intake_mib");
  }
}

Task<Storage> storedFor(Context* context, Owner owner) {
  store::Statement query("SELECT records, record_bytes, stored_values, value_bytes, items, item_bytes "
                         "FROM connection_storage " +
                             std::string(kOwner),
                         {owner.vendor_id, owner.connection_id});
  CO_TRY(rows, co_await context->doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return Storage{};
  auto const& row = rows.rows[0];
  co_return Storage{row.integer(0), row.integer(1), row.integer(2),
                    row.integer(3), row.integer(4), row.integer(5)};
}

} // namespace garland::sync
