// Units of a daemon that may not be alone on its database. Alone, a connection is always its own, and a unit
// is committed as it is.
#pragma once

#include "host/sync/context.h"
#include "host/sync/peers.h"
#include "host/sync/sql.h"
#include "host/sync/storage.h"

#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

// Work of the connection may begin here.
bool mine(Context const& context, std::string const& connection_id);
// Its provider may be asked something here.
bool mayAsk(Context const& context, std::string const& connection_id);
// What is for one daemon, whichever.
bool caresFor(Context const& context, std::string_view name);

// " AND ...", which leaves only rows of connections that are this daemon's; "" if all are. `table` has the
// columns vendor_id and connection_id.
std::string andMine(Context const& context, std::string_view table, Values& args);

// For the owner of the connection, if that is another daemon.
std::vector<News> newsFor(Context const& context, NewsKind kind, std::string vendor_id,
                          std::string connection_id);

// Tells the news to other daemons if and only if the unit is kept. One Rows for each statement that was
// given.
Task<std::vector<store::Rows>> commitTelling(Context* context, store::Unit unit, std::vector<News> news);
// What the owner of a connection writes: `cancelled` if another daemon owns it by now, and nothing is kept.
Task<std::vector<store::Rows>> commitOwned(Context* context, Owner owner, store::Unit unit,
                                           std::vector<News> news = std::vector<News>());

} // namespace garland::sync
