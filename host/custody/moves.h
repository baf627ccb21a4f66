// The rows that say how far a move has come. A unit of a move proves by the row's revision that it goes on
// from what it read, so two daemons may move at once.
#pragma once

#include "host/custody/custody.h"

#include <optional>
#include <string>
#include <vector>

namespace garland::custody {

// After which row of which table it goes on. A table that is not there: all were gone through.
struct Place {
  std::string table;              // "": the first one
  std::vector<std::string> after; // the keys of that row; empty: at the table's begin
};

struct MoveRow {
  Move move;
  Place place;
  std::int64_t revision = 0;
};

class Moves {
public:
  explicit Moves(Dependencies const& with) : with_(with) {}

  Task<std::optional<MoveRow>> to(std::string key_id);
  Task<std::optional<MoveRow>> last();
  // To this key; one that runs already goes on, others that run are left.
  Task<void> begin(std::string key_id);

  // Each is for the unit that is the step.
  store::Statement goesTo(MoveRow const& row, Place const& place, std::string const& problem) const;
  // Nothing is under another key any more, or the unit fails as `conflict`.
  store::Statement isDone(MoveRow const& row) const;
  store::Statement isStuck(MoveRow const& row) const;

private:
  Task<std::optional<MoveRow>> one(store::Statement query);
  std::int64_t now() const { return with_.clock.now().time_since_epoch().count(); }

  Dependencies const& with_;
};

} // namespace garland::custody
