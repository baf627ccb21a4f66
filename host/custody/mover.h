// Moves the secrets to the sealing key, one unit of work at a time: some rows, and the place after them. A
// row is written only if it holds what was read, so whoever changed it meanwhile has the last word.
#pragma once

#include "host/custody/moves.h"

#include <string>
#include <vector>

namespace garland::custody {

enum class Step {
  more,  // there is more to do, at once
  again, // something came in under another key behind our back: another round, a little later
  ended, // no move runs, or it has ended
};

class Mover {
public:
  explicit Mover(Dependencies const& with) : with_(with), moves_(with) {}
  Task<Step> step();

private:
  struct Page {
    Table const* table = nullptr;
    std::vector<store::Row> rows; // keys, sealed
    bool is_last = false;         // of the table
  };
  Table const* tableAt(Place const& place) const; // nullptr: behind the last
  Task<Page> pageAt(Place place, std::string prefix);
  store::Unit movedBy(MoveRow const& row, Page const& page);
  Task<Step> finish(MoveRow row);

  Dependencies const& with_;
  Moves moves_;
};

} // namespace garland::custody
