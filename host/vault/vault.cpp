// The vault itself: envelopes made and opened with the keys of a ring.
#include "host/vault/vault.h"

#include "host/vault/envelope.h"
#include "host/vault/key_ring.h"
#include "host/vault/master_key.h"
#include "host/vault/sealing_vault.h"

namespace garland::vault {
namespace {

constexpr std::string_view kTextLabel = "garland vault 1 secret ";

class SealingVault final : public Vault {
public:
  SealingVault(KeyRing ring, Random& random) : ring_(std::move(ring)), random_(random) {}

  Result<std::string> seal(Secret const& secret, std::string_view context) override;
  Result<Secret> open(std::string_view sealed, std::string_view context) override;
  Result<std::string> rewrap(std::string_view sealed, Vault const& from) override;
  std::vector<std::string> keyIds() const override { return ring_.ids(); }
  KeyRing const& ring() const override { return ring_; }

private:
  std::string nonce();

  KeyRing ring_;
  Random& random_;
};

std::string SealingVault::nonce() {
  std::string nonce(kNonceBytes, '\0');
  random_.fill(std::as_writable_bytes(std::span(nonce)));
  return nonce;
}

Result<std::string> SealingVault::seal(Secret const& secret, std::string_view context) {
  if (secret.reveal().size() > kLongestSecret)
    return Error(ErrorKind::invalidInput,
                 "the secret is longer than " + std::to_string(kLongestSecret) + " bytes");
  DataKey key;
  random_.fill(key.bytes);
  Envelope envelope;
  ring_.wrap(key, nonce(), envelope);
  envelope.secret =
      encrypt(key.bytes, nonce(), secret.reveal(), std::string(kTextLabel) + std::string(context));
  return write(envelope);
}

Result<Secret> SealingVault::open(std::string_view sealed, std::string_view context) {
  TRY(envelope, readEnvelope(sealed));
  DataKey key;
  TRY_VOID(ring_.unwrap(envelope, key));
  std::string plain;
  // Short strings live inside the object and would leave a copy behind when moved.
  plain.reserve(envelope.secret.text.size() + sizeof(std::string));
  plain.resize(envelope.secret.text.size());
  if (!decrypt(key.bytes, envelope.secret, std::string(kTextLabel) + std::string(context),
               std::as_writable_bytes(std::span(plain))))
    return Error(ErrorKind::invalidInput, "the sealed secret is damaged or belongs to another place than " +
                                              std::string(context) + "; enter the secret again");
  return Secret(std::move(plain));
}

Result<std::string> SealingVault::rewrap(std::string_view sealed, Vault const& from) {
  TRY(envelope, readEnvelope(sealed));
  DataKey key;
  TRY_VOID(from.ring().unwrap(envelope, key));
  ring_.wrap(key, nonce(), envelope);
  return write(envelope);
}

Result<LockedMemory> readOrMake(KeySource const& source, Random& random) {
  auto key = readMasterKey(source);
  if (key || key.error().kind != ErrorKind::notFound) return key;
  TRY_VOID(createMasterKey(source.name, random));
  // Whoever made the file, it is read back: what is used is what is stored.
  return readMasterKey(source);
}

} // namespace

std::unique_ptr<Vault> sealingVault(KeyRing ring, Random& random) {
  return std::make_unique<SealingVault>(std::move(ring), random);
}

Result<std::unique_ptr<Vault>> Vault::open(std::vector<KeySource> const& sources, bool create,
                                           Random& random) {
  KeyRing ring;
  for (auto const& source : sources) {
    bool const may_make = create && &source == &sources.front() && source.kind == KeySource::Kind::file;
    TRY(key, may_make ? readOrMake(source, random) : readMasterKey(source));
    ring.add(std::move(key));
  }
  if (ring.ids().empty()) return Error(ErrorKind::invalidInput, "a vault needs a master key");
  return sealingVault(std::move(ring), random);
}

Result<std::unique_ptr<Vault>> Vault::open(std::string master_key_path, bool create, Random& random) {
  KeySource file;
  file.name = std::move(master_key_path);
  return open(std::vector<KeySource>{std::move(file)}, create, random);
}

} // namespace garland::vault
