// The certification harness: a connector is run against the twin of its provider, in the production worker
// and sandbox, and every check of the catalogue says what it found. No plugin code is ever mapped into this
// process.
//
// Here is what the command line needs: the catalogue, one run of it, and the report in its forms.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::certification {

// ---------------------------------------------------------------- catalogue

enum class Severity { blocker, major, minor };
enum class Level { none, bronze, silver, gold };
// quick: the developer's loop. standard: each upload. full: before a level is given for long.
enum class Profile { quick, standard, full };

std::string_view name(Severity severity);
std::string_view name(Level level);
std::string_view name(Profile profile);
std::optional<Level> levelNamed(std::string_view name); // "none" is no level to ask for
std::optional<Profile> profileNamed(std::string_view name);

struct CheckInfo {
  std::string id;   // "CRM-01"
  std::string area; // "CRM"
  Severity severity = Severity::blocker;
  Level level = Level::bronze; // the lowest that asks for it
  std::string title;           // what it does
  std::string passes;          // when it is passed
  std::string why;             // it matters
  std::string mend;            // how to mend what it finds
  bool in_suite = false;       // else "not in this suite version"
  std::string not_looked_at;   // what of it is not in this suite version all the same, and why; ""
};

// In the order of the catalogue; valid for ever.
std::vector<CheckInfo> const& catalogue();
CheckInfo const* checkInfo(std::string_view id);

struct Suite {
  std::string version;
  std::string digest; // of everything that a verdict depends on here: catalogue, checks, harness
};
Suite const& suite();

// How many of the suite's mutants the checks that are meant for them have killed, as `certification/self-test
// --publish` has written it down.
struct MutantScore {
  Suite suite; // that it is of; both "": none was published
  std::int64_t killed = 0;
  std::int64_t of = 0;
};
MutantScore const& mutantScore();
// Another digest is another suite, whatever its version: then the score says nothing of this one.
bool isOfThisSuite(MutantScore const& score);
std::string inWords(MutantScore const& score);

// The page of sdk-docs that lists every check, Markdown.
std::string catalogueMarkdown();

// ---------------------------------------------------------------- findings and reports

enum class Outcome { pass, fail, crash, hang, violation, leak, warn, skip, waived, inconclusive };
std::string_view name(Outcome outcome);
bool blocks(Outcome outcome); // a level that asks for the check

struct Report;
struct Finding {
  std::string check;
  Outcome outcome = Outcome::fail;
  std::string what;  // one sentence: what happened
  std::string where; // file:line, member, or the step of the check
  std::string token; // `garland certify replay` takes it

  bool operator==(Finding const&) const = default;
};

struct Verdict {
  std::string check;
  Outcome outcome = Outcome::pass;
  std::string reason; // of skip, waived and inconclusive: one sentence
  std::size_t cases = 0;
  std::size_t inconclusive_cases = 0; // of them
  std::uint64_t assertions = 0;
  std::uint64_t calls = 0;    // of the connector's operations
  std::uint64_t requests = 0; // to the provider, of those calls
  Milliseconds took{0};       // what those calls took on the virtual clock
  std::vector<Finding> findings;
};

// What the manifest claims and the run has not shown. It bars Silver and Gold, and Bronze where it moves
// money.
struct NotCovered {
  std::string claim;          // "crm.delete/1 of crm.event"
  std::string what;           // one sentence: why nothing was seen of it
  Level bars = Level::silver; // the lowest level that it stands in the way of
  bool operator==(NotCovered const&) const = default;
};

// A finding that a reviewer accepts for a while, in writing.
struct Waiver {
  std::string check; // id
  std::string reason;
  std::string approver;
  std::string connector; // id; "": of any
  TimePoint made{};
  TimePoint expires{}; // at most kLongestWaiver after it was made
};
inline constexpr std::chrono::hours kLongestWaiver{90 * 24};
// One sentence if it cannot count now: unknown check, no reason or approver, too long, expired.
Result<void> checkWaiver(Waiver const& waiver, TimePoint now);
// One sentence if there is nothing in this report that a waiver of the check could accept; "" if there is.
std::string whyNotWaived(Report const& report, std::string_view check);
// Every one of them counts, or none does.
Result<std::vector<Waiver>> readWaivers(std::string_view text, TimePoint now);
json::value toJson(std::vector<Waiver> const& waivers); // what readWaivers takes

