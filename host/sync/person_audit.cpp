// The trail of what people did: a row of person_audit, in the unit of the act.
#include "host/base/ids.h"
#include "host/sync/sql.h"
#include "host/sync/sync.h"

namespace garland::sync {

store::Statement auditOf(PersonAct act, Clock const& clock, Random& random) {
  return {"INSERT INTO person_audit (vendor_id,audit_id,connection_id,at,who,act,subject,detail) "
          "VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
          Values{std::move(act.vendor_id), newId("aud", clock, random), std::move(act.connection_id),
                 toMillis(clock.now()), std::move(act.who), std::move(act.act), std::move(act.subject),
                 std::move(act.detail)}};
}

} // namespace garland::sync
