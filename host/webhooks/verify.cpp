// One verification, in this order: what must be there, the signature over the raw bytes, its age, whether it
// came before. The age is told only of what is genuine.
#include "host/webhooks/crypto.h"
#include "host/webhooks/jwt.h"
#include "host/webhooks/request_values.h"

#include "host/vault/vault.h"

#include <charconv>

namespace garland::webhooks {
namespace {

constexpr std::size_t kMostUrlBytes = 16U << 10U;

using KeyBytes = std::vector<std::string>;

// The bytes that the live secrets stand for. An empty key verifies nothing, ever.
Found<KeyBytes> keyBytes(Signature const& signature, Keys const& keys) {
  KeyBytes all;
  bool any = false;
  for (auto const& secret : keys.secrets) {
    auto text = secret.reveal();
    if (text.empty()) continue;
    any = true;
    if (text.starts_with(signature.key_prefix)) text.remove_prefix(signature.key_prefix.size());
    auto bytes = decoded(signature.key_encoding, text);
    if (bytes && !bytes->empty()) all.push_back(std::move(*bytes));
  }
  if (!any)
    return Reject{Reason::noSecret,
                  "no secret is kept for this webhook; paste the one that the provider shows"};
  if (all.empty())
    return Reject{Reason::badKey, "the kept secret is not written as the scheme says; paste it again, whole"};
  return all;
}

// A public key that is pasted comes from `secrets`, a certificate from `certificate` and a pinned host. None
// if that has not been fetched yet.
Found<KeyBytes> keysFor(Signature const& signature, Keys const& keys, RequestView& view) {
  if (!signature.certificate) return keyBytes(signature, keys);
  TRY(url, view.one(signature.certificate->url));
  TRY_VOID(checkAddress(*signature.certificate, url));
  if (keys.certificate.empty()) return KeyBytes();
  return KeyBytes{keys.certificate};
}

// Asked last: a certificate is worth fetching only for a request that lacks nothing else.
Found<void> checkFetched(KeyBytes const& keys) {
  if (keys.empty())
    return Reject{Reason::certificateNeeded, "the certificate that the request names has not been fetched"};
  return {};
}

Found<Algorithm> algorithmFor(Signature const& signature, RequestView& view) {
  if (signature.algorithm) return *signature.algorithm;
  auto const& choice = *signature.algorithm_by;
  TRY(word, view.one(choice.at));
  auto const found = choice.is.find(word);
  if (found == choice.is.end())
    return Reject{Reason::unknownVersion,
                  choice.at.words() + " names an algorithm that the scheme does not take"};
  return found->second;
}

Found<std::vector<std::string>> signatures(Signature const& signature, RequestView& view) {
  TRY(texts, view.all(signature.at));
  std::vector<std::string> all;
  for (auto const& text : texts) {
    auto bytes = decoded(signature.encoding, text);
    if (bytes && !bytes->empty()) all.push_back(std::move(*bytes));
  }
  if (all.empty())
    return Reject{Reason::malformed, signature.at.words() + " is not written as a signature is"};
  return all;
}

// Which template counts: the digest's, if the request carries one.
Found<TextTemplate const*> signedTemplate(Signature const& signature, RequestView& view) {
  if (!signature.body_digest) return &signature.signed_text;
  auto const& digest = *signature.body_digest;
  auto const given = view.one(digest.at);
  if (!given && given.error().reason == Reason::missing) return &signature.signed_text;
  if (!given) return given.error();
  auto const bytes = decoded(digest.encoding, *given);
  if (!bytes) return Reject{Reason::malformed, digest.at.words() + " is not written as a digest is"};
  if (!vault::equalInConstantTime(*bytes, vault::sha256(view.request().body)))
    return Reject{Reason::mismatch, "the body does not have the digest that " + digest.at.words() + " names"};
  return &digest.signed_text;
}

// Everything that an honest sender may have signed: one text, or one for each spelling of the URL.
Found<std::vector<std::string>> signedTexts(Signature const& signature, RequestView& view,
                                            RequestValues& values) {
  TRY(text, signedTemplate(signature, view));
  auto const& url = view.request().url;
  auto const urls = signature.default_port ? withAndWithoutDefaultPort(url) : std::vector<std::string>{url};
  std::vector<std::string> all;
  for (auto const& spelling : urls) {
    values.useUrl(spelling);
    TRY(one, values.render(*text));
    all.push_back(std::move(one));
  }
  values.useUrl(url);
  return all;
}

// Every combination is tried, also after one has fitted: how long it takes tells nothing.
bool anyHmacFits(Algorithm algorithm, KeyBytes const& keys, std::vector<std::string> const& texts,
                 std::vector<std::string> const& given) {
  bool fits = false;
  for (auto const& key : keys)
    for (auto const& text : texts) {
      auto const expected = hmac(algorithm, key, text);
      for (auto const& one : given) fits |= vault::equalInConstantTime(expected, one);
    }
  return fits;
}

Found<bool> anyPublicKeyFits(Algorithm algorithm, KeyBytes const& keys, std::vector<std::string> const& texts,
                             std::vector<std::string> const& given, TimePoint now) {
  bool fits = false;
  for (auto const& bytes : keys) {
    TRY(key, PublicKey::read(algorithm, bytes, now));
    for (auto const& text : texts)
      for (auto const& one : given) fits |= key.verifies(algorithm, text, one);
  }
  return fits;
}

Found<void> checkToken(Signature const& signature, KeyBytes const& keys, RequestView& view) {
  TRY(given, view.all(signature.at));
  TRY_VOID(checkFetched(keys));
  for (auto const& one : given) {
    bool fits = false;
    for (auto const& key : keys) fits |= vault::equalInConstantTime(key, one);
    if (!fits) return Reject{Reason::mismatch, signature.at.words() + " is not a secret that is kept here"};
  }
  return {};
}

Found<void> checkSigned(Signature const& signature, KeyBytes const& keys, RequestView& view,
                        RequestValues& values, TimePoint now) {
  TRY(algorithm, algorithmFor(signature, view));
  TRY(given, signatures(signature, view));
  TRY(texts, signedTexts(signature, view, values));
  TRY_VOID(checkFetched(keys));
  bool fits = false;
  if (isHmac(algorithm)) {
    fits = anyHmacFits(algorithm, keys, texts, given);
  } else {
    TRY(fitted, anyPublicKeyFits(algorithm, keys, texts, given, now));
    fits = fitted;
  }
  if (!fits)
    return Reject{Reason::mismatch,
                  "the signature was not made with a secret that is kept here over these bytes; if "
                  "the secret is right, something on the way changed the request"};
  return {};
}

Found<TimePoint> timeOf(std::string const& text, TimeFormat format, Place const& place) {
  Reject wrong{Reason::malformed, place.words() + " is no time"};
  if (format == TimeFormat::rfc3339) {
    auto const time = parseRfc3339(text);
    if (!time) return wrong;
    return *time;
  }
  constexpr std::int64_t kYear9999 = 253'402'300'799;
  std::int64_t count = 0;
  auto const* const end = text.data() + text.size();
  auto const [stopped, problem] = std::from_chars(text.data(), end, count);
  bool const milliseconds = format == TimeFormat::milliseconds;
  if (problem != std::errc() || stopped != end || count < 0 || count / (milliseconds ? 1000 : 1) > kYear9999)
    return wrong;
  return TimePoint(milliseconds ? Milliseconds(count) : Milliseconds(std::chrono::seconds(count)));
}

Found<void> checkAge(Signature const& signature, TimePoint sent, TimePoint now) {
  auto const seconds = [](Milliseconds span) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(span).count()) + " seconds";
  };
  if (signature.tolerance && now - sent > *signature.tolerance)
    return Reject{Reason::tooOld, "the request is genuine but " + seconds(now - sent) + " old, and " +
                                      seconds(*signature.tolerance) + " are allowed; it may be a replay"};
  if (signature.future && sent - now > *signature.future)
    return Reject{Reason::tooNew, "the request is genuine but " + seconds(sent - now) +
                                      " ahead of this machine's clock, and " + seconds(*signature.future) +
                                      " are allowed; is the clock right?"};
  return {};
}

