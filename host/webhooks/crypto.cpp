#include "host/webhooks/crypto.h"

#include "host/base/bytes.h"
#include "host/webhooks/webhooks.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace garland::webhooks {
namespace {

constexpr int kLeastRsaBits = 2048;
constexpr std::size_t kMostKeyBytes = 64U << 10U;
constexpr std::size_t kEd25519Bytes = 32;
constexpr std::string_view kP256 = "prime256v1";
constexpr std::size_t kMostModulus = 1024; // bytes; a longer one only takes time
constexpr std::size_t kMostExponent = 8;
constexpr std::size_t kP256Bytes = 32;
// A point of P-256 as DER, up to its two numbers.
constexpr std::string_view kP256Before = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";

template <auto function> struct Deleter {
  template <class T> void operator()(T* pointer) const { function(pointer); }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using ParameterList = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.empty() ? "" : text.data());
}

EVP_MD const* fetched(EVP_MD const* digest) {
  auto const* const found = EVP_MD_fetch(nullptr, EVP_MD_get0_name(digest), nullptr);
  return found == nullptr ? digest : found;
}

// Fetched once: else each use fetches, which costs more than the digest of a webhook.
EVP_MD const* digestOf(Algorithm algorithm) {
  static EVP_MD const* const sha1 = fetched(EVP_sha1());
  static EVP_MD const* const sha256 = fetched(EVP_sha256());
  static EVP_MD const* const sha512 = fetched(EVP_sha512());
  switch (algorithm) {
  case Algorithm::hmacSha1:
  case Algorithm::rsaSha1: return sha1;
  case Algorithm::hmacSha512: return sha512;
  case Algorithm::ed25519: return nullptr; // has its own
  default: return sha256;
  }
}

using KeyBlock = std::array<unsigned char, 128>; // of SHA-512, which has the longest

// A key that is longer than a block is its digest.
bool fill(KeyBlock& block, EVP_MD const* digest, std::string_view key) {
  if (key.size() > static_cast<std::size_t>(EVP_MD_get_block_size(digest)))
    return EVP_Digest(key.data(), key.size(), block.data(), nullptr, digest, nullptr) == 1;
  std::ranges::copy(key, block.begin());
  return true;
}

void mark(KeyBlock& block, unsigned char with) {
  for (auto& byte : block) byte ^= with;
}

// Encrypted PEM would ask for a passphrase on the terminal.
int noPassphrase(char*, int, int, void*) { return 0; }

Reject badKey(std::string const& why) { return {Reason::badKey, why}; }

Found<void> checkValidity(X509 const* certificate, TimePoint now) {
  auto seconds = std::chrono::system_clock::to_time_t(now);
  if (X509_cmp_time(X509_get0_notBefore(certificate), &seconds) >= 0)
    return badKey("the certificate is not valid yet");
  if (X509_cmp_time(X509_get0_notAfter(certificate), &seconds) <= 0)
    return badKey("the certificate has expired; fetch the one that the request names");
  return {};
}

Found<void> checkFits(Algorithm algorithm, EVP_PKEY const* key) {
  switch (algorithm) {
  case Algorithm::rsaSha1:
  case Algorithm::rsaSha256:
    if (EVP_PKEY_is_a(key, "RSA") != 1) return badKey("the public key is not one of RSA");
    if (EVP_PKEY_get_bits(key) < kLeastRsaBits) return badKey("the RSA key is shorter than 2048 bits");
    return {};
  case Algorithm::ecdsaP256: {
    std::array<char, 64> group{};
    std::size_t length = 0;
    bool const named = EVP_PKEY_is_a(key, "EC") == 1 &&
                       EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
                       std::string_view(group.data(), length) == kP256;
    if (!named) return badKey("the public key is not one of ECDSA on the curve P-256");
    return {};
  }
  default:
    if (EVP_PKEY_is_a(key, "ED25519") != 1) return badKey("the public key is not one of Ed25519");
    return {};
  }
}

Certificate certificateIn(std::string_view pem) {
  Bio const from(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(from.get(), nullptr, noPassphrase, nullptr));
}

} // namespace

bool isCertificate(std::string_view pem) {
  bool const readable = !pem.empty() && pem.size() <= kMostKeyBytes && certificateIn(pem) != nullptr;
  ERR_clear_error();
  return readable;
}

std::string encoded(Encoding encoding, std::string_view bytes) {
  if (encoding == Encoding::raw) return std::string(bytes);
  if (encoding == Encoding::hex) return hex(bytes);
  return encoding == Encoding::base64 ? base64(bytes) : base64Url(bytes);
}

