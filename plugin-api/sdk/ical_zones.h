// Zone names between iCalendar (TZID, VTIMEZONE) and the canonical event (IANA, zone_definitions).
#pragma once

#include "ical_document.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::ical {

// The zones that one VCALENDAR defines, and what the canonical event calls them.
class ZoneNames {
public:
  explicit ZoneNames(icalcomponent* calendar);

  // Name for a time in zone `tzid`: an IANA name, or the TZID itself if the text defines it.
  // Failure(providerBug) if it is neither.
  std::string nameOf(std::string_view tzid) const;
  // VTIMEZONE text of a name that nameOf() gave and that is no IANA name; empty for others.
  std::string definitionOf(std::string_view name) const;
  // TZID that the text uses for a canonical name; empty if it defines none.
  std::string tzidFor(std::string_view name) const;

private:
  struct Zone {
    std::string tzid;
    std::string iana; // empty if there is no IANA name for it
    icalcomponent* component;
  };
  std::vector<Zone> zones_;
};

bool meansUtc(std::string_view zone);

// `text` with its TZID set to `tzid`, CRLF lines; empty if it is not one VTIMEZONE component.
std::string zoneComponent(std::string_view text, std::string_view tzid);

} // namespace garland::sdk::ical
