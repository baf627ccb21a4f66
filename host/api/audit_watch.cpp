#include "host/api/audit_watch.h"

#include "host/base/ids.h"

namespace garland::api {
namespace {

// A path may hold what somebody typed; an id says nothing of anybody.
bool isAnyId(std::string const& text) {
  auto const end = text.find('_');
  return end != std::string::npos && end > 0 && isId(text.substr(0, end), text);
}

audit::Event eventFor(audit::Kind kind, Route const* route) {
  audit::Event event;
  event.kind = kind;
  event.act = route == nullptr ? "unknown" : std::string(route->operation_id);
  return event;
}

} // namespace

bool changesSomething(Route const& route) { return !route.open && route.method != "GET"; }

void AuditWatch::refused(Route const* route, int status, Refusal refusal) {
  if (book_ == nullptr) return;
  auto event = eventFor(audit::Kind::refusal, route);
  event.subject = std::move(refusal.key_id);
  event.person = std::move(refusal.address);
  event.facts = json::object{{"status", status}, {"why", refusal.why}};
  book_->note(std::move(event));
}

void AuditWatch::turnedAway(std::string address) {
  if (book_ == nullptr) return;
  audit::Event event;
  event.kind = audit::Kind::refusal;
  event.act = "client_certificate";
  event.person = std::move(address);
  book_->note(std::move(event));
}

void AuditWatch::letIn(access::Caller const& caller) {
  if (book_ == nullptr) return;
  audit::Event event;
  event.kind = audit::Kind::signIn;
  event.act = caller.person.empty() ? "api_key" : "session";
  event.person = caller.person;
  event.vendor_id = caller.vendor_id;
  event.subject = caller.key_id;
  event.facts = json::object{{"role", access::name(caller.role)}};
  book_->note(std::move(event));
}

Task<void> AuditWatch::asked(Route const* route, Request const* request, access::Caller const* caller) {
  if (book_ == nullptr || !changesSomething(*route)) co_return Result<void>();
  auto event = eventFor(audit::Kind::change, route);
  event.act = "asked:" + event.act;
  event.subject = request->id;
  for (auto const& [name, value] : request->parameters)
    if (isAnyId(value)) event.facts[name] = value;
  if (caller != nullptr) event.facts["by"] = caller->key_id;
  CO_TRY_VOID(co_await book_->write(std::move(event)));
  co_return Result<void>();
}

void AuditWatch::ended(Route const& route, std::string const& request_id, int status) {
  if (book_ == nullptr || !changesSomething(route) || status < 400) return;
  auto event = eventFor(audit::Kind::refusal, &route);
  event.subject = request_id;
  event.facts = json::object{{"status", status}};
  book_->note(std::move(event));
}

} // namespace garland::api
