// One page for people, on a phone as well: which level was reached, what stands in the way, rule by rule.
// It loads nothing and runs no script.
#include "certification/certification.h"
#include "certification/drawing.h"
#include "certification/escape.h"
#include "certification/page.h"

#include <algorithm>

namespace garland::certification {
namespace {

constexpr std::string_view kNothingCompared =
    "No earlier version was given, so nothing is compared. If there is one: --previous PACKAGE.";
constexpr std::size_t kReasonsShown = 6; // the rest unfolds: what stands out is to be seen on a phone, too

std::string counted(std::uint64_t count, std::string const& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

double secondsOf(Verdict const& verdict) { return static_cast<double>(verdict.took.count()) / 1000; }

std::string paragraph(std::string_view text) { return tag("p", "", xmlText(text)); }

std::string levelBox(Report const& report, Level level) {
  bool const yes = report.reached >= level;
  std::string inner = "<b>" + std::string(name(level)) + ": " + (yes ? "reached" : "not reached") + "</b>";
  auto const& reasons = report.in_the_way.at(level);
  std::string shown;
  std::string rest;
  for (std::size_t i = 0; i < reasons.size(); ++i)
    (i < kReasonsShown ? shown : rest) += tag("div", "class=dim", xmlText(reasons[i]));
  inner += shown;
  if (!rest.empty())
    inner +=
        tag("details", "",
            tag("summary", "", "and " + std::to_string(reasons.size() - kReasonsShown) + " more") + rest);
  return tag("div", yes ? "class=\"level yes\"" : "class=\"level no\"", inner);
}

std::string placeOf(Report const& report, Finding const& finding) {
  return (finding.where.empty() ? "" : tag("p", "class=dim", "where: " + xmlText(finding.where))) +
         tag("p", "", "<code>" + xmlText(replayCommand(report, finding)) + "</code>");
}

std::string findingBox(Report const& report, Folded const& folded) {
  auto out = paragraph(folded.first->what) + placeOf(report, *folded.first);
  if (folded.more.empty()) return out;
  auto places = tag("summary", "", morePlaces(folded.more.size()));
  for (auto const* finding : folded.more) places += placeOf(report, *finding);
  return out + tag("details", "class=more-places", places);
}

std::string verdictBox(Report const& report, Verdict const& verdict) {
  auto const& info = *checkInfo(verdict.check);
  std::string const outcome(name(verdict.outcome));
  std::string inner = tag("summary", "",
                          "<span class=\"o " + outcome + "\">" + outcome + "</span> <b>" +
                              xmlText(verdict.check) + "</b> " + xmlText(info.title));
  inner += tag("p", "class=dim",
               std::string(name(info.level)) + ", " + std::string(name(info.severity)) + "; " +
                   counted(verdict.cases, "case") + ", " + counted(verdict.assertions, "comparison") + ", " +
                   counted(verdict.calls, "call") + ", " + counted(verdict.requests, "request") + " in " +
                   oneDigit(secondsOf(verdict)) + " s of the virtual clock");
  if (!verdict.reason.empty()) inner += paragraph(verdict.reason);
  inner += paragraph("Passes if: " + info.passes + ".");
  for (auto const& each : folded(verdict.findings)) inner += findingBox(report, each);
  inner += paragraph(info.why);
  if (blocks(verdict.outcome)) inner += paragraph("Mending: " + info.mend);
  return tag("details", blocks(verdict.outcome) ? "open" : "", inner);
}

std::string waiverBoxes(Report const& report) {
  std::string out;
  for (auto const& waiver : report.waivers) {
    auto const verdict = std::ranges::find(report.verdicts, waiver.check, &Verdict::check);
    bool const used = verdict != report.verdicts.end() && verdict->outcome == Outcome::waived;
    out += paragraph(std::string(used ? "WAIVED " : "not used: ") + waiver.check + " until " +
                     rfc3339(waiver.expires).substr(0, 10) + ", approved by " + waiver.approver + ": " +
                     waiver.reason);
    if (auto const why = whyNotWaived(report, waiver.check); !why.empty())
      out += tag("p", "class=dim", xmlText(why));
  }
  return out;
}

std::string differenceBoxes(Comparison const& since) {
  std::string rows;
  for (auto const& each : since.differences)
    rows += tag("tr", each.asks_for_more ? "class=more" : "",
                tag("td", "", std::string(name(each.kind))) + tag("td", "", xmlText(each.area)) +
                    tag("td", "",
                        xmlText(each.what) + (each.kind == Difference::Kind::changed
                                                  ? "<br><span class=dim>" + xmlText(each.before) + " -> " +
                                                        xmlText(each.after) + "</span>"
                                                  : "")));
  if (rows.empty()) return paragraph("Nothing but its code.");
  return paragraph("What asks for more than before, or takes an operation away, is marked.") +
         tag("table", "", rows);
}

std::string notCoveredBoxes(Report const& report) {
  std::string out;
  for (auto const& each : report.not_covered)
    out += tag("p", "", "<b>" + xmlText(each.claim) + "</b>: " + xmlText(each.what));
  return out;
}

// By area, which a phone has room for. Areas in which nothing was asked of the provider are left out.
std::string drawnByArea(Report const& report, std::string const& title, std::string const& unit,
                        double (*of)(Verdict const&)) {
  std::map<std::string, double> areas;
  for (auto const& verdict : report.verdicts) areas[checkInfo(verdict.check)->area] += of(verdict);
  std::vector<Bar> bars;
  for (auto const& [area, value] : areas)
    if (value > 0) bars.push_back({area, value});
  return tag("h2", "", xmlText(title)) + drawing(title, std::move(bars), unit);
}

std::string drawings(Report const& report) {
  return drawnByArea(report, "Time by area, on the virtual clock", "s", secondsOf) +
         drawnByArea(report, "Requests to the provider by area", "requests",
                     [](Verdict const& verdict) { return static_cast<double>(verdict.requests); }) +
         tag("p", "class=dim",
             "What the machine's clock and its memory say is another page, because no two runs are alike: <a "
             "href=times.html>times.html</a>.");
}

} // namespace

std::string toHtml(Report const& report) {
  std::string body = tag("h1", "", xmlText(report.connector_id + " " + report.connector_version));
  body += paragraph(report.certified ? "Certified: " + std::string(name(report.reached)) + "."
                                     : "Not certified for " + std::string(name(report.wanted)) + ".");
  if (!report.ended_early.empty()) body += paragraph("Not everything was run: " + report.ended_early + ".");
  body += tag("p", "class=dim",
              "connector " + report.digest.substr(0, 16) + ", suite " + xmlText(report.suite.version) + " (" +
                  report.suite.digest.substr(0, 16) + "), profile " + std::string(name(report.profile)) +
                  ", sandbox tier " + xmlText(report.sandbox) + ", worker " +
                  xmlText(report.worker.substr(0, 16)) + ", seed " + std::to_string(report.seed));
  std::string boxes;
  for (auto const level : {Level::bronze, Level::silver, Level::gold}) boxes += levelBox(report, level);
  body += tag("div", "class=levels", boxes);
  if (auto const waivers = waiverBoxes(report); !waivers.empty()) body += tag("h2", "", "Waivers") + waivers;
  body += report.since ? tag("h2", "", "Since version " + xmlText(report.since->old_version)) +
                             differenceBoxes(*report.since)
                       : tag("h2", "", "Since the last version") + paragraph(kNothingCompared);
  if (auto const claims = notCoveredBoxes(report); !claims.empty())
    body += tag("h2", "", "Claimed by the manifest, and not covered") + claims;
  body += tag("h2", "", "What stands out");
  if (findingsIn(report) != 0) body += tag("p", "class=dim", xmlText(replayWords(report)));
  std::string rest;
  bool any = false;
  for (auto const& verdict : report.verdicts) {
    any = any || blocks(verdict.outcome);
    (blocks(verdict.outcome) ? body : rest) += verdictBox(report, verdict);
  }
  if (!any) body += paragraph("Nothing.");
  body += tag("h2", "", "Everything else that was checked") + rest;
  body += drawings(report);
  std::string missing;
  for (auto const& info : catalogue())
    if (!info.in_suite) missing += (missing.empty() ? "" : ", ") + info.id;
  body += tag("h2", "", "Not in this suite version") + tag("p", "class=dim", missing);
  for (auto const& info : catalogue())
    if (info.in_suite && !info.not_looked_at.empty())
      body += tag("p", "class=dim", "Of " + info.id + ": " + xmlText(info.not_looked_at) + ".");
  body += tag("p", "class=dim",
              "Mutants that the suite's own checks have killed: " + xmlText(inWords(mutantScore())) + ".");
  return page(report.connector_id, body);
}

} // namespace garland::certification
