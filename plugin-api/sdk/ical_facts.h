// What one VEVENT says, mapped: shared by reading and by finding out what a write has to change.
#pragma once

#include "ical_document.h"
#include "ical_time.h"

#include <garland/sdk/calendar.hpp>

#include <optional>
#include <string>
#include <vector>

namespace garland::sdk::ical {

// The members that an occurrence can have of its own.
struct Details {
  std::string title;
  std::string description;
  std::string location;
  calendar::Status status = calendar::Status::confirmed;
  bool busy = true;
  calendar::Time start;
  std::optional<calendar::Time> end;
};

// The VEVENTs of one UID, master first. If there is none without RECURRENCE-ID, the first one is it.
struct Series {
  std::string uid;
  std::size_t line = 0; // of its first VEVENT
  std::vector<EventPart> parts;
  bool has_master = false;
  std::optional<std::string> unreadable; // why the event cannot be taken
};

std::vector<Series> seriesOf(Document const& document);

// Failure(providerBug or unsupported) if something that the event needs is missing or unreadable.
calendar::Event eventOf(Series const& series);

Details detailsOf(calendar::Event const& event);
// What an occurrence is, its own members put over the event's.
Details detailsOf(calendar::Event const& event, calendar::Override const& change);

// The start that an override replaces.
calendar::Time occurrenceOf(icalcomponent* override_part, calendar::Time const& series_start,
                            ZoneNames const& zones);

} // namespace garland::sdk::ical
