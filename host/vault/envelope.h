// The bytes of a sealed secret, and AES-256-GCM over them. What keys exist and where they come from
// is not known here.
//
//   "gv1." + base64 of
//     key id       8   first bytes of the master key's SHA-256
//     key nonce   12
//     wrapped key 32   the data key, encrypted with the master key
//     key tag     16
//     nonce       12
//     text         n   the secret, encrypted with the data key
//     tag         16
//
// The key id is authenticated with the wrapped key, the context with the text: a new master key
// needs the data keys wrapped again, but no secret opened.
#pragma once

#include "host/base/result.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace garland::vault {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kKeyIdBytes = 8;

using Key = std::span<std::byte const>;

struct Box {
  std::string nonce;
  std::string text; // encrypted
  std::string tag;
};

struct Envelope {
  std::string key_id;
  Box wrapped_key;
  Box secret;
};

std::string write(Envelope const& envelope);
// invalidInput if the text is not one that write() could have made.
Result<Envelope> readEnvelope(std::string_view sealed);

// `plain` in, box out; `nonce` must never repeat under one key.
Box encrypt(Key key, std::string nonce, std::string_view plain, std::string_view authenticated);
// Fills `plain`, which must be as long as the box's text. False: not made with this key and this
// authenticated text; `plain` is then wiped.
bool decrypt(Key key, Box const& box, std::string_view authenticated, std::span<std::byte> plain);

} // namespace garland::vault
