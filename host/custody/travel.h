// Everything of the tables out of one database and into another.
#pragma once

#include "host/custody/document.h"

#include <string>
#include <vector>

namespace garland::custody {

// As it was at one moment; secrets under the key of `to`.
Task<std::vector<TableRows>> readAll(Dependencies const* with, vault::Vault* to);
// In one unit: rows that are there already are replaced, or kept. Secrets come from the key of `from`.
Task<std::vector<Imported>> writeAll(Dependencies const* with, std::vector<TableRows> content,
                                     vault::Vault const* from);

} // namespace garland::custody
