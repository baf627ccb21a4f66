#include "certification/certification.h"
#include "certification/escape.h"

#include "host/runtime/runtime.h"

namespace garland::certification {
namespace {

json::value toJson(Finding const& finding) {
  json::object out;
  auto const& info = *checkInfo(finding.check);
  out["check"] = finding.check;
  out["severity"] = name(info.severity);
  out["outcome"] = name(finding.outcome);
  out["what"] = finding.what;
  out["where"] = finding.where;
  out["why"] = info.why;
  out["mend"] = info.mend;
  out["token"] = finding.token;
  return out;
}

json::value toJson(Verdict const& verdict) {
  json::object out;
  auto const& info = *checkInfo(verdict.check);
  out["id"] = verdict.check;
  out["title"] = info.title;
  out["level"] = name(info.level);
  out["severity"] = name(info.severity);
  out["outcome"] = name(verdict.outcome);
  if (!verdict.reason.empty()) out["reason"] = verdict.reason;
  out["cases"] = verdict.cases;
  if (verdict.inconclusive_cases != 0) out["inconclusive_cases"] = verdict.inconclusive_cases;
  out["assertions"] = verdict.assertions;
  out["calls"] = verdict.calls;
  out["requests"] = verdict.requests;
  out["virtual_ms"] = verdict.took.count();
  auto& findings = out["findings"].emplace_array();
  for (auto const& finding : verdict.findings) findings.push_back(toJson(finding));
  return out;
}

} // namespace

std::string replayCommand(Report const& report, Finding const& finding) {
  return "garland certify replay " + finding.token + " --path CONNECTOR" +
         (report.since ? " --previous PREVIOUS" : "") +
         (report.sandbox == runtime::name(runtime::SandboxTier::d) ? " --allow-degraded-sandbox" : "");
}

std::string replayWords(Report const& report) {
  auto const digest = [](std::string const& whole) { return whole.substr(0, 16) + "..."; };
  std::string out = "In the commands, CONNECTOR is the connector with the digest " + digest(report.digest);
  if (report.since)
    out += ", PREVIOUS its version " + oneLine(report.since->old_version) + " with the digest " +
           digest(report.since->old_digest);
  out += ".";
  if (!report.twin_digest.empty())
    out +=
        " A twin that lies neither beside it nor in it is named with --twins FOLDER; it was the one with the "
        "digest " +
        digest(report.twin_digest) + ".";
  return out +
         " A worker that is not the program's own is named with --worker FILE; it was the one with the "
         "digest " +
         digest(report.worker) + ".";
}

json::value toJson(Report const& report) {
  json::object out;
  out["report"] = 1;
  out["suite"] = json::object{{"version", report.suite.version}, {"digest", report.suite.digest}};
  out["seed"] = report.seed;
  out["profile"] = name(report.profile);
  out["sandbox"] = report.sandbox;
  out["worker"] = report.worker;
  out["connector"] = json::object{{"id", report.connector_id},         {"version", report.connector_version},
                                  {"digest", report.digest},           {"package", report.package},
                                  {"twin_digest", report.twin_digest}, {"brief_digest", report.brief_digest}};
  out["wanted"] = name(report.wanted);
  out["reached"] = name(report.reached);
  out["certified"] = report.certified;
  auto& levels = out["levels"].emplace_array();
  for (auto const& [level, reasons] : report.in_the_way) {
    json::object one;
    one["level"] = name(level);
    one["reached"] = report.reached >= level;
    auto& list = one["in_the_way"].emplace_array();
    for (auto const& reason : reasons) list.emplace_back(reason);
    levels.push_back(std::move(one));
  }
  auto& checks = out["checks"].emplace_array();
  for (auto const& verdict : report.verdicts) checks.push_back(toJson(verdict));
  if (!report.ended_early.empty()) out["ended_early"] = report.ended_early;
  auto& not_covered = out["not_covered"].emplace_array();
  for (auto const& each : report.not_covered)
    not_covered.push_back(
        json::object{{"claim", each.claim}, {"what", each.what}, {"bars", name(each.bars)}});
  if (!report.waivers.empty()) out["waivers"] = toJson(report.waivers).at("waivers");
  if (report.since) out["since_last_version"] = toJson(*report.since);
  auto& missing = out["not_in_this_suite_version"].emplace_array();
  for (auto const& info : catalogue())
    if (!info.in_suite) missing.emplace_back(info.id);
  auto& partly = out["partly_not_in_this_suite_version"].emplace_object();
  for (auto const& info : catalogue())
    if (info.in_suite && !info.not_looked_at.empty()) partly[info.id] = info.not_looked_at;
  auto const& score = mutantScore();
  if (!score.suite.version.empty())
    out["mutant_score"] = json::object{
        {"killed", score.killed},
        {"of", score.of},
        {"of_this_suite", isOfThisSuite(score)},
        {"suite", json::object{{"version", score.suite.version}, {"digest", score.suite.digest}}}};
  return out;
}

} // namespace garland::certification
