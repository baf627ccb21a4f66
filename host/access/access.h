// Who may call: API keys, random, shown once, kept as a hash.
#pragma once

#include "host/base/random.h"
#include "host/base/result.h"
#include "host/base/secret.h"

#include <string>
#include <string_view>

namespace garland::access {

// "gk_" and 43 characters of base64url: 256 random bits.
Secret newApiKey(Random& random);
// SHA-256, hex. A key has full entropy, so no slow hash is needed.
std::string hashOf(std::string_view api_key);
// Constant time. False for anything that does not have the shape of a key.
bool matches(std::string_view api_key, std::string_view hash);

// Reads the key file (0600), or makes a key and the file if it is not there.
// forbidden if others can read it; invalidInput if it holds no key.
Result<Secret> openKeyFile(std::string const& path, Random& random);

} // namespace garland::access
