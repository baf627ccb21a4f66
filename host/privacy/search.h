// Reads a table page by page, in the order of its keys, as its declaration says.
#pragma once

#include "host/privacy/privacy.h"

#include <string>
#include <vector>

namespace garland::privacy {

using Values = std::vector<store::Value>;

struct FoundRow {
  Values keys;
  Values personal;
  std::vector<std::string> more;
  bool busy = false;
};

std::string textOf(store::Value const& value); // bytes as they are; numbers in digits
store::Value valueLike(store::Value const& old, std::string text);
std::string keyNames(PersonalTable const& table); // "a,b"
// "a=$2 AND b=$3" where the first is number 2.
std::string isRow(PersonalTable const& table, std::size_t first);

class Search {
public:
  // `more`: text columns that are read besides. `vendor_id` "": of all.
  Search(store::Store& store, PersonalTable const& table, std::string vendor_id,
         std::vector<std::string> more = {});
  // Empty at the end.
  Task<std::vector<FoundRow>> next();

private:
  store::Statement page() const;

  store::Store& store_;
  PersonalTable const& table_;
  std::string vendor_id_;
  std::vector<std::string> more_;
  Values after_;
  bool ended_ = false;
};

} // namespace garland::privacy
