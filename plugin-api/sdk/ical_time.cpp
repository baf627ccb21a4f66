#include "ical_time.h"

#include <algorithm>
#include <cstdio>

namespace garland::sdk::ical {
namespace {

using namespace std::chrono;
using calendar::Time;

icaltimetype valueOf(icalproperty* property) {
  icalvalue* const value = icalproperty_get_value(property);
  if (value == nullptr) return icaltime_null_time();
  switch (icalvalue_isa(value)) {
  case ICAL_DATE_VALUE: return icalvalue_get_date(value);
  case ICAL_DATETIME_VALUE: return icalvalue_get_datetime(value);
  case ICAL_DATETIMEDATE_VALUE: return icalvalue_get_datetimedate(value);
  case ICAL_DATETIMEPERIOD_VALUE: {
    auto const period = icalvalue_get_datetimeperiod(value);
    return icaltime_is_null_time(period.time) != 0 ? period.period.start : period.time;
  }
  case ICAL_PERIOD_VALUE: return icalvalue_get_period(value).start;
  default: return icaltime_null_time();
  }
}

bool exists(icaltimetype const& time) {
  year_month_day const date{year(time.year), month(static_cast<unsigned>(time.month)),
                            day(static_cast<unsigned>(time.day))};
  if (!date.ok() || time.year < 1 || time.year > 9999) return false;
  return time.hour >= 0 && time.hour < 24 && time.minute >= 0 && time.minute < 60 && time.second >= 0 &&
         time.second <= 60;
}

template <class... Numbers> std::string format(char const* pattern, Numbers... numbers) {
  char text[64];
  auto const length = std::snprintf(text, sizeof text, pattern, numbers...);
  return {text, static_cast<std::size_t>(length)};
}

std::string dateText(local_seconds clock) {
  year_month_day const date(floor<days>(clock));
  return format("%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
}

std::string clockText(local_seconds clock) {
  hh_mm_ss const time(clock - floor<days>(clock));
  return dateText(clock) + format("T%02d:%02d:%02d", static_cast<int>(time.hours().count()),
                                  static_cast<int>(time.minutes().count()),
                                  static_cast<int>(time.seconds().count()));
}

icaltimetype toIcal(Time const& time) {
  auto const clock = clockOf(time);
  year_month_day const date(floor<days>(clock));
  hh_mm_ss const of_day(clock - floor<days>(clock));
  // libical writes a later year as zeros.
  if (date.year() > year(3000))
    throw Failure(Kind::invalidInput,
                  "\"" + time.text + "\" is too far in the future: years up to 3000 can be written");
  icaltimetype result = icaltime_null_time();
  result.year = static_cast<int>(date.year());
  result.month = static_cast<int>(static_cast<unsigned>(date.month()));
  result.day = static_cast<int>(static_cast<unsigned>(date.day()));
  result.is_date = time.form == Time::Form::date ? 1 : 0;
  result.hour = static_cast<int>(of_day.hours().count());
  result.minute = static_cast<int>(of_day.minutes().count());
  result.second = static_cast<int>(of_day.seconds().count());
  if (time.form == Time::Form::utc || meansUtc(time.zone)) result.zone = icaltimezone_get_utc_timezone();
  return result;
}

} // namespace

Time readTime(icalproperty* property, ZoneNames const& zones) {
  auto const value = valueOf(property);
  if (icaltime_is_null_time(value) != 0 || !exists(value))
    throw Failure(Kind::providerBug, std::string("the ") + icalproperty_get_property_name(property) +
                                         " is not a time that exists");
  auto const date = format("%04d-%02d-%02d", value.year, value.month, value.day);
  if (icaltime_is_date(value) != 0) return Time::date(date);
  auto const clock = date + format("T%02d:%02d:%02d", value.hour, value.minute, value.second);
  if (icaltime_is_utc(value) != 0) return Time::utc(clock + "Z");
  auto* const parameter = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
  char const* const tzid = parameter != nullptr ? icalparameter_get_tzid(parameter) : nullptr;
  if (tzid == nullptr || *tzid == '\0') return Time::local(clock);
  return Time::local(clock, zones.nameOf(tzid));
}

local_seconds clockOf(Time const& time) {
  std::string text = time.text;
  if (time.form == Time::Form::date) text += "T00:00:00Z";
  if (time.form == Time::Form::local) text += "Z";
  auto const instant = parseRfc3339(text);
  if (!instant) throw Failure(Kind::invalidInput, "\"" + time.text + "\" is not a time that exists");
  return local_seconds(floor<seconds>(*instant).time_since_epoch());
}

Time withClock(Time const& like, local_seconds clock) {
  switch (like.form) {
  case Time::Form::date: return Time::date(dateText(clock));
  case Time::Form::utc: return Time::utc(clockText(clock) + "Z");
  default: return Time::local(clockText(clock), like.zone);
  }
}

Time plus(Time const& start, icaldurationtype const& duration) {
  auto const length = weeks(duration.weeks) + days(duration.days) + hours(duration.hours) +
                      minutes(duration.minutes) + seconds(duration.seconds);
  auto const clock = clockOf(start);
  if (start.form == Time::Form::date) return withClock(start, clock + std::max(days(1), ceil<days>(length)));
  return withClock(start, duration.is_neg != 0 ? clock : clock + length);
}

PropertyPtr timeProperty(icalproperty_kind kind, Time const& time,
                         std::function<std::string(std::string const&)> const& tzid) {
  auto const value = toIcal(time);
  PropertyPtr property(icalproperty_new(kind));
  icalproperty_set_value(property.get(),
                         value.is_date != 0 ? icalvalue_new_date(value) : icalvalue_new_datetime(value));
  if (value.is_date == 0 && value.zone == nullptr && !time.zone.empty())
    icalproperty_add_parameter(property.get(), icalparameter_new_tzid(tzid(time.zone).c_str()));
  return property;
}

} // namespace garland::sdk::ical
