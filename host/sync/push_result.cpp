// What a write that the provider has answered does to the store.
#include "host/sync/push.h"

#include "host/sync/decision.h"
#include "host/sync/push_op.h"

namespace garland::sync {
namespace {

constexpr int kCompleteAttempts = 5;

} // namespace

Task<void> Push::complete(Op op, json::value output) {
  Sent sent;
  sent.id = textOr(output, "/id", "");
  sent.version = textOr(output, "/version", "");
  sent.scope = textOr(output, "/scope", "");
  if (auto const* data = find(output, "/data")) sent.data = *data;
  auto const checked = kind_.check(sent.data);
  if (!checked) {
    Error error(ErrorKind::pluginBug,
                "it was written, but what was read back is not valid: " + checked.error().message);
    co_return co_await park(&op, std::move(error));
  }
  Lost lost;
  for (int attempt = 1;; ++attempt) {
    auto const done = co_await completeOnce(&op, &sent);
    if (done) {
      lost = *done;
      break;
    }
    if (done.error().kind != ErrorKind::conflict || attempt == kCompleteAttempts) co_return done.error();
    // Edited while it was being written: look again.
    CO_TRY(again, co_await read(op.record_id));
    if (!again) break;
    op = std::move(*again);
  }
  if (!lost.members.empty()) tellLost(op, lost);
  auto const* id = find(op.payload, "/id");
  if (id == nullptr || id->is_null())
    ++run_.run.pushed.created;
  else if (!lost.all)
    ++run_.run.pushed.updated;
  co_return Result<void>();
}

// Which members a provider only shows is known to its connector alone, so it is seen by what came back.
void Push::tellLost(Op const& op, Lost const& lost) {
  ++run_.run.conflicts;
  ItemProblem item;
  item.place = op.link ? op.link->remote_id : op.record_id;
  item.kind = "conflict";
  item.message = "the provider did not take " + lost.members + " and has what it had; ours " + lost.ours +
                 "is in the list of conflicts";
  run_.problem(std::move(item), false);
}

// One unit: the link has what the provider returned as its base, the record takes what the provider
// made of it, and the operation is gone, or waits again if the record was edited meanwhile.
Task<Push::Lost> Push::completeOnce(Op const* op, Sent const* sent) {
  auto const returned = projectionOf(kind_.kind, sent->data);
  MergeInput input;
  if (auto const* data = find(op->payload, "/data")) input.base = projectionOf(kind_.kind, *data).fields;
  input.local = op->data;
  input.remote = sent->data;
  input.local_changed = op->version != op->sent_version;
  auto merged = merge(kind_.kind, input);
  if (!merged.conflicts.empty()) {
    // What the provider made of the older content does not undo an edit that came after it.
    input.base = returned.fields;
    merged = merge(kind_.kind, input);
  }

  Writes writes(context_, session_.connection.vendor_id, session_.connection.id);
  Lost lost;
  json::object had;
  if (op->link) had = projectionFrom(op->link->base).fields;
  auto const* written = find(op->payload, "/data");
  auto const not_taken = op->deleted || written == nullptr
                             ? std::vector<GroupConflict>()
                             : notTaken(kind_.kind, had, *written, sent->data, merged);
  if (!not_taken.empty()) {
    auto evidence = keepEvidence(writes, op->record_id, session_.connection.id, not_taken);
    lost.members = std::move(evidence.members);
    lost.ours = std::move(evidence.ours);
    lost.all = op->link && op->link->base_hash == returned.hash;
  }
  Link link;
  link.connection_id = session_.connection.id;
  link.kind = kind_.kind.name;
  link.remote_id = sent->id;
  link.record_id = op->record_id;
  link.scope = sent->scope;
  link.base = returned.text;
  link.base_hash = returned.hash;
  link.remote_version = sent->version;
  link.pushed_run = run_.run.id;
  // Some providers move what is written: the record has one place there, the one that it has now.
  if (op->link && op->link->remote_id != sent->id) {
    auto left = *op->link;
    left.state = "deleted";
    left.pushed_run = run_.run.id;
    writes.updateLink(left);
  }
  CO_TRY_VOID(co_await relink(&writes, std::move(link)));

  if (!op->deleted && merged.differs_from_local) {
    // The provider's way of writing it does not flow to other connections: two providers that
    // normalise differently would write to each other for ever.
    RecordWrite write;
    write.id = op->record_id;
    write.kind = kind_.kind.name;
    write.identity = kind_.identityOf(merged.data);
    write.data = merged.data;
    write.old_version = op->version;
    write.action = "updated";
    writes.updateRecord(write);
  } else {
    writes.requireVersion(op->record_id, op->version);
  }
  bool const more = op->deleted || (input.local_changed && merged.differs_from_remote);
  if (more)
    writes.beginPushAnew(session_.connection.id, op->record_id);
  else
    writes.dropPush(session_.connection.id, op->record_id, op->record_version);
  CO_TRY_VOID(co_await commitWrites(&context_, std::move(writes)));
  co_return lost;
}

// Writes the link. If the provider's id belongs to another record already (a pull saw our own write
// before its answer came), that record was a double: it goes, unless somebody else holds it.
Task<void> Push::relink(Writes* writes, Link link) {
  store::Statement query("SELECT l.record_id, r.version, r.deleted, r.data, (SELECT COUNT(*) FROM links o "
                         "WHERE o.vendor_id=l.vendor_id "
                         "AND o.record_id=l.record_id AND o.state<>'deleted') FROM links l "
                         "JOIN records r ON r.vendor_id=l.vendor_id AND r.record_id=l.record_id "
                         "WHERE l.vendor_id=$1 AND l.connection_id=$2 AND l.kind=$3 AND l.remote_id=$4",
                         {session_.connection.vendor_id, link.connection_id, link.kind, link.remote_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty()) {
    writes->insertLink(link);
    co_return Result<void>();
  }
  writes->updateLink(link);
  auto const& row = rows.rows[0];
  bool const is_double = row.text(0) != link.record_id && row.integer(2) == 0 && row.integer(4) <= 1;
  if (is_double) {
    RecordWrite write;
    write.id = row.text(0);
    write.kind = link.kind;
    write.data = readJson(row.text(3));
    write.identity = kind_.identityOf(write.data);
    write.old_version = row.integer(1);
    write.deleted = true;
    write.action = "deleted";
    writes->updateRecord(write);
  }
  co_return Result<void>();
}

Task<void> Push::completeDelete(Op op) {
  Writes writes(context_, session_.connection.vendor_id, session_.connection.id);
  if (op.link) {
    auto link = *op.link;
    link.state = "deleted";
    link.pushed_run = run_.run.id;
    writes.updateLink(link);
  }
  writes.dropPush(session_.connection.id, op.record_id, op.record_version);
  CO_TRY_VOID(co_await commitWrites(&context_, std::move(writes)));
  ++run_.run.pushed.deleted;
  co_return Result<void>();
}

} // namespace garland::sync
