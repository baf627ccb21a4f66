#include "certification/run_case.h"

#include "host/base/file_text.h"

#include <algorithm>
#include <chrono>

namespace garland::certification {

bool isClean(CaseResult const& result) { return result.findings.empty(); }

bool isSame(CaseResult const& one, CaseResult const& other) {
  return one.findings == other.findings && one.assertions == other.assertions && one.calls == other.calls &&
         one.trouble == other.trouble;
}

std::string unexpected(std::exception const& bug) {
  return "the harness met what it did not expect, such as in certification.json, and gave the case up: " +
         std::string(bug.what());
}

namespace {

CaseResult runOnce(Check const& check, Trial::Setting const& setting) {
  CaseResult out;
  Trial trial(setting);
  try {
    check.run(trial);
  } catch (std::exception const& bug) { // one bad case ends neither the others nor this process
    trial.giveUp(unexpected(bug));
  }
  auto const maps = readFileText("/proc/self/maps"); // while its workers are there
  out.mapped = !maps || mapsPlugin(*maps, setting.subject);
  trial.close();
  out.findings = trial.findings();
  out.assertions = trial.assertions();
  out.calls = trial.calls();
  out.requests = trial.requests();
  out.took = trial.took();
  out.shown = trial.shown();
  out.figures = trial.figures();
  out.trouble = trial.trouble();
  out.peak_kib = trial.peakKib();
  out.empty = out.trouble.empty() &&
              ((out.findings.empty() && out.assertions == 0) || (check.calls_plugin && out.calls == 0));
  if (out.empty)
    out.trouble = std::string(out.assertions == 0 ? "the case compared nothing"
                                                  : "the case called no operation of the connector") +
                  whatToFillIn(check);
  return out;
}

bool hung(Finding const& finding) { return finding.outcome == Outcome::hang; }

// What the machine's clock alone has said; a busy machine says it of anybody.
bool isDoubtful(CaseResult const& result) {
  return (!result.trouble.empty() && !result.empty) || std::ranges::any_of(result.findings, hung);
}

// The second run counts. What the first had found before it hung stays; what it found afterwards may have
// come of that. That it hung once is told beside the report, since a busy machine lets anybody hang.
CaseResult withTheFirst(CaseResult const& first, CaseResult second) {
  auto const end = std::ranges::find_if(first.findings, hung);
  if (!first.trouble.empty() || end == first.findings.end()) return second;
  std::vector<Finding> kept(first.findings.begin(), end);
  if (std::ranges::none_of(second.findings, hung))
    second.hung_once = end->what + (end->where.empty() ? "" : " (" + end->where + ")");
  for (auto& finding : second.findings)
    if (std::ranges::find(kept, finding) == kept.end()) kept.push_back(std::move(finding));
  second.findings = std::move(kept);
  return second;
}

} // namespace

std::string whatToFillIn(Check const& check) {
  return check.brief.empty() ? "" : "; fill in certification.json: " + std::string(check.brief);
}

CaseResult runCase(Check const& check, Trial::Setting const& setting) {
  auto const began = std::chrono::steady_clock::now();
  auto out = runOnce(check, setting);
  auto const* ending = setting.machine.ending;
  if (isDoubtful(out) && (ending == nullptr || !ending->isDue()))
    out = withTheFirst(out, runOnce(check, setting));
  out.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  return out;
}

Subject manifestOnly(Subject const& subject) {
  Subject out;
  out.manifest_text = subject.manifest_text;
  out.plugin.manifest = subject.plugin.manifest;
  out.manifest_problem = subject.manifest_problem;
  out.previous = subject.previous;
  return out;
}

// "7f0c…-7f0d… r-xp 00000000 00:01 1037  /memfd:garland-plugin (deleted)". Bytes that are only read, such as
// for their digest, are no code.
bool mapsPlugin(std::string_view maps, Subject const& subject) {
  for (std::size_t at = 0; at < maps.size();) {
    auto const end = std::min(maps.find('\n', at), maps.size());
    auto const line = maps.substr(at, end - at);
    at = end + 1;
    auto const rights = line.find(' ');
    if (rights == std::string_view::npos || line.substr(rights, 5).find('x') == std::string_view::npos)
      continue;
    auto const has = [&](std::string_view name) {
      return !name.empty() && line.find(name) != std::string_view::npos;
    };
    if (has("/memfd:garland-plugin") || has(subject.plugin.path) || has(subject.twin.path) ||
        has("/connector.so"))
      return true;
  }
  return false;
}

} // namespace garland::certification
