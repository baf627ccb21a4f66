// Time zones: IANA names from the system's tzdata, and VTIMEZONE texts that came with an event.
//
// libical keeps its zones in process-wide tables without locks: everything here belongs to one thread.
#pragma once

#include "host/base/json.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

struct _icaltimezone; // libical's icaltimezone

namespace garland::calendar {

// The rules of one zone. A handle: cheap to copy, valid as long as the ZoneBook it came from.
class Zone {
public:
  // UTC.
  Zone() = default;
  explicit Zone(_icaltimezone* rules) : rules_(rules) {}

  std::chrono::seconds offsetAt(std::chrono::sys_seconds when) const;
  // A local time that a clock change skips is read with the offset before the change, one that
  // happens twice is the first of the two (RFC 5545, 3.3.5).
  std::chrono::sys_seconds toUtc(std::chrono::local_seconds local) const;
  std::chrono::local_seconds toLocal(std::chrono::sys_seconds when) const;

private:
  _icaltimezone* rules_ = nullptr;
};

// The zones one event may name: its own zone_definitions first, then IANA.
class ZoneBook {
public:
  // invalidInput with the field if a definition is not a usable VTIMEZONE.
  static Result<ZoneBook> of(json::value const& event);
  ZoneBook() = default;

  // invalidInput with `field` if nobody knows the name.
  Result<Zone> find(std::string_view name, std::string_view field) const;
  // True if the name is looked up in IANA, not in the event's definitions.
  bool isDefinedByEvent(std::string_view name) const { return defined_.contains(name); }

private:
  struct Release {
    void operator()(_icaltimezone* zone) const;
  };
  std::map<std::string, std::unique_ptr<_icaltimezone, Release>, std::less<>> defined_;
};

// Loads libical's table of zones, so that no later call does it in the middle of a request.
void preloadZones();

// The VTIMEZONE component of an IANA zone, without rules that ended before `from_year`; CRLF lines.
// notFound if there is no such zone, or none that needs a component (UTC).
Result<std::string> vtimezone(std::string_view name, int from_year);

} // namespace garland::calendar
