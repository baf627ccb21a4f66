#include "host/sync/standing.h"

namespace garland::sync {

void tellStanding(Context const& context, Owner const& owner, NewStanding standing, store::Unit& unit) {
  json::object facts{{"by", "host"}, {"state", standing.state}};
  if (!standing.why.empty()) facts["why"] = standing.why;
  auto row = told(context, "connection.state", owner.vendor_id, owner.connection_id, "", std::move(facts));
  unit.push_back(audit::onlyIf(
      std::move(row),
      "EXISTS (SELECT 1 FROM connections WHERE vendor_id=? AND connection_id=? AND state<>? AND "
      "CAST(? AS BIGINT) IN (-1, credential_version))",
      {owner.vendor_id, owner.connection_id, std::move(standing.state), standing.credential_version}));
}

} // namespace garland::sync
