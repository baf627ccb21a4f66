// A report that was written, read again: for attestations and comparisons. What it says of levels is not
// believed but judged anew from its verdicts.
#include "certification/certification.h"
#include "certification/judge.h"

#include <algorithm>
#include <array>

namespace garland::certification {
namespace {

constexpr std::array kOutcomes{Outcome::pass,      Outcome::fail,        Outcome::crash, Outcome::hang,
                               Outcome::violation, Outcome::leak,        Outcome::warn,  Outcome::skip,
                               Outcome::waived,    Outcome::inconclusive};

Error bad(std::string what) { return {ErrorKind::invalidInput, std::move(what)}; }

Result<Verdict> verdictIn(json::value const& item) {
  Verdict out;
  out.check = textOr(item, "/id", "");
  if (checkInfo(out.check) == nullptr) return bad("names a check that does not exist: " + out.check);
  auto const word = textOr(item, "/outcome", "");
  auto const found = std::ranges::find(kOutcomes, word, [](Outcome each) { return name(each); });
  if (found == kOutcomes.end()) return bad("has the outcome \"" + word + "\", which does not exist");
  out.outcome = *found;
  out.reason = textOr(item, "/reason", "");
  out.cases = static_cast<std::size_t>(integerOr(item, "/cases", 0));
  out.inconclusive_cases = static_cast<std::size_t>(integerOr(item, "/inconclusive_cases", 0));
  if (out.outcome == Outcome::waived && out.inconclusive_cases != 0)
    return bad("has " + out.check + " as waived, and a case of it that could not be judged");
  out.requests = static_cast<std::uint64_t>(integerOr(item, "/requests", 0));
  out.took = Milliseconds(integerOr(item, "/virtual_ms", 0));
  auto const* findings = find(item, "/findings");
  if (findings == nullptr || !findings->is_array()) return bad("has no list of findings of " + out.check);
  for (auto const& each : findings->get_array()) {
    Finding finding;
    finding.check = out.check;
    finding.what = textOr(each, "/what", "");
    finding.where = textOr(each, "/where", "");
    finding.token = textOr(each, "/token", "");
    out.findings.push_back(std::move(finding));
  }
  return out;
}

Result<std::vector<Waiver>> waiversIn(json::value const& document) {
  std::vector<Waiver> out;
  auto const* list = find(document, "/waivers");
  if (list == nullptr || !list->is_array()) return out;
  for (auto const& item : list->get_array()) {
    auto const made = parseRfc3339(textOr(item, "/made", ""));
    auto const expires = parseRfc3339(textOr(item, "/expires", ""));
    if (!made || !expires) return bad("has a waiver whose times cannot be read");
    out.push_back({textOr(item, "/id", ""), textOr(item, "/reason", ""), textOr(item, "/approver", ""),
                   textOr(item, "/connector", ""), *made, *expires});
  }
  return out;
}

Result<std::vector<NotCovered>> notCoveredIn(json::value const& document) {
  std::vector<NotCovered> out;
  auto const* list = find(document, "/not_covered");
  if (list == nullptr || !list->is_array()) return bad("does not say what it has not covered");
  for (auto const& item : list->get_array())
    out.push_back({textOr(item, "/claim", ""), textOr(item, "/what", ""),
                   levelNamed(textOr(item, "/bars", "")).value_or(Level::bronze)});
  return out;
}

// Seeds above 2^63 are numbers of another kind in JSON.
std::optional<std::uint64_t> seedIn(json::value const& document) {
  auto const* seed = find(document, "/seed");
  if (seed != nullptr && seed->is_uint64()) return seed->get_uint64();
  if (seed != nullptr && seed->is_int64() && seed->get_int64() >= 0)
    return static_cast<std::uint64_t>(seed->get_int64());
  return std::nullopt;
}

std::string inWords(Suite const& suite) { return suite.version + " (" + suite.digest.substr(0, 16) + ")"; }

// A verdict is waived by a waiver of the report, or not at all.
Result<void> checkWaived(Report const& report) {
  for (auto const& verdict : report.verdicts)
    if (verdict.outcome == Outcome::waived &&
        std::ranges::find(report.waivers, verdict.check, &Waiver::check) == report.waivers.end())
      return bad("has " + verdict.check + " as waived, and no waiver of it");
  return {};
}

} // namespace

Result<Report> readReport(std::string_view text) {
  TRY(document, parseJson(text));
  if (integerOr(document, "/report", 0) != 1)
    return bad("is no report of garland certify that can be read here; garland certify PATH --report DIR "
               "writes one");
  Report out;
  out.suite = {textOr(document, "/suite/version", ""), textOr(document, "/suite/digest", "")};
  if (out.suite.digest != suite().digest)
    return bad("is of suite " + inWords(out.suite) + ", and this is suite " + inWords(suite()) +
               ": what another suite has found says nothing here. Certify again with this one: " +
               "garland certify PATH --report DIR");
  auto const seed = seedIn(document);
  if (!seed) return bad("does not say of which seed it is");
  out.seed = *seed;
  out.profile = profileNamed(textOr(document, "/profile", "")).value_or(Profile::quick);
  out.sandbox = textOr(document, "/sandbox", "D");
  out.worker = textOr(document, "/worker", "");
  auto const wanted = levelNamed(textOr(document, "/wanted", ""));
  if (!wanted) return bad("does not say which level was asked for");
  out.wanted = *wanted;
  out.connector_id = textOr(document, "/connector/id", "");
  out.connector_version = textOr(document, "/connector/version", "");
  out.digest = textOr(document, "/connector/digest", "");
  out.twin_digest = textOr(document, "/connector/twin_digest", "");
  out.brief_digest = textOr(document, "/connector/brief_digest", "");
  out.package = textOr(document, "/connector/package", "");
  auto const* list = find(document, "/checks");
  if (list == nullptr || !list->is_array()) return bad("has no list of checks");
  for (auto const& item : list->get_array()) {
    TRY(verdict, verdictIn(item));
    out.verdicts.push_back(std::move(verdict));
  }
  TRY(not_covered, notCoveredIn(document));
  out.not_covered = std::move(not_covered);
  out.ended_early = textOr(document, "/ended_early", "");
  TRY(waivers, waiversIn(document));
  out.waivers = std::move(waivers);
  TRY_VOID(checkWaived(out));
  judge(out);
  return out;
}

std::size_t findingsIn(Report const& report) {
  std::size_t out = 0;
  for (auto const& verdict : report.verdicts) out += verdict.findings.size();
  return out;
}

} // namespace garland::certification
