// The vault itself: a master key in locked memory, and envelopes made and opened with it.
#include "host/vault/vault.h"

#include "host/vault/envelope.h"
#include "host/vault/key_file.h"
#include "host/vault/locked_memory.h"

namespace garland::vault {
namespace {

constexpr std::string_view kKeyLabel = "garland vault 1 data key ";
constexpr std::string_view kTextLabel = "garland vault 1 secret ";

std::string_view text(std::span<std::byte const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// A data key on the stack, gone when its block ends.
struct DataKey {
  DataKey() = default;
  DataKey(DataKey const&) = delete;
  DataKey& operator=(DataKey const&) = delete;
  ~DataKey() { wipe(bytes.data(), bytes.size()); }
  std::array<std::byte, kKeyBytes> bytes{};
};

class SealingVault final : public Vault {
public:
  SealingVault(LockedMemory master, Random& random)
      : master_(std::move(master)), random_(random),
        key_id_(sha256(text(master_.bytes())).substr(0, kKeyIdBytes)) {}

  Result<std::string> seal(Secret const& secret, std::string_view context) override;
  Result<Secret> open(std::string_view sealed, std::string_view context) override;
  std::string keyId() const override { return hex(key_id_); }

private:
  std::string nonce();

  LockedMemory master_;
  Random& random_;
  std::string key_id_;
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
  envelope.key_id = key_id_;
  envelope.wrapped_key = encrypt(master_.bytes(), nonce(), text(key.bytes), std::string(kKeyLabel) + key_id_);
  envelope.secret =
      encrypt(key.bytes, nonce(), secret.reveal(), std::string(kTextLabel) + std::string(context));
  return write(envelope);
}

Result<Secret> SealingVault::open(std::string_view sealed, std::string_view context) {
  TRY(envelope, readEnvelope(sealed));
  if (envelope.key_id != key_id_)
    return Error(ErrorKind::invalidInput, "the secret was sealed under master key " + hex(envelope.key_id) +
                                              ", but this vault holds master key " + keyId() +
                                              "; start with the master key file it was sealed under");
  DataKey key;
  if (!decrypt(master_.bytes(), envelope.wrapped_key, std::string(kKeyLabel) + key_id_, key.bytes))
    return Error(ErrorKind::invalidInput, "the sealed secret is damaged; enter the secret again");
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

// Straight into locked memory: the master key touches no other.
Result<LockedMemory> readMasterKey(std::string const& path) {
  TRY(file, openKeyFile(path));
  if (file.bytes != kKeyBytes)
    return Error(ErrorKind::invalidInput, "the master key file " + path + " holds " +
                                              std::to_string(file.bytes) + " bytes, not " +
                                              std::to_string(kKeyBytes) + "; restore it from its backup");
  TRY(key, LockedMemory::allocate(kKeyBytes));
  TRY_VOID(readAll(file, key.bytes(), path));
  return key;
}

Result<void> createMasterKey(std::string const& path, Random& random) {
  TRY(key, LockedMemory::allocate(kKeyBytes));
  random.fill(key.bytes());
  TRY_VOID(createKeyFile(path, text(key.bytes()), random));
  return {};
}

} // namespace

Result<std::unique_ptr<Vault>> Vault::open(std::string master_key_path, bool create, Random& random) {
  auto key = readMasterKey(master_key_path);
  if (!key && key.error().kind == ErrorKind::notFound && create) {
    TRY_VOID(createMasterKey(master_key_path, random));
    // Whoever made the file, it is read back: what is used is what is stored.
    TRY(made, readMasterKey(master_key_path));
    return std::make_unique<SealingVault>(std::move(made), random);
  }
  if (!key) return std::move(key).error();
  return std::make_unique<SealingVault>(std::move(*key), random);
}

} // namespace garland::vault
