#include "host/vault/envelope.h"

#include "host/base/bytes.h"
#include "host/base/secret.h"
#include "host/vault/vault.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace garland::vault {
namespace {

constexpr std::string_view kVersion = "gv1.";
constexpr std::size_t kFixedBytes =
    kKeyIdBytes + kNonceBytes + kKeyBytes + kTagBytes + kNonceBytes + kTagBytes;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// Encryption with good arguments fails only if OpenSSL is broken or memory has run out; going on
// could store a secret in clear.
void require(bool condition) {
  if (condition) return;
  std::fputs("AES-256-GCM failed inside OpenSSL; install Debian's libssl3\n", stderr);
  std::abort();
}

unsigned char const* raw(std::string_view bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}
unsigned char const* raw(Key key) { return reinterpret_cast<unsigned char const*>(key.data()); }
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

EVP_CIPHER const* aes256gcm() {
  static EVP_CIPHER const* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  require(cipher != nullptr);
  return cipher;
}

std::string take(std::string_view& rest, std::size_t count) {
  std::string part(rest.substr(0, count));
  rest.remove_prefix(count);
  return part;
}

Error damaged() { return {ErrorKind::invalidInput, "the sealed secret is damaged; enter the secret again"}; }

} // namespace

std::string keyIdOf(std::string_view sealed) {
  if (!sealed.starts_with(kVersion) || sealed.size() < kNamesKey) return {};
  auto const bytes = fromBase64(sealed.substr(kVersion.size(), kNamesKey - kVersion.size()));
  return bytes ? hex(std::string_view(*bytes).substr(0, kKeyIdBytes)) : std::string();
}

// Ten characters of base64 hold 60 of the id's 64 bits, and nothing else.
std::string sealedPrefix(std::string_view key_id) {
  auto const bytes = fromHex(key_id);
  return std::string(kVersion) +
         base64(bytes ? *bytes : std::string()).substr(0, kSharesKey - kVersion.size());
}

std::string write(Envelope const& e) {
  return std::string(kVersion) + base64(e.key_id + e.wrapped_key.nonce + e.wrapped_key.text +
                                        e.wrapped_key.tag + e.secret.nonce + e.secret.text + e.secret.tag);
}

Result<Envelope> readEnvelope(std::string_view sealed) {
  if (!sealed.starts_with(kVersion)) return damaged();
  sealed.remove_prefix(kVersion.size());
  if (sealed.size() / 4 * 3 > kLongestSecret + kFixedBytes + 4) return damaged();
  auto const bytes = fromBase64(sealed);
  // Base64 has spare bits at its end: only the one spelling that write() makes is accepted.
  if (!bytes || bytes->size() < kFixedBytes || base64(*bytes) != sealed) return damaged();
  std::string_view rest = *bytes;
  Envelope envelope;
  envelope.key_id = take(rest, kKeyIdBytes);
  envelope.wrapped_key.nonce = take(rest, kNonceBytes);
  envelope.wrapped_key.text = take(rest, kKeyBytes);
  envelope.wrapped_key.tag = take(rest, kTagBytes);
  envelope.secret.nonce = take(rest, kNonceBytes);
  envelope.secret.text = take(rest, rest.size() - kTagBytes);
  envelope.secret.tag = take(rest, kTagBytes);
  return envelope;
}

Box encrypt(Key key, std::string nonce, std::string_view plain, std::string_view authenticated) {
  require(key.size() == kKeyBytes && nonce.size() == kNonceBytes);
  Box box{std::move(nonce), std::string(plain.size(), '\0'), std::string(kTagBytes, '\0')};
  Context const context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int done = 0;
  require(context &&
          EVP_EncryptInit_ex2(context.get(), aes256gcm(), raw(key), raw(std::string_view(box.nonce)),
                              nullptr) == 1 &&
          EVP_EncryptUpdate(context.get(), nullptr, &done, raw(authenticated),
                            static_cast<int>(authenticated.size())) == 1);
  if (!plain.empty())
    require(EVP_EncryptUpdate(context.get(), raw(box.text), &done, raw(plain),
                              static_cast<int>(plain.size())) == 1);
  require(EVP_EncryptFinal_ex(context.get(), raw(box.tag), &done) == 1 &&
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagBytes),
                              raw(box.tag)) == 1);
  return box;
}

bool decrypt(Key key, Box const& box, std::string_view authenticated, std::span<std::byte> plain) {
  require(key.size() == kKeyBytes && plain.size() == box.text.size());
  auto* const out = reinterpret_cast<unsigned char*>(plain.data());
  std::string tag = box.tag;
  std::array<unsigned char, kTagBytes> none{};
  Context const context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int done = 0;
  bool const genuine =
      context &&
      EVP_DecryptInit_ex2(context.get(), aes256gcm(), raw(key), raw(std::string_view(box.nonce)), nullptr) ==
          1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &done, raw(authenticated),
                        static_cast<int>(authenticated.size())) == 1 &&
      (plain.empty() ||
       EVP_DecryptUpdate(context.get(), out, &done, raw(box.text), static_cast<int>(box.text.size())) == 1) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagBytes), raw(tag)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), none.data(), &done) == 1;
  if (!genuine) wipe(plain.data(), plain.size());
  return genuine;
}

} // namespace garland::vault