Found<void> checkWebToken(Signature const& signature, KeyBytes const& keys, RequestView& view,
                          RequestValues& values, TimePoint now) {
  TRY(token, view.one(signature.at));
  TRY(audience, values.render(signature.jwt.audience));
  // An empty one would let every token in.
  if (audience.empty() && !signature.jwt.audience.empty())
    return Reject{Reason::missing,
                  "the webhook's own address is not known, so that no token can be meant for it"};
  TRY_VOID(checkFetched(keys));
  TRY_VOID(checkJwt(
      token, {signature.jwt, keys, audience, signature.tolerance.value_or(std::chrono::seconds(0)), now}));
  return {};
}

Found<void> checkGenuine(Signature const& signature, KeyBytes const& keys, RequestView& view,
                         RequestValues& values, TimePoint now) {
  if (signature.algorithm == Algorithm::token) return checkToken(signature, keys, view);
  if (signature.algorithm == Algorithm::jwt) return checkWebToken(signature, keys, view, values, now);
  return checkSigned(signature, keys, view, values, now);
}

// All of it; the value is the once key.
Found<std::string> check(Signature const& signature, Request const& request, Keys const& keys,
                         TimePoint now) {
  if (request.url.size() > kMostUrlBytes) return Reject{Reason::tooLarge, "the URL is too long"};
  RequestView view(request);
  RequestValues values({view, signature.values, keys, signature.members ? &*signature.members : nullptr,
                        signature.timestamp ? &*signature.timestamp : nullptr});
  TRY(key_bytes, keysFor(signature, keys, view));
  std::optional<TimePoint> sent;
  if (signature.timestamp) {
    TRY(text, view.one(*signature.timestamp));
    TRY(time, timeOf(text, signature.time_format, *signature.timestamp));
    sent = time;
  }
  TRY_VOID(checkGenuine(signature, key_bytes, view, values, now));
  TRY_VOID(values.check(signature.require));
  if (signature.json_body) {
    TRY_VOID(view.json());
  }
  if (sent) {
    TRY_VOID(checkAge(signature, *sent, now));
  }
  TRY(once, values.render(signature.once));
  if (!once.empty() && keys.seen && keys.seen(once))
    return Reject{Reason::seenBefore, "this delivery came before, and it may come once only"};
  return once;
}

} // namespace

