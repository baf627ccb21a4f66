// What is installed as the settings say it: where packages and folders lie, and whose word on them counts.
#pragma once

#include "host/daemon/config.h"
#include "host/marketplace/marketplace.h"

#include <memory>
#include <string>

namespace garland::daemon {

struct Installed {
  runtime::Catalogue catalogue;
  std::shared_ptr<marketplace::Shelf const> shelf; // that judged it
};

// Where `garland plugins install` and the daemon meet.
std::string packagesDir(Config const& config);

// These block on the disk. [any thread, one at a time]
// The first of them with `look_only` changes nothing there.
Result<Installed> findInstalled(Config const& config, TimePoint now, bool look_only = false);
// Takes a package of this name from packagesDir() into the shelf; the name is gone then. The plugin's id.
Result<std::string> installPackage(Config const& config, std::string const& file, TimePoint now);

} // namespace garland::daemon
