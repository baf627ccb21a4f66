// Names of things: "<prefix>_<26 characters>", a ULID in Crockford base32, ordered by creation time.
// Prefixes in use: ven (vendor), con (connection), rec (record), run (sync run), aud (audit), act (action),
// nod (daemon), key (API key).
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"

#include <string>
#include <string_view>

namespace garland {

std::string newId(std::string_view prefix, Clock const& clock, Random& random);
// Every id of an earlier moment is less than this, and no other is. Before 1970 there are none.
std::string idsBefore(std::string_view prefix, TimePoint when);
// True if text has the given prefix and the shape above; bad ids are refused at the door.
bool isId(std::string_view prefix, std::string_view text);

} // namespace garland
