// Where this room keeps secrets.
#include "host/notify/notify.h"

namespace garland::notify {

std::vector<custody::Table> secretTables() {
  using custody::Column;
  constexpr bool integer = true;
  custody::Table endpoints;
  endpoints.name = "notify_endpoints";
  endpoints.keys = {"vendor_id", "endpoint_id"};
  endpoints.on_rewrap = "revision=revision+1"; // a change writes the sealed text as it was read
  endpoints.columns = {Column("url"),
                       Column("description"),
                       Column("events"),
                       Column("ordered", integer),
                       Column("private_network", integer),
                       Column("enabled", integer),
                       Column("by_itself", integer),
                       Column("reason"),
                       Column("disabled_at", integer),
                       Column("old_secret_until", integer),
                       Column("created", integer)};
  // It is told what happens from then on.
  endpoints.begin = {{"place", "(SELECT COALESCE(MAX(sequence),0) FROM changes WHERE vendor_id=$1)"},
                     {"revision", "1"}};
  endpoints.on_replace = "revision=revision+1";
  return {std::move(endpoints)};
}

} // namespace garland::notify
