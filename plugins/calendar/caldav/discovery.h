// From whatever address a vendor typed to the calendars behind it (RFC 6764, RFC 4791).
#pragma once

#include "dav_client.h"

#include <garland/sdk/calendar.hpp>

#include <string>
#include <vector>

namespace garland::caldav {

struct Calendar {
  std::string url;
  std::string name;
  std::string color;
  std::string zone; // IANA, may be empty
  bool writable = true;
  std::string ctag;       // empty: the server has none
  std::string sync_token; // as of the listing; empty: none
};

// Where an account's calendars are.
struct Place {
  std::string account;            // name to show, with the host it is on
  std::vector<std::string> homes; // collections that hold calendars, or are one
};

// Failure(invalidInput) with the field /url if there is no CalDAV server; what the server refuses otherwise.
Place locate(Dav& dav, std::string const& url);

// Every calendar that takes events, by URL.
std::vector<Calendar> listCalendars(Dav& dav, Place const& place);

} // namespace garland::caldav
