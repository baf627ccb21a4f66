// SARIF 2.1.0, as code hosts show findings beside the code.
#include "certification/certification.h"

namespace garland::certification {
namespace {

std::string_view levelOf(Finding const& finding) {
  if (finding.outcome == Outcome::warn) return "warning";
  return checkInfo(finding.check)->severity == Severity::minor ? "note" : "error";
}

json::object ruleOf(CheckInfo const& info) {
  json::object out;
  out["id"] = info.id;
  out["shortDescription"] = json::object{{"text", info.title}};
  out["fullDescription"] = json::object{{"text", info.why}};
  out["help"] = json::object{{"text", info.mend}};
  return out;
}

json::object resultOf(Report const& report, Finding const& finding, std::size_t rule) {
  json::object out;
  out["ruleId"] = finding.check;
  out["ruleIndex"] = static_cast<std::int64_t>(rule);
  out["level"] = levelOf(finding);
  out["message"] =
      json::object{{"text", finding.what + (finding.where.empty() ? "" : " (" + finding.where + ")") +
                                " Replay: " + replayCommand(report, finding)}};
  if (!finding.where.empty()) {
    json::object const logical{{"name", finding.where},
                               {"fullyQualifiedName", report.connector_id + " " + finding.where}};
    out["locations"] = json::array{json::object{{"logicalLocations", json::array{logical}}}};
  }
  out["partialFingerprints"] = json::object{{"replay/v1", finding.token}};
  return out;
}

constexpr char const* kNotCovered = "NOT-COVERED";

json::object notCoveredRule() {
  return {{"id", kNotCovered},
          {"shortDescription", json::object{{"text", "what the manifest claims, and nothing has shown"}}},
          {"help", json::object{{"text", "Let certification.json have something for it."}}}};
}

json::object resultOf(NotCovered const& each, std::size_t rule) {
  return {{"ruleId", kNotCovered},
          {"ruleIndex", static_cast<std::int64_t>(rule)},
          {"level", "warning"},
          {"message", json::object{{"text", each.claim + ": " + each.what}}}};
}

} // namespace

json::value toSarif(Report const& report) {
  json::array rules;
  json::array results;
  for (auto const& verdict : report.verdicts) {
    for (auto const& finding : verdict.findings) {
      auto result = resultOf(report, finding, rules.size());
      if (verdict.outcome == Outcome::waived) // accepted: told, and not counted
        result["suppressions"] = json::array{
            json::object{{"kind", "external"}, {"status", "accepted"}, {"justification", verdict.reason}}};
      results.push_back(std::move(result));
    }
    rules.push_back(ruleOf(*checkInfo(verdict.check)));
  }
  for (auto const& each : report.not_covered) results.push_back(resultOf(each, rules.size()));
  if (!report.not_covered.empty()) rules.push_back(notCoveredRule());
  json::object const driver{
      {"name", "garland certify"}, {"semanticVersion", report.suite.version}, {"rules", std::move(rules)}};
  json::object const run{{"tool", json::object{{"driver", driver}}},
                         {"results", std::move(results)},
                         {"properties", json::object{{"replay", replayWords(report)}}}};
  return json::object{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                      {"version", "2.1.0"},
                      {"runs", json::array{run}}};
}

} // namespace garland::certification
