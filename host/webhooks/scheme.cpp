// From JSON to SchemeData. The shape is the manifest schema's business; here is what a schema cannot say:
// that a place is exactly one, that every name in a template means something, what an algorithm needs.
#include "host/webhooks/scheme.h"

#include "host/base/schema.h"
#include "host/webhooks/crypto.h"

#include <garland/schemas.hpp>

#include <algorithm>
#include <array>

namespace garland::webhooks {
namespace {

Error wrong(std::string const& place, std::string const& what) {
  return {ErrorKind::invalidInput, place + ": " + what, place};
}

constexpr std::array<std::pair<std::string_view, Algorithm>, 9> kAlgorithms{
    {{"token", Algorithm::token},
     {"hmac-sha1", Algorithm::hmacSha1},
     {"hmac-sha256", Algorithm::hmacSha256},
     {"hmac-sha512", Algorithm::hmacSha512},
     {"ecdsa-p256", Algorithm::ecdsaP256},
     {"ed25519", Algorithm::ed25519},
     {"rsa-sha1", Algorithm::rsaSha1},
     {"rsa-sha256", Algorithm::rsaSha256},
     {"jwt", Algorithm::jwt}}};
constexpr std::array<std::pair<std::string_view, Encoding>, 4> kEncodings{
    {{"raw", Encoding::raw},
     {"hex", Encoding::hex},
     {"base64", Encoding::base64},
     {"base64url", Encoding::base64url}}};
constexpr std::array<std::pair<std::string_view, TimeFormat>, 3> kTimeFormats{
    {{"seconds", TimeFormat::seconds},
     {"milliseconds", TimeFormat::milliseconds},
     {"rfc3339", TimeFormat::rfc3339}}};
constexpr std::array<std::string_view, 9> kBuiltIn{
    "url", "path", "query", "method", "body", "body_sha256", "body_crc32", "sorted_params", "members"};

// The schema has been kept, so that the word is in the table.
template <class Table> auto meaning(Table const& table, std::string_view word) {
  auto const found =
      std::find_if(table.begin(), table.end(), [&](auto const& row) { return row.first == word; });
  return found == table.end() ? table.front().second : found->second;
}

Encoding encodingAt(json::value const& value, std::string_view fallback) {
  return meaning(kEncodings, textOr(value, "/encoding", fallback));
}

// Reads one description, remembering where it is for its errors.
class Reader {
public:
  Reader(json::value const& value, std::string place) : value_(value), place_(std::move(place)) {}

  Reader at(std::string const& member) const {
    static json::value const nothing;
    auto const* found = find(value_, "/" + member);
    return {found == nullptr ? nothing : *found, place_ + "/" + member};
  }
  explicit operator bool() const { return !value_.is_null(); }
  json::value const& value() const { return value_; }
  std::string const& place() const { return place_; }
  std::string text(std::string_view member, std::string_view fallback = "") const {
    return textOr(value_, "/" + std::string(member), fallback);
  }
  std::optional<std::chrono::seconds> seconds(std::string_view member) const {
    auto const count = integerOr(value_, "/" + std::string(member), -1);
    if (count < 0) return std::nullopt;
    return std::chrono::seconds(count);
  }
  std::vector<Reader> items() const {
    std::vector<Reader> all;
    if (auto const* list = value_.if_array())
      for (std::size_t i = 0; i < list->size(); ++i)
        all.emplace_back((*list)[i], place_ + "/" + std::to_string(i));
    return all;
  }
  std::vector<std::pair<std::string, Reader>> members() const {
    std::vector<std::pair<std::string, Reader>> all;
    if (auto const* object = value_.if_object())
      for (auto const& [name, value] : *object)
        all.emplace_back(name, Reader(value, place_ + "/" + std::string(name)));
    return all;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (auto const& item : items())
      if (auto const* text = item.value_.if_string()) all.emplace_back(*text);
    return all;
  }

private:
  json::value const& value_;
  std::string place_;
};

Result<Place> place(Reader const& from) {
  Place read;
  int kinds = 0;
  for (auto const& [kind, in] : {std::pair("header", Place::In::header), std::pair("query", Place::In::query),
                                 std::pair("body", Place::In::body)}) {
    auto name = from.text(kind);
    if (name.empty()) continue;
    ++kinds;
    read.in = in;
    read.name = std::move(name);
  }
  if (kinds != 1) return wrong(from.place(), "must have exactly one of header, query and body");
  read.member = from.text("member");
  read.split = from.text("split");
  read.prefix = from.text("prefix");
  if (!read.member.empty() && read.split.empty())
    return wrong(from.place(), "\"member\" needs \"split\", which says what separates the members");
  return read;
}

// valijson takes no "propertyNames" beside a "$ref", so that names are checked here.
Result<void> checkName(Reader const& from, std::string_view name) {
  bool const spelled =
      !name.empty() && name.size() <= 40 && name[0] >= 'a' && name[0] <= 'z' &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
  if (!spelled) return wrong(from.place(), "a name is small letters, digits and _");
  return {};
}

Result<void> checkHeaderName(Reader const& from, std::string_view name) {
  bool const spelled =
      !name.empty() && name.size() <= 80 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
      });
  if (!spelled) return wrong(from.place(), "a header's name is letters, digits and -");
  return {};
}

