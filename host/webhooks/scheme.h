// A scheme as it was read: the description in the terms that verify.cpp and handshake.cpp work with.
#pragma once

#include "host/webhooks/host_rule.h"
#include "host/webhooks/place.h"
#include "host/webhooks/text_template.h"

#include <set>

namespace garland::webhooks {

enum class Algorithm { token, hmacSha1, hmacSha256, hmacSha512, ecdsaP256, ed25519, rsaSha1, rsaSha256, jwt };
enum class Encoding { raw, hex, base64, base64url };
enum class TimeFormat { seconds, milliseconds, rfc3339 };

struct Requirement {
  Place at;
  TextTemplate equals; // empty: it is enough that a value stands there
};

struct AlgorithmChoice {
  Place at;
  std::map<std::string, Algorithm> is;
};

struct Members {
  Place by;
  std::map<std::string, std::vector<std::string>> of;
  std::set<std::string> optional;
};

struct BodyDigest {
  Place at;
  Encoding encoding = Encoding::hex;
  TextTemplate signed_text;
};

struct JwtRules {
  std::set<std::string> algorithms;
  TextTemplate audience; // empty: anybody's
  std::string issuer;    // empty: anybody
};

using Values = std::map<std::string, Place>;

struct Signature {
  std::optional<Algorithm> algorithm; // or:
  std::optional<AlgorithmChoice> algorithm_by;
  Place at;
  Encoding encoding = Encoding::hex;
  TextTemplate signed_text;
  std::optional<Place> timestamp;
  TimeFormat time_format = TimeFormat::seconds;
  std::optional<std::chrono::seconds> tolerance;
  std::optional<std::chrono::seconds> future;
  Values values;
  std::vector<Requirement> require;
  std::string key_prefix;
  Encoding key_encoding = Encoding::raw;
  std::optional<HostRule> certificate;
  std::optional<Members> members;
  bool json_body = false;
  std::optional<BodyDigest> body_digest;
  bool default_port = false;
  TextTemplate once;
  JwtRules jwt;
};

struct HmacValue {
  Algorithm algorithm = Algorithm::hmacSha256;
  Encoding encoding = Encoding::hex;
  TextTemplate signed_text;
};

struct Handshake {
  std::string method;
  std::vector<Requirement> require;
  bool is_signed = false;
  Values values;
  std::map<std::string, HmacValue> hmac;
  TextTemplate text;
  std::map<std::string, TextTemplate> json;
  std::map<std::string, TextTemplate> headers;
  TextTemplate keep_secret;
  std::optional<HostRule> visit;
};

struct SchemeData {
  std::string summary;
  std::map<std::string, std::string> parameters;
  Signature signature;
  std::vector<Handshake> handshakes;
};

// A manifest's "webhook_place".
Result<Place> readPlace(json::value const& place);

// Documents of presets.cpp; nullptr if there is none of that name.
json::value const* presetNamed(std::string_view name);

} // namespace garland::webhooks
