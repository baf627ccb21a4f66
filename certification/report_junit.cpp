// JUnit XML, as continuous integration reads it: an area is a suite, a check is a test case.
#include "certification/certification.h"
#include "certification/escape.h"

namespace garland::certification {
namespace {

std::string findingsText(Report const& report, Verdict const& verdict) {
  std::string out;
  for (auto const& finding : verdict.findings)
    out += finding.what + (finding.where.empty() ? "" : " (" + finding.where + ")") + "\n" +
           "replay: " + replayCommand(report, finding) + "\n";
  return out;
}

std::string testCase(Report const& report, Verdict const& verdict) {
  auto const& info = *checkInfo(verdict.check);
  std::string out = "    <testcase classname=\"" + info.area + "\" name=\"" +
                    xmlText(verdict.check + " " + info.title) + "\">";
  if (verdict.outcome == Outcome::skip || verdict.outcome == Outcome::waived)
    out += "<skipped message=\"" + xmlText(verdict.reason) + "\"/>";
  else if (verdict.outcome == Outcome::inconclusive)
    out += "<error type=\"inconclusive\" message=\"" + xmlText(verdict.reason) + "\"/>";
  else if (blocks(verdict.outcome))
    out += "<failure type=\"" + std::string(name(verdict.outcome)) + "\" message=\"" +
           xmlText(verdict.findings.front().what) + "\">" + xmlText(findingsText(report, verdict)) +
           "</failure>";
  else if (verdict.outcome == Outcome::warn)
    out += "<system-out>" + xmlText(findingsText(report, verdict)) + "</system-out>";
  return out + "</testcase>\n";
}

// No test that failed: which level it bars, the report tells.
std::string testCase(NotCovered const& each) {
  return "    <testcase classname=\"coverage\" name=\"" + xmlText(each.claim) +
         "\"><skipped message=\"not covered: " + xmlText(each.what) + "\"/></testcase>\n";
}

} // namespace

std::string toJUnit(Report const& report) {
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  std::string cases;
  for (auto const& verdict : report.verdicts) {
    bool const is_skip = verdict.outcome == Outcome::skip || verdict.outcome == Outcome::waived;
    skipped += is_skip ? 1 : 0;
    errors += verdict.outcome == Outcome::inconclusive ? 1 : 0;
    failures += blocks(verdict.outcome) && verdict.outcome != Outcome::inconclusive ? 1 : 0;
    cases += testCase(report, verdict);
  }
  for (auto const& each : report.not_covered) cases += testCase(each);
  skipped += report.not_covered.size();
  // No time passes in a report, so that equal runs give equal bytes.
  auto const totals = " tests=\"" + std::to_string(report.verdicts.size() + report.not_covered.size()) +
                      "\" failures=\"" + std::to_string(failures) + "\" errors=\"" + std::to_string(errors) +
                      "\" skipped=\"" + std::to_string(skipped) + "\" time=\"0\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + totals + ">\n  <testsuite name=\"" +
         xmlText(report.connector_id) + "\"" + totals + ">\n" + cases + "    <system-out>" +
         xmlText(replayWords(report)) + "</system-out>\n  </testsuite>\n</testsuites>\n";
}

} // namespace garland::certification
