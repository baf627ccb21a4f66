// What a calendar's events mean, worked out the slow way: zones from the system's compiled tables, rules by
// trying every day. It shares nothing with connectors, nor with the host's calendar.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace garland::certification::oracle {

using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// One zone, as /usr/share/zoneinfo has it (RFC 8536).
class Zone {
public:
  // Nothing if this machine does not have it.
  static std::optional<Zone> load(std::string_view name);

  seconds offsetAt(sys_seconds when) const;
  // A time that is skipped is read with the offset before, one that comes twice is the first (RFC
  // 5545, 3.3.5).
  sys_seconds instant(local_seconds clock) const;
  // When the offset changes, in [from, until).
  std::vector<sys_seconds> changes(sys_seconds from, sys_seconds until) const;

private:
  std::vector<std::pair<std::int64_t, std::int32_t>> steps_; // from then on, that offset
  std::int32_t first_ = 0;
};

struct Rule {
  enum class Every { day, week, month, year };
  Every every = Every::week;
  int interval = 1;
  std::set<unsigned> weekdays = {}; // of a week: 0 Sunday to 6
  std::optional<int> nth =
      {}; // of a month: the nth of the one weekday, -1 the last; absent: the day's number
  std::optional<int> count = {};
  std::optional<local_seconds> until = {}; // the last start that may be
};

// One event. Times are of its zone; "": floating, "UTC".
struct Event {
  std::string uid;
  std::string zone;
  local_seconds start;
  seconds length{3600}; // of the first, on the clock; as DURATION: of each, in time that passes
  bool all_day = false;
  bool by_duration = false; // written as DURATION
  bool busy = true;
  bool cancelled = false;
  std::optional<Rule> rule;
  std::set<local_seconds> except;
  std::set<local_seconds> further;              // RDATE
  std::map<local_seconds, local_seconds> moved; // a start -> what it is instead
  std::set<local_seconds> called_off;           // by an override
};

// The whole calendar as iCalendar.
std::string icsOf(std::vector<Event> const& events);

struct Span {
  sys_seconds begin;
  sys_seconds end;
  bool operator==(Span const&) const = default;
  auto operator<=>(Span const&) const = default;
};

// Its occurrences that overlap [from, until), sorted; none if it is cancelled. Throws nothing; zones have to
// be known.
std::vector<Span> occurrencesOf(Event const& event, sys_seconds from, sys_seconds until,
                                std::string_view home);
// The times that are taken: overlapping spans are one.
std::vector<Span> merged(std::vector<Span> spans);

// `count` events of all kinds, the same for the same seed.
std::vector<Event> someEvents(std::uint64_t seed, int count);

std::string text(sys_seconds when); // "2026-06-13T12:00:00Z"

} // namespace garland::certification::oracle