Result<Values> places(Reader const& from) {
  Values read;
  for (auto const& [name, reader] : from.members()) {
    TRY_VOID(checkName(reader, name));
    if (name == "timestamp" || std::find(kBuiltIn.begin(), kBuiltIn.end(), name) != kBuiltIn.end())
      return wrong(reader.place(), "\"" + name + "\" means something already; choose another name");
    TRY(one, place(reader));
    read.emplace(name, std::move(one));
  }
  return read;
}

// Every template of one signature or handshake, and the names that mean something in them.
class Templates {
public:
  Templates(Values const& values, std::map<std::string, std::string> const& parameters) {
    for (auto const& name : kBuiltIn) known_.emplace(name);
    for (auto const& value : values) known_.insert(value.first);
    for (auto const& parameter : parameters) known_.insert(parameter.first);
  }
  void add(std::string const& name) { known_.insert(name); }
  void drop(std::string const& name) { known_.erase(name); }

  Result<TextTemplate> read(Reader const& from) const {
    auto const* text = from.value().if_string();
    if (text == nullptr) return TextTemplate();
    auto parsed = TextTemplate::parse(*text);
    if (!parsed) return wrong(from.place(), parsed.error().message);
    for (auto const& name : parsed->names())
      if (!known_.contains(name)) return wrong(from.place(), "{" + name + "} means nothing; " + list());
    return parsed;
  }
  Result<std::vector<Requirement>> requirements(Reader const& from) const {
    std::vector<Requirement> all;
    for (auto const& item : from.items()) {
      TRY(at, place(item.at("at")));
      TRY(equals, read(item.at("equals")));
      all.push_back({std::move(at), std::move(equals)});
    }
    return all;
  }

private:
  std::string list() const {
    std::string all;
    for (auto const& name : known_) all += (all.empty() ? "" : ", ") + name;
    return "what does: " + all;
  }
  std::set<std::string> known_;
};

Result<HostRule> hostRule(Reader const& from) {
  HostRule rule;
  TRY(url, place(from.at("url")));
  rule.url = std::move(url);
  rule.hosts = from.at("hosts").texts();
  rule.path_prefix = from.text("path_prefix");
  return rule;
}

Result<void> readAlgorithm(Reader const& from, Signature& signature) {
  auto const by = from.at("algorithm_by");
  auto const word = from.text("algorithm");
  if (word.empty() == !by) return wrong(from.place(), "must have exactly one of algorithm and algorithm_by");
  if (!word.empty()) {
    signature.algorithm = meaning(kAlgorithms, word);
    return {};
  }
  TRY(at, place(by.at("at")));
  AlgorithmChoice choice{std::move(at), {}};
  for (auto const& [name, reader] : by.at("is").members()) {
    auto const means = meaning(kAlgorithms, std::string_view(reader.value().get_string()));
    if (means == Algorithm::token || means == Algorithm::jwt)
      return wrong(reader.place(), "a request may not choose token or jwt by itself");
    choice.is.emplace(name, means);
  }
  signature.algorithm_by = std::move(choice);
  return {};
}

Result<void> readMembers(Reader const& from, Signature& signature) {
  if (!from) return {};
  Members members;
  TRY(by, place(from.at("by")));
  members.by = std::move(by);
  for (auto const& [name, reader] : from.at("of").members()) members.of.emplace(name, reader.texts());
  for (auto& name : from.at("optional").texts()) members.optional.insert(std::move(name));
  signature.members = std::move(members);
  return {};
}

Result<void> readTime(Reader const& from, Signature& signature) {
  signature.tolerance = from.seconds("tolerance_seconds");
  signature.future = from.seconds("future_seconds");
  if (!signature.future) signature.future = signature.tolerance;
  bool const jwt = signature.algorithm == Algorithm::jwt;
  if (auto const time = from.at("timestamp")) {
    TRY(at, place(time.at("at")));
    signature.timestamp = std::move(at);
    signature.time_format = meaning(kTimeFormats, time.text("format", "seconds"));
  } else if (signature.tolerance && !jwt) {
    return wrong(from.place() + "/tolerance_seconds", "needs a timestamp");
  }
  return {};
}

