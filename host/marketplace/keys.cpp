// Ed25519 keys in files, as people keep them: PEM, and a line for the public one. OpenSSL is included here
// alone.
#include "host/marketplace/marketplace.h"
#include "host/marketplace/statement.h"
#include "host/vault/vault.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace garland::marketplace {
namespace {

template <auto function> struct Deleter {
  template <class T> void operator()(T* pointer) const { function(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

constexpr std::string_view kPrefix = "ed25519:";
constexpr std::size_t kMostKeyFile = 4096;
constexpr std::size_t kMostPublicKeys = 1000;

// Encrypted PEM would ask for a passphrase on the terminal.
int noPassphrase(char*, int, int, void*) { return 0; }

Key privateKey(std::string_view pem) {
  Bio const from(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(from.get(), nullptr, noPassphrase, nullptr));
  ERR_clear_error();
  if (key && EVP_PKEY_is_a(key.get(), "ED25519") != 1) key.reset();
  return key;
}

Secret pemOf(EVP_PKEY* key) {
  Bio const to(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(to.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) return {};
  char* start = nullptr;
  auto const length = BIO_get_mem_data(to.get(), &start);
  return Secret(std::string(start, static_cast<std::size_t>(length)));
}

Secret bytesOf(EVP_PKEY const* key) {
  std::string raw(vault::kEd25519KeyBytes, '\0');
  std::size_t length = raw.size();
  EVP_PKEY_get_raw_private_key(key, reinterpret_cast<unsigned char*>(raw.data()), &length);
  return Secret(std::move(raw));
}

Error cryptography() {
  ERR_clear_error();
  return {ErrorKind::hostLimit,
          "the cryptographic library could not make an Ed25519 key; is OpenSSL 3 complete?"};
}

} // namespace

bool isPublicKey(std::string_view text) {
  return text.size() == kPrefix.size() + 2 * vault::kEd25519KeyBytes && text.starts_with(kPrefix) &&
         text.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

Result<std::vector<std::string>> readPublicKeys(std::string_view text) {
  std::vector<std::string> out;
  for (int number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
      line.remove_suffix(1);
    if (line.empty()) continue;
    if (line.starts_with("-----BEGIN PRIVATE KEY"))
      return Error(ErrorKind::invalidInput, "this is a private key, which stays with its owner; the public "
                                            "one lies beside it, in the .pub file");
    if (!isPublicKey(line) || out.size() >= kMostPublicKeys)
      return Error(ErrorKind::invalidInput,
                   "line " + std::to_string(number) +
                       " is no public key: one is written ed25519: and 64 hexadecimal digits, "
                       "as `garland keys new` writes it into the .pub file");
    out.emplace_back(line);
  }
  return out;
}

Result<SigningKey> SigningKey::make() {
  Key const key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return cryptography();
  auto pem = pemOf(key.get());
  if (pem.empty()) return cryptography();
  TRY(public_key, vault::publicKeyOf(bytesOf(key.get())));
  return SigningKey(std::move(pem), std::move(public_key));
}

Result<SigningKey> SigningKey::read(std::string const& path) {
  TRY(pem, vault::readKeyFile(path, kMostKeyFile));
  auto const key = privateKey(pem.reveal());
  if (!key)
    return Error(ErrorKind::invalidInput,
                 path + " holds no Ed25519 private key; make one with `garland keys new --out FILE`");
  TRY(public_key, vault::publicKeyOf(bytesOf(key.get())));
  return SigningKey(std::move(pem), std::move(public_key));
}

Result<void> SigningKey::write(std::string const& path, Random& random) const {
  TRY(made, vault::createKeyFile(path, pem_.reveal(), random));
  if (made) return {};
  return Error(ErrorKind::conflict,
               path + " is there already; a key is never overwritten: name another file");
}

std::string SigningKey::sign(std::string_view message) const {
  auto const key = privateKey(pem_.reveal());
  if (!key) return {};
  auto signature = vault::sign(bytesOf(key.get()), message);
  return signature ? *std::move(signature) : std::string();
}

bool isSignatureOf(std::string_view public_key, std::string_view message, std::string_view signature) {
  return isPublicKey(public_key) && vault::isSignature(public_key, message, signature);
}

} // namespace garland::marketplace
