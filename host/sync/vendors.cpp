#include "host/sync/vendors.h"

#include "host/sync/sql.h"

namespace garland::sync {

Task<Vendor> Vendors::add(std::string name) {
  if (name.empty() || name.size() > 200)
    co_return Error(ErrorKind::invalidInput, "a vendor's name has 1 to 200 bytes", "/name");
  Vendor vendor;
  vendor.id = context_.newId("ven");
  vendor.name = std::move(name);
  vendor.created = context_.now();
  store::Unit unit;
  unit.emplace_back("INSERT INTO vendors (vendor_id,name,created) VALUES ($1,$2,$3)",
                    Values{vendor.id, vendor.name, toMillis(vendor.created)});
  unit.emplace_back("INSERT INTO counters (vendor_id,name,value) VALUES ($1,'changes',0)", Values{vendor.id});
  unit.push_back(told(context_, "vendor.add", vendor.id));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return vendor;
}

Task<std::vector<Vendor>> Vendors::all() {
  store::Statement query("SELECT vendor_id, name, created FROM vendors ORDER BY vendor_id");
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<Vendor> vendors;
  for (auto const& row : rows.rows)
    vendors.push_back(Vendor{row.text(0), row.text(1), fromMillis(row.integer(2))});
  co_return vendors;
}

Task<void> Vendors::require(std::string vendor_id) {
  store::Statement query("SELECT 1 FROM vendors WHERE vendor_id=$1", {vendor_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::notFound, "there is no vendor \"" + vendor_id + "\"", "/vendor");
  co_return Result<void>();
}

Result<runtime::PluginInfo const*> Vendors::installed(std::string const& plugin_id) const {
  auto const* plugin = context_.doors.catalogue.find(plugin_id);
  if (plugin == nullptr)
    return Error(ErrorKind::notFound,
                 "the plugin \"" + plugin_id +
                     "\" is not installed; `garland plugins ls` shows those that are",
                 "/plugin");
  return plugin;
}

// What is installed may be damaged or too old; then an earlier build goes on, if there is one.
Result<std::shared_ptr<runtime::PluginInfo const>> Vendors::buildOf(runtime::PluginInfo const& plugin) const {
  auto build = context_.doors.supervisor.build(plugin);
  if (build->refusal.empty()) return build;
  return Error(ErrorKind::forbidden, plugin.manifest.id + " may not be loaded: " + build->refusal, "/plugin");
}

Task<void> Vendors::setPlugin(std::string vendor_id, std::string plugin_id, bool enabled) {
  CO_TRY_VOID(co_await require(vendor_id));
  // What is no longer installed can still be disabled.
  auto const plugin = installed(plugin_id);
  if (!plugin && enabled) co_return plugin.error();
  if (enabled) {
    CO_TRY_VOID(buildOf(**plugin));
  }
  std::string const id = plugin ? (*plugin)->manifest.id : plugin_id;
  store::Unit unit;
  unit.emplace_back("INSERT INTO vendor_plugins (vendor_id,plugin_id,enabled) VALUES ($1,$2,$3) "
                    "ON CONFLICT (vendor_id,plugin_id) DO UPDATE SET enabled=excluded.enabled",
                    Values{vendor_id, id, std::int64_t{enabled}});
  unit.push_back(told(context_, enabled ? "plugin.enable" : "plugin.disable", vendor_id, "", id));
  CO_TRY_VOID(co_await context_.doors.store.commit(std::move(unit)));
  co_return Result<void>();
}

Task<std::vector<std::string>> Vendors::enabledPlugins(std::string vendor_id) {
  CO_TRY_VOID(co_await require(vendor_id));
  store::Statement query(
      "SELECT plugin_id FROM vendor_plugins WHERE vendor_id=$1 AND enabled=1 ORDER BY plugin_id",
      {vendor_id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  std::vector<std::string> plugins;
  for (auto const& row : rows.rows) plugins.push_back(row.text(0));
  co_return plugins;
}

Task<std::shared_ptr<runtime::PluginInfo const>> Vendors::usable(std::string vendor_id,
                                                                 std::string plugin_id) {
  CO_TRY(found, installed(plugin_id));
  CO_TRY(plugin, buildOf(*found));
  store::Statement query("SELECT 1 FROM vendor_plugins WHERE vendor_id=$1 AND plugin_id=$2 AND enabled=1",
                         {vendor_id, plugin->manifest.id});
  CO_TRY(rows, co_await context_.doors.store.read(std::move(query)));
  if (rows.rows.empty())
    co_return Error(ErrorKind::forbidden,
                    "the plugin " + plugin->manifest.id +
                        " is not enabled for this vendor; type `garland plugins enable " +
                        plugin->manifest.id + " --vendor " + vendor_id + "`",
                    "/plugin");
  co_return plugin;
}

} // namespace garland::sync
