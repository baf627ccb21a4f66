// Where a run's time and memory went, drawn: bars by check. Apart from the report, whose bytes stay the same.
#include "certification/certification.h"
#include "certification/drawing.h"
#include "certification/escape.h"
#include "certification/page.h"

#include <algorithm>

namespace garland::certification {
namespace {

// A sign of a machine that has too much to do; twice in a row it would be a finding.
std::string hungOnce(std::vector<CaseTime> const& times) {
  std::string out;
  for (auto const& time : times)
    if (!time.hung_once.empty())
      out += tag("p", "", "<b>" + xmlText(time.check + " " + time.name) + "</b>: " + xmlText(time.hung_once));
  return out;
}

} // namespace

json::value toJson(std::vector<CaseTime> const& times) {
  json::array out;
  for (auto const& time : times) {
    json::object row{
        {"check", time.check}, {"case", time.name}, {"ms", time.milliseconds}, {"peak_kib", time.peak_kib}};
    for (auto const& [name, value] : time.figures) row[name] = value;
    if (!time.hung_once.empty()) row["hung_once"] = time.hung_once;
    out.push_back(std::move(row));
  }
  return out;
}

std::string timesHtml(Report const& report, std::vector<CaseTime> const& times) {
  std::map<std::string, Bar> seconds;
  std::map<std::string, Bar> memory;
  double all = 0;
  for (auto const& time : times) {
    auto& spent = seconds[time.check];
    spent = {time.check, spent.value + time.milliseconds / 1000};
    auto& peak = memory[time.check];
    peak = {time.check, std::max(peak.value, static_cast<double>(time.peak_kib) / 1024)};
    all += time.milliseconds / 1000;
  }
  std::erase_if(memory, [](auto const& each) { return each.second.value == 0; });
  auto const listed = [](std::map<std::string, Bar> const& from) {
    std::vector<Bar> out;
    for (auto const& [check, bar] : from) out.push_back(bar);
    return out;
  };
  std::string body = tag("h1", "", xmlText(report.connector_id + " " + report.connector_version));
  body += tag("p", "", oneDigit(all) + " seconds of cases, side by side on the processors that there were.");
  body += tag("h2", "", "Time by check") + drawing("Time by check", listed(seconds), "s");
  body += tag("h2", "", "Memory of the connector's worker, most by check") +
          drawing("Memory of the connector's worker, most by check", listed(memory), "MiB");
  if (auto const told = hungOnce(times); !told.empty())
    body += tag("h2", "", "Hung once, and not when the case was run again") + told;
  body += tag("p", "class=dim", "<a href=report.html>The report</a> says what was found.");
  return page(report.connector_id + ": time and memory", body);
}

} // namespace garland::certification
