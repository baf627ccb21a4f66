// A database that was put back from a backup does not know what this host did afterwards. So whatever may
// have been done since is in doubt, numbers that were given out since are not given out again, and nobody
// works under a lease of before.
#include "host/sync/run_state.h"
#include "host/sync/sql.h"

namespace garland::sync {
namespace {

// Far more than a host changes between two backups; 2^53, which every reader of JSON can count to, is nine
// million restores away.
constexpr std::int64_t kGap = 1'000'000'000;
// Who asks a provider sooner might not see what the lost host sent in its last moment (settled_after of the
// SDK).
constexpr Milliseconds kSettled{std::chrono::minutes(10) + std::chrono::seconds(1)};

// No attempt in doubt is older than the backup: `made` is where a lookup begins to look, and where the life
// of a key begins.
void doubtActions(store::Unit& unit, TimePoint made, TimePoint now, std::string const& since) {
  Error error(ErrorKind::cancelled, "whether it took place is not known: " + since);
  error.effect = Effect::unknown;
  auto const text = json::serialize(toDocument(error));
  auto const look = toMillis(now + kSettled);
  unit.emplace_back("UPDATE actions SET state='unknown', error=$1, next_attempt=$2, lookups=0, "
                    "first_sent=COALESCE(first_sent,$3), last_sent=COALESCE(last_sent,$3), "
                    "revision=revision+1 WHERE state IN ('waiting','sent')",
                    Values{text, look, toMillis(made)});
  unit.emplace_back("UPDATE actions SET next_attempt=$1, revision=revision+1 WHERE state='unknown' AND "
                    "next_attempt<$1",
                    Values{look});
}

// Written again it could be there twice, or in the place of something newer.
void setWritesAside(store::Unit& unit, std::string const& since) {
  unit.emplace_back("UPDATE pushes SET state='parked', dispatches=0, reason=$1 WHERE state IN "
                    "('pending','sent')",
                    Values{"whether it was written is not known: " + since});
}

// Until the first sync that the provider lets in.
void doubtSignIns(store::Unit& unit, std::string const& since) {
  unit.emplace_back("UPDATE connections SET state_reason=$1 WHERE state='connected'",
                    Values{"its password or token is that of the backup, and may have been replaced: " +
                           since + "; if a sync is refused, connect it again"});
}

} // namespace

store::Unit afterRestore(TimePoint made, TimePoint now) {
  auto const since = "this host was restored from a backup of " + rfc3339(made);
  store::Unit unit;
  doubtActions(unit, made, now, since);
  setWritesAside(unit, since);
  doubtSignIns(unit, since);
  unit.emplace_back("UPDATE counters SET value=value+$1 WHERE name='changes'", Values{kGap});
  unit.emplace_back("UPDATE leases SET node_id='', wanted_by='', epoch=epoch+$1", Values{kGap});
  unit.emplace_back("DELETE FROM nodes", Values());
  return unit;
}

} // namespace garland::sync
