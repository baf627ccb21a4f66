// Signatures by private keys that vendors' providers give out, such as those of service accounts.
#include "host/vault/vault.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace garland::vault {
namespace {

template <auto function> struct Deleter {
  template <class T> void operator()(T* pointer) const { function(pointer); }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

constexpr int kFewestBits = 2048;
constexpr std::size_t kLongestKey = 16'384;

// A key that asks for a passphrase is refused: there is nobody to be asked.
int noPassphrase(char*, int, int, void*) { return -1; }

Key keyFrom(Secret const& pem) {
  auto const text = pem.reveal();
  if (text.size() > kLongestKey) return nullptr;
  Bio const from(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Key key(PEM_read_bio_PrivateKey(from.get(), nullptr, noPassphrase, nullptr));
  if (key && (EVP_PKEY_is_a(key.get(), "RSA") != 1 || EVP_PKEY_get_bits(key.get()) < kFewestBits))
    key.reset();
  return key;
}

} // namespace

Result<std::string> signRs256(Secret const& private_key_pem, std::string_view bytes) {
  auto const key = keyFrom(private_key_pem);
  Context const context(EVP_MD_CTX_new());
  std::size_t length = key ? static_cast<std::size_t>(EVP_PKEY_get_size(key.get())) : 0;
  std::string out(length, '\0');
  bool const done = key &&
                    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length,
                                   reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()) == 1;
  ERR_clear_error();
  if (!done)
    return Error(ErrorKind::invalidInput,
                 "the private key is not an RSA key of 2048 bits or more, in PEM and without "
                 "a passphrase");
  out.resize(length);
  return out;
}

} // namespace garland::vault
