// What people did, as rows of the audit chain, in the unit of the act.
#include "host/sync/sync.h"

namespace garland::sync {

store::Statement auditOf(PersonAct act, audit::Book& book) {
  audit::Event event;
  event.kind = audit::Kind::change;
  event.act = std::move(act.act);
  event.vendor_id = std::move(act.vendor_id);
  event.connection_id = std::move(act.connection_id);
  event.subject = std::move(act.subject);
  event.person = std::move(act.who);
  if (!act.detail.empty()) event.facts["detail"] = act.detail;
  return book.row(std::move(event));
}

} // namespace garland::sync
