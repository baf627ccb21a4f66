#include "host/api/permissions.h"

#include <algorithm>
#include <map>

namespace garland::api {

namespace {

using enum Reach;

// In the order of access::kRoles; a role that may not is a dash in its place.
constexpr std::string_view kLetters = "ovpra";

// Auditors see how the house is kept and what happened in it, but no record, name or message of anybody.
// Reviewers and partners see plugins, and reviewers let them in. What a vendor may, it may with its own only;
// what costs others something, or lets requests into private networks, it may not.
constexpr Permission kTable[] = {
    // The system
    {"getHealth", nobodys, ""},
    {"getMetrics", nobodys, "o---a"},
    {"getDocument", nobodys, ""},
    {"listRoles", nobodys, "ovpra"},
    {"getSandbox", nobodys, "o-pra"},
    {"listNodes", nobodys, "o---a"},
    // People: who signs in has no key yet
    {"signIn", nobodys, ""},
    {"finishSignIn", nobodys, ""},
    {"getSession", nobodys, "ovpra"},
    {"signOut", nobodys, "ovpra"},
    {"listSessions", nobodys, "o---a"},
    {"endSession", nobodys, "o----"},
    // Keys
    {"addKey", nobodys, "o----"},
    {"listKeys", nobodys, "o---a"},
    {"rotateKey", own, "ov---"}, // a vendor: the one that it shows
    {"revokeKey", nobodys, "o----"},
    // The vault, backups and the audit chain
    {"getVault", nobodys, "o---a"},
    {"rekeyVault", nobodys, "o----"},
    {"exportVault", nobodys, "o----"},
    {"importVault", nobodys, "o----"},
    {"makeBackup", nobodys, "o----"},
    {"getAudit", nobodys, "o---a"},
    {"listAuditRows", nobodys, "o---a"},
    {"listAuditCheckpoints", nobodys, "o---a"},
    {"sealAudit", nobodys, "o---a"},
    {"findPseudonym", nobodys, "o---a"},
    // People and vendors, in all that is kept
    {"exportPersonalData", nobodys, "o----"},
    {"erasePersonalData", nobodys, "o----"},
    // Plugins
    {"listPlugins", nobodys, "ovpra"},
    {"getPlugin", nobodys, "ovpra"},
    {"rescanPlugins", nobodys, "o--r-"},
    {"installPlugin", nobodys, "o--r-"},
    {"releasePlugin", nobodys, "o--r-"},
    // Vendors and their accounts
    {"addVendor", nobodys, "o----"},
    {"listVendors", nobodys, "o----"},
    {"listEnabledPlugins", own, "ov---"},
    {"enablePlugin", own, "o----"},
    {"disablePlugin", own, "o----"},
    {"connect", own, "ov---"},
    {"authorize", own, "ov---"},
    {"authorizeDevice", own, "ov---"},
    {"getAuthorization", own, "ov---"},
    {"listConnections", listed, "ov---"},
    {"getConnection", own, "ov---"},
    {"changeSettings", own, "ov---"},
    {"disconnect", own, "ov---"},
    {"confirmDeletes", own, "ov---"},
    {"testConnection", own, "ov---"},
    {"rotateConnection", own, "ov---"},
    {"revokeConnection", own, "ov---"},
    {"pauseConnection", own, "ov---"},
    {"resumeConnection", own, "ov---"},
    {"resyncConnection", own, "ov---"},
    {"retryConnection", own, "ov---"},
    {"startSync", own, "ov---"},
    {"syncHinted", own, "ov---"},
    {"getStatus", own, "ov---"},
    // Records
    {"listRecords", listed, "ov---"},
    {"getRecord", listed, "ov---"},
    {"addRecord", own, "ov---"},
    {"putRecord", own, "ov---"},
    {"deleteRecord", listed, "ov---"},
    {"retryRecord", own, "ov---"},
    {"listOccurrences", listed, "ov---"},
    {"listChanges", listed, "ov---"},
    {"listConflicts", listed, "ov---"},
    {"openStream", listed, "ov---"},
    {"issueStreamTicket", own, "ov---"},
    // Actions
    {"acceptAction", own, "ov---"},
    {"listActions", listed, "ov---"},
    {"getAction", own, "ov---"},
    {"settleAction", own, "ov---"},
    // What comes in: browsers, hooks, mail, files, webhooks. Strangers bring a secret or a signature instead
    // of a key.
    {"showWayToProvider", nobodys, ""},
    {"comeBackFromProvider", nobodys, ""},
    {"callHook", nobodys, ""},
    {"tryHook", nobodys, ""},
    {"openHook", own, "ov---"},
    {"listItems", listed, "ov---"},
    {"getItem", own, "ov---"},
    {"retryItem", own, "ov---"},
    {"retryItems", own, "ov---"},
    {"acceptItem", own, "ov---"},
    {"dismissItem", own, "ov---"},
    {"openMailbox", own, "ov---"},
    {"watchMailbox", own, "ov---"},
    {"showMailbox", own, "ov---"},
    {"unwatchMailbox", own, "ov---"},
    {"importCsv", own, "ov---"},
    {"callWebhook", nobodys, ""},
    {"tryWebhook", nobodys, ""},
    {"callWebhookOfAll", nobodys, ""},
    {"tryWebhookOfAll", nobodys, ""},
    {"setUpWebhook", own, "ov---"},
    {"listWebhooks", listed, "ov---"},
    {"listRefusedWebhooks", nobodys, "o---a"},
    {"getWebhook", own, "ov---"},
    {"replayWebhooks", own, "ov---"},
    {"replayWebhook", own, "ov---"},
    {"dropWebhook", own, "ov---"},
    // What goes out: endpoints
    {"addEndpoint", own, "ov---"},
    {"listEndpoints", listed, "ov---"},
    {"getEndpoint", own, "ov---"},
    {"changeEndpoint", own, "ov---"},
    {"removeEndpoint", own, "ov---"},
    {"rotateEndpoint", own, "ov---"},
    {"enableEndpoint", own, "ov---"},
    {"disableEndpoint", own, "ov---"},
    {"listEndpointDeliveries", own, "ov---"},
    {"getEndpointDelivery", own, "ov---"},
    {"resendDelivery", own, "ov---"},
    {"resendDeliveries", own, "ov---"},
};

constexpr bool isWellFormed(Permission const& row) {
  if (row.roles.empty()) return row.reach == nobodys;
  if (row.roles.size() != kLetters.size() || row.roles.front() != kLetters.front()) return false;
  for (std::size_t i = 0; i < kLetters.size(); ++i)
    if (row.roles[i] != '-' && row.roles[i] != kLetters[i]) return false;
  return true;
}
static_assert(std::ranges::all_of(kTable, isWellFormed), "each row names all roles, and operators may all");

bool takesVendorId(Route const& route) {
  return std::ranges::any_of(route.query, [](auto const& query) { return query.name == "vendor_id"; });
}

Error wrong(Route const& route, std::string_view why) {
  return Error(ErrorKind::invalidInput, std::string(route.method) + " " + std::string(route.pattern) + " (" +
                                            std::string(route.operation_id) + ") " + std::string(why));
}

Result<void> checkOne(Route const& route) {
  auto const* row = permissionOf(route.operation_id);
  if (row == nullptr) return wrong(route, "has no row in the table of permissions");
  if (route.open != row->roles.empty())
    return wrong(route, "needs a key by its route or by the table of permissions, not by both");
  if (row->reach == listed && !takesVendorId(route))
    return wrong(route, "lists things of vendors and takes no vendor_id");
  return {};
}

} // namespace

std::span<Permission const> permissions() { return kTable; }

Permission const* permissionOf(std::string_view operation_id) {
  auto const* const found = std::ranges::find(kTable, operation_id, &Permission::operation_id);
  return found == std::end(kTable) ? nullptr : found;
}

bool allows(Permission const& permission, access::Role role) {
  if (permission.roles.empty()) return true;
  return permission.roles[static_cast<std::size_t>(role)] != '-';
}

std::string_view wordFor(Permission const& permission, access::Role role) {
  if (!allows(permission, role)) return "none";
  return role == access::Role::vendor && permission.reach != nobodys ? "own" : "all";
}

json::object rolesOf(Permission const& permission) {
  json::object out;
  for (auto const role : access::kRoles) out[access::name(role)] = wordFor(permission, role);
  return out;
}

json::object roleMatrix(std::vector<Route> const& routes) {
  json::array roles;
  for (auto const role : access::kRoles) roles.push_back(json::value(access::name(role)));
  std::map<std::pair<std::string_view, std::string_view>, json::object> lines;
  for (auto const& route : routes) {
    auto const* permission = permissionOf(route.operation_id);
    if (permission == nullptr) continue;
    json::object line{
        {"operation_id", route.operation_id}, {"method", route.method}, {"path", route.pattern}};
    line["key"] = !permission->roles.empty();
    line["roles"] = rolesOf(*permission);
    lines.emplace(std::pair(route.pattern, route.method), std::move(line));
  }
  json::array items;
  for (auto& [place, line] : lines) items.push_back(std::move(line));
  json::object out;
  out["roles"] = std::move(roles);
  out["items"] = std::move(items);
  return out;
}

Result<void> checkPermissions(std::vector<Route> const& routes) {
  std::map<std::string_view, int> served;
  for (auto const& route : routes) {
    TRY_VOID(checkOne(route));
    ++served[route.operation_id];
  }
  for (auto const& row : kTable)
    if (served[row.operation_id] != 1)
      return Error(ErrorKind::invalidInput, "the table of permissions has a row for " +
                                                std::string(row.operation_id) +
                                                ", which is no route, or more than one");
  return {};
}

} // namespace garland::api
