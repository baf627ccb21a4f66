// The tables of this room; they belong to the installation, so no key begins with vendor_id. Nothing in them
// is ever changed but how far a chain is signed.
#include "host/audit/audit.h"

namespace garland::audit {
namespace {

constexpr char const* kFirst = R"sql(
CREATE TABLE audit_chains (
  chain_id TEXT NOT NULL PRIMARY KEY,
  signed_to BIGINT NOT NULL,
  closed BIGINT NOT NULL
);
CREATE INDEX audit_chains_open ON audit_chains (chain_id) WHERE closed=0;
CREATE TABLE audit_rows (
  chain_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  entry BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  PRIMARY KEY (chain_id, number)
);
CREATE TABLE audit_checkpoints (
  number BIGINT NOT NULL PRIMARY KEY,
  body BYTEA NOT NULL,
  signature BYTEA NOT NULL
);
CREATE TABLE audit_keys (
  name TEXT NOT NULL PRIMARY KEY,
  sealed TEXT NOT NULL
)
)sql";

} // namespace

std::vector<store::Migration> migrations() {
  std::vector<store::Migration> all;
  all.push_back(store::Migration{21, "audit: chains, checkpoints and keys", kFirst});
  return all;
}

} // namespace garland::audit
