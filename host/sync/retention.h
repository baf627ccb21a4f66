// Forgets what is too old to be needed: the beginning of each vendor's feed, conflicts, items that came in
// and have their end, records that were deleted, and the trails of before the audit chain. The newest change
// of a feed stays, so that whoever asks for older ones is told that they are gone.
#pragma once

#include "host/sync/context.h"

#include <string>

namespace garland::sync {

class Retention {
public:
  explicit Retention(Context& context) : context_(context) {}

  // A few vendors at a time, a bounded number of rows of each.
  Task<void> tick();

private:
  struct Rule {
    char const* table;
    char const* id; // ascends with time
    bool integer;   // else TEXT
    Milliseconds KeptFor::* kept_for;
    bool keeps_newest;
  };
  static Rule const kRules[];
  Task<bool> forget(std::string vendor_id, Rule const* rule);
  Task<bool> forgetItems(std::string vendor_id);
  Task<bool> forgetDeleted(std::string vendor_id);

  Context& context_;
  std::string after_; // the vendor that was looked at last
  Monotonic next_{};
};

} // namespace garland::sync
