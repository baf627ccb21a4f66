// The command line of garland-dev-host, as `garland dev` writes it: words first, then --name=value.
#pragma once

#include "host/base/result.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace garland::runtime::dev {

enum class Mode { worker, audit, inProcess };

struct Options {
  bool replay = false;
  std::string plugin;    // path of the shared object
  std::string operation; // of a run
  std::string capsule;   // of a replay
  std::string input;     // file, "-" for standard input; empty: {}
  std::string account;   // file; empty: no settings
  std::string answers;   // file with host_calls; empty: none
  std::string worker;    // garland-worker; empty: the one beside this program
  Mode mode = Mode::worker;
  std::chrono::seconds limit{60}; // of a run in a worker
  bool wait_for_debugger = false;
  bool allow_degraded = false;
  bool json = false;
};

// invalidInput: what is wrong with the words.
Result<Options> readOptions(std::vector<std::string> const& words);

} // namespace garland::runtime::dev
