#include "host/daemon/settle_restore.h"

#include "host/access/access.h"
#include "host/backup/backup.h"
#include "host/oauth/oauth.h"
#include "host/sync/sync.h"

namespace garland::daemon {

Task<void> settleRestore(store::Store* store, audit::Book* book, Clock const* clock, Log const* log) {
  CO_TRY(restored, co_await backup::unsettled(*store));
  if (!restored) co_return Result<void>();
  auto unit = sync::afterRestore(restored->made, clock->now());
  for (auto& one : oauth::afterRestore(restored->made)) unit.push_back(std::move(one));
  for (auto& statement : access::endAllSessions(clock->now())) unit.push_back(std::move(statement));
  unit.push_back(backup::settled(*restored, clock->now()));
  audit::Event event;
  event.act = "restored";
  event.subject = restored->backup_id;
  event.facts["made"] = rfc3339(restored->made);
  unit.push_back(book->row(std::move(event)));
  auto const done = co_await store->commit(std::move(unit));
  CO_TRY(left, co_await backup::unsettled(*store));
  if (left && !done) co_return done.error();
  log->warn(
      "this host was restored from a backup: what may have been done since is looked up, or waits for a "
      "person (garland actions ls --state unknown)",
      json::object{{"backup", restored->backup_id}, {"made", rfc3339(restored->made)}});
  co_return Result<void>();
}

} // namespace garland::daemon
