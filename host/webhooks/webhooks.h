// Inbound webhooks: whether a request is really the provider's, and what is answered when the provider tries
// an address out. A scheme is data (connector.json "webhooks", or a preset of this room); nothing here knows
// a provider. No network and no database: certificates, secrets and what was seen before are handed in.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/secret.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace garland::webhooks {

struct Request {
  std::string method = "POST";
  std::string url; // as it was registered with the provider, not as a proxy rewrote it
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body; // the bytes as they came
};

// Why a request was rejected. The names are printed and counted: do not change them.
enum class Reason {
  accepted,
  missing,           // a value that the scheme needs is not in the request
  duplicated,        // it is there twice: which one counts is not for us to guess
  malformed,         // it cannot be read as what it should be
  tooLarge,          // longer than anything honest
  unknownVersion,    // signatures are there, but none of the kind that the scheme takes
  mismatch,          // readable, but not made with a live secret over these bytes
  tooOld,            // right, but older than the tolerance
  tooNew,            // right, but from too far in the future
  wrongValue,        // a requirement of the scheme does not hold, such as a token's audience
  seenBefore,        // what may come once has come already
  noSecret,          // nothing to verify with
  badKey,            // the kept secret or the certificate cannot be used
  certificateNeeded, // the certificate that the request names was not handed in; it lacks nothing else
  untrustedHost,     // the certificate's address is not the provider's
};
std::string_view name(Reason reason);

struct Verdict {
  Reason reason = Reason::missing;
  std::string sentence; // for operators; holds no secret and no expected signature
  std::string once_key; // what marks this delivery; empty if the scheme names nothing

  bool accepted() const { return reason == Reason::accepted; }
};

// What the host keeps for one webhook.
struct Keys {
  std::vector<Secret> secrets;                                // live ones; or public keys, as the scheme says
  std::string certificate;                                    // PEM; only for schemes with a certificate
  std::map<std::string, std::string, std::less<>> parameters; // agreed on when the webhook was registered
  std::function<bool(std::string_view once_key)> seen;        // null: nobody remembers
};

struct SchemeData;

// Immutable; copies share one description.
class Scheme {
public:
  // `webhooks` is a manifest's member of that name. invalidInput with the place of what is wrong.
  static Result<Scheme> read(json::value const& webhooks);
  // A preset by its name or alias; "-" and "_" are the same. notFound lists the names.
  static Result<Scheme> named(std::string_view name);

  std::string const& summary() const;
  // Names of Keys::parameters that it needs, each with a sentence on what it is.
  std::map<std::string, std::string> const& parameters() const;
  bool needsUrl() const; // the URL is part of what is signed
  bool needsCertificate() const;
  bool needsVisit() const;           // a handshake that the host confirms by fetching an address
  bool tellsItsSecret() const;       // a handshake brings it
  bool carriesItsSecret() const;     // requests carry the secret itself, which is ours to make up
  std::string secretsMember() const; // of the URL's query, in which they do; "": elsewhere
  SchemeData const& data() const { return *data_; }

private:
  explicit Scheme(std::shared_ptr<SchemeData const> data) : data_(std::move(data)) {}
  std::shared_ptr<SchemeData const> data_;
};

// Whether a secret has the form that the scheme tells, before it is kept. invalidInput says the form, with an
// example, and never the secret. Without a form told, any that is not empty will do.
Result<void> checkSecret(Scheme const& scheme, Secret const& secret);

// Every preset's name, sorted.
std::vector<std::string> presetNames();

// Constant time where secrets are compared. [any thread]
Verdict verify(Scheme const& scheme, Request const& request, Keys const& keys, Clock const& clock);

// What stands at a place, as a manifest names places (not with "*"): "" if it is not there, is there twice,
// or cannot be read. No document is made of the body.
std::string valueAt(json::value const& place, Request const& request);

// Whether it is a certificate in PEM that can be read: no word on whose, or for how long.
bool isCertificate(std::string_view pem);

// Where the certificate that the request names is fetched from: checked against the scheme's hosts. Empty if
// the scheme uses none. The error is the sentence of a rejection.
Result<std::string> certificateUrl(Scheme const& scheme, Request const& request);

// The other side, for stand-ins of providers: the headers by which a request with this URL and body verifies.
// `id`: of the delivery, for schemes that sign one. unsupported where a scheme's key is not shared (public
// keys, certificates, tokens of a sign-in), or where something belongs elsewhere than in a header.
Result<std::vector<std::pair<std::string, std::string>>>
sign(Scheme const& scheme, Request const& request, std::string_view id, Secret const& secret, TimePoint at);

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Secret keep_secret;    // not empty: the provider told its secret; it must be durable before the answer goes
  std::string visit_url; // not empty: the host confirms by fetching it; its host is checked
};

// Nothing if the request is no handshake: it is to be verified then.
std::optional<Response> answerHandshake(Scheme const& scheme, Request const& request, Keys const& keys,
                                        Clock const& clock);

// ---------------------------------------------------------------- who has signed in

// What an ID token (OpenID Connect Core 1.0) has to say, besides when it ends.
struct IdTokenRules {
  std::string issuer;
  std::string client_id; // has to be in "aud"; and is "azp", if that is there or "aud" has several
  std::vector<std::string> audiences; // what else may be in "aud"
  std::string nonce;
  std::chrono::seconds leeway{60}; // of the provider's clock and ours
};

// `claims` only if `reason` is accepted. noSecret: the key set has no key for it, so the provider may have
// another one by now.
struct IdToken {
  Reason reason = Reason::missing;
  std::string sentence; // as in Verdict
  json::object claims;

  bool accepted() const { return reason == Reason::accepted; }
};

// `key_set`: the provider's (RFC 7517). RS256 and ES256 by a public key; never "none", never a shared secret.
// [any thread]
IdToken checkIdToken(std::string_view token, json::value const& key_set, IdTokenRules const& rules,
                     TimePoint now);

} // namespace garland::webhooks
