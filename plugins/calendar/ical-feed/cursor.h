// What a pull knows of the feed from the pulls before:
//   {"etag", "modified", "ends": {"<uid>": day or null}, "quiet", "empty_since"}
#pragma once

#include <garland/sdk/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace garland::ical_feed {

struct Cursor {
  std::optional<std::string> etag;     // of the text that was taken last
  std::optional<std::string> modified; // its Last-Modified
  // Of every event there ever was, but for those that vanished before they ended: the day since 1970-01-01 on
  // which it is over; absent: it never is.
  std::map<std::string, std::optional<std::int64_t>> ends;
  std::optional<std::int64_t> quiet;      // seconds for which the publisher wants to be left alone
  std::optional<std::string> empty_since; // RFC 3339; events were known, and the feed had none
};
GARLAND_RECORD(Cursor, etag, modified, ends, quiet, empty_since)

} // namespace garland::ical_feed
