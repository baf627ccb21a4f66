// Says in one sentence why a hop had no answer.
#pragma once

#include "host/egress/transfer.h"

namespace garland::egress {

// The error of a transfer that has ended badly, nothing if it has an answer. Its effect is what this
// hop alone tells: not applied if no byte of the request left or the method changes nothing.
std::optional<Error> failureOf(Transfer const& transfer, Hop const& hop, Milliseconds allowed);

Error hostNotAllowed(Url const& url, std::vector<std::string> const& rules);
Error plainHttpNotAllowed(std::string const& host);

} // namespace garland::egress
