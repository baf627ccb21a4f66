// The tables of this room. Forward only: a change is a new migration, never an edit of an old one. Beside
// which older daemons it may be applied is its compatible_from: 17 at the least, since nobody before that
// knows leases. Every key begins with vendor_id, so that a vendor's rows can live on one shard.
#include "host/sync/sync.h"

namespace garland::sync {
namespace {

constexpr char const* kFirst = R"sql(
CREATE TABLE vendors (
  vendor_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created BIGINT NOT NULL
);
CREATE TABLE counters (
  vendor_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, name)
);
CREATE TABLE vendor_plugins (
  vendor_id TEXT NOT NULL,
  plugin_id TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, plugin_id)
);
CREATE TABLE connections (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  plugin_id TEXT NOT NULL,
  account_name TEXT NOT NULL,
  account_key TEXT NOT NULL,
  settings TEXT NOT NULL,
  allow_private_network BIGINT NOT NULL,
  state TEXT NOT NULL,
  state_reason TEXT NOT NULL,
  created BIGINT NOT NULL,
  last_success BIGINT,
  next_due BIGINT NOT NULL,
  confirm_deletes BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id)
);
CREATE UNIQUE INDEX connections_account ON connections (vendor_id, plugin_id, account_key);
CREATE INDEX connections_id ON connections (connection_id);
CREATE INDEX connections_due ON connections (next_due);
CREATE TABLE credentials (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  slot TEXT NOT NULL,
  sealed TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, slot)
);
CREATE TABLE records (
  vendor_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  identity TEXT NOT NULL,
  data TEXT NOT NULL,
  version BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, record_id)
);
CREATE INDEX records_identity ON records (vendor_id, kind, identity);
CREATE TABLE links (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  base TEXT NOT NULL,
  base_hash TEXT NOT NULL,
  remote_version TEXT NOT NULL,
  state TEXT NOT NULL,
  pushed_run TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, kind, remote_id)
);
CREATE INDEX links_record ON links (vendor_id, record_id);
CREATE INDEX links_scope ON links (vendor_id, connection_id, kind, scope);
CREATE TABLE changes (
  vendor_id TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  record_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  record_version BIGINT NOT NULL,
  origin TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, sequence)
);
CREATE TABLE pushes (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  op_id TEXT NOT NULL,
  action TEXT NOT NULL,
  payload TEXT NOT NULL,
  record_version BIGINT NOT NULL,
  sent_version BIGINT NOT NULL,
  dispatches BIGINT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, record_id)
);
CREATE TABLE conflicts (
  vendor_id TEXT NOT NULL,
  conflict_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  members TEXT NOT NULL,
  decision TEXT NOT NULL,
  base TEXT NOT NULL,
  local TEXT NOT NULL,
  remote TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, conflict_id)
);
CREATE TABLE cursors (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  cursor_json TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, kind)
);
CREATE TABLE runs (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  state TEXT NOT NULL,
  document TEXT NOT NULL,
  started BIGINT NOT NULL,
  finished BIGINT,
  PRIMARY KEY (vendor_id, connection_id, run_id)
);
CREATE INDEX runs_id ON runs (run_id);
CREATE TABLE plugin_kv (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value BYTEA NOT NULL,
  version BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, name)
);
CREATE TABLE egress_audit (
  vendor_id TEXT NOT NULL,
  audit_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  at BIGINT NOT NULL,
  method TEXT NOT NULL,
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  status BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  took BIGINT NOT NULL,
  bytes_out BIGINT NOT NULL,
  bytes_in BIGINT NOT NULL,
  credential_used BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, audit_id)
);
)sql";

// Why a write was set aside, so that every later run can say it again.
constexpr char const* kParkedReason = "ALTER TABLE pushes ADD COLUMN reason TEXT NOT NULL DEFAULT ''";

// A run that began with a credential which was replaced meanwhile says nothing about the new one.
constexpr char const* kCredentialVersion =
    "ALTER TABLE connections ADD COLUMN credential_version BIGINT NOT NULL DEFAULT 0";