std::optional<std::string> decoded(Encoding encoding, std::string_view text) {
  if (encoding == Encoding::raw) return std::string(text);
  std::string spelled(text);
  if (encoding == Encoding::base64url) {
    if (spelled.find_first_of("+/") != std::string::npos) return std::nullopt;
    std::replace(spelled.begin(), spelled.end(), '-', '+');
    std::replace(spelled.begin(), spelled.end(), '_', '/');
    while (spelled.size() % 4 != 0 && !spelled.ends_with("==")) spelled += '=';
  }
  auto bytes = encoding == Encoding::hex ? fromHex(spelled) : fromBase64(spelled);
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

bool isHmac(Algorithm algorithm) {
  return algorithm == Algorithm::hmacSha1 || algorithm == Algorithm::hmacSha256 ||
         algorithm == Algorithm::hmacSha512;
}

// RFC 2104 over a context that stays: HMAC() makes a dozen objects each time, which takes longer than the
// digests of a webhook.
std::string hmac(Algorithm algorithm, std::string_view key, std::string_view text) {
  constexpr unsigned char kInner = 0x36;
  constexpr unsigned char kOuter = 0x5c;
  thread_local DigestContext const context(EVP_MD_CTX_new());
  auto const* const digest = digestOf(algorithm);
  KeyBlock block{};
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int length = 0;
  auto const overBlockAnd = [&](void const* bytes, std::size_t size) {
    auto const block_size = static_cast<std::size_t>(EVP_MD_get_block_size(digest));
    return EVP_DigestInit_ex2(context.get(), digest, nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), block.data(), block_size) == 1 &&
           EVP_DigestUpdate(context.get(), bytes, size) == 1 &&
           EVP_DigestFinal_ex(context.get(), code.data(), &length) == 1;
  };
  bool made = fill(block, digest, key);
  mark(block, kInner);
  made = made && overBlockAnd(text.data(), text.size());
  mark(block, kInner ^ kOuter);
  made = made && overBlockAnd(code.data(), length);
  OPENSSL_cleanse(block.data(), block.size());
  if (!made) return {}; // equals no signature: an empty one is never compared
  return {code.begin(), code.begin() + length};
}

void PublicKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Found<PublicKey::Handle> PublicKey::parsed(Algorithm algorithm, std::string_view bytes, TimePoint now) {
  if (algorithm == Algorithm::ed25519 && bytes.size() == kEd25519Bytes)
    return Handle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(bytes), bytes.size()));
  if (!bytes.starts_with("-----BEGIN ") && bytes.find("\n-----BEGIN ") == std::string_view::npos) {
    auto const* at = octets(bytes);
    return Handle(d2i_PUBKEY(nullptr, &at, static_cast<long>(bytes.size())));
  }
  if (bytes.find("-----BEGIN CERTIFICATE-----") == std::string_view::npos) {
    Bio const from(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    return Handle(PEM_read_bio_PUBKEY(from.get(), nullptr, noPassphrase, nullptr));
  }
  auto const certificate = certificateIn(bytes);
  if (!certificate) return Handle();
  TRY_VOID(checkValidity(certificate.get(), now));
  return Handle(X509_get_pubkey(certificate.get()));
}

Found<PublicKey> PublicKey::read(Algorithm algorithm, std::string_view bytes, TimePoint now) {
  if (bytes.empty() || bytes.size() > kMostKeyBytes)
    return badKey("there is no public key that could be read");
  auto key = parsed(algorithm, bytes, now);
  ERR_clear_error();
  if (!key) return std::move(key).error();
  if (!*key)
    return badKey("the public key or certificate cannot be read: it must be PEM, or DER as the scheme says");
  TRY_VOID(checkFits(algorithm, key->get()));
  return PublicKey(std::move(*key));
}

bool PublicKey::verifies(Algorithm algorithm, std::string_view text, std::string_view signature) const {
  DigestContext const context(EVP_MD_CTX_new());
  bool const right =
      EVP_DigestVerifyInit(context.get(), nullptr, digestOf(algorithm), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(text), text.size()) == 1;
  ERR_clear_error();
  return right;
}

std::string rsaPublicKey(std::string_view modulus, std::string_view exponent) {
  if (modulus.size() > kMostModulus || exponent.size() > kMostExponent) return {};
  Number const n(BN_bin2bn(octets(modulus), static_cast<int>(modulus.size()), nullptr));
  Number const e(BN_bin2bn(octets(exponent), static_cast<int>(exponent.size()), nullptr));
  if (BN_is_zero(n.get()) || BN_is_odd(e.get()) == 0 || BN_is_one(e.get())) return {};
  ParameterList const list(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(list.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(list.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  Parameters const parameters(OSSL_PARAM_BLD_to_param(list.get()));
  KeyContext const context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) == 1)
    EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get());
  std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>> const key(made);
  unsigned char* out = nullptr;
  int const length = key ? i2d_PUBKEY(key.get(), &out) : 0;
  std::string der;
  if (length > 0) der.assign(out, out + length);
  OPENSSL_free(out);
  ERR_clear_error();
  return der;
}

std::string p256PublicKey(std::string_view x, std::string_view y) {
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return {};
  auto der = fromHex(kP256Before).value();
  der += x;
  der += y;
  return der;
}

std::string derSignature(std::string_view r_and_s) {
  if (r_and_s.size() != 64) return {};
  std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> const signature(ECDSA_SIG_new());
  auto* const r = BN_bin2bn(octets(r_and_s), 32, nullptr);
  auto* const s = BN_bin2bn(octets(r_and_s.substr(32)), 32, nullptr);
  ECDSA_SIG_set0(signature.get(), r, s); // owns both now
  unsigned char* out = nullptr;
  int const length = i2d_ECDSA_SIG(signature.get(), &out);
  std::string der;
  if (length > 0) der.assign(out, out + length);
  OPENSSL_free(out);
  return der;
}

} // namespace garland::webhooks
