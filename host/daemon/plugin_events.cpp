#include "host/daemon/plugin_events.h"

namespace garland::daemon {
namespace {

using Kind = runtime::SupervisorEvent::Kind;

// Which calls are taken has changed.
bool isChange(Kind kind) {
  switch (kind) {
  case Kind::halfOpen:
  case Kind::quarantined:
  case Kind::recovered:
  case Kind::poisoned:
  case Kind::refused: return true;
  case Kind::crashed:
  case Kind::restarted:
  case Kind::replaced: break;
  }
  return false;
}

} // namespace

std::optional<audit::Event> auditOf(runtime::SupervisorEvent const& event) {
  if (!isChange(event.kind)) return std::nullopt;
  audit::Event out;
  out.kind = event.kind == Kind::refused ? audit::Kind::refusal : audit::Kind::change;
  out.act = "plugin." + std::string(runtime::name(event.kind));
  out.vendor_id = event.vendor_id;
  out.subject = event.plugin_id;
  out.facts = json::object{{"by", "host"}, {"digest", event.digest}};
  if (!event.call) return out;
  out.vendor_id = event.call->vendor_id;
  out.connection_id = event.call->account_id;
  out.facts["operation"] = event.call->operation;
  if (!event.call->record_id.empty()) out.facts["record"] = event.call->record_id;
  return out;
}

} // namespace garland::daemon
