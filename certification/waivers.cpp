// Waivers: who accepts which finding, why and for how long. They are refused as a whole rather than in part,
// so that nobody believes in one that does not count.
#include "certification/certification.h"

#include <algorithm>

namespace garland::certification {
namespace {

constexpr std::size_t kMost = 200;
constexpr std::chrono::hours kClockSkew{24};
constexpr std::size_t kShortestReason = 10; // characters; "ok" is none

Error bad(std::string what) { return {ErrorKind::invalidInput, std::move(what)}; }
std::string day(TimePoint when) { return rfc3339(when).substr(0, 10); }

Result<TimePoint> timeAt(json::value const& value, std::string_view pointer) {
  TRY(text, textAt(value, pointer));
  auto const time = parseRfc3339(text);
  if (!time) return bad(std::string(pointer) + ": must be a time such as 2026-06-13T12:00:00.000Z");
  return *time;
}

Result<Waiver> waiverIn(json::value const& item) {
  TRY(made, timeAt(item, "/made"));
  TRY(expires, timeAt(item, "/expires"));
  Waiver out;
  out.check = textOr(item, "/id", "");
  out.reason = textOr(item, "/reason", "");
  out.approver = textOr(item, "/approver", "");
  out.connector = textOr(item, "/connector", "");
  out.made = made;
  out.expires = expires;
  return out;
}

Result<void> checkTimes(Waiver const& waiver, TimePoint now) {
  auto const whose = "the waiver of " + waiver.check;
  if (waiver.made > now + kClockSkew)
    return bad(whose + " is of " + day(waiver.made) + ", which is yet to come");
  if (waiver.expires <= now) return bad(whose + " expired on " + day(waiver.expires) + "; decide anew");
  if (waiver.expires > waiver.made + kLongestWaiver)
    return bad(whose + " is for more than 90 days: at most until " + day(waiver.made + kLongestWaiver));
  return {};
}

} // namespace

Result<void> checkWaiver(Waiver const& waiver, TimePoint now) {
  auto const* info = checkInfo(waiver.check);
  if (info == nullptr)
    return bad("there is no check \"" + waiver.check + "\"; `garland certify --list` lists them");
  if (info->severity == Severity::blocker && (info->area == "PAY" || info->area == "HAR"))
    return bad(waiver.check + " cannot be waived: " +
               (info->area == "PAY" ? "payments need every blocker of money, at any level"
                                    : "it is about the harness, not about the connector"));
  if (waiver.reason.size() < kShortestReason)
    return bad("the reason to waive " + waiver.check + " has " + std::to_string(waiver.reason.size()) +
               " characters, and at least " + std::to_string(kShortestReason) +
               " are needed: it stands in the signed report, where others have to understand why the finding "
               "may pass");
  if (waiver.approver.empty())
    return bad("the waiver of " + waiver.check + " names nobody who approved it (--approver)");
  return checkTimes(waiver, now);
}

std::string whyNotWaived(Report const& report, std::string_view check) {
  auto const verdict = std::ranges::find(report.verdicts, check, &Verdict::check);
  auto const id = std::string(check);
  if (verdict == report.verdicts.end()) return id + " was not run, so there is no finding to waive";
  if (verdict->outcome == Outcome::waived) return {};
  if (verdict->outcome == Outcome::inconclusive || verdict->inconclusive_cases != 0)
    return "only findings can be waived, and " + id + " could not be judged: " + verdict->reason +
           "; mend that and run it again, and waive what it finds then";
  if (!blocks(verdict->outcome))
    return id + " has nothing to waive: its outcome is " + std::string(name(verdict->outcome));
  return {};
}

Result<std::vector<Waiver>> readWaivers(std::string_view text, TimePoint now) {
  TRY(document, parseJson(text));
  auto const* list = find(document, "/waivers");
  if (list == nullptr || !list->is_array() || list->get_array().size() > kMost)
    return bad("/waivers: must be a list of at most " + std::to_string(kMost));
  std::vector<Waiver> out;
  for (auto const& item : list->get_array()) {
    TRY(waiver, waiverIn(item));
    TRY_VOID(checkWaiver(waiver, now));
    out.push_back(std::move(waiver));
  }
  return out;
}

json::value toJson(std::vector<Waiver> const& waivers) {
  json::array list;
  for (auto const& waiver : waivers) {
    json::object item{{"id", waiver.check}, {"reason", waiver.reason}, {"approver", waiver.approver}};
    if (!waiver.connector.empty()) item["connector"] = waiver.connector;
    item["made"] = rfc3339(waiver.made);
    item["expires"] = rfc3339(waiver.expires);
    list.push_back(std::move(item));
  }
  return json::object{{"waivers", std::move(list)}};
}

} // namespace garland::certification
