// What the table of this room holds of people: nothing.
#include "host/custody/custody.h"

namespace garland::custody {

std::vector<PersonalTable> personalData() {
  PersonalTable moves("vault_moves", {"key_id"});
  moves.plain = {"state", "place", "problem", "revision", "started", "updated", "finished"};
  moves.fate = Fate::kept;
  moves.of_vendor = false;
  return {std::move(moves)};
}

} // namespace garland::custody
