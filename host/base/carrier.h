// Carries what the daemons on one database tell each other, where that is not left to the database itself.
// What is told is a hint to look: the tables are the truth, and who hears nothing looks by himself from time
// to time.
#pragma once

#include "host/base/task.h"

#include <functional>
#include <string>
#include <string_view>

namespace garland {

// [loop thread]
class Carrier {
public:
  virtual ~Carrier() = default;

  // Called with each line, of this daemon's own too; with "" whenever something may have been missed, so at
  // the begin as well. In the place of an earlier listener; an empty one ends it.
  using Listener = std::function<void(std::string const& line)>;
  virtual void listen(Listener listener) = 0;
  // Without waiting. Lines are heard in no order, and those that are equal perhaps once.
  virtual void tell(std::string line) = 0;
  // Carries what was told before, if it can; nothing is heard any more.
  virtual Task<void> close() = 0;

  virtual std::string_view name() const = 0; // "nats"
  virtual bool connected() const = 0;
};

} // namespace garland
