#include "host/sync/set_back.h"

#include "host/sync/commits.h"

namespace garland::sync {
namespace {

constexpr Milliseconds kLookEvery{60'000};

// Every table of this room with a time that is compared with now, and those of sign-ins. What was never tried
// waits for its turn only.
std::vector<store::Waiting> allThatWaits() {
  auto all = oauth::waits();
  all.push_back({"webhooks", "next_attempt", "received", "attempts=0"});
  all.push_back({"inbox", "next_attempt", "received", "attempts=0"});
  all.push_back({"actions", "next_attempt", "COALESCE(last_sent,created)"});
  all.push_back({"connections", "next_due", "COALESCE(last_success,created)"});
  all.push_back({"mailboxes", "next_visit", "COALESCE(visited,created)"});
  return all;
}

} // namespace

Task<bool> SetBack::tick() {
  auto const looked = context_.doors.clock.monotonic();
  if (looked < next_) co_return false;
  std::int64_t count = 0;
  auto const all = allThatWaits();
  for (auto const& waiting : all) {
    CO_TRY(brought, co_await bringForward(waiting));
    count += brought;
  }
  next_ = looked + kLookEvery;
  if (count == 0) co_return false;
  context_.doors.log.warn(
      "the time of day was set back, here or where another daemon runs; what waited for a "
      "time that is still to come does not wait longer for it",
      json::object{{"count", count}});
  co_return true;
}

// Without a fence: to whoever owns a row by now it is due sooner, and nothing else. No revision is counted,
// so that who is at work on one has the last word of it.
Task<std::int64_t> SetBack::bringForward(store::Waiting waiting) {
  Values args{toMillis(context_.now())};
  auto const which = andMine(context_, waiting.table, args);
  store::Statement query("SELECT 1" + store::waitsTooLong(waiting) + which + " LIMIT 1", args);
  CO_TRY(some, co_await context_.doors.store.read(std::move(query)));
  if (some.rows.empty()) co_return std::int64_t{0}; // who has nothing to bring forward writes nothing
  store::Unit unit;
  unit.emplace_back(store::bringForward(waiting) + which, std::move(args));
  CO_TRY(done, co_await context_.doors.store.commit(std::move(unit)));
  co_return done[0].affected;
}

} // namespace garland::sync
