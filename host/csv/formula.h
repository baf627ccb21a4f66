// Cells that a spreadsheet would run: how they are written, and how they are read again.
#pragma once

#include <string>
#include <string_view>

namespace garland::csv {

// Puts an apostrophe before a cell that begins, behind any apostrophes, as a formula does.
void guard(std::string& cell);
// Takes that one away again; any other cell stays as it is.
void unguard(std::string& cell);

} // namespace garland::csv
