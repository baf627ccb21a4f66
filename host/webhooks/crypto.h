// OpenSSL behind this room's own words: HMAC, public keys, encodings of bytes. No other file of the room
// includes it.
#pragma once

#include "host/base/clock.h"
#include "host/webhooks/scheme.h"

struct evp_pkey_st;

namespace garland::webhooks {

std::string encoded(Encoding encoding, std::string_view bytes);
// nullopt if the text is not in that encoding. base64url comes with or without padding.
std::optional<std::string> decoded(Encoding encoding, std::string_view text);

bool isHmac(Algorithm algorithm);
std::string hmac(Algorithm algorithm, std::string_view key, std::string_view text);

class PublicKey {
public:
  // PEM (a certificate or a public key), DER, or for ed25519 32 bytes. badKey if it is none of them, does not
  // fit the algorithm, is too weak, or is a certificate that is not valid now.
  static Found<PublicKey> read(Algorithm algorithm, std::string_view bytes, TimePoint now);
  bool verifies(Algorithm algorithm, std::string_view text, std::string_view signature) const;

private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;
  explicit PublicKey(Handle key) : key_(std::move(key)) {}
  static Found<Handle> parsed(Algorithm algorithm, std::string_view bytes, TimePoint now);
  Handle key_;
};

// Public keys as a JSON Web Key has them, in numbers, as the DER that PublicKey reads. Empty if they cannot
// be those of a key.
std::string rsaPublicKey(std::string_view modulus, std::string_view exponent);
std::string p256PublicKey(std::string_view x, std::string_view y);

// JSON Web Tokens carry r and s of an ECDSA signature side by side, 32 bytes each; everybody else DER. Empty
// if it has another length.
std::string derSignature(std::string_view r_and_s);

} // namespace garland::webhooks
