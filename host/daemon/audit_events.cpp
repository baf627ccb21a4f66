#include "host/daemon/audit_events.h"

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

audit::Event auditOf(std::string_view act, access::Key const& key) {
  audit::Event event;
  event.kind = audit::Kind::change;
  event.act = std::string(act);
  event.vendor_id = key.vendor_id;
  event.subject = key.id;
  event.facts["role"] = access::nameOrUnknown(key.role);
  if (!key.replaced_by.empty()) event.facts["replaced_by"] = key.replaced_by;
  return event;
}

audit::Event auditOf(std::string_view act, access::Session const& session) {
  audit::Event event;
  event.kind = act == "sign_in" ? audit::Kind::signIn : audit::Kind::change;
  event.act = "oidc." + std::string(act);
  event.vendor_id = session.vendor_id;
  event.subject = session.id;
  event.person = session.subject;
  event.facts["role"] = access::name(session.role);
  return event;
}

audit::Event refusedMailOf(std::string const& peer) {
  audit::Event event;
  event.kind = audit::Kind::refusal;
  event.act = "mail";
  event.person = peer;
  event.facts = json::object{{"reason", "unknown_address"}};
  return event;
}

std::optional<audit::Event> auditOf(runtime::Adoption const& one, bool at_start) {
  using Outcome = runtime::Adoption::Outcome;
  if (one.outcome == Outcome::unchanged || (at_start && one.outcome == Outcome::installed))
    return std::nullopt;
  audit::Event event;
  event.kind = one.outcome == Outcome::refused ? audit::Kind::refusal : audit::Kind::change;
  event.act = "plugin." + std::string(runtime::name(one.outcome));
  event.subject = one.plugin_id;
  event.facts = json::object{{"version", one.version}};
  return event;
}

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
