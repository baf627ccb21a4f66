// Items that could not be taken, since what the provider said of them was wrong. The cursor goes on past
// them, so they are remembered, and read again by their ids with each sync until they can be taken or are
// gone.
#pragma once

#include "host/sync/inbound.h"

#include <set>
#include <string>
#include <vector>

namespace garland::sync {

class Missed {
public:
  Missed(Context& context, Place place) : context_(context), place_(std::move(place)) {}

  // Those that were looked at the longest ago.
  Task<std::vector<std::string>> due();
  // At most so many as are worth it; the others are found when they are changed.
  Task<void> remember(std::set<std::string> ids);
  Task<void> forget(std::set<std::string> ids);
  // It keeps its place among them, but is the last to be looked at again.
  Task<void> looked(std::string id);

private:
  store::Statement looking(std::string const& id, std::int64_t when) const;

  Context& context_;
  Place place_;
};

} // namespace garland::sync
