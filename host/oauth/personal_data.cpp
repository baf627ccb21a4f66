// What the tables of this room hold of people: tokens are sealed, and a cause is a sentence of the host's;
// but why an account was not connected may name it.
#include "host/oauth/oauth.h"

namespace garland::oauth {

std::vector<PersonalTable> personalData() {
  PersonalTable grants("oauth_grants", {"vendor_id", "connection_id", "slot"});
  grants.plain = {"sealed",        "lineage",       "expires",  "due",      "state",   "cause",
                  "by_whom",       "since",         "failures", "next_try", "attempt", "attempt_node",
                  "attempt_begun", "attempt_until", "doubt",    "doubt_by", "epoch"};
  grants.fate = Fate::kept;
  PersonalTable replies("oauth_replies", {"vendor_id", "connection_id", "slot", "attempt"});
  replies.plain = {"lineage", "asked", "sealed"};
  replies.fate = Fate::kept;
  PersonalTable apps("oauth_apps", {"app"});
  apps.plain = {"refused_until"};
  apps.fate = Fate::kept;
  apps.of_vendor = false;
  PersonalTable authorizations("oauth_authorizations", {"vendor_id", "authorization_id"});
  authorizations.personal = {"cause"};
  authorizations.plain = {"plugin_id", "ticket", "browser", "sealed", "state", "connection_id", "expires"};
  PersonalTable devices("oauth_devices", {"vendor_id", "authorization_id"});
  devices.plain = {"pause", "next_poll", "asked"};
  devices.fate = Fate::kept;
  std::vector<PersonalTable> all;
  all.push_back(std::move(authorizations));
  all.push_back(std::move(devices));
  all.push_back(std::move(grants));
  all.push_back(std::move(replies));
  all.push_back(std::move(apps));
  return all;
}

} // namespace garland::oauth
