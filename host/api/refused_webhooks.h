// Webhooks that were refused within the last hour, for whoever looks after the house: a wrong secret shows
// here long before somebody misses a payment. In memory, of this daemon alone.
#pragma once

#include "host/base/clock.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::api {

// How often something happened within the last hour, to the minute.
class HourCount {
public:
  void add(Monotonic now);
  std::int64_t at(Monotonic now) const;

private:
  std::array<std::int64_t, 60> minutes_{}; // by minute modulo 60
  std::int64_t newest_ = 0;                // minute
};

// [loop thread]
class RefusedWebhooks {
public:
  struct Line {
    std::string system;        // the connector's id; "none" if there is no such
    std::string connection_id; // "": nobody's endpoint was called
    std::string reason;
    std::int64_t count = 0;
    TimePoint last;
    bool taken_since = false; // a genuine one of the connection came after the last of them
  };

  explicit RefusedWebhooks(Clock const& clock) : clock_(clock) {}
  // Systems and reasons are of fixed sets, and connections those that have an endpoint: strangers cannot make
  // this grow.
  void refused(std::string system, std::string connection_id, std::string reason);
  void taken(std::string const& connection_id);
  // The connection is gone.
  void forget(std::string const& connection_id) { of_connections_.erase(connection_id); }
  // By connection, system and reason.
  std::vector<Line> lines();
  std::int64_t count() const;

private:
  struct Entry {
    HourCount hour;
    TimePoint last;
    bool taken_since = false;
  };
  using Entries = std::map<std::pair<std::string, std::string>, Entry>; // by system and reason

  Clock const& clock_;
  std::map<std::string, Entries, std::less<>> of_connections_;
};

} // namespace garland::api
