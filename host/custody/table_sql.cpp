#include "host/custody/table_sql.h"

namespace garland::custody {

std::string listed(std::vector<std::string> const& names) {
  std::string text;
  for (auto const& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

std::string isRow(std::vector<std::string> const& keys, std::size_t first) {
  std::string text;
  for (auto const& key : keys) text += (text.empty() ? "" : " AND ") + key + "=$" + std::to_string(first++);
  return text;
}

std::string underAnotherKey(std::size_t at) {
  return "sealed<>'' AND SUBSTR(sealed,1," + std::to_string(vault::kSharesKey) + ")<>$" + std::to_string(at);
}

std::string rowName(store::Row const& row, std::size_t keys) {
  std::string text;
  for (std::size_t i = 0; i < keys; ++i) text += (i == 0 ? "" : "/") + row.text(i);
  return text;
}

} // namespace garland::custody
