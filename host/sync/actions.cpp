// What callers ask for: taking an action in, settling one by hand, letting a connection go.
#include "host/sync/action_runner.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr std::size_t kMostKey = 200;
constexpr int kAttempts = 5;

Result<void> checkKey(std::string const& key) {
  bool const visible = std::all_of(key.begin(), key.end(), [](char c) { return c >= '!' && c <= '~'; });
  if (!key.empty() && key.size() <= kMostKey && visible) return {};
  return Error(ErrorKind::invalidInput,
               "an idempotency key has 1 to 200 visible ASCII characters, such as invoice-7",
               "/idempotency_key");
}

Error noSuchAction(runtime::Manifest const& manifest, std::string const& operation) {
  std::string offered;
  for (auto const& one : actionsOf(manifest)) offered += (offered.empty() ? "" : ", ") + one;
  return Error(ErrorKind::invalidInput,
               manifest.name + " has no action \"" + operation + "\"; " +
                   (offered.empty() ? "it has none at all" : "it has: " + offered),
               "/operation");
}

bool sameRequest(Action const& a, Action const& b) {
  return a.operation == b.operation && canonicalJson(a.input) == canonicalJson(b.input);
}

Error otherRequest(Action const& existing) {
  Error error(ErrorKind::conflict,
              "the key " + existing.key + " was used already, for " + existing.id + " (" +
                  existing.operation +
                  ") with another operation or input; another action needs a key of its own",
              "/idempotency_key");
  json::object detail;
  detail["action"] = existing.id;
  error.detail = std::move(detail);
  return error;
}

Error beingDisconnected(std::string const& connection_id) {
  return Error(ErrorKind::notFound, "connection \"" + connection_id + "\" is being disconnected");
}

Error hasItsEnd(Action const& action) {
  if (action.state == ActionState::sent)
    return Error(ErrorKind::conflict, action.id + " is on its way right now; look again in two minutes");
  if (action.state == ActionState::waiting)
    return Error(ErrorKind::conflict,
                 action.id + " was not sent, so it cannot have taken place; --not-applied calls it off");
  return Error(ErrorKind::conflict, action.id + " is " + std::string(name(action.state)) +
                                        " already, as is known by: " + action.known_by);
}

} // namespace

Task<AcceptedAction> ActionRunner::accept(ActionRequest request) {
  CO_TRY_VOID(checkKey(request.key));
  CO_TRY(connection, co_await connections_.one(request.connection_id));
  // What is known is answered whatever has become of the connector since.
  CO_TRY(known, co_await store_.byKey(connection.vendor_id, connection.id, request.key));
  if (known) {
    Action wanted = *known;
    wanted.operation = std::move(request.operation);
    wanted.input = std::move(request.input);
    if (!sameRequest(*known, wanted)) co_return otherRequest(*known);
    co_return AcceptedAction{std::move(*known), true};
  }
  CO_TRY(session, co_await connections_.open(request.connection_id));
  if (closing_.contains(connection.id)) co_return beingDisconnected(connection.id);
  CO_TRY(action, newAction(session, std::move(request)));
  co_return co_await insertOrFind(std::move(action));
}

Result<Action> ActionRunner::newAction(Session const& session, ActionRequest request) {
  auto const& manifest = session.plugin->manifest;
  if (!actionRule(manifest, request.operation)) return noSuchAction(manifest, request.operation);
  auto const* members = request.input.if_object();
  if (members == nullptr) return Error(ErrorKind::invalidInput, "the input must be an object", "/input");
  if (members->contains("idempotency_key"))
    return Error(ErrorKind::invalidInput, "the key stands beside the input, not in it",
                 "/input/idempotency_key");
  Action action;
  action.id = context_.newId("act");
  action.vendor_id = session.connection.vendor_id;
  action.connection_id = session.connection.id;
  action.operation = std::move(request.operation);
  action.key = std::move(request.key);
  action.provider_key = providerKey(action.vendor_id, action.connection_id, action.key);
  action.input = std::move(request.input);
  action.created = context_.now();
  action.next_attempt = action.created;
  auto fits = context_.requireActionInput(action.operation, action.input);
  if (!fits) {
    auto error = std::move(fits).error();
    error.field = "/input" + error.field;
    error.message += " (garland schema " + action.operation + " tells what it takes)";
    return error;
  }
  return action;
}

// Of two requests with one key at the same moment, one inserts and both answer with its action.
Task<AcceptedAction> ActionRunner::insertOrFind(Action action) {
  auto const inserted = co_await store_.insert(action);
  if (inserted) {
    wake();
    co_return AcceptedAction{std::move(action), false};
  }
  if (inserted.error().kind != ErrorKind::conflict) co_return inserted.error();
  CO_TRY(known, co_await store_.byKey(action.vendor_id, action.connection_id, action.key));
  if (!known) {
    CO_TRY_VOID(co_await connections_.one(action.connection_id)); // it may have been forgotten meanwhile
    co_return inserted.error();
  }
  if (!sameRequest(*known, action)) co_return otherRequest(*known);
  co_return AcceptedAction{std::move(*known), true};
}

Result<void> ActionRunner::checkSettlement(Action const& action, Settlement const& settlement) {
  bool const open =
      action.state == ActionState::unknown || (action.state == ActionState::waiting && !settlement.applied);
  if (!open) return hasItsEnd(action);
  if (settlement.output.is_null()) return {};
  if (!settlement.applied)
    return Error(ErrorKind::invalidInput, "what did not take place has no output", "/output");
  auto fits = context_.requireOutput(action.operation, settlement.output);
  if (fits) return {};
  auto error = std::move(fits).error();
  error.field = "/output" + error.field;
  return error;
}

Task<Action> ActionRunner::settle(std::string id, Settlement settlement) {
  auto const wanted = settlement.applied ? ActionState::done : ActionState::failed;
  for (int attempt = 1;; ++attempt) {
    CO_TRY(action, co_await store_.one(id));
    if (action.state == wanted) co_return action;
    CO_TRY_VOID(checkSettlement(action, settlement));
    action.state = wanted;
    action.known_by = "operator";
    action.output = settlement.output;
    action.next_attempt.reset();
    action.finished = context_.now();
    auto const saved = co_await store_.save(action);
    if (saved) {
      ++action.revision;
      letPass(action.connection_id);
      co_return action;
    }
    // Something was done about it this very moment: look again.
    if (saved.error().kind != ErrorKind::conflict || attempt == kAttempts) co_return saved.error();
  }
}

Task<void> ActionRunner::refuseLoss(std::string connection_id) {
  CO_TRY(connection, co_await connections_.one(connection_id));
  CO_TRY(open, co_await store_.open(connection.vendor_id, connection.id));
  if (open == 0) co_return Result<void>();
  Error error(ErrorKind::conflict,
              std::to_string(open) + (open == 1 ? " action has" : " actions have") +
                  " no end yet (garland actions ls --connection " + connection_id +
                  "); wait for it, settle it, or repeat with --discard (the API: ?discard=true)");
  json::object detail;
  detail["open_actions"] = open;
  error.detail = std::move(detail);
  co_return error;
}

Task<void> ActionRunner::quiet(std::string connection_id) {
  letPass(connection_id);
  while (busy_.contains(connection_id)) {
    auto const ended = call_ended_;
    CO_TRY_VOID(co_await ended->wait());
  }
  co_return Result<void>();
}

} // namespace garland::sync
