#include "host/egress/signable.h"

#include "host/base/bytes.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace garland::egress {
namespace {

std::string plain(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percentDecode(spaced);
}

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.empty() ? "" : text.data());
}

} // namespace

std::string percentDecode(std::string_view text) {
  if (text.empty()) return {}; // a length of 0 has libcurl look for the end itself
  int length = 0;
  char* const decoded = curl_easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &length);
  if (decoded == nullptr) return {};
  std::string copy(decoded, static_cast<std::size_t>(length));
  curl_free(decoded);
  return copy;
}

Pairs formPairs(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    auto const end = std::min(text.find('&'), text.size());
    auto const pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    auto const equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(plain(pair.substr(0, equals)), plain(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return pairs;
}

std::string sortedForm(Pairs const& pairs) {
  Pairs encoded;
  encoded.reserve(pairs.size());
  for (auto const& [name, value] : pairs) encoded.emplace_back(percentEncode(name), percentEncode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string form;
  for (auto const& [name, value] : encoded) {
    if (!form.empty()) form += '&';
    form.append(name).append("=").append(value);
  }
  return form;
}

std::string authorityOf(Url const& url) {
  return url.hasDefaultPort() ? url.host() : url.host() + ":" + std::to_string(url.port());
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_Digest(octets(bytes), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return {digest.begin(), digest.begin() + length};
}

std::string hmac(Hash hash, std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int length = 0;
  HMAC(hash == Hash::sha1 ? EVP_sha1() : EVP_sha256(), octets(key), static_cast<int>(key.size()),
       octets(text), text.size(), code.data(), &length);
  return {code.begin(), code.begin() + length};
}

} // namespace garland::egress
