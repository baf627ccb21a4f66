// How far each calendar is, as the host keeps it between pulls:
//   {"calendars": {"<url>": {"token", "ctag", "etags", "target", "after", "retry"}}}
#pragma once

#include <garland/sdk/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace garland::caldav {

// A listing that is being worked off, item after item in the order of their URLs. Its token or tag is
// that of the FIRST listing, also after a stop and a new one: what changed in between comes again.
struct Progress {
  std::string token;
  std::string ctag;
  std::string after; // URL of the last item that is done; empty: none yet
};
GARLAND_RECORD(Progress, token, ctag, after)

struct CalendarState {
  std::optional<std::string>
      token; // everything up to here is done; absent: not listed in full yet, or no tokens
  std::optional<std::string> ctag;
  std::optional<std::map<std::string, std::string>> etags; // of what is done, where there are no tokens
  std::optional<Progress> progress;
  std::optional<std::vector<std::string>> retry; // items that the server failed to give
};
GARLAND_RECORD(CalendarState, token, ctag, etags, progress, retry)

struct Cursor {
  std::map<std::string, CalendarState> calendars;
};
GARLAND_RECORD(Cursor, calendars)

} // namespace garland::caldav
