#include "host/calendar/event_time.h"

#include <algorithm>
#include <optional>

namespace garland::calendar {
namespace {

using std::chrono::local_days;
using std::chrono::local_seconds;

std::optional<int> number(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

std::optional<local_days> parseDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  auto const year = number(text, 0, 4);
  auto const month = number(text, 5, 2);
  auto const day = number(text, 8, 2);
  if (!year || !month || !day || *year < 1) return std::nullopt;
  std::chrono::year_month_day const date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return local_days(date);
}

std::optional<local_seconds> parseDateTime(std::string_view text) {
  if (text.size() != 19 || text[10] != 'T' || text[13] != ':' || text[16] != ':') return std::nullopt;
  auto const date = parseDate(text.substr(0, 10));
  auto const hour = number(text, 11, 2);
  auto const minute = number(text, 14, 2);
  auto const second = number(text, 17, 2);
  if (!date || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  auto const leapless = std::min(*second, 59); // a leap second is read as the one before it
  return *date + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(leapless);
}

Error wrong(std::string_view field, std::string_view member, std::string_view expected) {
  std::string const place = std::string(field) + "/" + std::string(member);
  return {ErrorKind::invalidInput, place + ": must be " + std::string(expected), place};
}

std::optional<std::string_view> member(json::value const& time, std::string_view name) {
  auto const* found = time.is_object() ? time.get_object().if_contains(name) : nullptr;
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string_view(found->get_string());
}

} // namespace

Result<EventTime> readTime(json::value const& time, std::string_view field) {
  if (auto const date = member(time, "date")) {
    auto const parsed = parseDate(*date);
    if (!parsed) return wrong(field, "date", "a date such as 2026-06-13");
    return EventTime{EventTime::Form::date, *parsed, {}};
  }
  if (auto const utc = member(time, "utc")) {
    bool const ends = utc->size() == 20 && utc->back() == 'Z';
    auto const parsed = ends ? parseDateTime(utc->substr(0, 19)) : std::nullopt;
    if (!parsed) return wrong(field, "utc", "a UTC time such as 2026-06-13T12:00:00Z");
    return EventTime{EventTime::Form::utc, *parsed, {}};
  }
  if (auto const local = member(time, "local")) {
    auto const parsed = parseDateTime(*local);
    if (!parsed) return wrong(field, "local", "a local time such as 2026-06-13T14:00:00");
    auto const zone = member(time, "zone");
    if (!zone) return EventTime{EventTime::Form::floating, *parsed, {}};
    return EventTime{EventTime::Form::zoned, *parsed, std::string(*zone)};
  }
  std::string const place(field);
  return Error(ErrorKind::invalidInput,
               place + R"(: must have "date", "utc", or "local" with an optional "zone")", place);
}

} // namespace garland::calendar
