// The tables of this room. Forward only: a change is a new migration, never an edit of an old one.
#include "host/oauth/oauth.h"

namespace garland::oauth {
namespace {

// `lineage` is the SHA-256 of the token that a grant is renewed by. An attempt is open from before its
// request until what came of it is kept, and nobody begins another before attempt_until. `doubt` says why the
// provider may have given a token that nobody received.
constexpr char const* kFirst = R"sql(
CREATE TABLE oauth_grants (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  slot TEXT NOT NULL,
  sealed TEXT NOT NULL,
  lineage TEXT NOT NULL,
  expires BIGINT,
  due BIGINT,
  state TEXT NOT NULL,
  cause TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  since BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  next_try BIGINT NOT NULL,
  attempt TEXT NOT NULL,
  attempt_node TEXT NOT NULL,
  attempt_begun BIGINT NOT NULL,
  attempt_until BIGINT NOT NULL,
  doubt TEXT NOT NULL,
  doubt_by TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, slot)
);
CREATE TABLE oauth_replies (
  vendor_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  slot TEXT NOT NULL,
  attempt TEXT NOT NULL,
  lineage TEXT NOT NULL,
  asked BIGINT NOT NULL,
  sealed TEXT NOT NULL,
  PRIMARY KEY (vendor_id, connection_id, slot, attempt)
);
CREATE TABLE oauth_apps (
  app TEXT NOT NULL PRIMARY KEY,
  refused_until BIGINT NOT NULL
)
)sql";

// `ticket` and `browser` are SHA-256. What is sealed goes when the ticket is used.
constexpr char const* kPages = R"sql(
CREATE TABLE oauth_authorizations (
  vendor_id TEXT NOT NULL,
  authorization_id TEXT NOT NULL,
  plugin_id TEXT NOT NULL,
  ticket TEXT NOT NULL,
  browser TEXT NOT NULL,
  sealed TEXT NOT NULL,
  state TEXT NOT NULL,
  cause TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (vendor_id, authorization_id)
);
CREATE INDEX oauth_authorizations_by_ticket ON oauth_authorizations (ticket)
)sql";

// Of those that are open and on another device. `asked`: the daemon that asked last, if its answer may be
// lost.
constexpr char const* kDevices = R"sql(
CREATE TABLE oauth_devices (
  vendor_id TEXT NOT NULL,
  authorization_id TEXT NOT NULL,
  pause BIGINT NOT NULL,
  next_poll BIGINT NOT NULL,
  asked TEXT NOT NULL,
  PRIMARY KEY (vendor_id, authorization_id)
)
)sql";

} // namespace

// A daemon of 24 knows neither the tables nor the scheme, and leaves both alone.
std::vector<store::Migration> migrations() {
  std::vector<store::Migration> all;
  all.push_back(store::Migration{25, "oauth: grants, replies and clients that are refused", kFirst, 24});
  all.push_back(store::Migration{27, "oauth: sign-ins at providers' own pages", kPages, 25});
  all.push_back(store::Migration{29, "oauth: sign-ins on other devices", kDevices, 27});
  return all;
}

} // namespace garland::oauth
