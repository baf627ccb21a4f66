#include "host/sync/audit.h"

namespace garland::sync {
AuditTrail::AuditTrail(Context& context) : context_(context) {
  context_.doors.egress.onAudit([this](egress::AuditEntry const& entry) {
    auto event = eventOf(entry);
    if (!isId("con", entry.subject)) {
      event.subject = entry.subject;
      return context_.doors.audit.note(std::move(event));
    }
    event.connection_id = entry.subject;
    waiting_[entry.subject].push_back(std::move(event));
  });
}

AuditTrail::~AuditTrail() {
  context_.doors.egress.onAudit([](egress::AuditEntry const&) {});
}

// A path names people: addresses of calendars, ids of clients. What is kept of it can be compared, not read.
audit::Event AuditTrail::eventOf(egress::AuditEntry const& entry) const {
  audit::Event event;
  event.kind = audit::Kind::request;
  event.act = entry.method;
  event.facts = json::object{{"host", context_.scrub(entry.scheme_host_port)},
                             {"path", context_.doors.audit.pseudonym(entry.path)},
                             {"status", entry.status},
                             {"outcome", entry.outcome},
                             {"took_ms", entry.took.count()},
                             {"bytes_out", entry.bytes_out},
                             {"bytes_in", entry.bytes_in},
                             {"credential_used", entry.credential_used}};
  event.facts["sent"] = rfc3339(entry.at);
  return event;
}

Task<void> AuditTrail::save(std::string vendor_id, std::string connection_id, std::string operation) {
  auto events = waiting_.extract(connection_id);
  if (events.empty()) co_return Result<void>();
  store::Unit unit;
  for (auto& event : events.mapped()) {
    event.vendor_id = vendor_id;
    event.facts["operation"] = operation;
    unit.push_back(context_.doors.audit.row(std::move(event)));
  }
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::sync
