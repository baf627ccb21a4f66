// Runs of connections that another daemon runs: it is told that one is due, and the run's row tells how it
// goes.
#include "host/sync/runs.h"

#include "host/sync/commits.h"
#include "host/sync/webhook_store.h"

namespace garland::sync {
namespace {

constexpr Milliseconds kLookEvery{250};
constexpr Milliseconds kBegins{20'000}; // a daemon that is gone is found out in less

bool isOpen(Run const& run) { return run.state == "queued" || run.state == "running"; }

} // namespace

Task<Run> Runs::elsewhere(Connection connection, std::vector<Hint> hints) {
  Known known;
  bool const everything = hints.empty();
  CO_TRY(open, co_await begunElsewhere(&connection, everything, &known));
  if (everything && open && isOpen(*open)) co_return *open;
  Owner owner{connection.vendor_id, connection.id};
  CO_TRY_VOID(co_await askElsewhere(std::move(owner), std::move(hints)));
  auto const give_up = context_.doors.clock.monotonic() + kBegins;
  while (context_.doors.clock.monotonic() < give_up && !context_.stopping) {
    CO_TRY(begun, co_await begunElsewhere(&connection, everything, &known));
    if (begun) co_return *begun;
    CO_TRY_VOID(co_await context_.doors.clock.sleepFor(kLookEvery));
  }
  co_return Error(ErrorKind::transient, "the daemon that runs connection " + connection.id +
                                            " has not begun yet, but it will; look again in a minute");
}

Task<void> Runs::askElsewhere(Owner owner, std::vector<Hint> hints) {
  store::Unit unit;
  if (hints.empty())
    unit.emplace_back("UPDATE connections SET next_due=$1 WHERE vendor_id=$2 AND connection_id=$3",
                      Values{kAskedFor, owner.vendor_id, owner.connection_id});
  HintStamps stamps;
  for (auto const& hint : hints) stamps[{hint.kind, hint.external_id}] = context_.newId("hnt");
  WebhookStore::addHints(unit, owner, stamps);
  std::vector<News> news;
  news.emplace_back(hints.empty() ? NewsKind::runs : NewsKind::webhooks, owner.vendor_id,
                    owner.connection_id);
  CO_TRY_VOID(co_await commitTelling(&context_, std::move(unit), std::move(news)));
  co_return Result<void>();
}

// Of everything, if everything is asked for: one that is open, or that is not among those known before, which
// it is then. Not by their ids: each daemon makes them by its own clock.
Task<std::optional<Run>> Runs::begunElsewhere(Connection const* connection, bool everything, Known* known) {
  store::Statement query(std::string(kRunColumns) + "WHERE vendor_id=$1 AND connection_id=$2 AND hinted<=$3",
                         {connection->vendor_id, connection->id, std::int64_t{everything ? 0 : 1}});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::optional<Run> begun;
  bool const first = !*known;
  if (first) known->emplace();
  for (auto const& row : rows.rows) {
    bool const is_new = (*known)->insert(row.text(0)).second && !first;
    bool const open = row.text(2) == "queued" || row.text(2) == "running";
    if (is_new || (open && first)) begun = runFrom(row);
  }
  co_return begun;
}

// One that has its end already is found at once.
Task<Run> Runs::waitElsewhere(std::string run_id) {
  for (;;) {
    CO_TRY(run, co_await one(run_id));
    bool const ends_here = !context_.leases || context_.stopping;
    if (!isOpen(run) || ends_here) co_return run;
    CO_TRY_VOID(co_await context_.doors.clock.sleepFor(kLookEvery));
  }
}

} // namespace garland::sync
