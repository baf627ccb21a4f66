// Lists that the daemon hands out a page at a time.
#pragma once

#include "host/cli/commands.h"

#include <string>
#include <vector>

namespace garland::cli {

// Shows the page of the API's list at `list`, such as "/actions", as Output::table does, and how to go on.
Exit showPage(Context with, std::string const& list, Page const& page, std::vector<Column> const& columns,
              std::string const& when_empty);

// Says how to go on after the page, if it is not the last one; nothing with --json.
void tellNext(Output& output, json::value const& page);

} // namespace garland::cli
