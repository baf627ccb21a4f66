// A run of the harness for tests: the connectors, twins and worker of this build.
#pragma once

#include "certification/certification.h"
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::certification {

inline Options optionsFor(char const* id, std::vector<std::string> only) {
  Options options;
  options.path = inBuild("/plugins/") + id;
  options.twin_dirs = {inBuild("/twins")};
  options.worker = inBuild("/bin/garland-worker");
  options.allow_degraded_sandbox = true; // whatever the machine of the tests offers
  options.seed = 7;
  options.only = std::move(only);
  return options;
}

inline Outcome outcomeOf(Report const& report, std::string_view check) {
  for (auto const& verdict : report.verdicts)
    if (verdict.check == check) return verdict.outcome;
  ADD_FAILURE() << check << " was not run";
  return Outcome::inconclusive;
}

} // namespace garland::certification
