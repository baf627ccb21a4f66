// How a connection stands, where this host changes it by itself: a row of the audit chain in the unit, in
// front of the statement that does it. Of one that stands so already nothing is told.
#pragma once

#include "host/sync/storage.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace garland::sync {

inline constexpr std::string_view kReconnect = "reconnect needed";

struct NewStanding {
  std::string state;                    // "connected", "failing", kReconnect
  std::string why;                      // the kind of an error; "" if it is none
  std::int64_t credential_version = -1; // it is about this one alone; -1: whichever
};

void tellStanding(Context const& context, Owner const& owner, NewStanding standing, store::Unit& unit);

} // namespace garland::sync
