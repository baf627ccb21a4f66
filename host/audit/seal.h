// What a checkpoint's signature is over, and the keys of this room: one that signs, one that makes
// pseudonyms, both sealed in the database.
#pragma once

#include "host/audit/audit.h"
#include "host/base/secret.h"

namespace garland::audit {

struct Keys {
  Secret signing; // 32 bytes
  std::string public_key;
  Secret pseudonyms; // 32 bytes
};

// Makes them if the database has none; of two daemons that do so at once, one's are the keys of both.
Task<Keys> openKeys(store::Store* store, vault::Vault* vault, Random* random);

Result<std::string> sealed(Secret const& signing, std::string_view body); // 64 bytes
// Of another text, see Book::sign.
Result<std::string> signedFor(Secret const& signing, std::string_view purpose, std::string_view text);
bool isSealed(std::string_view public_key, std::string_view body, std::string_view signature);

} // namespace garland::audit
