// The four shapes of a time in a calendar event, read from JSON. What a zone means: zones.h.
#pragma once

#include "host/base/json.h"

#include <chrono>
#include <string>
#include <string_view>

namespace garland::calendar {

struct EventTime {
  enum class Form { date, zoned, utc, floating };
  Form form = Form::utc;
  std::chrono::local_seconds local{}; // wall clock; of a date its midnight, of a UTC time the UTC clock
  std::string zone;                   // of a zoned time only

  bool isDate() const { return form == Form::date; }
};

// {"date"} | {"local","zone"} | {"utc"} | {"local"}. invalidInput with `field` for anything else.
Result<EventTime> readTime(json::value const& time, std::string_view field);

} // namespace garland::calendar
