// Ed25519, behind this room's own words. OpenSSL is included here alone.
#include "host/marketplace/marketplace.h"
#include "host/marketplace/statement.h"
#include "host/vault/vault.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <memory>

namespace garland::marketplace {
namespace {

template <auto function> struct Deleter {
  template <class T> void operator()(T* pointer) const { function(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Context = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

constexpr std::string_view kPrefix = "ed25519:";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kMostKeyFile = 4096;
constexpr std::size_t kMostPublicKeys = 1000;

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}

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

std::string publicKeyOf(EVP_PKEY const* key) {
  std::string raw(kKeyBytes, '\0');
  std::size_t length = raw.size();
  EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &length);
  return std::string(kPrefix) + hex(raw);
}

Error cryptography() {
  ERR_clear_error();
  return {ErrorKind::hostLimit,
          "the cryptographic library could not make an Ed25519 key; is OpenSSL 3 complete?"};
}

} // namespace

bool isPublicKey(std::string_view text) {
  return text.size() == kPrefix.size() + 2 * kKeyBytes && text.starts_with(kPrefix) &&
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
  return SigningKey(std::move(pem), publicKeyOf(key.get()));
}

Result<SigningKey> SigningKey::read(std::string const& path) {
  TRY(pem, vault::readKeyFile(path, kMostKeyFile));
  auto const key = privateKey(pem.reveal());
  if (!key)
    return Error(ErrorKind::invalidInput,
                 path + " holds no Ed25519 private key; make one with `garland keys new --out FILE`");
  return SigningKey(std::move(pem), publicKeyOf(key.get()));
}

Result<void> SigningKey::write(std::string const& path, Random& random) const {
  TRY(made, vault::createKeyFile(path, pem_.reveal(), random));
  if (made) return {};
  return Error(ErrorKind::conflict,
               path + " is there already; a key is never overwritten: name another file");
}

std::string SigningKey::sign(std::string_view message) const {
  auto const key = privateKey(pem_.reveal());
  Context const context(EVP_MD_CTX_new());
  std::string out(kSignatureBytes, '\0');
  std::size_t length = out.size();
  bool const signed_it = EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                         EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length,
                                        octets(message), message.size()) == 1;
  ERR_clear_error();
  return signed_it ? out : std::string();
}

bool isSignatureOf(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (!isPublicKey(public_key) || signature.size() != kSignatureBytes) return false;
  auto const raw = fromHex(public_key.substr(kPrefix.size()));
  Key const key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*raw), raw->size()));
  Context const context(EVP_MD_CTX_new());
  bool const right = key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                     EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                                      message.size()) == 1;
  ERR_clear_error();
  return right;
}

} // namespace garland::marketplace