Verdict verify(Scheme const& scheme, Request const& request, Keys const& keys, Clock const& clock) {
  auto once = check(scheme.data().signature, request, keys, clock.now());
  if (!once) return {once.error().reason, once.error().sentence, {}};
  return {Reason::accepted, "the signature is right", std::move(*once)};
}

Result<std::string> certificateUrl(Scheme const& scheme, Request const& request) {
  auto const& rule = scheme.data().signature.certificate;
  if (!rule) return std::string();
  RequestView view(request);
  auto url = view.one(rule->url);
  if (!url) return Error(ErrorKind::forbidden, url.error().sentence);
  if (auto const trusted = checkAddress(*rule, *url); !trusted)
    return Error(ErrorKind::forbidden, trusted.error().sentence);
  return std::move(*url);
}

Result<void> checkSecret(Scheme const& scheme, Secret const& secret) {
  auto const& signature = scheme.data().signature;
  auto const& prefix = signature.key_prefix;
  auto text = secret.reveal();
  bool const marked = text.starts_with(prefix);
  if (marked) text.remove_prefix(prefix.size());
  auto const bytes = decoded(signature.key_encoding, text);
  if (marked && bytes && !bytes->empty()) return {};
  if (prefix.empty() && signature.key_encoding == Encoding::raw)
    return Error(ErrorKind::invalidInput, "the secret must not be empty", "/secret");
  bool const hex = signature.key_encoding == Encoding::hex;
  std::string const form = hex                                       ? "hexadecimal digits"
                           : signature.key_encoding == Encoding::raw ? "a text"
                                                                     : "base64";
  return Error(ErrorKind::invalidInput,
               "the secret must be " +
                   (prefix.empty() ? form : "\"" + prefix + "\" with " + form + " behind it") + ", such as " +
                   prefix + (hex ? "31c29bf2bf06298a" : "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") +
                   "; paste it whole, as the provider shows it",
               "/secret");
}

std::string_view name(Reason reason) {
  switch (reason) {
  case Reason::accepted: return "accepted";
  case Reason::missing: return "missing";
  case Reason::duplicated: return "duplicated";
  case Reason::malformed: return "malformed";
  case Reason::tooLarge: return "too_large";
  case Reason::unknownVersion: return "unknown_version";
  case Reason::mismatch: return "mismatch";
  case Reason::tooOld: return "too_old";
  case Reason::tooNew: return "too_new";
  case Reason::wrongValue: return "wrong_value";
  case Reason::seenBefore: return "seen_before";
  case Reason::noSecret: return "no_secret";
  case Reason::badKey: return "bad_key";
  case Reason::certificateNeeded: return "certificate_needed";
  case Reason::untrustedHost: return "untrusted_host";
  }
  return "missing";
}

void throw_exception_from_error(Reject const& reject, boost::source_location const& where) {
  garland::throw_exception_from_error(Error(ErrorKind::forbidden, reject.sentence), where);
}

} // namespace garland::webhooks
