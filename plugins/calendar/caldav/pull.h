// Pulling: which items of which calendar, in which order, and where to go on after a stop.
#pragma once

#include "dav_client.h"

#include <garland/sdk/calendar.hpp>

namespace garland::caldav {

// Brings every calendar that is wanted up to date, from the cursor of the request.
void pull(sdk::Account& account, std::string const& url, sdk::calendar::PullRequest const& request,
          sdk::calendar::Feed& feed);

} // namespace garland::caldav