// What differs between two versions of a connector: one line each.
struct Difference {
  enum class Kind { added, removed, changed };
  Kind kind = Kind::changed;
  std::string area; // "host", "scope", "symbol", "library", "system call", "operation", "field", "budget"
  std::string what; // the host, the symbol, the member
  std::string before, after;
  bool asks_for_more =
      false; // of the machine, or of vendors, who lose an operation: a reviewer has to decide
};
std::string_view name(Difference::Kind kind); // "added"
std::string inWords(Difference const& difference);
struct Comparison {
  std::string connector_id;
  std::string old_version, new_version;
  std::string old_digest, new_digest; // of the shared objects
  std::vector<Difference> differences;
};
// Of two packages, folders or shared objects. Nothing is run.
Result<Comparison> compareVersions(std::string const& old_path, std::string const& new_path);
json::value toJson(Comparison const& comparison);

struct Report {
  Suite suite;
  std::uint64_t seed = 0;
  Profile profile = Profile::standard;
  std::string sandbox; // tier of the machine's, "A" to "D"; D is none at all
  std::string worker;  // SHA-256 of the garland-worker that connectors ran in
  Level wanted = Level::bronze;
  std::string connector_id;
  std::string connector_version;
  std::string digest;              // SHA-256 of the shared object
  std::string package;             // digest of the package that it came in; "" if it came in none
  std::string twin_digest;         // "" without a twin
  std::string brief_digest;        // of certification.json; "" without one
  std::vector<Waiver> waivers;     // that were given for this connector, needed or not
  std::optional<Comparison> since; // the last version, if it was named
  std::vector<Verdict> verdicts;   // of the checks that were asked for, in the catalogue's order
  // Where only some checks were run: claims that the brief gives nothing for.
  std::vector<NotCovered> not_covered;
  std::string ended_early;     // why, if not every case was run; then no level is reached
  Level reached = Level::none; // none as well while only some checks were asked for
  // By level: the checks that stand in its way, and why.
  std::map<Level, std::vector<std::string>> in_the_way;
  bool certified = false; // `wanted` is reached
};

// What runs the case of a finding again. No place of this machine is in it, so that equal runs have equal
// bytes: words in capitals are to be filled in, and replayWords() says with what.
std::string replayCommand(Report const& report, Finding const& finding);
std::string replayWords(Report const& report);
// Findings of one check that say the same: the first, and where it was found again. JSON and SARIF have all.
struct Folded {
  Finding const* first = nullptr;
  std::vector<Finding const*> more;
};
std::vector<Folded> folded(std::vector<Finding> const& findings); // these have to outlive it
std::string morePlaces(std::size_t count);                        // "and 14 more places"
json::value toJson(Report const& report); // no times in it: equal digests and seeds give equal bytes
std::string toJUnit(Report const& report);
json::value toSarif(Report const& report);
std::string toHtml(Report const& report); // one page, nothing to load
// What toJson() made, for those who go on from it. Levels are judged anew; findings are only counted.
// invalidInput: it is none, or of another suite than this; the sentence, which goes on from the report's
// name, says what to do.
Result<Report> readReport(std::string_view text);
std::size_t findingsIn(Report const& report);

// ---------------------------------------------------------------- runs

