// One case, run by the rules that hold for all of them, and what is kept of it for the harness's look at
// itself.
#pragma once

#include "certification/check.h"

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace garland::certification {

// What became of one case.
struct CaseResult {
  std::vector<Finding> findings;
  std::uint64_t assertions = 0;
  std::uint64_t calls = 0;
  std::uint64_t requests = 0; // of those calls
  Milliseconds took{0};       // ... on the virtual clock
  Claims shown;               // of what the manifest claims
  std::string trouble;        // why nothing of it counts; "" if it does
  bool empty = false;         // it compared nothing, or called nothing; that is trouble, too
  bool left_out = false;      // the run ended before it
  bool mapped = false;        // the connector's or its twin's code was in this process
  double milliseconds = 0;    // of the machine's clock
  std::vector<std::pair<std::string, double>> figures;
  std::uint64_t peak_kib = 0; // of the connector's worker
  std::string hung_once;      // what hung, and did not when the case was run again; "": nothing
};
// Nothing was found at the connector.
bool isClean(CaseResult const& result);
// The same verdict, reached by the same steps.
bool isSame(CaseResult const& one, CaseResult const& other);

// What is told of an exception that none of the harness's own code expects.
std::string unexpected(std::exception const& bug);

// Run a second time, which counts, where only the machine's clock or the harness's own trouble has spoken.
CaseResult runCase(Check const& check, Trial::Setting const& setting);

// Of the checks that ran before, in the catalogue's order.
struct Past {
  struct Case {
    Check const* check = nullptr;
    std::string name;
    CaseResult const* result = nullptr; // null: it did not run
  };
  std::vector<Case> cases;
  std::vector<Verdict> verdicts;
};

// The subject as a check's `skip` sees it: its manifest, that of the last version, and nothing else that it
// could make excuses of.
Subject manifestOnly(Subject const& subject);

// Whether a line of /proc/PID/maps is of the connector or its twin.
bool mapsPlugin(std::string_view maps, Subject const& subject);

} // namespace garland::certification
