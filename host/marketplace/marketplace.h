// Packages (.gpk), who signed them and what they were certified as: read, made and judged without running
// code.
//
// A package is a plain, uncompressed tar file. Its digest is the SHA-256 of its member SHA256SUMS, which
// lists every file but itself and what lies in signatures/; so signing changes no digest. A package has one
// form only: the same files give the same bytes, and bytes that are not exactly that form are refused.
#pragma once

#include "host/base/clock.h"
#include "host/base/random.h"
#include "host/base/result.h"
#include "host/base/schema.h"
#include "host/base/secret.h"
#include "host/runtime/runtime.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::marketplace {

// ---------------------------------------------------------------- keys

// Public keys are texts: "ed25519:" and 64 hexadecimal digits.
bool isPublicKey(std::string_view text);
// One key a line; empty lines and what follows a "#" are left out. invalidInput with the line.
Result<std::vector<std::string>> readPublicKeys(std::string_view text);

// An Ed25519 key that signs. It never leaves this object but into its file.
class SigningKey {
public:
  static Result<SigningKey> make();
  // Errors as of vault::readKeyFile; invalidInput if the file holds no such key.
  static Result<SigningKey> read(std::string const& path);
  // Makes the file, 0600. conflict: it is there already.
  Result<void> write(std::string const& path, Random& random) const;
  std::string const& publicKey() const { return public_key_; }
  std::string sign(std::string_view message) const; // 64 bytes

private:
  SigningKey(Secret pem, std::string public_key) : pem_(std::move(pem)), public_key_(std::move(public_key)) {}
  Secret pem_;
  std::string public_key_;
};

// ---------------------------------------------------------------- packages

inline constexpr std::size_t kMaxPackageBytes = 128U << 20U;
inline constexpr std::size_t kMaxEntries = 1000;
inline constexpr std::size_t kMaxPath = 100; // bytes

struct PackedFile {
  std::string path; // "lib/x86_64-linux-gnu/connector.so"
  std::string bytes;
};

enum class Role { publisher, marketplace };
std::string_view name(Role role); // "publisher"

// A signature that is right; whether its key is trusted is for the reader to say.
struct Signature {
  Role role = Role::publisher;
  std::string key;
};

struct Package {
  std::string digest; // 64 hexadecimal digits
  runtime::Manifest manifest;
  std::vector<std::string> architectures; // "x86_64-linux-gnu", sorted
  std::vector<PackedFile> files;          // what the digest covers, sorted by path
  std::vector<Signature> signatures;
  std::string attestation; // as text, signature checked; "" if there is none

  PackedFile const* find(std::string_view path) const; // nullptr: it is not in there
  // The shared object for an architecture; nullptr if there is none.
  PackedFile const* object(std::string_view architecture) const;
};

// invalidInput with one sentence on what is wrong. What comes back is sound: form, names, digests, manifest
// against schema and notes, architectures, and whatever signature is in it.
Result<Package> readPackage(std::string_view bytes, Schema const& manifest_schema);

struct PackWords {
  std::string folder; // of a built connector, or laid out like a package
  std::string
      source; // README.md, CHANGELOG.md, LICENSE, icon.svg, docs/ and schemas/ are taken from here; may be ""
  std::string twin; // folder of its built twin; may be ""
};
// The bytes of a package that readPackage() accepts.
Result<std::string> pack(PackWords const& words, Schema const& manifest_schema);

// The same package with this signature or attestation in place of an earlier one.
Result<std::string> signPackage(std::string_view bytes, Role role, SigningKey const& key,
                                Schema const& manifest_schema);
Result<std::string> attachAttestation(std::string_view bytes, std::string attestation,
                                      Schema const& manifest_schema);

// A file that others may read, there whole or not at all; what was there is replaced. hostLimit.
Result<void> writeFile(std::string const& path, std::string_view bytes);

// ---------------------------------------------------------------- attestations

inline constexpr std::chrono::hours kLongestAttestation{180 * 24};
inline constexpr std::chrono::hours kLongestWaiver{90 * 24};

// A check that failed and was accepted for a while.
struct Waiver {
  std::string id; // of the check, "RES-01"
  std::string reason;
  std::string approver;
  TimePoint expires{}; // at most kLongestWaiver after the attestation's date
};

