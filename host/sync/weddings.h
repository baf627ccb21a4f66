// Which vendors have a wedding today. What is done for them goes before the same for others.
#pragma once

#include "host/sync/context.h"

namespace garland::sync {

class Weddings {
public:
  explicit Weddings(Context& context) : context_(context) {}
  // Brings Context::weddings up to date. Called often, it does so now and then.
  Task<void> tick();

private:
  Context& context_;
  Monotonic next_{}; // the time of day may be set back
};

} // namespace garland::sync