// What each connection's plugin has made us keep, see storage.h. What is there already is counted in
// characters.
constexpr char const* kStorage = R"sql(
CREATE TABLE connection_storage (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  records BIGINT NOT NULL,
  record_bytes BIGINT NOT NULL,
  stored_values BIGINT NOT NULL,
  value_bytes BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id)
);
ALTER TABLE links ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
UPDATE links SET bytes=LENGTH(base)+COALESCE((SELECT LENGTH(r.data) FROM records r
  WHERE r.vendor_id=links.vendor_id AND r.record_id=links.record_id), 0);
INSERT INTO connection_storage (vendor_id,connection_id,records,record_bytes,stored_values,value_bytes)
SELECT c.vendor_id, c.connection_id,
  (SELECT COUNT(*) FROM links l WHERE l.vendor_id=c.vendor_id AND l.connection_id=c.connection_id),
  (SELECT COALESCE(SUM(l.bytes),0) FROM links l WHERE l.vendor_id=c.vendor_id AND l.connection_id=c.connection_id),
  (SELECT COUNT(*) FROM plugin_kv k WHERE k.vendor_id=c.vendor_id AND k.connection_id=c.connection_id),
  (SELECT COALESCE(SUM(LENGTH(k.value)),0) FROM plugin_kv k
    WHERE k.vendor_id=c.vendor_id AND k.connection_id=c.connection_id)
FROM connections c
)sql";

// Operations that are done once. A row stays long after its end: it is what makes a key good for one effect.
constexpr char const* kActions = R"sql(
CREATE TABLE actions (
  vendor_id TEXT NOT NULL,
  action_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  provider_key TEXT NOT NULL,
  input TEXT NOT NULL,
  state TEXT NOT NULL,
  known_by TEXT NOT NULL,
  output TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  lookups BIGINT NOT NULL,
  lookup_problem TEXT NOT NULL,
  revision BIGINT NOT NULL,
  next_attempt BIGINT,
  created BIGINT NOT NULL,
  first_sent BIGINT,
  last_sent BIGINT,
  finished BIGINT,
  PRIMARY KEY (vendor_id, action_id)
);
CREATE UNIQUE INDEX actions_key ON actions (vendor_id, connection_id, idempotency_key);
CREATE INDEX actions_id ON actions (action_id);
CREATE INDEX actions_due ON actions (next_attempt);
CREATE INDEX actions_state ON actions (state, action_id);
)sql";

// What came in by itself, and the addresses that it may come to.
constexpr char const* kIntake = R"sql(
CREATE TABLE inbox (
  vendor_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  source TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  content_key TEXT NOT NULL,
  summary TEXT NOT NULL,
  content TEXT NOT NULL,
  raw BYTEA NOT NULL,
  bytes BIGINT NOT NULL,
  received BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  records BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  next_attempt BIGINT,
  finished BIGINT,
  PRIMARY KEY (vendor_id, item_id)
);
CREATE UNIQUE INDEX inbox_key ON inbox (vendor_id, connection_id, dedupe_key);
CREATE UNIQUE INDEX inbox_content ON inbox (vendor_id, connection_id, content_key) WHERE content_key<>'';
CREATE INDEX inbox_id ON inbox (item_id);
CREATE INDEX inbox_due ON inbox (next_attempt);
CREATE INDEX inbox_state ON inbox (state, item_id);
CREATE TABLE intake_doors (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  source TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created BIGINT NOT NULL,
  signing TEXT NOT NULL,
  sealed TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, source)
);
CREATE UNIQUE INDEX intake_doors_token ON intake_doors (token_hash);
ALTER TABLE connection_storage ADD COLUMN items BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connection_storage ADD COLUMN item_bytes BIGINT NOT NULL DEFAULT 0
)sql";

// Items that a pull could not take, see missed.h.
constexpr char const* kMissed = R"sql(
CREATE TABLE missed (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  looked BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, kind, remote_id)
);
)sql";

// 1: a run that only followed hints.
constexpr char const* kHinted = R"sql(
ALTER TABLE runs ADD COLUMN hinted BIGINT NOT NULL DEFAULT 0
)sql";

