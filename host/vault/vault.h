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
#include <vector>

namespace garland::vault {

class KeyRing; // this room's own

// Where a master key is read from, once, straight into locked memory. In a variable, a credential and a
// command's output it is 64 hexadecimal digits or base64, with a line end or without; the latter two may also
// give its 32 bytes.
struct KeySource {
  enum class Kind { file, variable, credential, command };
  Kind kind = Kind::file;
  std::string name; // path of the file; name of the variable; name in $CREDENTIALS_DIRECTORY (systemd)
  std::vector<std::string>
      argv; // of a command, which writes the key to its standard output: program by its path first
};
// "PATH", "env:NAME" or "credential:NAME". invalidInput if that names nothing.
Result<KeySource> keySourceNamed(std::string_view text);
// For people: "the file /x/master.key", "the variable GARLAND_KEY"; of a command its program only.
std::string describe(KeySource const& source);

// The longest secret that can be sealed, in bytes.
inline constexpr std::size_t kLongestSecret = 1U << 20U;

// Errors: invalidInput (sealed text damaged, or sealed under another context or master key; a source that
// gives no key), forbidden (master key file readable by others), notFound (no master key there, and `create`
// is false), hostLimit (no memory could be locked, a command failed). [any thread]
class Vault {
public:
  // The first source's key seals; what was sealed under any of them is opened. A file that is first is made
  // (0600, 32 random bytes, fsynced) if it is not there and `create` is true. Refuses a file that group or
  // others can read. A variable is wiped from the environment; a command has 30 seconds. `random` must
  // outlive the vault.
  static Result<std::unique_ptr<Vault>> open(std::vector<KeySource> const& sources, bool create,
                                             Random& random);
  static Result<std::unique_ptr<Vault>> open(std::string master_key_path, bool create, Random& random);
  virtual ~Vault() = default;

  // `context` ("vendor/connection/slot") is authenticated: sealed text cannot be moved elsewhere.
  virtual Result<std::string> seal(Secret const& secret, std::string_view context) = 0;
  virtual Result<Secret> open(std::string_view sealed, std::string_view context) = 0;
  // The same secret with its data key wrapped by this vault's sealing key. The secret itself is not opened,
  // and stays bound to its context. `from`: which vault has the key that it is under now.
  virtual Result<std::string> rewrap(std::string_view sealed, Vault const& from) = 0;
  Result<std::string> rewrap(std::string_view sealed) { return rewrap(sealed, *this); }

  // First 16 hex digits of a master key's SHA-256: names the key without telling it.
  std::string keyId() const { return keyIds().front(); } // that seals
  virtual std::vector<std::string> keyIds() const = 0;   // of all keys, that which seals first
  virtual KeyRing const& ring() const = 0;               // for other vaults
};

// Under which master key it was sealed; "" if it is no sealed text. Its first kNamesKey characters are
// enough.
inline constexpr std::size_t kNamesKey = 16;
std::string keyIdOf(std::string_view sealed);
// What the text of everything begins with that is sealed under this key: kSharesKey characters.
inline constexpr std::size_t kSharesKey = 14;
std::string sealedPrefix(std::string_view key_id);

struct OpenedExport;

// `provider_code` of the error: the file is an export, and this passphrase does not open it as it is.
inline constexpr char const* kWrongPassphrase = "wrong_passphrase";

// What a file for another host is under: a key that scrypt makes of a passphrase. [any thread]
class ExportKey {
public:
  // With a new salt. `cost`: log2 of scrypt's N; 2^cost KiB of memory, half a second at 17. invalidInput if
  // the passphrase has fewer than 12 bytes; hostLimit if there is no memory. Blocks.
  static Result<std::unique_ptr<ExportKey>> make(Secret const& passphrase, Random& random, int cost = 17);
  // invalidInput: no export, a wrong passphrase, or it was changed; unsupported: of a later version. Blocks.
  static Result<OpenedExport> open(std::string_view file, Secret const& passphrase, Random& random);
  virtual ~ExportKey() = default;

  // For rewrap(): secrets travel under this key, without being opened.
  virtual Vault& vault() = 0;
  // The whole file: the text, encrypted and authenticated.
  virtual std::string write(std::string_view text) = 0;
};

struct OpenedExport {
  std::unique_ptr<ExportKey> key;
  std::string text;
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
// The same of more bytes than are in memory at once.
class Sha256 {
public:
  Sha256();
  ~Sha256();
  Sha256(Sha256 const&) = delete;
  Sha256& operator=(Sha256 const&) = delete;
  void add(std::string_view bytes);
  std::string hex(); // of all that was added; once

private:
  struct State;
  std::unique_ptr<State> state_;
};
std::string sha1(std::string_view bytes); // 20 bytes; for protocols that ask for it, never as a proof
std::string hmacSha256(std::string_view key, std::string_view bytes);

// Ed25519. A private key is its 32 bytes, a public one "ed25519:" and 64 hexadecimal digits, a signature 64
// bytes. hostLimit if the cryptographic library cannot, or it is no such key.
inline constexpr std::size_t kEd25519KeyBytes = 32;
Result<std::string> publicKeyOf(Secret const& private_key);
Result<std::string> sign(Secret const& private_key, std::string_view message);
bool isSignature(std::string_view public_key, std::string_view message, std::string_view signature);

// RSASSA-PKCS1-v1_5 with SHA-256, as in JWTs of RS256. invalidInput if the PEM is no private RSA key of 2048
// bits or more, or asks for a passphrase.
Result<std::string> signRs256(Secret const& private_key_pem, std::string_view bytes);

// The time taken tells nothing about where two texts of equal length differ.
bool equalInConstantTime(std::string_view a, std::string_view b);

} // namespace garland::vault
