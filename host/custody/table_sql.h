// Pieces of SQL over a table whose columns are data.
#pragma once

#include "host/custody/custody.h"

#include <string>
#include <vector>

namespace garland::custody {

using Values = std::vector<store::Value>;

std::string listed(std::vector<std::string> const& names); // "a,b"
// "a=$2 AND b=$3" where the first value is number 2.
std::string isRow(std::vector<std::string> const& keys, std::size_t first);
// Rows whose secret is not under the key with this prefix, which is value number `at`.
std::string underAnotherKey(std::size_t at);
// "ven_1/con_2/login": the first so many columns of a row.
std::string rowName(store::Row const& row, std::size_t keys);

} // namespace garland::custody
