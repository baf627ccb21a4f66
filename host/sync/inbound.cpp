#include "host/sync/inbound.h"

#include "host/sync/commits.h"
#include "host/sync/decision.h"
#include "host/sync/erasure.h"
#include "host/sync/storage.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr int kMergeAttempts = 5;
constexpr std::size_t kDeletionChunk = 500;

void append(BatchResult& all, BatchResult more) {
  all.conflicts += more.conflicts;
  std::move(more.outcomes.begin(), more.outcomes.end(), std::back_inserter(all.outcomes));
  std::move(more.problems.begin(), more.problems.end(), std::back_inserter(all.problems));
}

} // namespace

std::size_t deletionBrake(std::size_t linked) { return std::max<std::size_t>(10, linked * 5 / 100); }

Task<BatchResult> Inbound::apply(std::vector<RemoteItem> items, std::optional<std::string> cursor) {
  for (int attempt = 1;; ++attempt) {
    auto applied = co_await applyOnce(&items, &cursor);
    if (applied || applied.error().kind != ErrorKind::conflict || attempt == kMergeAttempts)
      co_return applied;
  }
}

Task<BatchResult> Inbound::applyOnce(std::vector<RemoteItem> const* items,
                                     std::optional<std::string> const* cursor) {
  CO_TRY(knowledge, co_await readKnowledge(context_, place_, *items));
  CO_TRY(erased, co_await erasedAmong(&context_, &place_, items));
  Writes writes(context_, place_.vendor_id, place_.connection_id);
  writes.boundBy(context_.doors.limits);
  Decision decision(place_, knowledge, writes);
  for (auto const& item : *items) {
    if (erased.contains(item.id))
      decision.leave(item);
    else
      decision.take(item);
  }
  if (*cursor) writes.saveCursor(place_.connection_id, place_.kind->kind.name, **cursor);
  if (!writes.empty()) {
    auto const growth = writes.growth();
    auto const committed = co_await commitWrites(&context_, std::move(writes));
    if (!committed) co_return co_await whyNot(committed.error(), growth);
  }
  co_return std::move(decision).result();
}

// A unit that would store too much fails like one that came too late.
Task<BatchResult> Inbound::whyNot(Error error, Storage growth) {
  if (error.kind == ErrorKind::conflict) {
    Owner owner{place_.vendor_id, place_.connection_id};
    CO_TRY_VOID(co_await refuseRecordsOver(&context_, std::move(owner), growth));
  }
  co_return error;
}

Task<BatchResult> Inbound::sweep(std::string scope, std::set<std::string> ids, bool confirmed) {
  store::Statement linked(
      "SELECT remote_id, state, pushed_run FROM links WHERE vendor_id=$1 AND connection_id=$2 "
      "AND kind=$3 AND scope=$4 AND state<>'deleted' ORDER BY remote_id",
      {place_.vendor_id, place_.connection_id, place_.kind->kind.name, scope});
  CO_TRY(links, co_await context_.doors.store.read(std::move(linked)));
  std::vector<std::string> missing;
  std::vector<std::string> to_hold;
  std::vector<std::string> back;
  for (auto const& row : links.rows) {
    bool const is_held = row.text(1) == "held";
    if (ids.contains(row.text(0))) {
      if (is_held) back.push_back(row.text(0));
    } else if (row.text(2) != place_.run_id) { // what this run created may be younger than the listing
      missing.push_back(row.text(0));
      if (!is_held) to_hold.push_back(row.text(0));
    }
  }
  CO_TRY_VOID(co_await mark(std::move(back), "live"));
  if (!confirmed && missing.size() > deletionBrake(links.rows.size())) {
    CO_TRY_VOID(co_await mark(std::move(to_hold), "held"));
    co_return BatchResult();
  }
  co_return co_await deleteAll(std::move(missing), std::move(scope));
}

Task<BatchResult> Inbound::deleteHeld() {
  store::Statement held_links(
      "SELECT remote_id FROM links WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 "
      "AND state='held' ORDER BY remote_id",
      {place_.vendor_id, place_.connection_id, place_.kind->kind.name});
  CO_TRY(links, co_await context_.doors.store.read(std::move(held_links)));
  std::vector<std::string> ids;
  for (auto const& row : links.rows) ids.push_back(row.text(0));
  co_return co_await deleteAll(std::move(ids), std::string());
}

Task<std::vector<std::pair<std::string, std::int64_t>>> Inbound::held() {
  store::Statement count(
      "SELECT scope, COUNT(*) FROM links WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 "
      "AND state='held' GROUP BY scope ORDER BY scope",
      {place_.vendor_id, place_.connection_id, place_.kind->kind.name});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(count)));
  std::vector<std::pair<std::string, std::int64_t>> scopes;
  for (auto const& row : rows.rows) scopes.emplace_back(row.text(0), row.integer(1));
  co_return scopes;
}

Task<BatchResult> Inbound::deleteAll(std::vector<std::string> ids, std::string scope) {
  BatchResult all;
  for (std::size_t begin = 0; begin < ids.size(); begin += kDeletionChunk) {
    std::vector<RemoteItem> chunk;
    for (auto i = begin; i < std::min(ids.size(), begin + kDeletionChunk); ++i) {
      RemoteItem item;
      item.id = ids[i];
      item.scope = scope;
      item.deleted = true;
      chunk.push_back(std::move(item));
    }
    CO_TRY(deleted, co_await apply(std::move(chunk), std::nullopt));
    append(all, std::move(deleted));
  }
  co_return all;
}

Task<void> Inbound::mark(std::vector<std::string> ids, std::string state) {
  store::Unit unit;
  for (auto const& id : ids)
    unit.push_back(
        store::Statement("UPDATE links SET state=$1 WHERE vendor_id=$2 AND connection_id=$3 AND kind=$4 "
                         "AND remote_id=$5 AND state<>'deleted'",
                         {state, place_.vendor_id, place_.connection_id, place_.kind->kind.name, id}));
  if (unit.empty()) co_return Result<void>();
  Owner owner{place_.vendor_id, place_.connection_id};
  CO_TRY_VOID(co_await commitOwned(&context_, std::move(owner), std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::sync
