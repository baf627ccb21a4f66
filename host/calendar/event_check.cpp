#include "host/calendar/event_check.h"

#include "host/calendar/event_time.h"
#include "host/calendar/rule.h"
#include "host/calendar/zones.h"

#include <functional>

namespace garland::calendar {
namespace {

using TimeVisitor = std::function<Result<void>(json::value const& time, std::string const& field)>;

Result<void> visitList(json::value const& parent, std::string const& field, TimeVisitor const& visit) {
  auto const* list = find(parent, field);
  if (list == nullptr || !list->is_array()) return {};
  for (std::size_t i = 0; i < list->get_array().size(); ++i) {
    TRY_VOID(visit(list->get_array()[i], field + "/" + std::to_string(i)));
  }
  return {};
}

Result<void> visitMember(json::value const& parent, std::string const& field, TimeVisitor const& visit) {
  if (auto const* time = find(parent, field)) return visit(*time, field);
  return {};
}

// Every time in an event, with its place.
Result<void> visitTimes(json::value const& event, TimeVisitor const& visit) {
  TRY_VOID(visitMember(event, "/start", visit));
  TRY_VOID(visitMember(event, "/end", visit));
  TRY_VOID(visitList(event, "/recurrence/dates", visit));
  TRY_VOID(visitList(event, "/recurrence/except", visit));
  auto const* overrides = find(event, "/overrides");
  if (overrides == nullptr || !overrides->is_array()) return {};
  for (std::size_t i = 0; i < overrides->get_array().size(); ++i) {
    std::string const field = "/overrides/" + std::to_string(i);
    for (std::string_view const member : {"/occurrence", "/start", "/end"}) {
      TRY_VOID(visitMember(event, field + std::string(member), visit));
    }
  }
  return {};
}

// The end belongs to the start beside it, or to `fallback` (an override without a start of its own).
Result<void> checkOrder(json::value const& event, ZoneBook const& book, std::string const& field,
                        std::string const& fallback) {
  auto const* end = find(event, field + "/end");
  if (end == nullptr) return {};
  std::string const start_field = find(event, field + "/start") != nullptr ? field + "/start" : fallback;
  auto const* start = find(event, start_field);
  if (start == nullptr) return {};
  std::string const end_field = field + "/end";
  TRY(from, readTime(*start, start_field));
  TRY(to, readTime(*end, end_field));
  if (from.isDate() != to.isDate())
    return Error(ErrorKind::invalidInput, end_field + ": must be a date if and only if the start is one",
                 end_field);
  auto const instant = [&book](EventTime const& time) {
    auto const zone = time.form == EventTime::Form::zoned ? book.find(time.zone, "") : Result<Zone>(Zone());
    return (zone ? *zone : Zone()).toUtc(time.local);
  };
  bool const floating = from.form == EventTime::Form::floating || to.form == EventTime::Form::floating;
  bool const before = from.isDate() || floating ? to.local < from.local : instant(to) < instant(from);
  if (before) return Error(ErrorKind::invalidInput, end_field + ": lies before " + start_field, end_field);
  return {};
}

Result<void> checkRules(json::value const& event) {
  auto const* rules = find(event, "/recurrence/rules");
  if (rules == nullptr || !rules->is_array()) return {};
  if (rules->get_array().size() > max_rules)
    return Error(ErrorKind::invalidInput, "/recurrence/rules: must be 16 rules or fewer",
                 "/recurrence/rules");
  for (std::size_t i = 0; i < rules->get_array().size(); ++i) {
    std::string const field = "/recurrence/rules/" + std::to_string(i);
    TRY(text, textAt(event, field));
    TRY_VOID(checkRule(text, field));
  }
  return {};
}

} // namespace

Result<void> checkEvent(json::value const& event) {
  TRY(book, ZoneBook::of(event));
  TRY_VOID(visitTimes(event, [&book](json::value const& value, std::string const& field) -> Result<void> {
    TRY(time, readTime(value, field));
    if (time.form != EventTime::Form::zoned) return {};
    TRY_VOID(book.find(time.zone, field + "/zone"));
    return {};
  }));
  TRY_VOID(checkOrder(event, book, "", ""));
  TRY_VOID(checkRules(event));
  auto const* overrides = find(event, "/overrides");
  if (overrides == nullptr || !overrides->is_array()) return {};
  for (std::size_t i = 0; i < overrides->get_array().size(); ++i) {
    std::string const field = "/overrides/" + std::to_string(i);
    TRY_VOID(checkOrder(event, book, field, field + "/occurrence"));
  }
  return {};
}

std::set<std::string> ianaZonesOf(json::value const& event) {
  std::set<std::string> names;
  auto const* defined = find(event, "/zone_definitions");
  auto const ok = visitTimes(event, [&](json::value const& time, std::string const&) -> Result<void> {
    auto const name = textOr(time, "/zone", "");
    bool const own = defined != nullptr && defined->is_object() && defined->get_object().contains(name);
    if (!name.empty() && !own) names.insert(name);
    return {};
  });
  static_cast<void>(ok); // the visitor above never fails
  return names;
}

} // namespace garland::calendar
