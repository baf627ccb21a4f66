#include "host/sync/weddings.h"

#include "host/sync/sql.h"

#include <utility>

namespace garland::sync {
namespace {

constexpr Milliseconds kReadEvery = std::chrono::minutes(15);
// A record says its day and not its zone, so it is today if it is that anywhere; a party ends after midnight,
// too.
constexpr Milliseconds kFarthestWest = std::chrono::hours(12);
constexpr Milliseconds kFarthestEast = std::chrono::hours(14);

std::string dayOf(TimePoint when) { return rfc3339(when).substr(0, 10); }

} // namespace

Task<void> Weddings::tick() {
  auto const looked = context_.doors.clock.monotonic();
  if (looked < next_) co_return Result<void>();
  auto const now = context_.now();
  store::Statement query("SELECT DISTINCT vendor_id FROM records WHERE day<>'' AND day IN ($1,$2,$3)",
                         {dayOf(now - kFarthestWest), dayOf(now), dayOf(now + kFarthestEast)});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  context_.weddings.clear();
  for (auto const& row : rows.rows) context_.weddings.insert(row.text(0));
  next_ = looked + kReadEvery;
  co_return Result<void>();
}

} // namespace garland::sync
