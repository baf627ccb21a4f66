// What the tables of this room hold of people.
#include "host/sync/sync.h"

namespace garland::sync {
namespace {

using Table = PersonalTable;
using Type = PersonalColumn::Type;

constexpr char const* kVendorsOwn = "the vendor's own account and settings; they go with the vendor";

std::vector<PersonalColumn> ofConnection() { return {"vendor_id", "connection_id"}; }

// Nothing of a person in any column.
Table plain(std::string name, std::vector<PersonalColumn> keys, std::vector<std::string> columns) {
  Table table(std::move(name), std::move(keys));
  table.plain = std::move(columns);
  table.fate = Fate::kept;
  return table;
}

void addVendors(std::vector<Table>& all) {
  Table vendors("vendors", {"vendor_id"});
  vendors.personal = {"name"};
  vendors.plain = {"created"};
  vendors.fate = Fate::kept;
  vendors.why_kept = kVendorsOwn;
  all.push_back(std::move(vendors));
  all.push_back(plain("counters", {"vendor_id", "name"}, {"value"}));
  all.push_back(plain("vendor_plugins", {"vendor_id", "plugin_id"}, {"enabled"}));
}

void addConnections(std::vector<Table>& all) {
  Table connections("connections", ofConnection());
  connections.personal = {"account_name", "account_key", "settings", "state_reason"};
  connections.plain = {"plugin_id",
                       "allow_private_network",
                       "state",
                       "created",
                       "last_success",
                       "next_due",
                       "confirm_deletes",
                       "paused",
                       "credential_version",
                       "resumed",
                       "paused_by",
                       "paused_after",
                       "revoked_by",
                       "revoked_version"};
  connections.fate = Fate::kept;
  connections.why_kept = kVendorsOwn;
  all.push_back(std::move(connections));
  all.push_back(plain("credentials", {"vendor_id", "connection_id", "slot"}, {"sealed"}));
  all.push_back(plain("connection_storage", ofConnection(),
                      {"records", "record_bytes", "stored_values", "value_bytes", "items", "item_bytes"}));
  all.push_back(plain("written_kinds", {"vendor_id", "connection_id", "kind"}, {}));
  all.push_back(plain("leases", ofConnection(), {"node_id", "epoch", "wanted_by"}));
  auto nodes = plain("nodes", {"node_id"}, {"name", "version", "key_id", "plugins", "started", "expires"});
  nodes.of_vendor = false;
  all.push_back(std::move(nodes));
}

void addRecords(std::vector<Table>& all) {
  Table records("records", {"vendor_id", "record_id"});
  records.personal = {"identity", "data"};
  records.along = {"day"};
  records.plain = {"kind", "version", "deleted", "updated"};
  records.fate = Fate::ofRecord;
  all.push_back(std::move(records));

  Table links("links", {"vendor_id", "connection_id", "kind", "remote_id"});
  links.personal = {"remote_id", "scope", "base"};
  links.plain = {"record_id", "base_hash", "remote_version", "state", "pushed_run", "bytes"};
  links.fate = Fate::ofRecord;
  all.push_back(std::move(links));
  all.push_back(plain("erased", {"vendor_id", "connection_id", "kind", "pseudonym"}, {"at"}));

  all.push_back(plain("changes", {"vendor_id", PersonalColumn("sequence", Type::integer)},
                      {"record_id", "kind", "action", "record_version", "origin", "at"}));

  Table pushes("pushes", {"vendor_id", "connection_id", "record_id"});
  pushes.personal = {"payload", "reason"};
  pushes.plain = {"kind",           "state",        "op_id",      "action",
                  "record_version", "sent_version", "dispatches", "created"};
  pushes.fate = Fate::rewritten;
  pushes.busy = "state='sent'";
  pushes.why_busy = "writes whose end is not known yet; the next sync of their connection finds it out";
  all.push_back(std::move(pushes));

  Table conflicts("conflicts", {"vendor_id", "conflict_id"});
  conflicts.personal = {"base", "local", "remote"};
  conflicts.plain = {"record_id", "connection_id", "members", "decision", "at"};
  all.push_back(std::move(conflicts));
}

void addRuns(std::vector<Table>& all) {
  // A cursor that is gone costs a sync that brings everything in anew, and no more.
  Table cursors("cursors", {"vendor_id", "connection_id", "kind"});
  cursors.personal = {"cursor_json"};
  all.push_back(std::move(cursors));

  Table runs("runs", {"vendor_id", "connection_id", "run_id"});
  runs.personal = {"document"};
  runs.plain = {"state", "started", "finished", "hinted"};
  runs.fate = Fate::rewritten;
  runs.busy = "finished IS NULL";
  runs.why_busy = "syncs that are under way";
  all.push_back(std::move(runs));

  Table values("plugin_kv", {"vendor_id", "connection_id", "name"});
  values.personal = {"name", PersonalColumn("value", Type::bytes)};
  values.plain = {"version", "expires"};
  values.recount =
      "UPDATE connection_storage SET stored_values=(SELECT COUNT(*) FROM plugin_kv k WHERE "
      "k.vendor_id=connection_storage.vendor_id AND k.connection_id=connection_storage.connection_id), "
      "value_bytes=(SELECT COALESCE(SUM(LENGTH(k.value)),0) FROM plugin_kv k WHERE "
      "k.vendor_id=connection_storage.vendor_id AND k.connection_id=connection_storage.connection_id) "
      "WHERE vendor_id=$1";
  all.push_back(std::move(values));

  Table missed("missed", {"vendor_id", "connection_id", "kind", "remote_id"});
  missed.personal = {"remote_id"};
  missed.plain = {"looked"};
  missed.remote_id = "remote_id";
  all.push_back(std::move(missed));
  Table hints("hints", {"vendor_id", "connection_id", "kind", "external_id"});
  hints.personal = {"external_id"};
  hints.plain = {"stamp"};
  hints.remote_id = "external_id";
  all.push_back(std::move(hints));
}

void addActions(std::vector<Table>& all) {
  Table actions("actions", {"vendor_id", "action_id"});
  actions.personal = {"idempotency_key", "provider_key", "input", "output", "error", "lookup_problem"};
  actions.plain = {"connection_id", "operation", "state",        "known_by", "attempts",   "lookups",
                   "revision",      "created",   "next_attempt", "finished", "first_sent", "last_sent"};
  actions.fate = Fate::rewritten;
  actions.unique = "idempotency_key";
  actions.busy = "state IN ('waiting','sent','unknown')";
  actions.why_busy = "actions that have no end yet; settle them, or wait, and erase again";
  all.push_back(std::move(actions));
}

void addArrivals(std::vector<Table>& all) {
  Table inbox("inbox", {"vendor_id", "item_id"});
  inbox.personal = {"dedupe_key", "summary", "content", "reason", "accepted_by"};
  inbox.along = {"raw"};
  inbox.plain = {"connection_id", "source",   "content_key",  "bytes",    "received",   "state",   "attempts",
                 "records",       "revision", "next_attempt", "finished", "acceptable", "accepted"};
  inbox.recount =
      "UPDATE connection_storage SET items=(SELECT COUNT(*) FROM inbox i WHERE "
      "i.vendor_id=connection_storage.vendor_id AND i.connection_id=connection_storage.connection_id), "
      "item_bytes=(SELECT COALESCE(SUM(i.bytes),0) FROM inbox i WHERE "
      "i.vendor_id=connection_storage.vendor_id AND i.connection_id=connection_storage.connection_id) "
      "WHERE vendor_id=$1";
  all.push_back(std::move(inbox));
  all.push_back(plain("intake_doors", {"vendor_id", "connection_id", "source"},
                      {"token_hash", "created", "signing", "sealed"}));

  Table mailboxes("mailboxes", ofConnection());
  mailboxes.personal = {"url", "folder", "username", "problem"};
  mailboxes.plain = {"sealed",  "revision",   "created",  "uid_validity", "taken_to", "since",
                     "visited", "next_visit", "failures", "stuck_at",     "attempts"};
  mailboxes.fate = Fate::kept;
  mailboxes.why_kept = kVendorsOwn;
  all.push_back(std::move(mailboxes));

  Table webhooks("webhooks", {"vendor_id", "connection_id", "dedupe_key"});
  webhooks.personal = {"dedupe_key", "event", "reason", "shown", PersonalColumn("body", Type::bytes)};
  webhooks.plain = {"webhook_id", "received", "bytes",        "state",   "hints",
                    "attempts",   "revision", "next_attempt", "finished"};
  all.push_back(std::move(webhooks));
  all.push_back(
      plain("webhook_endpoints", ofConnection(), {"plugin_id", "name", "created", "sealed", "revision"}));
}

// Of before the audit chain; nothing is written to either any more.
void addOldTrails(std::vector<Table>& all) {
  Table requests("egress_audit", {"vendor_id", "audit_id"});
  requests.personal = {"path"};
  requests.plain = {"connection_id", "operation", "at",        "method",   "host",           "status",
                    "outcome",       "took",      "bytes_out", "bytes_in", "credential_used"};
  all.push_back(std::move(requests));
  Table people("person_audit", {"vendor_id", "audit_id"});
  people.personal = {"who", "subject", "detail"};
  people.plain = {"connection_id", "at", "act"};
  people.fate = Fate::rewritten;
  all.push_back(std::move(people));
}

} // namespace

std::vector<PersonalTable> personalData() {
  std::vector<Table> all;
  addRecords(all);
  addRuns(all);
  addActions(all);
  addArrivals(all);
  addOldTrails(all);
  addConnections(all);
  addVendors(all);
  return all;
}

} // namespace garland::sync
