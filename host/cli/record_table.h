// What a table of records shows of each: when, how it stands, how much, and what it is, whatever its kind.
#pragma once

#include "host/cli/output.h"

namespace garland::cli {

// Adds to each record of `page` what its row shows, and says which columns there are: those that some record
// fills. `kind`: the only one on the page, or "" if each row names its own.
std::vector<Column> recordColumns(json::value& page, std::string const& kind);

} // namespace garland::cli
