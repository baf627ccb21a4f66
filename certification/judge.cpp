#include "certification/judge.h"

#include <algorithm>
#include <array>

namespace garland::certification {
namespace {

bool isAskedFor(CheckInfo const& info, Level level) {
  // Money: every blocker of it at any level.
  if (info.area == "PAY" && info.severity == Severity::blocker) return true;
  if (info.level > level) return false;
  if (level == Level::bronze) return info.severity == Severity::blocker;
  return level == Level::gold || info.severity != Severity::minor;
}

bool wasRun(Report const& report, std::string const& id) {
  return std::ranges::find(report.verdicts, id, &Verdict::check) != report.verdicts.end();
}

std::vector<std::string> inTheWay(Report const& report, Level level) {
  std::vector<std::string> out;
  for (auto const& verdict : report.verdicts)
    if (isAskedFor(*checkInfo(verdict.check), level) && blocks(verdict.outcome))
      out.push_back(verdict.check + " (" + std::string(name(verdict.outcome)) + ")");
  if (!report.ended_early.empty()) out.push_back(report.ended_early + ", and not everything was run");
  // A connector that nobody can run against anything has proven nothing.
  if (report.twin_digest.empty() || report.brief_digest.empty())
    out.emplace_back("the connector has no twin with a certification.json, so most checks cannot run");
  for (auto const& each : report.not_covered)
    if (level >= each.bars) out.push_back(each.claim + " (not covered)");
  for (auto const& info : catalogue())
    if (info.in_suite && isAskedFor(info, level) && !wasRun(report, info.id))
      out.push_back(info.id + " (not run)");
  return out;
}

// The worse of what two cases found.
Outcome worse(Outcome one, Outcome other) {
  constexpr std::array order{Outcome::pass, Outcome::warn,      Outcome::inconclusive, Outcome::fail,
                             Outcome::leak, Outcome::violation, Outcome::hang,         Outcome::crash};
  return *std::max(std::ranges::find(order, one), std::ranges::find(order, other));
}

} // namespace

void add(Verdict& verdict, CaseResult const& result) {
  ++verdict.cases;
  verdict.assertions += result.assertions;
  verdict.calls += result.calls;
  verdict.requests += result.requests;
  verdict.took += result.took;
  if (!result.trouble.empty()) {
    ++verdict.inconclusive_cases;
    verdict.outcome = worse(verdict.outcome, Outcome::inconclusive);
    if (verdict.reason.empty()) verdict.reason = result.trouble;
    return;
  }
  for (auto const& finding : result.findings) {
    verdict.outcome = worse(verdict.outcome, finding.outcome);
    verdict.findings.push_back(finding);
  }
}

void judge(Report& report) {
  report.reached = Level::none;
  for (auto const level : {Level::bronze, Level::silver, Level::gold}) {
    report.in_the_way[level] = inTheWay(report, level);
    bool const below =
        level == Level::bronze || report.reached == static_cast<Level>(static_cast<int>(level) - 1);
    if (report.in_the_way[level].empty() && below) report.reached = level;
  }
  report.certified = report.reached >= report.wanted;
}

void applyWaivers(Report& report) {
  for (auto const& waiver : report.waivers)
    for (auto& verdict : report.verdicts) {
      bool const can = blocks(verdict.outcome) && verdict.outcome != Outcome::inconclusive &&
                       verdict.inconclusive_cases == 0; // nobody knows what would be accepted
      if (verdict.check != waiver.check || !can) continue;
      verdict.reason = "waived until " + rfc3339(waiver.expires).substr(0, 10) + " by " + waiver.approver +
                       ": " + waiver.reason + " (it was: " + std::string(name(verdict.outcome)) + ")";
      verdict.outcome = Outcome::waived;
    }
}

} // namespace garland::certification
