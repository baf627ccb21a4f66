// An OpenID provider's signing key that a test makes, with what the provider publishes of it.
#pragma once

#include "host/base/json.h"
#include "host/webhooks/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace garland::webhooks::testing {

class TokenSigner {
public:
  enum class Kind { rsa, p256 };
  TokenSigner(Kind kind, std::string kid, unsigned int bits = 2048)
      : kind_(kind), kid_(std::move(kid)),
        key_(kind == Kind::rsa ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256"), EVP_PKEY_free) {}

  json::object jwk() const {
    json::object out{{"kid", kid_}, {"use", "sig"}, {"alg", algorithm()}};
    out["kty"] = kind_ == Kind::rsa ? "RSA" : "EC";
    if (kind_ == Kind::rsa) {
      out["n"] = number(OSSL_PKEY_PARAM_RSA_N, 0);
      out["e"] = number(OSSL_PKEY_PARAM_RSA_E, 0);
    } else {
      out["crv"] = "P-256";
      out["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, 32);
      out["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    }
    return out;
  }

  // What `more` says takes the place of what the header has by itself; null leaves it out.
  std::string token(json::object const& claims, json::object const& more = {}) const {
    json::object header{{"alg", algorithm()}, {"kid", kid_}, {"typ", "JWT"}};
    for (auto const& [name, value] : more) header[name] = value;
    if (header.at("kid").is_null()) header.erase("kid");
    auto const text = part(json::serialize(header)) + "." + part(json::serialize(claims));
    return text + "." + part(signature(text));
  }

  std::string_view algorithm() const { return kind_ == Kind::rsa ? "RS256" : "ES256"; }
  static std::string part(std::string_view bytes) { return encoded(Encoding::base64url, bytes); }

private:
  std::string number(char const* name, int least) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    std::string bytes(static_cast<std::size_t>(std::max(least, BN_num_bytes(value))), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(value);
    return part(bytes);
  }

  std::string signature(std::string const& text) const {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    auto const* bytes = reinterpret_cast<unsigned char const*>(text.data());
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size());
    std::string out(size, '\0');
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size());
    out.resize(size);
    return kind_ == Kind::rsa ? out : sideBySide(out);
  }

  static std::string sideBySide(std::string const& der) {
    auto const* at = reinterpret_cast<unsigned char const*>(der.data());
    std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> const pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
    std::string out(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), reinterpret_cast<unsigned char*>(out.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), reinterpret_cast<unsigned char*>(out.data()) + 32, 32);
    return out;
  }

  Kind kind_;
  std::string kid_;
  std::shared_ptr<EVP_PKEY> key_;
};

inline json::object keySetOf(std::vector<json::object> keys) {
  json::array list;
  for (auto& key : keys) list.push_back(std::move(key));
  json::object out;
  out["keys"] = std::move(list);
  return out;
}

} // namespace garland::webhooks::testing
