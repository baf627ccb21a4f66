// Vendors, and which plugins each of them may use.
#pragma once

#include "host/sync/context.h"

namespace garland::sync {

class Vendors {
public:
  explicit Vendors(Context& context) : context_(context) {}

  Task<Vendor> add(std::string name);
  Task<std::vector<Vendor>> all();
  Task<void> require(std::string vendor_id); // notFound

  Task<void> setPlugin(std::string vendor_id, std::string plugin_id, bool enabled);
  Task<std::vector<std::string>> enabledPlugins(std::string vendor_id);

  // The build that takes the plugin's calls, if there is one and it is enabled for the vendor; else why not,
  // and what to do. It need not be the installed one.
  Task<std::shared_ptr<runtime::PluginInfo const>> usable(std::string vendor_id, std::string plugin_id);

private:
  Result<runtime::PluginInfo const*> installed(std::string const& plugin_id) const;
  // forbidden if none can be loaded.
  Result<std::shared_ptr<runtime::PluginInfo const>> buildOf(runtime::PluginInfo const& plugin) const;

  Context& context_;
};

} // namespace garland::sync
