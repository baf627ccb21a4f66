// The vault: secrets sealed with AES-256-GCM, each under a data key of its own, each data key
// wrapped by the master key. It keeps no rows: sealed text is stored by whoever asked for it.
// Also the house's digests and key files, because cryptography lives behind this door.
#pragma once

#include "host/base/bytes.h"
#include "host/base/random.h"
#include "host/base/secret.h"

#include <memory>
#include <string>
#include <string_view>

namespace garland::vault {

// The longest secret that can be sealed, in bytes.
inline constexpr std::size_t kLongestSecret = 1U << 20U;

// Errors: invalidInput (sealed text damaged, or sealed under another context or master key),
// forbidden (master key file readable by others), notFound (no master key file and `create` is
// false), hostLimit (no memory could be locked). [any thread]
class Vault {
public:
  // Reads the master key file, or makes it (0600, 32 random bytes, fsynced) if it is not there and
  // `create` is true. Refuses a file that group or others can read. `random` must outlive the vault.
  static Result<std::unique_ptr<Vault>> open(std::string master_key_path, bool create, Random& random);
  virtual ~Vault() = default;

  // `context` ("vendor/connection/slot") is authenticated: sealed text cannot be moved elsewhere.
  virtual Result<std::string> seal(Secret const& secret, std::string_view context) = 0;
  virtual Result<Secret> open(std::string_view sealed, std::string_view context) = 0;
  // First 16 hex digits of the master key's SHA-256: names the key without telling it.
  virtual std::string keyId() const = 0;
};

// Key files: regular files that only their owner can read (mode 0600 or less, checked for root too).
// A symbolic link is followed, because secrets are often mounted as links; the file that was opened
// is the one that is checked.
//
// Errors: notFound, forbidden (group or others may read or write it), invalidInput (not a regular
// file, or longer than max_bytes), hostLimit (the disk's own answer).
Result<Secret> readKeyFile(std::string const& path, std::size_t max_bytes);
// Makes the file whole or not at all, 0600, durable on return. False: the path exists already, made
// by another process perhaps this instant; read that one.
Result<bool> createKeyFile(std::string const& path, std::string_view content, Random& random);

std::string sha256(std::string_view bytes);    // 32 bytes
std::string sha256Hex(std::string_view bytes); // 64 lower-case hex digits
std::string sha1(std::string_view bytes);      // 20 bytes; for protocols that ask for it, never as a proof
std::string hmacSha256(std::string_view key, std::string_view bytes);
// The time taken tells nothing about where two texts of equal length differ.
bool equalInConstantTime(std::string_view a, std::string_view b);

} // namespace garland::vault
