// The tables of this room; they belong to the installation, so their keys do not begin with vendor_id.
// Forward only: a change is a new migration, never an edit of an old one.
#include "host/access/access.h"

namespace garland::access {
namespace {

constexpr char const* kKeys = R"sql(
CREATE TABLE api_keys (
  key_id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  vendor_id TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  revoked BIGINT,
  last_used BIGINT,
  replaced_by TEXT NOT NULL
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash)
)sql";

constexpr char const* kSessions = R"sql(
CREATE TABLE sign_ins (
  hash TEXT NOT NULL PRIMARY KEY,
  expires BIGINT NOT NULL
);
CREATE TABLE sessions (
  session_id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL,
  subject TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  vendor_id TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  last_used BIGINT NOT NULL,
  ended BIGINT
);
CREATE UNIQUE INDEX sessions_by_hash ON sessions (hash)
)sql";

} // namespace

std::vector<store::Migration> migrations() {
  std::vector<store::Migration> all;
  // A daemon that does not know the table lets in who holds its own key file, and nobody else.
  all.push_back(store::Migration{22, "access: API keys", kKeys, 21});
  // One that does not know these lets nobody in by them.
  all.push_back(store::Migration{26, "access: sessions of people", kSessions, 21});
  return all;
}

} // namespace garland::access
