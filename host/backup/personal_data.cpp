// What the table of this room holds of people: nothing.
#include "host/backup/backup.h"

namespace garland::backup {

std::vector<PersonalTable> personalData() {
  PersonalTable restores("restores", {"backup_id"});
  restores.plain = {"made", "settled"};
  restores.fate = Fate::kept;
  restores.of_vendor = false;
  return {std::move(restores)};
}

} // namespace garland::backup