// Vendors' own mailboxes, see mailboxes.h.
constexpr char const* kMailboxes = R"sql(
CREATE TABLE mailboxes (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  url TEXT NOT NULL,
  folder TEXT NOT NULL,
  username TEXT NOT NULL,
  sealed TEXT NOT NULL,
  revision BIGINT NOT NULL,
  created BIGINT NOT NULL,
  uid_validity BIGINT NOT NULL,
  taken_to BIGINT NOT NULL,
  since BIGINT,
  visited BIGINT,
  next_visit BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  problem TEXT NOT NULL,
  stuck_at BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (vendor_id, connection_id)
);
CREATE INDEX mailboxes_due ON mailboxes (next_visit)
)sql";

// Deliveries of providers, the records that they are about, and where they come to.
constexpr char const* kWebhooks = R"sql(
CREATE TABLE webhooks (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  received BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  reason TEXT NOT NULL DEFAULT '',
  event TEXT NOT NULL DEFAULT '',
  hints BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  revision BIGINT NOT NULL DEFAULT 0,
  next_attempt BIGINT,
  finished BIGINT,
  shown TEXT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, dedupe_key)
);
CREATE INDEX webhooks_id ON webhooks (webhook_id);
CREATE INDEX webhooks_due ON webhooks (vendor_id, connection_id, next_attempt, webhook_id)
  WHERE next_attempt IS NOT NULL;
CREATE INDEX webhooks_dead ON webhooks (webhook_id) WHERE state='dead';
CREATE INDEX webhooks_open ON webhooks (vendor_id, connection_id, next_attempt, bytes)
  WHERE state IN ('waiting','dead');
CREATE INDEX webhooks_finished ON webhooks (finished) WHERE finished IS NOT NULL;
CREATE TABLE hints (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  external_id TEXT NOT NULL,
  stamp TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, kind, external_id)
);
CREATE TABLE webhook_endpoints (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  plugin_id TEXT NOT NULL,
  name TEXT NOT NULL,
  created BIGINT NOT NULL,
  sealed TEXT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id)
);
CREATE UNIQUE INDEX webhook_endpoints_name ON webhook_endpoints (plugin_id, name)
)sql";

// Items whose sender nothing proves, and the word of a person that stands for the proof.
constexpr char const* kAccepted = R"sql(
ALTER TABLE inbox ADD COLUMN acceptable BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN accepted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN accepted BIGINT;
CREATE TABLE person_audit (
  vendor_id TEXT NOT NULL,
  audit_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  who TEXT NOT NULL,
  act TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (vendor_id, audit_id)
)
)sql";

// The kinds that a connection has begun to write, whatever the build does that is installed now.
constexpr char const* kWrittenKinds = R"sql(
CREATE TABLE written_kinds (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, kind)
);
INSERT INTO written_kinds (vendor_id,connection_id,kind)
SELECT DISTINCT vendor_id, connection_id, kind FROM pushes WHERE op_id<>''
UNION SELECT DISTINCT vendor_id, connection_id, kind FROM links WHERE pushed_run<>''
)sql";

// What ended long ago is found to be forgotten.
constexpr char const* kActionsFinished =
    "CREATE INDEX actions_finished ON actions (finished) WHERE finished IS NOT NULL";

// The day of a wedding, and connections that a person has put to rest.
constexpr char const* kDaysAndPauses = R"sql(
ALTER TABLE records ADD COLUMN day TEXT NOT NULL DEFAULT '';
CREATE INDEX records_day ON records (day, vendor_id) WHERE day<>'';
ALTER TABLE connections ADD COLUMN paused BIGINT NOT NULL DEFAULT 0;
CREATE INDEX connections_paused ON connections (connection_id) WHERE paused=1
)sql";

// Which daemons live, and whose each connection is: decision 0041. Who is alone on a database leaves both
// empty.
constexpr char const* kLeases = R"sql(
CREATE TABLE nodes (
  node_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  key_id TEXT NOT NULL,
  plugins TEXT NOT NULL,
  started BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE TABLE leases (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  wanted_by TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id)
);
CREATE INDEX leases_node ON leases (node_id)
)sql";

