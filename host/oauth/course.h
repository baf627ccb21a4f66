// What an answer makes of a grant. No I/O.
#pragma once

#include "host/oauth/grants.h"

namespace garland::oauth {

// So long a client that is refused is left alone, for all connections.
inline constexpr Milliseconds kClientPause{std::chrono::minutes(15)};

// `asked`: when the request began; tokens live from then at the latest.
After afterwards(Grant const& grant, Provider const& provider, Answer answer, TimePoint asked, TimePoint now,
                 Random& random);
// Of a grant whose attempt nobody closed: who made it may be gone, and with it the answer.
void doubtAttempt(Grant& grant);

} // namespace garland::oauth
