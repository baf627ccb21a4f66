#include "host/vault/vault.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

namespace garland::vault {
namespace {

template <auto function> struct Deleter {
  template <class T> void operator()(T* pointer) const { function(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

constexpr std::string_view kPrefix = "ed25519:";
constexpr std::size_t kSignatureBytes = 64;

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}

Key privateKey(Secret const& secret) {
  auto const bytes = secret.reveal();
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(bytes), bytes.size()));
}

Error cryptography() {
  ERR_clear_error();
  return {ErrorKind::hostLimit,
          "the cryptographic library could not use an Ed25519 key; is OpenSSL 3 complete?"};
}

} // namespace

Result<std::string> publicKeyOf(Secret const& private_key) {
  auto const key = privateKey(private_key);
  std::string raw(kEd25519KeyBytes, '\0');
  std::size_t length = raw.size();
  if (!key ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &length) != 1)
    return cryptography();
  return std::string(kPrefix) + hex(raw);
}

Result<std::string> sign(Secret const& private_key, std::string_view message) {
  auto const key = privateKey(private_key);
  Context const context(EVP_MD_CTX_new());
  std::string out(kSignatureBytes, '\0');
  std::size_t length = out.size();
  bool const done = key && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length,
                                   octets(message), message.size()) == 1;
  if (!done) return cryptography();
  return out;
}

bool isSignature(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (!public_key.starts_with(kPrefix) || signature.size() != kSignatureBytes) return false;
  auto const raw = fromHex(public_key.substr(kPrefix.size()));
  if (!raw || raw->size() != kEd25519KeyBytes) return false;
  Key const key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*raw), raw->size()));
  Context const context(EVP_MD_CTX_new());
  bool const right = key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                     EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                                      message.size()) == 1;
  ERR_clear_error();
  return right;
}

} // namespace garland::vault
