// iCalendar (RFC 5545) to and from the canonical event. Link garland::sdk-ical.
//
// Reading and writing needs no files and no time zone data: zones are mapped by name, and what a rule
// or a zone means in time is worked out by the host. Texts from outside are bounded: 4 MiB, 100,000
// lines, 8 components deep.
#pragma once

#include <garland/sdk/calendar.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sdk::ical {

// Why one event of a text was left out.
struct Problem {
  std::size_t line = 0; // where in the text, from 1
  std::string uid;      // of the event; empty if it has none
  std::string message;  // "line 12: the RRULE cannot be read"
};

struct Calendar {
  // One per UID, in the order of the text: the master with its overrides. Of several versions of either
  // the newest counts, by SEQUENCE, LAST-MODIFIED and DTSTAMP. If there are overrides only
  // (an invitation to some occurrences of a series), the first of them stands for the event and the
  // others follow as dates with overrides.
  std::vector<calendar::Event> events;
  std::vector<Problem> problems;
  // Lines of no importance to the events that could not be read either.
  std::size_t ignored_errors = 0;
  std::string name; // X-WR-CALNAME or NAME; empty: it has none
  // How long its publisher wants to be left alone: REFRESH-INTERVAL or X-PUBLISHED-TTL.
  std::optional<std::chrono::seconds> refresh;
};

// Reads every VEVENT; other components (to-dos, journals, alarms) are passed over in silence.
// Failure(providerBug) if the text as a whole is not iCalendar, or is cut off: "line 7: ...";
// Failure(unsupported) if it is too large or has more than 5000 events.
Calendar parseEvents(std::string_view text);

struct WriteOptions {
  // VTIMEZONE texts by IANA name, for zones that the existing text does not define.
  std::map<std::string, std::string> zones;
  // The text that is stored now; empty: there is none. Whatever the event does not map is kept
  // byte for byte: unknown properties, alarms, other components.
  std::string existing;
  TimePoint now; // for DTSTAMP and LAST-MODIFIED
};

// The text that says what `event` says. An existing text that says so already comes back unchanged.
// Failure(invalidInput) with the field for what cannot be written: an unreadable rule, a zone without
// definition, another uid than the existing text's.
std::string toIcs(calendar::Event const& event, WriteOptions const& options);

// The IANA name that a TZID means: itself, an Outlook name ("W. Europe Standard Time"), or the end of
// a path ("/example.org/2025a/Europe/Berlin"); empty if there is none.
std::string ianaZone(std::string_view tzid);

} // namespace garland::sdk::ical