// What a run of the certification suite says of one package.
struct Attestation {
  std::string package_digest;
  std::string plugin_id;
  std::string version; // of the plugin
  std::string suite_version;
  std::string suite_digest; // 64 hexadecimal digits
  std::string level;        // "bronze", "silver" or "gold"
  std::uint64_t seed = 0;
  std::string profile;              // that was run, "standard" or "full"
  std::string sandbox;              // tier of the machine that ran it, "A", "B" or "C"
  std::vector<std::string> objects; // SHA-256 of each shared object that was run, 64 hexadecimal digits
  TimePoint date{};
  std::int64_t findings = 0;
  std::string report_digest; // SHA-256 of the report's bytes (report.json), 64 hexadecimal digits
  std::vector<Waiver> waivers;
  TimePoint expires{}; // kLongestAttestation after the date, or with the first waiver
  std::string key;     // that signed it
};
json::value toJson(Attestation const& attestation);

// The signed text; `expires` and `key` are filled in here. invalidInput if a member cannot be what it should
// be.
Result<std::string> makeAttestation(Attestation attestation, SigningKey const& key);
// forbidden: it says nothing of this shared object, which is of another architecture than the one that was
// run.
Result<void> checkObject(Attestation const& attestation, std::string_view object);
// Its signature is right, which says nothing of the key.
Result<Attestation> readAttestation(std::string_view text);

// What is not to run any more, and whose word does not count any more.
struct Revocation {
  std::string subject; // digest of a package, or a public key
  std::string reason;  // goes on from "because"
  TimePoint since{};
};
struct RevocationList {
  std::int64_t number = 0; // a higher one is newer; the daemon takes none below the highest it has taken
  TimePoint date{};
  std::vector<Revocation> items;
};
Result<std::string> makeRevocations(RevocationList const& list, SigningKey const& key);
// forbidden if none of the `trusted` keys has signed it. Whether it is the newest is for the reader to know.
Result<RevocationList> readRevocations(std::string_view text, std::vector<std::string> const& trusted);

struct Trust {
  std::vector<std::string> keys; // of marketplaces
  std::vector<Revocation> revoked;
};
Revocation const* revocationOf(std::string_view subject, Trust const& trust); // nullptr: it is not revoked
std::string inWords(Revocation const& revocation); // goes on from the subject's name
// forbidden with the reason if the package was revoked, whatever else speaks for it.
Result<void> checkRevoked(std::string_view package_digest, Trust const& trust);
// Whether it counts now, for this package: forbidden with the reason if not.
Result<Attestation> verifyAttestation(std::string_view text, std::string_view package_digest,
                                      Trust const& trust, TimePoint now);

// ---------------------------------------------------------------- what is installed

struct ShelfOptions {
  std::string dir;          // packages are unpacked in here, and `install` puts them here
  bool development = false; // packages without a valid attestation run, too, unless they were revoked
  bool look_only = false;   // nothing is unpacked
  Trust trust;
};

// The packages of one machine. Blocks on the disk. [any thread, one at a time]
class Shelf {
public:
  explicit Shelf(ShelfOptions options) : options_(std::move(options)) {}

  // Everything that is installed: packages of this shelf, then of each folder its packages and plugin
  // folders. What comes first counts. Packages that may run are unpacked.
  runtime::Catalogue scan(std::vector<std::string> const& dirs, Schema const& manifest_schema,
                          TimePoint now) const;
  // Puts the package in place of the one of the same id. forbidden if it may not run here.
  Result<runtime::PluginInfo> install(std::string_view bytes, Schema const& manifest_schema,
                                      TimePoint now) const;
  // Whether a build of this provenance may run (on).
  Result<void> admits(runtime::Provenance const& provenance, TimePoint now) const;
  // Removes what was unpacked of packages that are not installed any more; before any of it runs.
  void prune(runtime::Catalogue const& installed) const;

private:
  Result<runtime::Provenance> judge(Package const& package, TimePoint now) const;
  Result<void> unpack(Package const& package) const;
  runtime::PluginInfo infoOf(std::string const& path, Schema const& manifest_schema, TimePoint now) const;
  ShelfOptions options_;
};

} // namespace garland::marketplace
