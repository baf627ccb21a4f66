// The page of sdk-docs that lists every check.
#include "certification/certification.h"

#include <map>

namespace garland::certification {
namespace {

std::string_view areaName(std::string_view area) {
  static std::map<std::string_view, std::string_view> const names{
      {"PKG", "Package"},    {"ABI", "ABI"},         {"LIF", "Lifecycle"},   {"SUS", "Suspension"},
      {"CAP", "Capability"}, {"CRM", "CRM"},         {"CAL", "Calendar"},    {"PAY", "Payments"},
      {"MSG", "Messaging"},  {"SOC", "Social"},      {"LST", "Listings"},    {"PTF", "Portfolio"},
      {"WHK", "Webhooks"},   {"SCH", "Scheduling"},  {"HLT", "Health"},      {"FLT", "Faults"},
      {"SEC", "Security"},   {"RES", "Resources"},   {"PRF", "Performance"}, {"DOC", "Docs"},
      {"UPG", "Upgrade"},    {"HAR", "The harness"},
  };
  auto const found = names.find(area);
  return found == names.end() ? area : found->second;
}

std::string capital(std::string_view word) {
  std::string out(word);
  out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

} // namespace

std::string catalogueMarkdown() {
  std::size_t here = 0;
  for (auto const& info : catalogue()) here += info.in_suite ? 1 : 0;
  std::string out =
      "# Every check\n\n"
      "Made by `garland certify --list --markdown`; a test keeps it equal. " +
      std::to_string(catalogue().size()) + " checks, " + std::to_string(here) + " of them in suite " +
      suite().version +
      "; the others are told in every report as not in this suite version.\n\n"
      "*Bronze* asks for its blockers, *Silver* for the blockers and majors up to it, *Gold* for "
      "everything.\n";
  std::string area;
  for (auto const& info : catalogue()) {
    if (info.area != area) {
      area = info.area;
      out += "\n## " + std::string(areaName(area)) + "\n";
    }
    out += "\n### " + info.id + " " + info.title + "\n\n" + capital(name(info.level)) + ", " +
           std::string(name(info.severity)) + (info.in_suite ? "." : ". Not in this suite version.") +
           " Passes if: " + info.passes + ".\n\n" +
           (info.not_looked_at.empty() ? "" : "Not in this suite version: " + info.not_looked_at + ".\n\n") +
           info.why + "\n\n*Mending:* " + info.mend + "\n";
  }
  return out;
}

} // namespace garland::certification
