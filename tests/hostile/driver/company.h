// Everybody on the stage while a hostile plugin runs: two bystanders with a steady stream of calls, and
// whoever watches the host's own size. Shared by the acts and by a stranger's plugin.
#pragma once

#include "tests/hostile/driver/bystander.h"
#include "tests/hostile/driver/trial.h"

namespace garland::hostile {

inline constexpr char const* kAttacker = "vendor_attacker";
inline constexpr char const* kOther = "vendor_other";

// Installed plugins of the test's folder. Throws if there is none of that id.
runtime::PluginInfo installed(std::string_view id);
// The same from a folder of plugins.
runtime::PluginInfo installedIn(std::string const& folder, std::string_view id);
runtime::SupervisorOptions optionsFor(Tier const& tier);

class Company {
public:
  // `suspect` is the plugin whose other vendor looks on, if vendors are kept apart and it can be called
  // without doing harm.
  Company(Stage& stage, Scene& scene);

  Task<void> gather(std::optional<runtime::PluginInfo> suspect);
  // Until everybody has had some calls more.
  Task<void> moreCalls();
  Task<void> leave();
  pid_t neighbour() const;             // the worker of a bystander
  void report(Verdict& verdict) const; // and judge: sets the outcome if a bystander was hurt
  std::string trouble() const;         // empty: nobody was hurt

private:
  Stage& stage_;
  Scene& scene_;
  Bystander plugin_;
  std::optional<Bystander> vendor_;
  bool apart_ = false;
  std::int64_t size_before_ = 0;
};

} // namespace garland::hostile
