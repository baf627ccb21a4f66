// The table of this room. Forward only: a change is a new migration, never an edit of an old one.
#include "host/custody/custody.h"

namespace garland::custody {
namespace {

// One row for each master key that everything was moved to. It belongs to the installation, not to a vendor.
constexpr char const* kMoves = R"sql(
CREATE TABLE vault_moves (
  key_id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  place TEXT NOT NULL,
  problem TEXT NOT NULL,
  revision BIGINT NOT NULL,
  started BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  finished BIGINT
)
)sql";

} // namespace

std::vector<store::Migration> migrations() {
  std::vector<store::Migration> all;
  all.push_back(store::Migration{20, "custody: moves of all secrets to another master key", kMoves});
  return all;
}

} // namespace garland::custody
