// What is installed as the settings say it: where packages and folders lie, and whose word on them counts.
#pragma once

#include "host/base/log.h"
#include "host/daemon/config.h"
#include "host/marketplace/marketplace.h"
#include "host/runtime/runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace garland::daemon {

struct Installed {
  runtime::Catalogue catalogue;
  std::shared_ptr<marketplace::Shelf const> shelf; // that judged it
};

// Where `garland plugins install` and the daemon meet.
std::string packagesDir(Config const& config);

// A line for each plugin, and one if there is none.
void tellInstalled(Log const& log, runtime::Catalogue const& catalogue);

// Of what the supervisor did: what became of this plugin, and of others that changed meanwhile. The package
// is in the shelf by now, in place of an earlier one, whatever the supervisor says to it.
Result<std::vector<runtime::Adoption>> ofInstallation(Result<std::vector<runtime::Adoption>> adopted,
                                                      std::string const& id);

// These block on the disk. [any thread, one at a time]
// The first of them with `look_only` changes nothing there.
Result<Installed> findInstalled(Config const& config, TimePoint now, bool look_only = false);
// Takes a package of this name from packagesDir() into the shelf; the name is gone then. The plugin's id.
Result<std::string> installPackage(Config const& config, std::string const& file, TimePoint now);

} // namespace garland::daemon
