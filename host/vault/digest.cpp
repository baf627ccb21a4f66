// Digests and the comparison that goes with them. Their only way to fail is an OpenSSL without
// SHA-256, in which case nothing in this house can be trusted: the process ends.
#include "host/vault/vault.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace garland::vault {
namespace {

constexpr std::size_t kDigestBytes = 32;

[[noreturn]] void noSha256() {
  std::fputs("OpenSSL offers no SHA-256 on this machine; install Debian's libssl3\n", stderr);
  std::abort();
}

// Fetched once: a fetch costs more than the digest of a short text.
EVP_MD const* sha256Algorithm() {
  static EVP_MD const* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (algorithm == nullptr) noSha256();
  return algorithm;
}

} // namespace

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, kDigestBytes> digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, sha256Algorithm(), nullptr) != 1 ||
      length != digest.size())
    noSha256();
  return {digest.begin(), digest.end()};
}

std::string sha256Hex(std::string_view bytes) { return hex(sha256(bytes)); }

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex2(state_->context.get(), sha256Algorithm(), nullptr) != 1) noSha256();
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) noSha256();
}

std::string Sha256::hex() {
  std::array<unsigned char, kDigestBytes> digest{};
  unsigned int length = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length) != 1 || length != digest.size())
    noSha256();
  return garland::hex(std::string(digest.begin(), digest.end()));
}

std::string sha1(std::string_view bytes) {
  std::array<unsigned char, 20> digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) noSha256();
  return {digest.begin(), digest.end()};
}

std::string hmacSha256(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, kDigestBytes> code{};
  unsigned int length = 0;
  // OpenSSL takes a null pointer for a missing argument, not for an empty one.
  if (key.data() == nullptr) key = "";
  if (bytes.data() == nullptr) bytes = "";
  auto const* message = reinterpret_cast<unsigned char const*>(bytes.data());
  if (HMAC(sha256Algorithm(), key.data(), static_cast<int>(key.size()), message, bytes.size(), code.data(),
           &length) == nullptr ||
      length != code.size())
    noSha256();
  return {code.begin(), code.end()};
}

bool equalInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace garland::vault
