// Calendar events as the sync engine sees them.
#include "host/calendar/calendar.h"

#include "host/calendar/event_check.h"
#include "host/calendar/event_time.h"
#include "host/calendar/projection.h"
#include "host/calendar/zones.h"

#include <garland/schemas.hpp>

namespace garland::calendar {
namespace {

json::value eventSchema() {
  auto schema = parseJson(schemas::schemaText("record.calendar.event.json"));
  return schema ? std::move(*schema) : json::value(json::object());
}

// Rules that ended before the event starts are of no use to it; a year earlier covers its exceptions.
int firstYearOf(json::value const& event) {
  auto const* start = find(event, "/start");
  auto const time = start != nullptr ? readTime(*start, "/start") : Result<EventTime>(Error());
  if (!time) return 1970;
  std::chrono::year_month_day const date(std::chrono::floor<std::chrono::days>(time->local));
  return static_cast<int>(date.year()) - 1;
}

json::object zonesForPush(json::value const& event) {
  json::object zones;
  for (auto const& name : ianaZonesOf(event))
    if (auto text = vtimezone(name, firstYearOf(event))) zones.emplace(name, std::move(*text));
  json::object context;
  context.emplace("zones", std::move(zones));
  return context;
}

// Which calendars are wanted; none named: all of them.
json::object calendarsOf(json::value const& settings) {
  auto const* calendars = find(settings, "/calendars");
  json::object context;
  context["calendars"] =
      calendars != nullptr && calendars->is_array() ? *calendars : json::value(json::array());
  return context;
}

} // namespace

sync::Kind eventKind() {
  preloadZones();
  sync::Kind kind;
  kind.name = "calendar.event";
  kind.pull_operation = "calendar.pull/1";
  kind.upsert_operation = "calendar.upsert/1";
  kind.delete_operation = "calendar.delete/1";
  kind.schema = eventSchema();
  kind.project = projectEvent;
  kind.check = checkEvent;
  kind.pull_context = calendarsOf;
  kind.push_context = zonesForPush;
  kind.identity = [](json::value const& event) { return textOr(event, "/uid", ""); };
  kind.identity_member = "/uid";
  // A date, its zone and what repeats it are one decision: half of one and half of another is neither.
  kind.atomic_groups = {{"start", "end", "recurrence", "overrides", "zone_definitions"}};
  return kind;
}

} // namespace garland::calendar
