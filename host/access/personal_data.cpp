// What the table of this room holds of people: an operator's words for a key may name whose it is.
#include "host/access/access.h"

namespace garland::access {

std::vector<PersonalTable> personalData() {
  PersonalTable keys("api_keys", {"key_id"});
  keys.personal = {"name"};
  keys.plain = {"hash", "role", "vendor_id", "created", "expires", "revoked", "last_used", "replaced_by"};
  keys.fate = Fate::rewritten;
  return {std::move(keys)};
}

} // namespace garland::access
