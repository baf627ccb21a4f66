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

  // The plugin, if it is installed, may be loaded and is enabled for the vendor; else why not, and
  // what to do.
  Task<runtime::PluginInfo const*> usable(std::string vendor_id, std::string plugin_id);

private:
  Result<runtime::PluginInfo const*> installed(std::string const& plugin_id) const;

  Context& context_;
};

} // namespace garland::sync
