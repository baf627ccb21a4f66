// Where this room keeps secrets, and the rows that they are of no use without.
#include "host/sync/sync.h"

namespace garland::sync {
namespace {

using custody::Column;
using custody::Table;

constexpr bool kInteger = true;

// What is there stays as it is.
Table plain(std::string name, std::vector<std::string> keys) {
  Table table;
  table.name = std::move(name);
  table.keys = std::move(keys);
  table.sealed = false;
  table.replaces = false;
  return table;
}

// Exports of before have no such column.
Column later(std::string name, std::string formerly) {
  Column column(std::move(name));
  column.formerly = std::move(formerly);
  return column;
}

Table ofConnection(std::string name) {
  Table table;
  table.name = std::move(name);
  table.keys = {"vendor_id", "connection_id"};
  return table;
}

void addVendors(std::vector<Table>& all) {
  auto vendors = plain("vendors", {"vendor_id"});
  vendors.columns = {Column("name"), Column("created", kInteger)};
  all.push_back(std::move(vendors));
  auto counters = plain("counters", {"vendor_id", "name"});
  counters.begin = {{"value", "0"}};
  all.push_back(std::move(counters));
  auto plugins = plain("vendor_plugins", {"vendor_id", "plugin_id"});
  plugins.columns = {Column("enabled", kInteger)};
  all.push_back(std::move(plugins));
}

// A connection is replaced together with its credential: a secret goes to the hosts that its settings name.
// How it stands comes with both: one that was revoked has no credential, here as there.
void addConnections(std::vector<Table>& all) {
  auto connections = ofConnection("connections");
  connections.sealed = false;
  connections.columns = {Column("plugin_id"),
                         Column("account_name"),
                         Column("account_key"),
                         Column("settings"),
                         Column("allow_private_network", kInteger),
                         Column("created", kInteger),
                         Column("paused", kInteger),
                         later("state", "connected"),
                         later("state_reason", "")};
  connections.begin = {{"next_due", "0"}, {"confirm_deletes", "0"}};
  connections.on_replace = "next_due=0, credential_version=credential_version+1";
  all.push_back(std::move(connections));
  auto storage = plain("connection_storage", {"vendor_id", "connection_id"});
  storage.begin = {{"records", "0"}, {"record_bytes", "0"}, {"stored_values", "0"}, {"value_bytes", "0"}};
  all.push_back(std::move(storage));
  auto credentials = ofConnection("credentials");
  credentials.keys.emplace_back("slot");
  all.push_back(std::move(credentials));
}

void addDoors(std::vector<Table>& all) {
  auto doors = ofConnection("intake_doors");
  doors.keys.emplace_back("source");
  doors.columns = {Column("token_hash"), Column("created", kInteger), Column("signing")};
  all.push_back(std::move(doors));
  auto mailboxes = ofConnection("mailboxes");
  mailboxes.columns = {Column("url"), Column("folder"), Column("username"), Column("created", kInteger)};
  mailboxes.begin = {{"revision", "1"},   {"uid_validity", "0"}, {"taken_to", "0"},
                     {"next_visit", "0"}, {"failures", "0"},     {"problem", "''"}};
  mailboxes.on_replace = "revision=revision+1, next_visit=0, failures=0, problem=''";
  all.push_back(std::move(mailboxes));
  auto webhooks = ofConnection("webhook_endpoints");
  webhooks.columns = {Column("plugin_id"), Column("name"), Column("created", kInteger)};
  webhooks.begin = {{"revision", "1"}};
  webhooks.on_replace = "revision=revision+1";
  all.push_back(std::move(webhooks));
}

} // namespace

std::vector<Table> secretTables() {
  std::vector<Table> all;
  addVendors(all);
  addConnections(all);
  addDoors(all);
  return all;
}

} // namespace garland::sync