Result<void> readTexts(Reader const& from, Templates const& templates, Signature& signature) {
  TRY(text, templates.read(from.at("signed")));
  signature.signed_text = std::move(text);
  TRY(once, templates.read(from.at("once")));
  signature.once = std::move(once);
  TRY(require, templates.requirements(from.at("require")));
  signature.require = std::move(require);
  auto const jwt = from.at("jwt");
  for (auto& name : jwt.at("algorithms").texts()) signature.jwt.algorithms.insert(std::move(name));
  TRY(audience, templates.read(jwt.at("audience")));
  signature.jwt.audience = std::move(audience);
  signature.jwt.issuer = jwt.text("issuer");
  if (auto const digest = from.at("body_digest")) {
    TRY(at, place(digest.at("at")));
    TRY(digest_text, templates.read(digest.at("signed")));
    signature.body_digest =
        BodyDigest{std::move(at), encodingAt(digest.value(), "hex"), std::move(digest_text)};
  }
  return {};
}

// Whoever can verify can sign: with such a key a certificate, which everybody has, would let everybody in.
bool keyIsShared(Signature const& signature) {
  auto const shared = [&](Algorithm algorithm) {
    bool const jwt = algorithm == Algorithm::jwt;
    bool const by_hmac = jwt && std::ranges::any_of(signature.jwt.algorithms,
                                                    [](auto const& name) { return name.starts_with("HS"); });
    return algorithm == Algorithm::token || isHmac(algorithm) || by_hmac;
  };
  if (signature.algorithm) return shared(*signature.algorithm);
  return std::ranges::any_of(signature.algorithm_by->is,
                             [&](auto const& choice) { return shared(choice.second); });
}

// What belongs together.
Result<void> checkWhole(Reader const& from, Signature const& signature) {
  bool const token = signature.algorithm == Algorithm::token;
  bool const jwt = signature.algorithm == Algorithm::jwt;
  if (jwt != static_cast<bool>(from.at("jwt")))
    return wrong(from.place(), "\"jwt\" and the algorithm jwt need each other");
  if (signature.certificate && keyIsShared(signature))
    return wrong(from.place() + "/certificate", "fits public keys only: what it says is known to everybody");
  if (token || jwt) {
    if (!signature.signed_text.empty())
      return wrong(from.place() + "/signed", "means nothing with token or jwt");
    return {};
  }
  if (signature.signed_text.empty()) return wrong(from.place(), "\"signed\" is missing: what was signed");
  if (from.text("encoding").empty())
    return wrong(from.place(), "\"encoding\" is missing: how the signature is written");
  return {};
}

Result<Signature> signature(Reader const& from, std::map<std::string, std::string> const& parameters) {
  Signature read;
  TRY_VOID(readAlgorithm(from, read));
  TRY(at, place(from.at("at")));
  read.at = std::move(at);
  read.encoding = encodingAt(from.value(), "hex");
  TRY(values, places(from.at("values")));
  read.values = std::move(values);
  TRY_VOID(readTime(from, read));
  TRY_VOID(readMembers(from.at("members"), read));
  Templates templates(read.values, parameters);
  if (read.timestamp) templates.add("timestamp");
  if (!read.members) templates.drop("members");
  TRY_VOID(readTexts(from, templates, read));
  read.key_prefix = from.at("key").text("prefix");
  read.key_encoding = encodingAt(from.at("key").value(), "raw");
  if (auto const certificate = from.at("certificate")) {
    TRY(rule, hostRule(certificate));
    read.certificate = std::move(rule);
  }
  read.json_body = from.text("body") == "json";
  read.default_port = boolOr(from.value(), "/default_port", false);
  TRY_VOID(checkWhole(from, read));
  return read;
}

Result<void> readAnswer(Reader const& from, Templates const& templates, Handshake& handshake) {
  TRY(text, templates.read(from.at("text")));
  handshake.text = std::move(text);
  for (auto const& [name, reader] : from.at("json").members()) {
    TRY(value, templates.read(reader));
    handshake.json.emplace(name, std::move(value));
  }
  for (auto const& [name, reader] : from.at("headers").members()) {
    TRY_VOID(checkHeaderName(reader, name));
    TRY(value, templates.read(reader));
    handshake.headers.emplace(name, std::move(value));
  }
  if (!handshake.text.empty() && !handshake.json.empty())
    return wrong(from.place(), "answers with text or with json, not with both");
  return {};
}

