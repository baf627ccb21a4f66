// One pull of the feed: what came, what changed, what vanished.
#pragma once

#include <garland/sdk/calendar.hpp>
#include <garland/sdk/ical.hpp>

namespace garland::ical_feed {

// The one calendar of a connection, and the scope of its events.
inline constexpr char calendar_id[] = "feed";

// The feed as it is now. [suspends]
sdk::ical::Calendar fetch(sdk::Account& account);

// Brings in what changed since the cursor. Nothing is deleted by a text that is cut off, is no calendar, or
// suddenly has no events; an event that may be over stays, although it is no longer listed. [suspends]
void pull(sdk::Account& account, sdk::calendar::PullRequest const& request, sdk::calendar::Feed& feed);

} // namespace garland::ical_feed
