// The tables of this room. Forward only: a change is a new migration, never an edit of an old one.
#include "host/notify/notify.h"

namespace garland::notify {
namespace {

// What waits is due at next_attempt; that of a disabled endpoint has none.
constexpr char const* kFirst = R"sql(
CREATE TABLE notify_endpoints (
  vendor_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  events TEXT NOT NULL,
  ordered BIGINT NOT NULL,
  private_network BIGINT NOT NULL,
  enabled BIGINT NOT NULL,
  by_itself BIGINT NOT NULL,
  reason TEXT NOT NULL,
  disabled_at BIGINT,
  place BIGINT NOT NULL,
  failing_since BIGINT,
  last_success BIGINT,
  sealed TEXT NOT NULL,
  old_secret_until BIGINT,
  created BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, endpoint_id)
);
CREATE UNIQUE INDEX notify_endpoints_id ON notify_endpoints (endpoint_id);
CREATE TABLE notify_deliveries (
  vendor_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  record_id TEXT NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  first_sent BIGINT,
  status BIGINT NOT NULL,
  problem TEXT NOT NULL,
  created BIGINT NOT NULL,
  next_attempt BIGINT,
  finished BIGINT,
  PRIMARY KEY (vendor_id, endpoint_id, sequence)
);
CREATE INDEX notify_deliveries_due ON notify_deliveries (vendor_id, endpoint_id, next_attempt)
  WHERE next_attempt IS NOT NULL;
CREATE INDEX notify_deliveries_waiting ON notify_deliveries (vendor_id, endpoint_id, record_id, sequence)
  WHERE state='waiting';
CREATE INDEX notify_deliveries_finished ON notify_deliveries (finished) WHERE finished IS NOT NULL;
CREATE TABLE notify_attempts (
  vendor_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  at BIGINT NOT NULL,
  took BIGINT,
  status BIGINT NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (vendor_id, endpoint_id, sequence, attempt)
)
)sql";

constexpr char const* kMissed = R"sql(
ALTER TABLE notify_endpoints ADD COLUMN missed_first BIGINT;
ALTER TABLE notify_endpoints ADD COLUMN missed_last BIGINT;
ALTER TABLE notify_endpoints ADD COLUMN missed_at BIGINT
)sql";

} // namespace

std::vector<store::Migration> migrations() {
  std::vector<store::Migration> all;
  all.push_back(store::Migration{13, "notify: endpoints, deliveries and attempts", kFirst});
  all.push_back(store::Migration{15, "notify: what endpoints were never told of", kMissed});
  return all;
}

} // namespace garland::notify
