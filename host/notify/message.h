// What is sent for a change, and how it is signed (standardwebhooks.com). No I/O.
#pragma once

#include "host/base/random.h"
#include "host/notify/notify.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::notify {

// "calendar.event.updated"
std::string typeOf(sync::Change const& change);
// {"type","timestamp","data"}. What the record holds is not in it: whoever is told asks for it, and gets what
// it holds then.
std::string bodyOf(sync::Change const& change);

// The webhook-id, "msg_<the endpoint's characters>_<sequence>": a change has the same one at an endpoint for
// ever, without anything being kept.
std::string idOf(std::string_view endpoint_id, std::int64_t sequence);
std::optional<std::int64_t> sequenceOf(std::string_view endpoint_id, std::string_view id);

bool wants(std::vector<std::string> const& events, std::string_view type);
// invalidInput with the place: not of the form, or nothing that happens to one of these kinds.
Result<void> checkEvents(std::vector<std::string> const& events, std::vector<std::string> const& kinds);

Secret newSecret(Random& random); // "whsec_" and 32 bytes in base64
// One signature, "v1,...". invalidInput: the secret is none of ours.
Result<std::string> sign(Secret const& secret, std::string_view id, TimePoint at, std::string_view body);
std::string secondsOf(TimePoint at); // since 1970: webhook-timestamp

} // namespace garland::notify
