// How a check is written: a row in a table of its area (checks/*.cpp), and a function that is given a Trial.
// README.md says it step by step.
#pragma once

#include "certification/bench.h"
#include "certification/certification.h"
#include "certification/coverage.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace garland::certification {

struct Check;
struct CaseResult; // run_case.h
struct Past;       // run_case.h

// One case of one check while it runs. [one thread]
class Trial {
public:
  struct Setting {
    Subject const& subject;
    Machine const& machine;
    std::string_view check;
    std::string case_name;
    std::uint64_t seed = 1;
    Profile profile = Profile::standard;
    Past const* past = nullptr; // what ran before; for checks that run `after`
  };
  explicit Trial(Setting setting) : setting_(std::move(setting)) {}

  Subject const& subject() const { return setting_.subject; }
  std::string const& caseName() const { return setting_.case_name; }
  std::uint64_t seed() const { return setting_.seed; }
  Profile profile() const { return setting_.profile; }
  Machine const& machine() const { return setting_.machine; }

  // Counts, and finds if it does not hold. `what`: one sentence on what happened instead; `where`: the step.
  bool expect(bool holds, std::string const& what, std::string const& where = "",
              Outcome otherwise = Outcome::fail);
  void find(Outcome outcome, std::string const& what, std::string const& where = "");

  // The case's world; started when it is first asked for. A new one forgets everything of the one before.
  Bench& bench();
  Bench& newBench(World world);

  // What is asked for with its steps taken, and their id in its input. Run() does it by itself; in one world
  // they are taken once.
  Ask prepared(Ask ask);
  // One operation. A worker that dies or hangs is a finding by itself, unless `death_is_right`.
  Journal run(Ask ask, bool death_is_right = false);
  Journal run(std::string operation, json::value input);
  // The same, where nothing but success will do.
  Journal mustRun(Ask ask, std::string_view step);

  // For the harness's look at itself: what ran before (null: nothing), and one of its cases once more.
  Past const* past() const { return setting_.past; }
  CaseResult runOther(Check const& check, std::string case_name);
  // Of the machine and its clock: told beside the report, never in it.
  void figure(std::string name, double value) { figures_.emplace_back(std::move(name), value); }

  // The harness, the twin or its brief is at fault; nothing that the case found counts.
  void giveUp(std::string const& why);

  // Nothing more that it could find would be told; whoever goes on and on may stop.
  bool isFull() const;
  // What became of it.
  std::vector<Finding> const& findings() const { return findings_; }
  std::uint64_t assertions() const { return assertions_; }
  std::uint64_t calls() const { return calls_; }
  std::uint64_t requests() const { return requests_; } // of those calls
  Milliseconds took() const { return took_; }          // ... on the virtual clock
  Claims const& shown() const { return shown_; }
  std::vector<std::pair<std::string, double>> const& figures() const { return figures_; }
  std::string trouble() const;
  std::uint64_t peakKib() const { return peak_kib_; } // of the connector's worker, once closed
  void close();                                       // the bench; a worker that is left is trouble

private:
  Setting setting_;
  std::unique_ptr<Bench> bench_;
  std::vector<Finding> findings_;
  std::vector<std::pair<std::string, double>> figures_;
  std::uint64_t assertions_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t requests_ = 0;
  Milliseconds took_{0};
  Claims shown_;
  std::map<std::string, std::string> made_; // ids, by account and steps
  std::uint64_t peak_kib_ = 0;
  std::string trouble_;
};

struct Check {
  std::string_view id;
  void (*run)(Trial&) = nullptr;
  // Why it does not apply, from the manifest alone; "" if it does. Null: it applies to everything.
  std::string (*skip)(Subject const&) = nullptr;
  // Names of [A-Za-z0-9._/-]; each case runs by itself, with workers of its own. Null: one case, "all".
  std::vector<std::string> (*cases)(Subject const&, Profile) = nullptr;
  bool needs_twin = true; // false: looks at files only, or needs no answers of the provider
  bool calls_plugin = true;
  Profile from = Profile::quick; // the shortest profile that runs it
  // It runs when the others have ended, and has these cases instead.
  std::vector<std::string> (*after)(Past const&, Profile, std::uint64_t seed) = nullptr;
  // What of certification.json it is made of, as "/entities/<entity>/record"; told where there is nothing.
  std::string_view brief = {};
};

// "; fill in certification.json: ..."; "" for a check that needs nothing of it.
std::string whatToFillIn(Check const& check);

// Every check of this suite, by area.
std::vector<Check> const& checks();

std::span<Check const> packageChecks();
std::span<Check const> abiChecks();
std::span<Check const> lifecycleChecks();
std::span<Check const> capabilityChecks();
std::span<Check const> recordChecks();
std::span<Check const> crmChecks();
std::span<Check const> crmRemoteChecks();
std::span<Check const> calendarChecks();
std::span<Check const> messagingChecks();
std::span<Check const> healthChecks();
std::span<Check const> noticeChecks();
std::span<Check const> listingChecks();
std::span<Check const> paymentChecks();
std::span<Check const> webhookChecks();
std::span<Check const> faultChecks();
std::span<Check const> securityChecks();
std::span<Check const> docsChecks();
std::span<Check const> harnessChecks();
std::span<Check const> hostFormChecks();
std::span<Check const> lifeChecks();
std::span<Check const> suspensionChecks();
std::span<Check const> resourceChecks();
std::span<Check const> releaseChecks();
std::span<Check const> paymentActChecks();
std::span<Check const> paymentBookChecks();
std::span<Check const> outageChecks();
std::span<Check const> isolationChecks();
std::span<Check const> injectionChecks();
std::span<Check const> paperChecks();
std::span<Check const> reviewChecks();
std::span<Check const> materialChecks();

} // namespace garland::certification
