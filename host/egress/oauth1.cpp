#include "host/egress/oauth1.h"

#include "host/base/bytes.h"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>

#include <algorithm>

namespace garland::egress {
namespace {

std::string_view nameOf(Signing::Method method) {
  switch (method) {
  case Signing::Method::hmacSha1: return "HMAC-SHA1";
  case Signing::Method::hmacSha256: return "HMAC-SHA256";
  case Signing::Method::plaintext: break;
  }
  return "PLAINTEXT";
}

// Only a form's members are parameters of the request; any other body is not signed (section 3.4.1.3.1).
bool hasFormBody(Signable const& what) {
  return std::any_of(what.headers.begin(), what.headers.end(), [](Header const& header) {
    auto const type = boost::algorithm::trim_copy(header.value.substr(0, header.value.find(';')));
    return boost::algorithm::iequals(header.name, "content-type") &&
           boost::algorithm::iequals(type, "application/x-www-form-urlencoded");
  });
}

void append(Pairs& pairs, Pairs more) {
  pairs.insert(pairs.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

} // namespace

std::string oauth1BaseString(Signable const& what, Pairs const& protocol) {
  auto parameters = formPairs(what.url.query());
  if (hasFormBody(what)) append(parameters, formPairs(what.body));
  append(parameters, protocol);
  auto const address = what.url.scheme() + "://" + authorityOf(what.url) + what.url.path();
  return what.method + "&" + percentEncode(address) + "&" + percentEncode(sortedForm(parameters));
}

std::string oauth1Signature(std::string_view base_string, Credential const& credential) {
  Secret const consumer(percentEncode(credential.secret.reveal()));
  Secret const token(percentEncode(credential.signing.token_secret.reveal()));
  std::string joined;
  joined.reserve(consumer.reveal().size() + token.reveal().size() + sizeof(std::string));
  joined.append(consumer.reveal()).append("&").append(token.reveal());
  Secret const key(std::move(joined));
  auto const method = credential.signing.method;
  if (method == Signing::Method::plaintext) return std::string(key.reveal());
  auto const hash = method == Signing::Method::hmacSha1 ? Hash::sha1 : Hash::sha256;
  return base64(hmac(hash, key.reveal(), base_string));
}

std::string oauth1Authorization(Signable const& what, Credential const& credential, TimePoint now,
                                std::string nonce) {
  auto const seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  Pairs protocol{{"oauth_consumer_key", credential.username},
                 {"oauth_nonce", std::move(nonce)},
                 {"oauth_signature_method", std::string(nameOf(credential.signing.method))},
                 {"oauth_timestamp", std::to_string(seconds)},
                 {"oauth_version", "1.0"}};
  if (!credential.signing.token.empty()) protocol.emplace_back("oauth_token", credential.signing.token);
  Secret const signature(oauth1Signature(oauth1BaseString(what, protocol), credential));
  Secret const encoded(percentEncode(signature.reveal()));
  std::string header = "OAuth ";
  for (auto const& [name, value] : protocol) header += name + "=\"" + percentEncode(value) + "\", ";
  // Enough for the rest, so that no part of a secret stays behind in memory that was given back.
  header.reserve(header.size() + encoded.reveal().size() + 32);
  return header.append("oauth_signature=\"").append(encoded.reveal()).append("\"");
}

} // namespace garland::egress
