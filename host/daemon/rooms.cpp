#include "host/daemon/rooms.h"

#include "host/access/access.h"
#include "host/audit/audit.h"
#include "host/backup/backup.h"
#include "host/calendar/calendar.h"
#include "host/crm/crm.h"
#include "host/messaging/messaging.h"
#include "host/notify/notify.h"
#include "host/oauth/oauth.h"
#include "host/payments/payments.h"

#include <algorithm>

namespace garland::daemon {
namespace {

// What was being renewed when an export was made is not known elsewhere.
std::vector<custody::Table> signInTables() {
  constexpr bool kInteger = true;
  custody::Table grants;
  grants.name = "oauth_grants";
  grants.keys = {"vendor_id", "connection_id", "slot"};
  grants.columns = {custody::Column("lineage"),        custody::Column("expires", kInteger),
                    custody::Column("due", kInteger),  custody::Column("state"),
                    custody::Column("cause"),          custody::Column("by_whom"),
                    custody::Column("since", kInteger)};
  grants.begin = {{"failures", "0"},      {"next_try", "0"},      {"attempt", "''"},
                  {"attempt_node", "''"}, {"attempt_begun", "0"}, {"attempt_until", "0"},
                  {"doubt", "''"},        {"doubt_by", "''"},     {"epoch", "1"}};
  grants.on_replace = "failures=0, next_try=0, attempt='', doubt='', doubt_by='', epoch=oauth_grants.epoch+1";
  custody::Table replies;
  replies.name = "oauth_replies";
  replies.keys = {"vendor_id", "connection_id", "slot", "attempt"};
  replies.columns = {custody::Column("lineage"), custody::Column("asked", kInteger)};
  custody::Table authorizations;
  authorizations.name = "oauth_authorizations";
  authorizations.keys = {"vendor_id", "authorization_id"};
  authorizations.columns = {custody::Column("plugin_id"),
                            custody::Column("ticket"),
                            custody::Column("browser"),
                            custody::Column("state"),
                            custody::Column("cause"),
                            custody::Column("connection_id"),
                            custody::Column("expires", kInteger)};
  authorizations.replaces = false;
  return {std::move(grants), std::move(replies), std::move(authorizations)};
}

} // namespace

std::vector<sync::Kind> allKinds() {
  auto kinds = crm::kinds();
  for (auto& kind : payments::kinds()) kinds.push_back(std::move(kind));
  kinds.push_back(calendar::eventKind());
  for (auto& kind : messaging::kinds()) kinds.push_back(std::move(kind));
  return kinds;
}

std::vector<store::Migration> allMigrations() {
  auto all = sync::migrations();
  for (auto& one : notify::migrations()) all.push_back(std::move(one));
  for (auto& one : custody::migrations()) all.push_back(std::move(one));
  for (auto& one : audit::migrations()) all.push_back(std::move(one));
  for (auto& one : access::migrations()) all.push_back(std::move(one));
  for (auto& one : backup::migrations()) all.push_back(std::move(one));
  for (auto& one : oauth::migrations()) all.push_back(std::move(one));
  std::ranges::sort(all, {}, &store::Migration::version);
  return all;
}

std::vector<PersonalTable> allPersonalData() {
  auto all = sync::personalData();
  for (auto& one : notify::personalData()) all.push_back(std::move(one));
  for (auto& one : custody::personalData()) all.push_back(std::move(one));
  for (auto& one : audit::personalData()) all.push_back(std::move(one));
  for (auto& one : access::personalData()) all.push_back(std::move(one));
  for (auto& one : backup::personalData()) all.push_back(std::move(one));
  for (auto& one : oauth::personalData()) all.push_back(std::move(one));
  return all;
}

std::vector<custody::Table> allSecretTables() {
  auto all = sync::secretTables();
  for (auto& one : notify::secretTables()) all.push_back(std::move(one));
  // An import leaves those that are there: this host has signed its own chain with them.
  custody::Table audit_keys;
  audit_keys.name = "audit_keys";
  audit_keys.keys = {"name"};
  audit_keys.replaces = false;
  all.push_back(std::move(audit_keys));
  for (auto& one : signInTables()) all.push_back(std::move(one));
  return all;
}

} // namespace garland::daemon
