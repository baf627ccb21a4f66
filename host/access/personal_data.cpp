// What the tables of this room hold of people: an operator's words for a key may name whose it is, and a
// session is a person's.
#include "host/access/access.h"

namespace garland::access {

std::vector<PersonalTable> personalData() {
  PersonalTable keys("api_keys", {"key_id"});
  keys.personal = {"name"};
  keys.plain = {"hash", "role", "vendor_id", "created", "expires", "revoked", "last_used", "replaced_by"};
  keys.fate = Fate::rewritten;
  PersonalTable sign_ins("sign_ins", {"hash"});
  sign_ins.plain = {"expires"};
  sign_ins.of_vendor = false;
  PersonalTable sessions("sessions", {"session_id"});
  sessions.personal = {"subject", "name"};
  sessions.plain = {"hash", "role", "vendor_id", "created", "expires", "last_used", "ended"};
  return {std::move(keys), std::move(sign_ins), std::move(sessions)};
}

} // namespace garland::access