struct Options {
  std::string path; // folder with connector.so and connector.json, the shared object, or a package
  std::vector<std::string> twin_dirs; // folders with twins
  std::string worker;                 // garland-worker
  Level wanted = Level::bronze;
  Profile profile = Profile::standard;
  std::uint64_t seed = 1;
  std::vector<std::string> only; // ids or areas; empty: every check that the profile runs
  std::string only_case;         // one case of the one check in `only`
  unsigned jobs = 0;             // cases at a time; 0: as many as there are processors
  bool allow_degraded_sandbox = false;
  std::vector<Waiver> waivers;        // readWaivers
  std::string previous;               // the last version, to compare with, as `path`; ""
  std::chrono::seconds time_limit{0}; // of the whole run, on the machine's clock; 0: none
  // Asked often while it runs, from any thread; once true, the run ends, and the report says what was not
  // run.
  std::function<bool()> interrupted;
  // Told while it runs, from whichever thread ran the case, one at a time.
  std::function<void(std::size_t done, std::size_t total, std::string const& what)> on_progress;
  std::function<void(Finding const&)> on_finding;
};

struct CaseTime {
  std::string check;
  std::string name;
  double milliseconds = 0;
  std::vector<std::pair<std::string, double>> figures; // what the check measured
  std::uint64_t peak_kib = 0;                          // of the connector's worker; 0: not known
  std::string hung_once; // what hung, and did not when the case was run again; "": nothing
};
json::value toJson(std::vector<CaseTime> const& times);
// A page of its own, because no two runs are alike: where time and memory went, as drawings.
std::string timesHtml(Report const& report, std::vector<CaseTime> const& times);

struct Certified {
  Report report;
  std::vector<CaseTime> times; // the machine's, so not in the report
};

// invalidInput: the path or an id cannot be used. unsupported: this machine cannot run it (no sandbox, no
// worker).
Result<Certified> certify(Options options);

// What a token says: the case to run again.
struct Replay {
  std::string check;
  std::string case_name;
  std::uint64_t seed = 0;
  std::string digest;              // first 16 digits
  std::string suite;               // the same
  Profile profile = Profile::full; // how much of the same a case does depends on it
};
Result<Replay> readToken(std::string_view token);

// ---------------------------------------------------------------- one operation by hand

struct RehearsalOptions {
  std::string path; // as of `certify`
  std::vector<std::string> twin_dirs;
  std::string worker;
  std::uint64_t seed = 1;
  std::int64_t volume = -1; // below 0: what certification.json says
  // "http://127.0.0.1:8123": a twin that is served there, instead of one of its own. What stands there stays.
  std::string served_at;
  bool allow_degraded_sandbox = false;
};

struct RehearsedRequest {
  std::string method;
  std::string url;
  std::string body;
  int status = 0;      // 0: no answer
  std::string problem; // why there is none
  std::string answer;
};

// What an operation did. Nothing of it is kept anywhere.
struct Rehearsed {
  std::string operation;
  json::value input; // as it was called with it: with the id of what was made for it
  Result<json::value> result{json::value()};
  std::vector<RehearsedRequest> requests;
  std::vector<std::pair<std::string, json::value>> records; // kind, as emitted
  std::vector<json::value> cursors;
  std::vector<std::string> logs;
  Milliseconds took{0}; // on the virtual clock
};

// A connector with its twin, in a world like that of a check; its instance and its state last as long as
// this. [one thread]
class Rehearsal {
public:
  static Result<Rehearsal> open(RehearsalOptions const& options);
  ~Rehearsal();
  Rehearsal(Rehearsal&&) noexcept;

  std::string const& id() const;
  std::vector<std::string> const& operations() const;
  std::string twinFile() const; // its shared object
  // "crm.pull" is "crm.pull/1"; invalidInput with those that there are.
  Result<std::string> operation(std::string const& name) const;
  // What certification.json lets it be called with: a pull of each entity, the record to write, to take
  // away or to read, the input of an action. At least one; what stands in it as "{id}", run() makes before.
  std::vector<json::value> inputs(std::string const& operation) const;
  Rehearsed run(std::string operation, json::value input);

private:
  struct Parts;
  explicit Rehearsal(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// SHA-256 of the shared object at a path that `certify` takes.
Result<std::string> digestOf(std::string const& path);

} // namespace garland::certification
