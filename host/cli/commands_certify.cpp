// Certification by hand: running the checks on a connector, running one finding again, listing the checks.
// Needs no daemon; the connector runs in the same sandbox as the daemon's.
#include "host/cli/review.h"
#include "host/cli/until_signal.h"

#include "certification/certification.h"
#include "host/base/file_text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <tuple>

namespace garland::cli {
namespace {

namespace fs = std::filesystem;
namespace cert = certification;

constexpr std::size_t kReasonsTold = 12;

fs::path programFolder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

// ../NAME: a build tree; ../lib/garland/NAME: an installed prefix.
std::vector<std::string> foldersBeside(char const* name) {
  std::vector<std::string> out;
  auto const above = programFolder().parent_path();
  for (auto const& dir : {above / name, above / "lib/garland" / name}) {
    std::error_code ignored;
    if (fs::is_directory(dir, ignored)) out.push_back(dir.string());
  }
  return out;
}

// Twins lie where they are installed, or beside the connector's own folder: build/plugins/ID,
// build/twins/ID-twin.
std::vector<std::string> twinDirs(CertifyWords const& words) {
  if (!words.twin_dirs.empty()) return words.twin_dirs;
  std::error_code ignored;
  auto const whole = fs::weakly_canonical(words.path, ignored);
  auto const folder = fs::is_directory(whole, ignored) ? whole : whole.parent_path();
  std::vector<std::string> out;
  for (auto const& dir : {folder.parent_path() / "twins", folder.parent_path().parent_path() / "twins"})
    if (fs::is_directory(dir, ignored)) out.push_back(dir.string());
  for (auto& dir : foldersBeside("twins"))
    if (std::ranges::find(out, dir) == out.end()) out.push_back(std::move(dir));
  return out;
}

Result<cert::Options> optionsFrom(CertifyWords const& words, ReviewWords const& review) {
  cert::Options options;
  options.path = words.path;
  options.twin_dirs = twinDirs(words);
  options.worker = words.worker.empty() ? (programFolder() / "garland-worker").string() : words.worker;
  auto const level = cert::levelNamed(words.level);
  auto const profile = cert::profileNamed(words.profile);
  if (!level) return Error(ErrorKind::invalidInput, "--level must be bronze, silver or gold");
  if (!profile) return Error(ErrorKind::invalidInput, "--profile must be quick, standard or full");
  options.wanted = *level;
  options.profile = *profile;
  options.seed = words.seed;
  options.only = words.only;
  options.jobs = words.jobs;
  options.allow_degraded_sandbox = words.allow_degraded;
  options.previous = review.previous;
  options.time_limit = std::chrono::seconds(review.time_limit);
  if (review.waivers.empty()) return options;
  TRY(text, readFileText(review.waivers));
  auto waivers = cert::readWaivers(text, SystemClock().now());
  if (!waivers) return Error(waivers.error().kind, review.waivers + ": " + waivers.error().message);
  options.waivers = std::move(*waivers);
  return options;
}

Result<void> write(fs::path const& file, std::string const& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return {};
  return Error(ErrorKind::transient, file.string() + " cannot be written");
}

Result<void> writeReports(fs::path const& folder, cert::Certified const& certified) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return Error(ErrorKind::transient, folder.string() + " cannot be made: " + failed.message());
  auto const& report = certified.report;
  TRY_VOID(write(folder / "report.json", json::serialize(cert::toJson(report)) + "\n"));
  TRY_VOID(write(folder / "report.xml", cert::toJUnit(report)));
  TRY_VOID(write(folder / "report.sarif", json::serialize(cert::toSarif(report)) + "\n"));
  TRY_VOID(write(folder / "report.html", cert::toHtml(report)));
  // Apart: no two runs are alike.
  TRY_VOID(write(folder / "times.html", cert::timesHtml(report, certified.times)));
  return write(folder / "times.json", json::serialize(cert::toJson(certified.times)) + "\n");
}

// One line, so that it can be searched for and cut: what and where happened comes first, how to mend it last.
void tell(Output& output, cert::Finding const& finding, std::string const& again) {
  auto const& info = *cert::checkInfo(finding.check);
  auto const head = finding.check + " " + std::string(cert::name(info.severity)) + " " +
                    std::string(cert::name(finding.outcome));
  output.line(output.bad(head) + ": " + finding.what +
              (finding.where.empty() ? "" : " | at: " + finding.where) + " | why: " + info.why +
              " | mend: " + info.mend + " | replay: garland certify replay " + finding.token + again);
}

// What was found in more places than the one that was told.
void tellFolded(Output& output, cert::Verdict const& verdict) {
  for (auto const& each : cert::folded(verdict.findings))
    if (!each.more.empty())
      output.line(output.bad(verdict.check) + ": " + each.first->what +
                  " | at: " + (each.first->where.empty() ? "the one told above" : each.first->where) + " " +
                  cert::morePlaces(each.more.size()));
}

std::string countsOf(cert::Report const& report) {
  std::map<cert::Outcome, int> counts;
  for (auto const& verdict : report.verdicts) ++counts[verdict.outcome];
  std::string line;
  for (auto const& [outcome, count] : counts)
    line += (line.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(cert::name(outcome));
  return line;
}

// One cause, such as a twin that is missing, is told once.
void tellInconclusive(Output& output, cert::Report const& report) {
  std::vector<std::pair<std::string, std::string>> told; // reason, checks
  for (auto const& verdict : report.verdicts) {
    if (verdict.outcome != cert::Outcome::inconclusive) continue;
    auto const same = std::ranges::find(told, verdict.reason, &std::pair<std::string, std::string>::first);
    if (same == told.end())
      told.emplace_back(verdict.reason, verdict.check);
    else
      same->second += ", " + verdict.check;
  }
  for (auto const& [reason, checks] : told) output.line(output.bad(checks + " inconclusive") + "  " + reason);
}

void tellVerdicts(Output& output, cert::Report const& report, bool part) {
  for (auto const& verdict : report.verdicts) {
    tellFolded(output, verdict);
    if (verdict.outcome == cert::Outcome::waived)
      output.line("WAIVED " + verdict.check + "  " + verdict.reason);
  }
  tellInconclusive(output, report);
  for (auto const& each : report.not_covered) output.line("not covered: " + each.claim + "  " + each.what);
  if (part) return; // what was not run is no concern of theirs
  for (auto const& waiver : report.waivers)
    if (auto const why = cert::whyNotWaived(report, waiver.check); !why.empty())
      output.line("waiver not used: " + why);
}

// `part`: only some checks were asked for, so that no level can be spoken of.
void tellEnd(Output& output, cert::Report const& report, bool part) {
  tellVerdicts(output, report, part);
  output.line(report.connector_id + " " + report.connector_version + ": " + countsOf(report) + " of " +
              std::to_string(report.verdicts.size()) + (report.verdicts.size() == 1 ? " check" : " checks") +
              " (suite " + report.suite.version + ", seed " + std::to_string(report.seed) + ")");
  if (!report.ended_early.empty()) output.line(output.bad("not everything was run: " + report.ended_early));
  if (part) return;
  if (!cert::isOfThisSuite(cert::mutantScore()))
    output.line("mutants that the suite's own checks have killed: " + cert::inWords(cert::mutantScore()));
  if (report.certified) {
    output.line(output.good("certified: " + std::string(cert::name(report.reached))));
    return;
  }
  output.line(output.bad("not certified for " + std::string(cert::name(report.wanted))));
  auto const reasons = report.in_the_way.find(report.wanted);
  if (reasons == report.in_the_way.end()) return;
  auto const& all = reasons->second;
  for (std::size_t i = 0; i < std::min(all.size(), kReasonsTold); ++i) output.line("    " + all[i]);
  if (all.size() > kReasonsTold)
    output.line("    and " + std::to_string(all.size() - kReasonsTold) + " more (--report DIR)");
}

// What is told while it runs: each thing that was found once, wherever else it is found.
class Told {
public:
  bool isNew(cert::Finding const& finding) {
    return told_.emplace(finding.check, finding.outcome, finding.what).second;
  }

private:
  std::set<std::tuple<std::string, cert::Outcome, std::string>> told_;
};

bool isClean(cert::Report const& report) {
  return std::ranges::none_of(report.verdicts,
                              [](auto const& verdict) { return cert::blocks(verdict.outcome); });
}

} // namespace

std::string replayOptions(CertifyWords const& words, ReviewWords const& review) {
  auto out = " --path " + shellQuoted(words.path);
  if (!review.previous.empty()) out += " --previous " + shellQuoted(review.previous);
  for (auto const& folder : words.twin_dirs) out += " --twins " + shellQuoted(folder);
  if (!words.worker.empty()) out += " --worker " + shellQuoted(words.worker);
  return out + (words.allow_degraded ? " --allow-degraded-sandbox" : "");
}

Exit certify(Output& output, CertifyWords const& words) { return certify(output, words, ReviewWords()); }

Exit certify(Output& output, CertifyWords const& words, ReviewWords const& review) {
  auto options = optionsFrom(words, review);
  if (!options) return output.error(options.error());
  options->only_case = words.only_case;
  bool const part = !words.only.empty();
  Told told;
  if (!output.json()) {
    options->on_progress = [&](std::size_t done, std::size_t total, std::string const& what) {
      output.progress(done, total, what);
    };
    options->on_finding = [&](cert::Finding const& finding) {
      if (!told.isNew(finding)) return;
      output.progressDone();
      tell(output, finding, replayOptions(words, review));
    };
  }
  UntilSignal const until;
  options->interrupted = [] { return UntilSignal::came(); };
  auto const certified = cert::certify(std::move(*options));
  if (!certified) {
    output.error(certified.error()); // nothing was run, so nothing was found
    return certified.error().kind == ErrorKind::unsupported ? Exit::environment : Exit::usage;
  }
  if (!words.report.empty())
    if (auto const written = writeReports(words.report, *certified); !written) {
      output.error(written.error());
      return Exit::environment;
    }
  if (output.json()) {
    output.value(cert::toJson(certified->report));
  } else {
    output.progressDone();
    tellEnd(output, certified->report, part);
  }
  bool const good = part ? isClean(certified->report) : certified->report.certified;
  return good ? Exit::ok : Exit::findings;
}

Exit replayFinding(Output& output, CertifyWords words, ReviewWords const& review, std::string const& token) {
  auto const replay = cert::readToken(token);
  if (!replay) return output.error(replay.error());
  if (cert::suite().digest.compare(0, replay->suite.size(), replay->suite) != 0)
    return output.error(Error(ErrorKind::invalidInput, "the token is of another suite than this one (" +
                                                           cert::suite().version + ", " +
                                                           cert::suite().digest.substr(0, 16) +
                                                           "); run the whole certification again"));
  std::vector<std::string> paths;
  if (!words.path.empty()) paths.push_back(words.path);
  for (auto const& folder : foldersBeside("plugins"))
    for (auto const& entry : fs::directory_iterator(folder)) paths.push_back(entry.path().string());
  for (auto const& path : paths) {
    auto const digest = cert::digestOf(path);
    if (!digest || digest->compare(0, replay->digest.size(), replay->digest) != 0) continue;
    words.path = path;
    words.seed = replay->seed;
    words.only = {replay->check};
    words.only_case = replay->case_name;
    words.profile = cert::name(replay->profile);
    return certify(output, words, review);
  }
  return output.error(Error(ErrorKind::notFound, "no connector here has the digest " + replay->digest +
                                                     "...; name the one that was certified with --path"));
}

Exit listChecks(Output& output, bool markdown) {
  if (markdown) {
    std::cout << cert::catalogueMarkdown();
    return Exit::ok;
  }
  json::array rows;
  for (auto const& info : cert::catalogue())
    rows.push_back(json::object{{"id", info.id},
                                {"level", cert::name(info.level)},
                                {"severity", cert::name(info.severity)},
                                {"in_suite", info.in_suite},
                                {"title", info.title},
                                {"passes", info.passes},
                                {"why", info.why},
                                {"mend", info.mend},
                                {"not_looked_at", info.not_looked_at}});
  output.table(rows,
               {{"ID", "/id"},
                {"LEVEL", "/level"},
                {"SEVERITY", "/severity"},
                {"IN SUITE", "/in_suite"},
                {"WHAT", "/title"}},
               "there are no checks");
  return Exit::ok;
}

} // namespace garland::cli