// When a connection was let go on last; 0: it never rested.
constexpr char const* kResumed = "ALTER TABLE connections ADD COLUMN resumed BIGINT NOT NULL DEFAULT 0";

// What is due is read in its order, whatever waits altogether: due.h.
constexpr char const* kDueInOrder = R"sql(
DROP INDEX actions_due;
CREATE INDEX actions_due ON actions (next_attempt, action_id, connection_id, vendor_id)
  WHERE next_attempt IS NOT NULL;
DROP INDEX inbox_due;
CREATE INDEX inbox_due ON inbox (next_attempt) WHERE next_attempt IS NOT NULL;
CREATE INDEX inbox_order ON inbox (item_id, next_attempt, connection_id, vendor_id)
  WHERE next_attempt IS NOT NULL
)sql";

// Items that a sync does not bring in any more, since a person was erased: erasure.h. A daemon that does not
// know the table would bring them back.
constexpr char const* kErased = R"sql(
CREATE TABLE erased (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  pseudonym TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, kind, pseudonym)
)
)sql";

// What is open is found by webhooks_due and webhooks_dead. Each index costs every delivery the end of one
// more b-tree, which is a page of the log for each connection of a commit.
constexpr char const* kWithoutOpen = R"sql(
DROP INDEX webhooks_open
)sql";

// Who paused a connection or took its sign-in back, and after which resuming, under which credential: a
// daemon that does not know the columns leaves the name of an earlier time there, and it does not count.
constexpr char const* kWhoseDoing = R"sql(
ALTER TABLE connections ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN paused_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN revoked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN revoked_version BIGINT NOT NULL DEFAULT 0
)sql";

// Records that were deleted, the oldest first: they are looked for every hour.
constexpr char const* kTombstones = R"sql(
CREATE INDEX records_deleted ON records (vendor_id, updated) WHERE deleted=1
)sql";

} // namespace

std::vector<store::Migration> migrations() {
  std::vector<store::Migration> all;
  all.push_back(store::Migration{1, "sync: vendors, connections, records, links, changes", kFirst});
  all.push_back(store::Migration{2, "sync: why a write was set aside", kParkedReason});
  all.push_back(store::Migration{3, "sync: which credential a run began with", kCredentialVersion});
  all.push_back(store::Migration{4, "sync: how much a connection stores", kStorage});
  all.push_back(store::Migration{5, "sync: actions", kActions});
  all.push_back(store::Migration{6, "sync: intake", kIntake});
  all.push_back(store::Migration{7, "sync: items that could not be taken", kMissed});
  all.push_back(store::Migration{8, "sync: which runs only followed hints", kHinted});
  all.push_back(store::Migration{9, "sync: mailboxes that are visited", kMailboxes});
  all.push_back(store::Migration{10, "sync: webhooks", kWebhooks});
  all.push_back(store::Migration{11, "sync: items that a person says are genuine", kAccepted});
  all.push_back(store::Migration{12, "sync: kinds that a connection has written", kWrittenKinds});
  all.push_back(store::Migration{14, "sync: which actions ended long ago", kActionsFinished});
  all.push_back(store::Migration{16, "sync: days of weddings, connections that are paused", kDaysAndPauses});
  all.push_back(store::Migration{17, "sync: nodes and leases", kLeases});
  all.push_back(store::Migration{18, "sync: when a pause of a connection ended", kResumed});
  all.push_back(store::Migration{19, "sync: what is due in its order", kDueInOrder, 18});
  all.push_back(store::Migration{23, "sync: items of people who were erased", kErased});
  all.push_back(store::Migration{30, "sync: one index of webhooks less", kWithoutOpen, 27});
  all.push_back(store::Migration{31, "sync: who paused or revoked a connection", kWhoseDoing, 27});
  all.push_back(store::Migration{32, "sync: records that were deleted", kTombstones, 27});
  return all;
}

} // namespace garland::sync
