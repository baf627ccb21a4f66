// What is forgotten by itself because it is old, or because room is needed, is told in the unit that does it:
// how many of what, and nothing of what was in them.
#pragma once

#include "host/sync/storage.h"

#include <string>

namespace garland::sync {

enum class Forgets { old, forRoom };

// "retention.forget": so many of `what` ("changes", "items"). The statement that deletes them has to expect
// as many. `whose`: members that are "" are left out.
store::Statement toldForgotten(Context const& context, Owner whose, std::string what, std::int64_t count,
                               Forgets why = Forgets::old);

// Rows of a table (its name, and its key's) that had their end before that; a thousand at a time, the oldest
// first. How many there were; none, too, if one of them has just changed.
Task<std::int64_t> forgetEnded(Context* context, std::string table, std::string key, TimePoint before);

} // namespace garland::sync
