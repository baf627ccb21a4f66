// Ed25519, behind this room's own words. A private key is its 32 bytes, a public one "ed25519:" and 64
// hexadecimal digits.
#pragma once

#include "host/base/result.h"
#include "host/base/secret.h"

#include <string>
#include <string_view>

namespace garland::audit {

inline constexpr std::size_t kKeyBytes = 32;

// hostLimit if the cryptographic library cannot.
Result<std::string> publicKeyOf(Secret const& private_key);
Result<std::string> sign(Secret const& private_key, std::string_view message); // 64 bytes
bool isSignature(std::string_view public_key, std::string_view message, std::string_view signature);

} // namespace garland::audit
