// `garlandd --check`: what would keep the daemon from working, found without starting it.
#pragma once

#include "host/base/json.h"
#include "host/daemon/config.h"
#include "host/mail/mail.h"

#include <string>
#include <vector>

namespace garland::daemon {

struct Finding {
  std::string check; // "data folder"
  bool ok = true;
  std::string message; // what was found
  std::string fix;     // what to do; empty if there is nothing
  bool weak = false;   // ok, and to be mended all the same: it makes a break-in likelier or worse
};

// Every check, also after one has failed. Changes nothing on disk but may make the data folder.
// A daemon that runs on the folder already is no finding: port and database are then its own.
std::vector<Finding> runChecks(LoadedConfig const& loaded);
json::value toJson(std::vector<Finding> const& findings);

// Where plugins are looked for, and the worker program, after defaults.
std::vector<std::string> pluginDirs(Config const& config);
std::string workerPath(Config const& config);
// Of [mail]; its address is empty if no mail is taken.
mail::ListenOptions mailOptions(Config const& config);

} // namespace garland::daemon
