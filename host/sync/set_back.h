// What waits for a time of day (a next attempt, a poll, a visit) would wait so much longer when that is set
// back. It is found by what it says of itself, so that it does not matter who ran meanwhile. What has waited
// for a while already, and began to wait before the moment that it is now, waits at most that while longer.
#pragma once

#include "host/sync/context.h"
#include "host/sync/sql.h"

namespace garland::sync {

class SetBack {
public:
  explicit SetBack(Context& context) : context_(context) {}
  // Called often, it looks now and then. True: something is due sooner than was known.
  Task<bool> tick();

private:
  Task<std::int64_t> bringForward(store::Waiting waiting);

  Context& context_;
  Monotonic next_{};
};

} // namespace garland::sync
