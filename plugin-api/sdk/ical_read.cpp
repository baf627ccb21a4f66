// VEVENTs to canonical events.
#include "ical_editions.h"
#include "ical_facts.h"

#include <garland/sdk/ical.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace garland::sdk::ical {
namespace {

using calendar::Event;
using calendar::Override;
using calendar::Status;
using calendar::Time;

icalproperty* first(icalcomponent* part, icalproperty_kind kind) {
  return icalcomponent_get_first_property(part, kind);
}

template <class Visit> void each(icalcomponent* part, icalproperty_kind kind, Visit visit) {
  for (auto* property = first(part, kind); property != nullptr;
       property = icalcomponent_get_next_property(part, kind))
    visit(property);
}

std::string textOf(icalproperty* property) {
  if (property == nullptr) return {};
  icalvalue* const value = icalproperty_get_value(property);
  if (value == nullptr) return {};
  switch (icalvalue_isa(value)) {
  case ICAL_TEXT_VALUE: {
    char const* text = icalvalue_get_text(value);
    return text != nullptr ? text : "";
  }
  default: {
    char* text = icalvalue_as_ical_string_r(value);
    std::string result = text != nullptr ? text : "";
    icalmemory_free_buffer(text);
    return result;
  }
  }
}

std::string textOf(icalcomponent* part, icalproperty_kind kind) { return textOf(first(part, kind)); }

// A value of type TEXT without its escapes.
std::string plainText(std::string const& value) {
  icalvalue* const parsed = icalvalue_new_from_string(ICAL_TEXT_VALUE, value.c_str());
  char const* const text = parsed != nullptr ? icalvalue_get_text(parsed) : nullptr;
  std::string result = text != nullptr ? text : "";
  icalvalue_free(parsed);
  return result;
}

bool sameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

Status statusOf(icalcomponent* part) {
  auto const text = textOf(part, ICAL_STATUS_PROPERTY);
  if (sameWord(text, "CANCELLED")) return Status::cancelled;
  return sameWord(text, "TENTATIVE") ? Status::tentative : Status::confirmed;
}

// "mailto:anna@example.com" -> "anna@example.com". An address that is no mail address (a path on a
// server) may carry one in its EMAIL parameter.
std::string emailOf(icalproperty* property) {
  auto address = textOf(property);
  if (address.size() > 7 && sameWord(std::string_view(address).substr(0, 7), "mailto:"))
    return address.substr(7);
  if (auto* email = icalproperty_get_first_parameter(property, ICAL_EMAIL_PARAMETER))
    if (char const* text = icalparameter_get_email(email); text != nullptr && *text != '\0') return text;
  return address;
}

std::optional<std::string> nameOf(icalproperty* property) {
  auto* const parameter = icalproperty_get_first_parameter(property, ICAL_CN_PARAMETER);
  char const* const name = parameter != nullptr ? icalparameter_get_cn(parameter) : nullptr;
  if (name == nullptr || *name == '\0') return std::nullopt;
  return std::string(name);
}

std::optional<calendar::Answer> answerOf(icalproperty* property) {
  auto* const parameter = icalproperty_get_first_parameter(property, ICAL_PARTSTAT_PARAMETER);
  if (parameter == nullptr) return std::nullopt;
  switch (icalparameter_get_partstat(parameter)) {
  case ICAL_PARTSTAT_ACCEPTED: return calendar::Answer::accepted;
  case ICAL_PARTSTAT_DECLINED: return calendar::Answer::declined;
  case ICAL_PARTSTAT_TENTATIVE: return calendar::Answer::tentative;
  default: return calendar::Answer::needs_action;
  }
}

void readPeople(icalcomponent* part, Event& event) {
  if (auto* organizer = first(part, ICAL_ORGANIZER_PROPERTY))
    if (auto email = emailOf(organizer); !email.empty())
      event.organizer = {std::move(email), nameOf(organizer)};
  each(part, ICAL_ATTENDEE_PROPERTY, [&](icalproperty* attendee) {
    auto email = emailOf(attendee);
    if (!email.empty()) event.attendees.push_back({std::move(email), nameOf(attendee), answerOf(attendee)});
  });
}

void readCategories(icalcomponent* part, Event& event) {
  std::set<std::string> seen;
  each(part, ICAL_CATEGORIES_PROPERTY, [&](icalproperty* category) {
    auto label = textOf(category);
    if (!label.empty() && seen.insert(label).second) event.categories.push_back(std::move(label));
  });
}

// A time without zone beside a start with one: exporters forget the TZID there. It means the start's.
Time besideStart(Time time, Time const& start) {
  if (time.form == Time::Form::local && time.zone.empty() && start.form == Time::Form::local)
    time.zone = start.zone;
  return time;
}

Time startOf(icalcomponent* part, ZoneNames const& zones) {
  auto* const start = first(part, ICAL_DTSTART_PROPERTY);
  if (start == nullptr) throw Failure(Kind::providerBug, "the event has no DTSTART");
  return readTime(start, zones);
}

std::optional<Time> endOf(icalcomponent* part, Time const& start, ZoneNames const& zones) {
  if (auto* property = first(part, ICAL_DTEND_PROPERTY)) {
    auto end = besideStart(readTime(property, zones), start);
    // A whole-day event that ends on the day it begins is meant to last that day.
    bool const same_day =
        end.form == Time::Form::date && start.form == Time::Form::date && end.text <= start.text;
    if (same_day) return std::nullopt;
    return end;
  }
  if (auto* duration = first(part, ICAL_DURATION_PROPERTY))
    return plus(start, icalproperty_get_duration(duration));
  return std::nullopt;
}

void readRecurrence(icalcomponent* part, Event& event, ZoneNames const& zones) {
  each(part, ICAL_RRULE_PROPERTY,
       [&](icalproperty* rule) { event.recurrence.rules.push_back(textOf(rule)); });
  each(part, ICAL_RDATE_PROPERTY, [&](icalproperty* date) {
    event.recurrence.dates.push_back(besideStart(readTime(date, zones), event.start));
  });
  each(part, ICAL_EXDATE_PROPERTY, [&](icalproperty* date) {
    event.recurrence.except.push_back(besideStart(readTime(date, zones), event.start));
  });
}

// The end that an occurrence has if it says nothing: the event's length after its start.
std::optional<Time> usualEnd(Event const& event, Time const& start) {
  if (!event.end || event.end->form != event.start.form || event.end->zone != event.start.zone)
    return std::nullopt;
  if (start.form != event.start.form) return std::nullopt;
  return withClock(start, clockOf(start) + (clockOf(*event.end) - clockOf(event.start)));
}

Override overrideOf(Event const& event, icalcomponent* part, ZoneNames const& zones) {
  Override change;
  change.occurrence = occurrenceOf(part, event.start, zones);
  auto const status = statusOf(part);
  if (status == Status::cancelled) {
    change.cancelled = true;
    return change;
  }
  auto const ownText = [part](icalproperty_kind kind,
                              std::string const& usual) -> std::optional<std::string> {
    auto const* const property = first(part, kind);
    auto text = textOf(part, kind);
    if (property == nullptr || text == usual) return std::nullopt;
    return text;
  };
  change.title = ownText(ICAL_SUMMARY_PROPERTY, event.title);
  change.description = ownText(ICAL_DESCRIPTION_PROPERTY, event.description);
  change.location = ownText(ICAL_LOCATION_PROPERTY, event.location);
  if (status != event.status) change.status = status;
  bool const busy = !sameWord(textOf(part, ICAL_TRANSP_PROPERTY).substr(0, 11), "TRANSPARENT");
  if (busy != event.busy) change.busy = busy;
  auto const start = startOf(part, zones);
  if (start != change.occurrence) change.start = start;
  auto end = endOf(part, start, zones);
  if (end && end != usualEnd(event, start)) change.end = std::move(end);
  return change;
}

// Zones that the event names and that only its text explains.
void addDefinitions(Event& event, ZoneNames const& zones) {
  auto const add = [&](Time const& time) {
    if (time.zone.empty() || event.zone_definitions.contains(time.zone)) return;
    if (auto text = zones.definitionOf(time.zone); !text.empty())
      event.zone_definitions.emplace(time.zone, std::move(text));
  };
  add(event.start);
  if (event.end) add(*event.end);
  for (auto const& time : event.recurrence.dates) add(time);
  for (auto const& time : event.recurrence.except) add(time);
  for (auto const& change : event.overrides) {
    add(change.occurrence);
    if (change.start) add(*change.start);
    if (change.end) add(*change.end);
  }
}

bool isOverride(icalcomponent* part) { return first(part, ICAL_RECURRENCEID_PROPERTY) != nullptr; }

void putMasterFirst(Series& series) {
  auto const master = std::find_if(series.parts.begin(), series.parts.end(),
                                   [](EventPart const& part) { return !isOverride(part.tree); });
  series.has_master = master != series.parts.end();
  if (series.has_master) std::rotate(series.parts.begin(), master, master + 1);
}

// What the calendar says of itself, apart from its components.
void readOwnLines(Document const& document, Calendar& into) {
  auto const owner = document.owners();
  for (std::size_t i = 0; i < document.lines.size(); ++i) {
    auto const& line = document.lines[i];
    if (document.components[owner[i]].name != "VCALENDAR") continue;
    auto const value = std::string(valueOf(line));
    if (into.name.empty() && (line.name == "X-WR-CALNAME" || line.name == "NAME"))
      into.name = plainText(value);
    if (line.name != "REFRESH-INTERVAL" && line.name != "X-PUBLISHED-TTL") continue;
    auto const span = icaldurationtype_from_string(value.c_str());
    auto const seconds = icaldurationtype_is_bad_duration(span) != 0 ? 0 : icaldurationtype_as_int(span);
    if (seconds > 0)
      into.refresh = std::max(into.refresh.value_or(std::chrono::seconds(0)), std::chrono::seconds(seconds));
  }
}

// Lines whose loss would change when the event takes place.
bool decidesTime(std::string_view name) {
  constexpr std::array<std::string_view, 8> names{"DTSTART", "DTEND", "DURATION", "RRULE",
                                                  "EXRULE",  "RDATE", "EXDATE",   "RECURRENCE-ID"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

Time occurrenceOf(icalcomponent* part, Time const& series_start, ZoneNames const& zones) {
  auto* const id = first(part, ICAL_RECURRENCEID_PROPERTY);
  if (id == nullptr) throw Failure(Kind::providerBug, "two events have the same UID");
  if (icalproperty_get_first_parameter(id, ICAL_RANGE_PARAMETER) != nullptr)
    throw Failure(Kind::unsupported, "a RECURRENCE-ID with RANGE=THISANDFUTURE is not supported");
  return besideStart(readTime(id, zones), series_start);
}

std::vector<Series> seriesOf(Document const& document) {
  constexpr std::size_t most = 5000;
  auto const parts = document.events();
  if (parts.size() > most)
    throw Failure(Kind::unsupported, "the calendar text has " + std::to_string(parts.size()) +
                                         " events; more than " + std::to_string(most) +
                                         " in one text are not supported");
  std::vector<Series> all;
  std::map<std::string, std::size_t> by_uid;
  std::map<std::size_t, std::size_t> by_component;
  for (auto const& part : parts) {
    auto const uid = textOf(part.tree, ICAL_UID_PROPERTY);
    auto const line = document.lines[document.components[part.component].begin].number;
    auto const [found, is_new] = by_uid.emplace(uid, all.size());
    if (is_new) all.push_back({uid, line, {}, false, {}});
    auto& series = all[found->second];
    series.parts.push_back(part);
    by_component.emplace(part.component, found->second);
    if (uid.empty()) series.unreadable = "line " + std::to_string(line) + ": the event has no UID";
  }
  for (auto const& error : document.errors) {
    auto const found = by_component.find(error.component);
    auto const& line = document.lines[error.line];
    if (found == by_component.end() || !decidesTime(line.name)) continue;
    all[found->second].unreadable =
        "line " + std::to_string(line.number) + ": the " + line.name + " cannot be read";
  }
  for (auto& series : all) {
    if (!series.unreadable && !keepNewest(series.parts))
      series.unreadable = "line " + std::to_string(series.line) +
                          ": its UID stands for several events at different times, none of which is newer";
    putMasterFirst(series);
  }
  return all;
}

Event eventOf(Series const& series) {
  auto const& master = series.parts.front();
  ZoneNames const zones(master.calendar);
  Event event;
  event.uid = series.uid;
  event.title = textOf(master.tree, ICAL_SUMMARY_PROPERTY);
  event.description = textOf(master.tree, ICAL_DESCRIPTION_PROPERTY);
  event.location = textOf(master.tree, ICAL_LOCATION_PROPERTY);
  event.url = textOf(master.tree, ICAL_URL_PROPERTY);
  event.status = statusOf(master.tree);
  event.busy = !sameWord(textOf(master.tree, ICAL_TRANSP_PROPERTY).substr(0, 11), "TRANSPARENT");
  event.start = startOf(master.tree, zones);
  event.end = endOf(master.tree, event.start, zones);
  if (first(master.tree, ICAL_EXRULE_PROPERTY) != nullptr)
    throw Failure(Kind::unsupported, "an EXRULE is not supported");
  if (series.has_master) readRecurrence(master.tree, event, zones);
  readPeople(master.tree, event);
  readCategories(master.tree, event);
  for (std::size_t i = 1; i < series.parts.size(); ++i) {
    event.overrides.push_back(overrideOf(event, series.parts[i].tree, zones));
    if (!series.has_master) event.recurrence.dates.push_back(event.overrides.back().occurrence);
  }
  addDefinitions(event, zones);
  return event;
}

Details detailsOf(Event const& event) {
  return {event.title, event.description, event.location, event.status, event.busy, event.start, event.end};
}

Details detailsOf(Event const& event, Override const& change) {
  Details details = detailsOf(event);
  if (change.title) details.title = *change.title;
  if (change.description) details.description = *change.description;
  if (change.location) details.location = *change.location;
  if (change.busy) details.busy = *change.busy;
  if (change.status) details.status = *change.status;
  if (change.cancelled.value_or(false)) details.status = Status::cancelled;
  details.start = change.start.value_or(change.occurrence);
  details.end = change.end ? change.end : usualEnd(event, details.start);
  return details;
}

Calendar parseEvents(std::string_view text) {
  auto const document = Document::read(text);
  Calendar result;
  readOwnLines(document, result);
  std::size_t counted = 0;
  for (auto const& calendar : document.calendars)
    counted += static_cast<std::size_t>(std::max(0, icalcomponent_count_errors(calendar.get())));
  for (auto const& series : seriesOf(document)) {
    if (series.unreadable) {
      result.problems.push_back({series.line, series.uid, *series.unreadable});
      continue;
    }
    if (auto failure = attempt([&] { result.events.push_back(eventOf(series)); }))
      result.problems.push_back(
          {series.line, series.uid, "line " + std::to_string(series.line) + ": " + failure->message});
  }
  auto const reported = std::min(counted, result.problems.size());
  result.ignored_errors = counted - reported;
  return result;
}

} // namespace garland::sdk::ical
