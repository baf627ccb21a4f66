// Writing one event, with preconditions, and reading back what the server made of it.
#pragma once

#include "dav_client.h"

#include <garland/sdk/calendar.hpp>

namespace garland::caldav {

sdk::calendar::StoredEvent upsert(sdk::Account& account, std::string const& url,
                                  sdk::calendar::UpsertRequest const& request, sdk::Call& call);
void remove(sdk::Account& account, std::string const& url, sdk::calendar::DeleteRequest const& request);

} // namespace garland::caldav