Result<Handshake> handshake(Reader const& from, std::map<std::string, std::string> const& parameters) {
  Handshake read;
  read.method = from.text("method");
  read.is_signed = boolOr(from.value(), "/signed", false);
  TRY(values, places(from.at("values")));
  read.values = std::move(values);
  Templates templates(read.values, parameters);
  templates.drop("members");
  TRY(require, templates.requirements(from.at("require")));
  read.require = std::move(require);
  for (auto const& [name, reader] : from.at("hmac").members()) {
    TRY_VOID(checkName(reader, name));
    TRY(text, templates.read(reader.at("signed")));
    auto const algorithm = meaning(kAlgorithms, reader.text("algorithm"));
    read.hmac.emplace(name, HmacValue{algorithm, encodingAt(reader.value(), "hex"), std::move(text)});
  }
  for (auto const& made : read.hmac) templates.add(made.first);
  TRY_VOID(readAnswer(from.at("answer"), templates, read));
  TRY(kept, templates.read(from.at("keep_secret")));
  read.keep_secret = std::move(kept);
  if (auto const visit = from.at("visit")) {
    TRY(rule, hostRule(visit));
    read.visit = std::move(rule);
    if (!read.is_signed)
      return wrong(visit.place(), "needs \"signed\": true, or anybody could make the host visit");
  }
  return read;
}

Result<std::map<std::string, std::string>> parametersOf(Reader const& from) {
  std::map<std::string, std::string> all;
  for (auto const& [name, reader] : from.at("parameters").members()) {
    TRY_VOID(checkName(reader, name));
    if (auto const* about = reader.value().if_string()) all.emplace(name, *about);
  }
  return all;
}

Result<void> checkShape(json::value const& document) {
  // The schema is compiled once for each thread, because it is used from one at a time.
  static thread_local auto const schema = [] {
    auto whole = parseJson(schemaText("manifest.json")).value();
    json::object part{{"$ref", "#/definitions/webhooks"}};
    part["definitions"] = whole.at("definitions");
    return Schema::compile(part).value();
  }();
  return schema.require(document, "webhooks");
}

Result<SchemeData> readData(json::value const& document) {
  Reader const whole(document, "/webhooks");
  SchemeData data;
  data.summary = whole.text("summary");
  auto const from = whole.at("signature");
  TRY(agreed, parametersOf(from));
  data.parameters = std::move(agreed);
  TRY(read, signature(from, data.parameters));
  data.signature = std::move(read);
  for (auto const& item : whole.at("handshakes").items()) {
    TRY(parameters, parametersOf(item));
    data.parameters.insert(parameters.begin(), parameters.end());
    TRY(one, handshake(item, data.parameters));
    data.handshakes.push_back(std::move(one));
  }
  return data;
}

} // namespace

Result<Place> readPlace(json::value const& from) { return place(Reader(from, "/place")); }

Result<Scheme> Scheme::read(json::value const& webhooks) {
  TRY_VOID(checkShape(webhooks));
  auto const* described = &webhooks.at("signature");
  json::value joined;
  if (auto const* preset = described->if_string()) {
    auto const* known = presetNamed(*preset);
    if (known == nullptr) return Scheme::named(*preset); // says which there are
    joined = *known;
    // The connector's own handshakes, if it has any, stand in place of the preset's.
    if (auto const* own = find(webhooks, "/handshakes")) joined.as_object()["handshakes"] = *own;
  }
  TRY(data, readData(joined.is_null() ? webhooks : joined));
  return Scheme(std::make_shared<SchemeData const>(std::move(data)));
}

Result<Scheme> Scheme::named(std::string_view name) {
  if (auto const* preset = presetNamed(name)) return read(*preset);
  std::string all;
  for (auto const& known : presetNames()) all += (all.empty() ? "" : ", ") + known;
  return Error(ErrorKind::notFound, "there is no webhook scheme of that name; there are: " + all,
               "/webhooks/signature");
}

std::string const& Scheme::summary() const { return data_->summary; }
std::map<std::string, std::string> const& Scheme::parameters() const { return data_->parameters; }

bool Scheme::needsCertificate() const { return data_->signature.certificate.has_value(); }

bool Scheme::needsVisit() const {
  return std::ranges::any_of(data_->handshakes, [](auto const& one) { return one.visit.has_value(); });
}

bool Scheme::tellsItsSecret() const {
  return std::ranges::any_of(data_->handshakes, [](auto const& one) { return !one.keep_secret.empty(); });
}

bool Scheme::carriesItsSecret() const { return data_->signature.algorithm == Algorithm::token; }

std::string Scheme::secretsMember() const {
  auto const& at = data_->signature.at;
  return carriesItsSecret() && at.in == Place::In::query ? at.name : std::string();
}

bool Scheme::needsUrl() const {
  auto const& signature = data_->signature;
  auto const uses = [](TextTemplate const& text) {
    for (auto const& name : text.names())
      if (name == "url" || name == "path" || name == "query") return true;
    return false;
  };
  return uses(signature.signed_text) || uses(signature.jwt.audience);
}

} // namespace garland::webhooks
