// Copies of the builds that run, on disk: <dir>/<digest>/{connector.json,connector.so}, and pages of notes
// about them. What is installed may be overwritten at any time; these are what workers are started from.
// Which build is worth keeping is decided elsewhere (releases.h).
#pragma once

#include "host/runtime/runtime.h"

#include <set>
#include <string>

namespace garland::runtime {

// Blocks on the disk, and on its being written to: whenever the process or the power ends, a build is here
// whole or not at all, and a page is the old or the new one. One owner at a time per folder.
class KeptBuilds {
public:
  // `dir` "": nothing is kept and nothing is found.
  explicit KeptBuilds(std::string dir) : dir_(std::move(dir)) {}

  // The plugin with its path in here. invalidInput if the file is not the one that was catalogued.
  Result<PluginInfo> keep(PluginInfo plugin) const;
  // notFound, or invalidInput if a file is not what was kept.
  Result<PluginInfo> load(std::string const& digest) const;
  // Removes every other build, and what a crash left half written.
  void prune(std::set<std::string> const& digests) const;

  // Pages beside the builds. Null if there is none that can be read.
  static constexpr char const* kNotes = "builds.json";
  static constexpr char const* kHistory = "history.json";
  json::value page(char const* name) const;
  Result<void> write(char const* name, json::value const& page) const;

private:
  std::string dir_;
};

} // namespace garland::runtime
