#include "host/sync/audit.h"

#include "host/sync/sql.h"

namespace garland::sync {

AuditTrail::AuditTrail(Context& context) : context_(context) {
  context_.doors.egress.onAudit([this](egress::AuditEntry const& entry) {
    if (!entry.subject.empty()) waiting_[entry.subject].push_back(entry);
  });
}

AuditTrail::~AuditTrail() {
  context_.doors.egress.onAudit([](egress::AuditEntry const&) {});
}

Task<void> AuditTrail::save(std::string vendor_id, std::string connection_id, std::string operation) {
  auto const entries = waiting_.extract(connection_id);
  if (entries.empty()) co_return Result<void>();
  BulkInsert rows(
      "INSERT INTO egress_audit (vendor_id,audit_id,connection_id,operation,at,method,host,path,status,"
      "outcome,took,bytes_out,bytes_in,credential_used) VALUES",
      14);
  for (auto const& entry : entries.mapped()) {
    Values row = {vendor_id,
                  context_.newId("aud"),
                  connection_id,
                  operation,
                  toMillis(entry.at),
                  entry.method,
                  entry.scheme_host_port,
                  context_.scrub(entry.path),
                  std::int64_t{entry.status},
                  entry.outcome,
                  std::int64_t{entry.took.count()},
                  static_cast<std::int64_t>(entry.bytes_out),
                  static_cast<std::int64_t>(entry.bytes_in),
                  std::int64_t{entry.credential_used}};
    rows.add(std::move(row));
  }
  store::Unit unit;
  std::move(rows).into(unit);
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

} // namespace garland::sync
