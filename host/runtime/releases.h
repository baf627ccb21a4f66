// Which build of each plugin takes new calls: the newest that was installed, or, once that is quarantined,
// the last good one. Remembers across restarts what ran, so that a downgrade is noticed.
// Knows no processes: slots, drains and states are slot_table's and handover's.
#pragma once

#include "host/runtime/kept_builds.h"
#include "host/runtime/operation_doubt.h"
#include "host/runtime/runtime.h"

#include <boost/asio/thread_pool.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace garland::runtime {

using Build = std::shared_ptr<PluginInfo const>;

// A build that is installed and not run.
struct Quarantine {
  std::string plugin_id;
  std::string version;
  std::string digest;
  std::string why;  // "3 trial calls in a row ended its worker"
  std::string runs; // version that takes its calls instead; "" if none does
};

// [loop thread] What is to be on disk gets there on a thread of its own.
class Releases {
public:
  struct Options {
    bool development = false;
    std::function<Result<void>(Provenance const&)> admits = nullptr; // as in SupervisorOptions
  };
  Releases(KeptBuilds kept, Log const& log, Options options);
  ~Releases(); // waits for the disk
  Releases(Releases const&) = delete;
  Releases& operator=(Releases const&) = delete;

  // The build that takes a call for this plugin. A plugin that nobody has told of yet is taken as installed.
  Build current(PluginInfo const& plugin);
  // Null once it is not installed any more, or was never told of.
  Build find(std::string_view plugin_id) const;
  // What becomes of an installed plugin; changes nothing.
  Adoption verdict(PluginInfo const& plugin, bool allow_downgrade) const;
  // The plugin as a build that can be started whatever becomes of the installed files.
  Build prepare(PluginInfo const& plugin) const; // blocks on the disk [any thread]
  Task<Build> prepareAside(PluginInfo plugin);
  // What was decided until now is on disk, or the log says why not.
  Task<void> written();
  // From now on it takes the calls of its plugin.
  void install(Build const& build);
  // Those that run although the catalogue does not know them.
  std::vector<Build> missingIn(Catalogue const& catalogue) const;
  void remove(std::string const& plugin_id);

  // Where a build that ran or runs comes from, as it was told last.
  Provenance provenanceOf(PluginInfo const& build) const;
  // The catalogue's word on builds that are here already: the same bytes may be certified by now.
  void retell(Catalogue const& catalogue);
  // Whether it may run (on), judged now.
  Result<void> admitted(PluginInfo const& build) const;
  struct Withdrawn {
    Build build;
    std::string why;
  };
  // Builds that may not run any more, forgotten in here from now on; of each plugin the one that took its
  // calls.
  std::vector<Withdrawn> withdraw();

  // A call of this build was answered: from now on it may be fallen back to.
  void provedGood(Build const& build, std::string const& operation);
  // A call of this build ended a worker of its own. Why the build is to give way to the last good one;
  // nothing if there is none, or if the call may be at fault.
  std::optional<std::string> condemns(Build const& build, std::string const& operation,
                                      std::string const& account_id);
  // This build cannot be loaded. The one that takes its calls from now on; null if there is no good one, then
  // this one stays and says why it does not run.
  Build fallBack(Build const& bad, std::string why);
  // This build ended its workers again and again. The same, and it is not run before release().
  Build quarantine(Build const& bad, std::string why);
  // Why it is not run; null if it may be.
  std::string const* quarantined(PluginInfo const& build) const;
  // Whether anything was ever told of it.
  bool knows(std::string_view plugin_id) const { return lines_.contains(plugin_id); }
  // Of the builds that were installed last.
  std::vector<Quarantine> quarantines() const;
  // False if no build of the plugin is in quarantine.
  bool release(std::string const& plugin_id);

private:
  struct Line {
    Build current;                          // null: none is left, or it is not installed any more
    bool good = false;                      // current has answered a call
    OperationDoubt doubt;                   // of current
    Build last_good;                        // an older one that has
    std::map<std::string, std::string> bad; // digest of a quarantined build -> why
    std::string highest;                    // version that was installed last, also after a fall-back
    std::string highest_digest;
  };

  std::optional<std::string> objectionTo(PluginInfo const& plugin, Line const& line,
                                         bool allow_downgrade) const;
  Line lineFrom(std::string_view plugin_id, json::value const& note) const;
  void restore();
  void save();

  KeptBuilds kept_;
  Log const& log_;
  Options options_;
  std::map<std::string, Line, std::less<>> lines_; // by plugin id
  std::map<std::string, Provenance> origins_;      // by digest of the build
  asio::thread_pool disk_{1};                      // one thread, so that what was decided last is what stays
};

} // namespace garland::runtime
