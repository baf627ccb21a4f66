// One key for a whole export: made from the passphrase, in locked memory, it encrypts the file and wraps the
// data keys of the secrets in it, which therefore are never opened on their way.
#include "host/vault/export_file.h"
#include "host/vault/sealing_vault.h"
#include "host/vault/vault.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace garland::vault {
namespace {

constexpr std::uint64_t kBlockSize = 8; // scrypt's r
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kLeastPassphrase = 12;

std::string randomBytes(std::size_t count, Random& random) {
  std::string bytes(count, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

Result<LockedMemory> derive(Secret const& passphrase, std::string_view salt, int cost) {
  TRY(key, LockedMemory::allocate(kKeyBytes));
  auto const rounds = std::uint64_t{1} << static_cast<unsigned>(cost);
  auto const memory = 2 * 128 * kBlockSize * rounds; // twice what it takes
  auto const text = passphrase.reveal();
  auto const made = EVP_PBE_scrypt(
      text.data(), text.size(), reinterpret_cast<unsigned char const*>(salt.data()), salt.size(), rounds,
      kBlockSize, 1, memory, reinterpret_cast<unsigned char*>(key.bytes().data()), kKeyBytes);
  if (made != 1)
    return Error(ErrorKind::hostLimit, "no key could be made of the passphrase: that takes " +
                                           std::to_string(memory >> 21U) + " MiB of memory");
  return key;
}

class ScryptKey final : public ExportKey {
public:
  ScryptKey(KeyRing ring, LockedMemory key, std::string salt, int cost, Random& random)
      : key_(std::move(key)), salt_(std::move(salt)), cost_(cost), random_(random),
        vault_(sealingVault(std::move(ring), random)) {}

  Vault& vault() override { return *vault_; }

  std::string write(std::string_view text) override {
    ExportFile file;
    file.cost = cost_;
    file.salt = salt_;
    file.box.nonce = randomBytes(kNonceBytes, random_);
    auto const head = exportHead(file);
    file.box = encrypt(key_.bytes(), std::move(file.box.nonce), text, head);
    return vault::write(file);
  }

  Result<std::string> read(ExportFile const& file) const {
    std::string text(file.box.text.size(), '\0');
    if (decrypt(key_.bytes(), file.box, exportHead(file), std::as_writable_bytes(std::span(text))))
      return text;
    Error wrong(ErrorKind::invalidInput, "the passphrase is wrong, or the export was changed");
    wrong.provider_code = kWrongPassphrase;
    return wrong;
  }

private:
  LockedMemory key_;
  std::string salt_;
  int cost_;
  Random& random_;
  std::unique_ptr<Vault> vault_;
};

Result<std::unique_ptr<ScryptKey>> keyOf(Secret const& passphrase, std::string salt, int cost,
                                         Random& random) {
  TRY(key, derive(passphrase, salt, cost));
  TRY(copy, LockedMemory::allocate(kKeyBytes));
  std::ranges::copy(key.bytes(), copy.bytes().begin());
  KeyRing ring;
  ring.add(std::move(copy));
  return std::make_unique<ScryptKey>(std::move(ring), std::move(key), std::move(salt), cost, random);
}

} // namespace

Result<std::unique_ptr<ExportKey>> ExportKey::make(Secret const& passphrase, Random& random, int cost) {
  if (passphrase.reveal().size() < kLeastPassphrase)
    return Error(ErrorKind::invalidInput,
                 "the passphrase is too short: whoever has the file can try without end, so "
                 "it has 12 characters at least",
                 "/passphrase");
  TRY(key, keyOf(passphrase, randomBytes(kSaltBytes, random), cost, random));
  return std::unique_ptr<ExportKey>(std::move(key));
}

Result<OpenedExport> ExportKey::open(std::string_view bytes, Secret const& passphrase, Random& random) {
  TRY(file, readExportFile(bytes));
  TRY(key, keyOf(passphrase, file.salt, file.cost, random));
  TRY(text, key->read(file));
  OpenedExport opened;
  opened.key = std::move(key);
  opened.text = std::move(text);
  return opened;
}

} // namespace garland::vault
