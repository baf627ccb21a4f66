// A CSV file that somebody hands in, as items of intake: some rows each. No engine here.
#pragma once

#include "host/csv/csv.h"
#include "host/sync/sync.h"

#include <optional>
#include <string>
#include <vector>

namespace garland::api {

struct ImportWish {
  std::string connection_id;
  std::string file; // its name, for people
  // The number that the first row after the header has in the whole file, if this is a part of one.
  std::optional<std::int64_t> first_row;
  bool skip_uneven = false;
};

// Items in the order of their rows. invalidInput if rows do not fit the header and are not to be left out.
// The same rows make the same items again, whatever the file is called and wherever they stand in it.
Result<std::vector<sync::Delivery>> deliveriesOf(csv::Table table, ImportWish const& wish);

} // namespace garland::api
