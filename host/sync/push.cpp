#include "host/sync/push.h"

#include "host/sync/commits.h"
#include "host/sync/push_op.h"

namespace garland::sync {
namespace {

constexpr Milliseconds kDeadline{120'000};
constexpr int kOpsPerRun = 10'000;
constexpr int kDispatchesBeforeParking = 3;
constexpr int kTransientsInARow = 3;

Error notWritten(Error error) {
  error.message = "not written: " + error.message;
  return error;
}

Error perhapsWritten(Error error) {
  error.message = "whether it was written is not known: " + error.message;
  return error;
}

} // namespace

Task<void> Push::everything() {
  auto const& manifest = session_.plugin->manifest;
  bool const takes = writes(manifest, kind_.kind, kind_.kind.upsert_operation) ||
                     writes(manifest, kind_.kind, kind_.kind.delete_operation);
  if (!takes) co_return co_await forgetUntaken();
  CO_TRY(ids, co_await waiting());
  for (auto const& id : ids) {
    if (context_.stopping || run_.stop_requested) break;
    CO_TRY(next, co_await one(id, false));
    if (next == Next::stop) break;
  }
  co_return Result<void>();
}

Task<void> Push::conflictsAgain() {
  auto const ids = std::exchange(conflicted_, std::set<std::string>());
  for (auto const& id : ids) {
    CO_TRY(next, co_await one(id, true));
    if (next == Next::stop) break;
  }
  co_return Result<void>();
}

Task<std::vector<std::string>> Push::waiting() {
  store::Statement query(
      "SELECT record_id FROM pushes WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 "
      "AND state IN ('pending','sent') ORDER BY created, record_id LIMIT $4",
      {session_.connection.vendor_id, session_.connection.id, kind_.kind.name, std::int64_t{kOpsPerRun}});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<std::string> ids;
  for (auto const& row : rows.rows) ids.push_back(row.text(0));
  co_return ids;
}

Task<std::optional<Push::Op>> Push::read(std::string record_id) {
  store::Statement query(
      "SELECT p.state, p.op_id, p.action, p.payload, p.record_version, p.sent_version, p.dispatches, r.data, "
      "r.version, r.deleted, l.remote_id, l.scope, l.base, l.base_hash, l.remote_version, l.state, "
      "l.pushed_run "
      "FROM pushes p JOIN records r ON r.vendor_id=p.vendor_id AND r.record_id=p.record_id "
      "LEFT JOIN links l ON l.vendor_id=p.vendor_id AND l.connection_id=p.connection_id AND "
      "l.record_id=p.record_id "
      "AND l.state<>'deleted' WHERE p.vendor_id=$1 AND p.connection_id=$2 AND p.record_id=$3",
      {session_.connection.vendor_id, session_.connection.id, record_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) co_return std::optional<Op>();
  auto const& row = rows.rows[0];
  Op op;
  op.record_id = record_id;
  op.state = row.text(0);
  op.op_id = row.text(1);
  op.action = row.text(2);
  op.payload = readJson(row.text(3));
  op.record_version = row.integer(4);
  op.sent_version = row.integer(5);
  op.dispatches = row.integer(6);
  op.data = readJson(row.text(7));
  op.version = row.integer(8);
  op.deleted = row.integer(9) != 0;
  if (!row.isNull(10)) {
    Link link;
    link.connection_id = session_.connection.id;
    link.kind = kind_.kind.name;
    link.record_id = record_id;
    link.remote_id = row.text(10);
    link.scope = row.text(11);
    link.base = row.text(12);
    link.base_hash = row.text(13);
    link.remote_version = row.text(14);
    link.state = row.text(15);
    link.pushed_run = row.text(16);
    op.link = std::move(link);
  }
  co_return std::optional<Op>(std::move(op));
}

Task<Push::Next> Push::one(std::string record_id, bool last_chance) {
  CO_TRY(found, co_await read(record_id));
  if (!found || found->state == "parked") co_return Next::goOn;
  auto const operation = found->deleted ? kind_.kind.delete_operation : kind_.kind.upsert_operation;
  CO_TRY(turn, co_await context_.lanes->enter(session_.connection.id, Priority::normal, operation));
  if (context_.stopping || run_.stop_requested) co_return Next::stop;
  CO_TRY(prepared, co_await prepare(std::move(*found)));
  if (!prepared) co_return Next::goOn;
  auto op = std::move(*prepared);
  auto const output = co_await call(&op);
  if (!output) co_return co_await failed(std::move(op), output.error(), last_chance);
  in_a_row_ = 0;
  if (op.action == "delete") {
    CO_TRY_VOID(co_await completeDelete(std::move(op)));
  } else {
    CO_TRY_VOID(co_await complete(std::move(op), *output));
  }
  co_return Next::goOn;
}

// Makes the operation ready and durable as "sent". Nothing if there is nothing to write.
Task<std::optional<Push::Op>> Push::prepare(Op op) {
  std::optional<Op> nothing;
  if (op.dispatches >= kDispatchesBeforeParking) {
    Error error(ErrorKind::pluginBug, "whether it was written is not known: writing it ended the "
                                      "connector's worker " +
                                          std::to_string(op.dispatches) + " times");
    CO_TRY_VOID(co_await park(&op, std::move(error)));
    co_return nothing;
  }
  if (op.state == "pending") {
    if (op.link && op.link->state == "held") co_return nothing;
    auto const composed = compose(op);
    if (!composed) {
      CO_TRY_VOID(co_await park(&op, notWritten(composed.error())));
      co_return nothing;
    }
    if (op.action.empty()) {
      CO_TRY_VOID(co_await drop(&op));
      co_return nothing;
    }
  }
  store::Unit unit;
  unit.push_back(
      store::Statement("UPDATE pushes SET state='sent', op_id=$1, action=$2, payload=$3, sent_version=$4, "
                       "dispatches=dispatches+1 WHERE vendor_id=$5 AND connection_id=$6 AND record_id=$7 "
                       "AND state=$8 AND record_version=$9",
                       {op.op_id, op.action, json::serialize(op.payload), op.sent_version,
                        session_.connection.vendor_id, session_.connection.id, op.record_id, op.state,
                        op.record_version})
          .expecting(1));
  json::object facts{{"action", op.action}, {"kind", kind_.kind.name}};
  unit.push_back(told(context_, "record.send", session_.connection.vendor_id, session_.connection.id,
                      op.record_id, std::move(facts)));
  if (!std::exchange(written_kind_noted_, true))
    unit.emplace_back("INSERT INTO written_kinds (vendor_id,connection_id,kind) VALUES ($1,$2,$3) "
                      "ON CONFLICT (vendor_id,connection_id,kind) DO NOTHING",
                      Values{session_.connection.vendor_id, session_.connection.id, kind_.kind.name});
  auto const committed = co_await commitOwned(&context_, owner_, std::move(unit));
  if (!committed) written_kind_noted_ = false;
  // Edited this very moment: the next run writes the newer content.
  if (!committed && committed.error().kind == ErrorKind::conflict) co_return nothing;
  if (!committed) co_return committed.error();
  op.state = "sent";
  co_return std::optional<Op>(std::move(op));
}

// From the record as it is now: what is to be written, under a new key unless it is the same again.
Result<void> Push::compose(Op& op) const {
  json::object payload;
  std::string action;
  if (op.link)
    payload["id"] = op.link->remote_id;
  else
    payload["id"] = nullptr;
  if (op.link && !op.link->remote_version.empty())
    payload["version"] = op.link->remote_version;
  else
    payload["version"] = nullptr;
  if (op.deleted) {
    if (op.link) action = "delete";
  } else if (!op.link || projectionOf(kind_.kind, op.data).hash != op.link->base_hash) {
    action = "upsert";
    if (op.link && !op.link->scope.empty())
      payload["scope"] = op.link->scope;
    else
      payload["scope"] = nullptr;
    payload["data"] = op.data;
  }
  auto const& operation = action == "delete" ? kind_.kind.delete_operation : kind_.kind.upsert_operation;
  if (!action.empty() && !writes(session_.plugin->manifest, kind_.kind, operation))
    return Error(ErrorKind::unsupported, session_.plugin->manifest.name +
                                             " cannot write this: it does not offer " + operation + " of " +
                                             kind_.kind.name + "; the change stays in Garland only");
  if (op.op_id.empty() || op.action != action || op.payload != json::value(payload))
    op.op_id = context_.newId("op");
  op.action = std::move(action);
  op.payload = std::move(payload);
  op.sent_version = op.version;
  return Result<void>();
}

Task<json::value> Push::call(Op const* op) {
  bool const deletes = op->action == "delete";
  auto const operation = deletes ? kind_.kind.delete_operation : kind_.kind.upsert_operation;
  json::object input = op->payload.is_object() ? op->payload.get_object() : json::object();
  for (auto const& member : kind_.kind.input) input[member.key()] = member.value();
  input["key"] = op->op_id;
  auto const* data = input.if_contains("data");
  if (data != nullptr && kind_.kind.push_context)
    for (auto const& member : kind_.kind.push_context(json::value(*data)))
      input[member.key()] = member.value();
  auto session = session_;
  session.record_id = op->record_id;
  co_return co_await callPlugin(&context_, &audit_, &session, operation, std::move(input), nullptr,
                                kDeadline);
}

Task<Push::Next> Push::failed(Op op, Error error, bool last_chance) {
  auto const kind = error.kind;
  auto const& message = error.message;
  if (kind == ErrorKind::authExpired || kind == ErrorKind::authRevoked) {
    std::string const state = error.effect == Effect::notApplied ? "pending" : "sent";
    CO_TRY_VOID(co_await setState(&op, state));
    co_return error;
  }
  // One that is to be created, and the pull did not find it there as ours: no race, a name that is taken.
  bool const name_taken = kind == ErrorKind::conflict && last_chance && !op.link;
  if (name_taken) {
    error.message = "the provider has something else under the same name already (" + message + ")";
    CO_TRY_VOID(co_await park(&op, notWritten(std::move(error))));
    co_return Next::goOn;
  }
  bool const lost_race = kind == ErrorKind::conflict || kind == ErrorKind::notFound;
  if (lost_race) {
    CO_TRY_VOID(co_await setState(&op, "pending"));
    if (!last_chance)
      conflicted_.insert(op.record_id);
    else
      tell(op, "conflict", "it keeps changing at the provider; the next sync tries again: " + message);
    co_return Next::goOn;
  }
  if (error.provider_code == "poisoned") { // it would only end more workers
    if (error.effect == Effect::notApplied)
      error = notWritten(std::move(error));
    else
      error = perhapsWritten(std::move(error));
    CO_TRY_VOID(co_await park(&op, std::move(error)));
    co_return Next::goOn;
  }
  // A provider that keeps failing is left alone until the next sync, so that the pull has its turn.
  bool const enough = kind == ErrorKind::transient && ++in_a_row_ >= kTransientsInARow;
  if (error.effect != Effect::notApplied) {
    // Stays "sent": whether it was written is found out by repeating it with the same key.
    if (error.provider_code != "worker_died") {
      CO_TRY_VOID(co_await setState(&op, "sent"));
    }
    tell(op, std::string(name(kind)),
         "whether it was written is not known; the next sync finds out: " + message);
    bool const limited = kind == ErrorKind::rateLimited || kind == ErrorKind::quota;
    co_return limited || enough ? Next::stop : Next::goOn;
  }
  bool const later = kind == ErrorKind::transient || kind == ErrorKind::rateLimited ||
                     kind == ErrorKind::quota || kind == ErrorKind::cancelled;
  if (!later) {
    CO_TRY_VOID(co_await park(&op, notWritten(std::move(error))));
    co_return Next::goOn;
  }
  CO_TRY_VOID(co_await setState(&op, "pending"));
  tell(op, std::string(name(kind)), message);
  co_return kind == ErrorKind::transient && !enough ? Next::goOn : Next::stop;
}

// The call has ended, so it is not one that ends workers: dispatches start anew.
Task<void> Push::setState(Op const* op, std::string state) {
  store::Unit unit;
  unit.emplace_back(
      "UPDATE pushes SET state=$1, dispatches=0 WHERE vendor_id=$2 AND connection_id=$3 AND record_id=$4",
      Values{std::move(state), session_.connection.vendor_id, session_.connection.id, op->record_id});
  CO_TRY_VOID(co_await commitOwned(&context_, owner_, std::move(unit)));
  co_return Result<void>();
}

// Not tried again before it is edited or retried; an edit younger than what was tried has that already.
Task<void> Push::park(Op const* op, Error error) {
  parked_now_.insert(op->record_id);
  tell(*op, std::string(name(error.kind)), error.message + advice(op->record_id));
  auto const tried = op->state == "sent" ? op->sent_version : op->version;
  store::Unit unit;
  auto row = told(context_, "record.set_aside", owner_.vendor_id, owner_.connection_id, op->record_id,
                  json::object{{"by", "host"}, {"why", name(error.kind)}});
  unit.push_back(audit::onlyIf(std::move(row),
                               "EXISTS (SELECT 1 FROM pushes WHERE vendor_id=? AND connection_id=? AND "
                               "record_id=? AND record_version<=?)",
                               {owner_.vendor_id, owner_.connection_id, op->record_id, tried}));
  unit.emplace_back(
      "UPDATE pushes SET state=CASE WHEN record_version>$1 THEN 'pending' ELSE 'parked' END, dispatches=0, "
      "reason=$2 WHERE vendor_id=$3 AND connection_id=$4 AND record_id=$5",
      Values{tried, std::move(error.message), session_.connection.vendor_id, session_.connection.id,
             op->record_id});
  CO_TRY_VOID(co_await commitOwned(&context_, owner_, std::move(unit)));
  co_return Result<void>();
}

std::string Push::advice(std::string const& record_id) const {
  return "; edit it again, or type: garland sync retry " + record_id + " --vendor " +
         session_.connection.vendor_id;
}

// Those of earlier runs are no failures of this one: nothing was tried.
Task<void> Push::tellSetAside() {
  store::Statement query(
      "SELECT p.record_id, p.reason, l.remote_id FROM pushes p LEFT JOIN links l ON "
      "l.vendor_id=p.vendor_id AND l.connection_id=p.connection_id AND "
      "l.record_id=p.record_id AND l.state<>'deleted' "
      "WHERE p.vendor_id=$1 AND p.connection_id=$2 AND p.kind=$3 AND p.state='parked' "
      "ORDER BY p.created, p.record_id LIMIT $4",
      {session_.connection.vendor_id, session_.connection.id, kind_.kind.name, std::int64_t{kOpsPerRun}});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  run_.run.set_aside += std::ssize(rows.rows);
  for (auto const& row : rows.rows) {
    auto const record_id = row.text(0);
    if (parked_now_.contains(record_id)) continue;
    ItemProblem item;
    item.place = row.isNull(2) ? record_id : row.text(2);
    item.kind = "set_aside";
    item.message = row.text(1) + advice(record_id);
    run_.problem(std::move(item), false);
  }
  co_return Result<void>();
}

// What was changed elsewhere is of no concern to a connection that never takes this kind. What another build
// of its connector has begun to write is a person's to judge: it stays and is told.
Task<void> Push::forgetUntaken() {
  store::Statement query(
      "SELECT p.record_id, p.state, p.op_id, l.remote_id, CASE WHEN EXISTS (SELECT 1 FROM written_kinds w "
      "WHERE w.vendor_id=$1 AND w.connection_id=$2 AND w.kind=$3) THEN 1 ELSE 0 END "
      "FROM pushes p LEFT JOIN links l ON l.vendor_id=p.vendor_id AND l.connection_id=p.connection_id AND "
      "l.record_id=p.record_id AND l.state<>'deleted' "
      "WHERE p.vendor_id=$1 AND p.connection_id=$2 AND p.kind=$3 AND p.state IN ('pending','sent') "
      "ORDER BY p.created, p.record_id LIMIT $4",
      {session_.connection.vendor_id, session_.connection.id, kind_.kind.name, std::int64_t{kOpsPerRun}});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  bool forgets = false;
  for (auto const& row : rows.rows) {
    bool const wrote_before = row.integer(4) != 0;
    if (row.text(1) == "pending" && row.text(2).empty() && !wrote_before)
      forgets = true;
    else
      tellUntaken(row.isNull(3) ? row.text(0) : row.text(3), row.text(1) == "sent");
  }
  if (!forgets) co_return Result<void>();
  store::Unit unit;
  unit.emplace_back("DELETE FROM pushes WHERE vendor_id=$1 AND connection_id=$2 AND kind=$3 AND "
                    "state='pending' AND op_id='' AND dispatches=0",
                    Values{session_.connection.vendor_id, session_.connection.id, kind_.kind.name});
  CO_TRY_VOID(co_await commitOwned(&context_, owner_, std::move(unit)));
  co_return Result<void>();
}

void Push::tellUntaken(std::string place, bool in_doubt) {
  ++run_.run.set_aside;
  std::string const what = in_doubt ? "whether it was written is not known, and " : "it waits: ";
  run_.problem(ItemProblem{std::move(place), "unsupported",
                           what + session_.plugin->manifest.name + " as it is installed does not write " +
                               kind_.kind.name + "; install a version that does, or look at it there"},
               false);
}

Task<void> Push::drop(Op const* op) {
  Writes writes(context_, session_.connection.vendor_id, session_.connection.id);
  writes.dropPush(session_.connection.id, op->record_id, op->record_version);
  CO_TRY_VOID(co_await commitWrites(&context_, std::move(writes)));
  co_return Result<void>();
}

void Push::tell(Op const& op, std::string kind, std::string message) {
  ++run_.run.pushed.failed;
  run_.problem(ItemProblem{op.link ? op.link->remote_id : op.record_id, std::move(kind), std::move(message)},
               false);
}

} // namespace garland::sync
