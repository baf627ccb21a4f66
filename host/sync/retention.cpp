#include "host/sync/retention.h"

#include "host/sync/commits.h"
#include "host/sync/forgetting.h"
#include "host/sync/tombstones.h"

namespace garland::sync {
namespace {

constexpr Milliseconds kSweepEvery{3'600'000};
constexpr std::int64_t kVendorsAtOnce = 20;
constexpr std::int64_t kRowsAtOnce = 500;

} // namespace

Retention::Rule const Retention::kRules[] = {
    {"changes", "sequence", true, &KeptFor::changes, true},
    {"conflicts", "conflict_id", false, &KeptFor::conflicts, false},
    {"egress_audit", "audit_id", false, &KeptFor::old_trails, false},
    {"person_audit", "audit_id", false, &KeptFor::old_trails, false},
};

Task<void> Retention::tick() {
  auto const looked = context_.doors.clock.monotonic();
  if (looked < next_ || !caresFor(context_, "retention")) co_return Result<void>();
  store::Statement query("SELECT vendor_id FROM vendors WHERE vendor_id>$1 ORDER BY vendor_id LIMIT $2",
                         {after_, kVendorsAtOnce});
  CO_TRY(vendors, co_await context_.doors.store.read(std::move(query)));
  for (auto const& vendor : vendors.rows) {
    bool more = false;
    for (auto const& rule : kRules) {
      CO_TRY(left, co_await forget(vendor.text(0), &rule));
      more = more || left;
    }
    CO_TRY(items_left, co_await forgetItems(vendor.text(0)));
    CO_TRY(deleted_left, co_await forgetDeleted(vendor.text(0)));
    more = more || items_left || deleted_left;
    if (more) co_return Result<void>(); // the next tick goes on with the same vendor
    after_ = vendor.text(0);
  }
  if (std::ssize(vendors.rows) == kVendorsAtOnce) co_return Result<void>();
  after_.clear();
  next_ = looked + kSweepEvery;
  co_return Result<void>();
}

Task<bool> Retention::forgetItems(std::string vendor_id) {
  auto const kept = context_.doors.kept_for.items;
  if (kept.count() == 0) co_return false;
  auto const before = context_.now() - kept;
  co_return co_await forgetItemsEndedBefore(&context_, std::move(vendor_id), before);
}

Task<bool> Retention::forgetDeleted(std::string vendor_id) {
  auto const kept = context_.doors.kept_for.deleted;
  if (kept.count() == 0) co_return false;
  auto const before = context_.now() - kept;
  co_return co_await forgetDeletedBefore(&context_, std::move(vendor_id), before);
}

// The oldest rows, as long as they are old: no gap is left between those that stay. True if there may be
// more.
Task<bool> Retention::forget(std::string vendor_id, Rule const* rule) {
  auto const kept = context_.doors.kept_for.*(rule->kept_for);
  if (kept.count() == 0) co_return false;
  auto const before = toMillis(context_.now() - kept);
  std::string const id(rule->id);
  std::string const table(rule->table);
  store::Statement query("SELECT " + id + ", at FROM " + table + " WHERE vendor_id=$1 ORDER BY " + id +
                             " LIMIT $2",
                         {vendor_id, kRowsAtOnce + 1});
  CO_TRY(oldest, co_await context_.doors.store.read(std::move(query)));
  std::size_t old = 0;
  while (old < oldest.rows.size() && oldest.rows[old].integer(1) < before) ++old;
  bool const all = old == oldest.rows.size() && std::ssize(oldest.rows) <= kRowsAtOnce;
  if (all && rule->keeps_newest && old > 0) --old;
  old = std::min(old, static_cast<std::size_t>(kRowsAtOnce));
  if (old == 0) co_return false;
  auto const& last = oldest.rows[old - 1];
  Values args = {vendor_id};
  if (rule->integer)
    args.emplace_back(last.integer(0));
  else
    args.emplace_back(last.text(0));
  auto const count = static_cast<std::int64_t>(old);
  Owner vendor{std::move(vendor_id), ""};
  store::Unit unit;
  unit.push_back(toldForgotten(context_, std::move(vendor), table, count));
  unit.push_back(
      store::Statement("DELETE FROM " + table + " WHERE vendor_id=$1 AND " + id + "<=$2", std::move(args))
          .expecting(count));
  auto const done = co_await context_.doors.store.commit(std::move(unit));
  if (!done && done.error().kind == ErrorKind::conflict) co_return true; // some have just gone otherwise
  if (!done) co_return done.error();
  co_return count == kRowsAtOnce;
}

} // namespace garland::sync
