// Says in one sentence why a hop had no answer.
#pragma once

#include "host/egress/transfer.h"

namespace garland::egress {

// The error of a transfer that has ended badly, nothing if it has an answer. Its effect is what this
// hop alone tells: not applied if no byte of the request left or the method changes nothing.
std::optional<Error> failureOf(Transfer const& transfer, Hop const& hop, Milliseconds allowed);

// How a request ended that had `left` of the time `allowed` for it all, and stopped after `took`.
std::string unfinished(Milliseconds took, Milliseconds left, Milliseconds allowed);

Error untrusted(Verdict const& verdict, std::string const& host, Advice const& advice = {});
Error hostNotAllowed(Url const& url, std::vector<std::string> const& rules);
Error plainHttpNotAllowed(std::string const& host, Advice const& advice);

} // namespace garland::egress
