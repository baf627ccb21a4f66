// What the certification suite says of a package, signed; and which of such words do not count any more.
#include "host/base/json.h"
#include "host/marketplace/archive.h"
#include "host/marketplace/statement.h"

#include <algorithm>
#include <array>

namespace garland::marketplace {
namespace {

constexpr std::array<std::string_view, 3> kLevels{"bronze", "silver", "gold"};
constexpr std::array<std::string_view, 2> kProfiles{"standard", "full"}; // quick looks at too little
constexpr std::array<std::string_view, 3> kSandboxes{"A", "B", "C"};     // D is none
constexpr std::size_t kMostObjects = 20;
constexpr std::size_t kMostWaivers = 200;
constexpr std::size_t kMostRevocations = 100'000;
constexpr std::size_t kMostRevocationBytes = 16U << 20U; // for as many, with a reason of a few words each
constexpr std::chrono::hours kClockSkew{24}; // that an attestation's date may lie ahead of our clock

Error bad(std::string what) { return {ErrorKind::invalidInput, std::move(what)}; }
Error refused(std::string what) { return {ErrorKind::forbidden, std::move(what)}; }

json::object waiverJson(Waiver const& waiver) {
  return json::object{{"id", waiver.id},
                      {"reason", waiver.reason},
                      {"approver", waiver.approver},
                      {"expires", rfc3339(waiver.expires)}};
}

json::object bodyOf(Attestation const& from) {
  json::array waivers;
  for (auto const& waiver : from.waivers) waivers.push_back(waiverJson(waiver));
  json::object out{{"type", "attestation"},     {"package", from.package_digest},
                   {"id", from.plugin_id},      {"version", from.version},
                   {"level", from.level},       {"seed", from.seed},
                   {"findings", from.findings}, {"report", from.report_digest}};
  out["suite"] = json::object{{"version", from.suite_version}, {"digest", from.suite_digest}};
  out["profile"] = from.profile;
  out["sandbox"] = from.sandbox;
  auto& objects = out["objects"].emplace_array();
  for (auto const& object : from.objects) objects.emplace_back(object);
  out["date"] = rfc3339(from.date);
  out["expires"] = rfc3339(from.expires);
  out["waivers"] = std::move(waivers);
  return out;
}

Result<TimePoint> timeAt(json::value const& value, std::string_view pointer) {
  TRY(text, textAt(value, pointer));
  auto const time = parseRfc3339(text);
  if (!time) return bad(std::string(pointer) + ": must be a time such as 2026-06-13T12:00:00.000Z");
  return *time;
}

Result<std::vector<Waiver>> waiversIn(json::value const& said) {
  std::vector<Waiver> out;
  auto const* list = find(said, "/waivers");
  if (!list || !list->is_array() || list->get_array().size() > kMostWaivers)
    return bad("/waivers: must be a list of at most " + std::to_string(kMostWaivers));
  for (auto const& item : list->get_array()) {
    TRY(expires, timeAt(item, "/expires"));
    out.push_back(
        {textOr(item, "/id", ""), textOr(item, "/reason", ""), textOr(item, "/approver", ""), expires});
  }
  return out;
}

// 180 days, or less: what stands on a waiver falls with it.
TimePoint endOf(Attestation const& from) {
  TimePoint end = from.date + kLongestAttestation;
  for (auto const& waiver : from.waivers) end = std::min(end, waiver.expires);
  return end;
}

Result<void> checkWaiver(Waiver const& waiver, TimePoint date) {
  if (waiver.id.empty() || waiver.reason.empty() || waiver.approver.empty())
    return bad("has a waiver without id, reason or approver");
  if (waiver.expires > date + kLongestWaiver)
    return bad("has a waiver of " + inQuotes(waiver.id) + " for more than 90 days");
  if (waiver.expires <= date)
    return bad("has a waiver of " + inQuotes(waiver.id) + " that had expired when it was made");
  return {};
}

// How it was run, and what.
Result<void> checkRun(Attestation const& from) {
  if (std::ranges::find(kProfiles, from.profile) == kProfiles.end())
    return bad("is of the profile " + inQuotes(from.profile) + ", and only a run of standard or full counts");
  if (std::ranges::find(kSandboxes, from.sandbox) == kSandboxes.end())
    return bad("is of a run in sandbox tier " + inQuotes(from.sandbox) +
               ", and only A, B and C are sandboxes");
  if (from.objects.empty() || from.objects.size() > kMostObjects ||
      !std::ranges::all_of(from.objects, isDigest))
    return bad("does not name the digests of the shared objects that were run (64 hexadecimal digits each)");
  return {};
}

Result<void> check(Attestation const& from) {
  if (!isDigest(from.package_digest)) return bad("names no digest of a package (64 hexadecimal digits)");
  if (!isDigest(from.suite_digest) || from.suite_version.empty())
    return bad("names no version and digest of the certification suite");
  if (std::ranges::find(kLevels, from.level) == kLevels.end())
    return bad("has the level " + inQuotes(from.level) + ", which is none of bronze, silver and gold");
  TRY_VOID(checkRun(from));
  if (!isDigest(from.report_digest)) return bad("names no digest of the report (64 hexadecimal digits)");
  if (from.plugin_id.empty() || from.version.empty()) return bad("names no plugin and version");
  if (from.findings < 0) return bad("has a count of findings below zero");
  for (auto const& waiver : from.waivers) {
    TRY_VOID(checkWaiver(waiver, from.date));
  }
  if (from.expires != endOf(from))
    return bad("does not expire 180 days after its date, or with its first waiver, as one has to");
  return {};
}

Result<std::uint64_t> seedIn(json::value const& said) {
  auto const* seed = find(said, "/seed");
  if (seed != nullptr && seed->is_uint64()) return seed->get_uint64();
  if (seed != nullptr && seed->is_int64() && seed->get_int64() >= 0)
    return static_cast<std::uint64_t>(seed->get_int64());
  return bad("/seed: must be a whole number");
}

Result<std::vector<std::string>> objectsIn(json::value const& said) {
  auto const* list = find(said, "/objects");
  if (list == nullptr || !list->is_array() || list->get_array().size() > kMostObjects)
    return bad("/objects: must be a list of at most " + std::to_string(kMostObjects));
  std::vector<std::string> out;
  for (auto const& item : list->get_array()) {
    TRY(digest, textAt(item, ""));
    out.push_back(std::move(digest));
  }
  return out;
}

Result<Attestation> fromBody(json::value const& said) {
  Attestation out;
  TRY(seed, seedIn(said));
  TRY(objects, objectsIn(said));
  TRY(findings, integerAt(said, "/findings"));
  TRY(date, timeAt(said, "/date"));
  TRY(expires, timeAt(said, "/expires"));
  TRY(waivers, waiversIn(said));
  out.package_digest = textOr(said, "/package", "");
  out.plugin_id = textOr(said, "/id", "");
  out.version = textOr(said, "/version", "");
  out.suite_version = textOr(said, "/suite/version", "");
  out.suite_digest = textOr(said, "/suite/digest", "");
  out.level = textOr(said, "/level", "");
  out.report_digest = textOr(said, "/report", "");
  out.seed = seed;
  out.profile = textOr(said, "/profile", "");
  out.sandbox = textOr(said, "/sandbox", "");
  out.objects = std::move(objects);
  out.findings = findings;
  out.date = date;
  out.expires = expires;
  out.waivers = std::move(waivers);
  return out;
}

std::string day(TimePoint when) { return rfc3339(when).substr(0, 10); }

Result<void> checkTrust(Attestation const& from, Trust const& trust) {
  if (std::ranges::find(trust.keys, from.key) == trust.keys.end())
    return refused("is signed by " + from.key + ", which is no key of a trusted marketplace");
  if (auto const* revoked = revocationOf(from.key, trust))
    return refused("is signed by a key that " + inWords(*revoked));
  return {};
}

} // namespace

json::value toJson(Attestation const& attestation) {
  auto out = bodyOf(attestation);
  out["key"] = attestation.key;
  return out;
}

Result<std::string> makeAttestation(Attestation attestation, SigningKey const& key) {
  attestation.key = key.publicKey();
  attestation.expires = endOf(attestation);
  auto const usable = check(attestation);
  if (!usable) return bad("the attestation " + usable.error().message);
  auto text = signStatement(bodyOf(attestation), key);
  auto const back = readAttestation(text);
  if (!back) return bad("the attestation could never be read again: it " + back.error().message);
  return text;
}

Result<Attestation> readAttestation(std::string_view text) {
  TRY(statement, readStatement(text, "attestation"));
  auto attestation = fromBody(statement.said);
  if (!attestation) return bad("is incomplete: " + attestation.error().message);
  attestation->key = statement.key;
  if (bodyOf(*attestation) != statement.said.get_object())
    return bad("has members that an attestation does not have");
  TRY_VOID(check(*attestation));
  return attestation;
}

Result<Attestation> verifyAttestation(std::string_view text, std::string_view package_digest,
                                      Trust const& trust, TimePoint now) {
  TRY_VOID(checkRevoked(package_digest, trust));
  auto read = readAttestation(text);
  if (!read) return bad("the attestation " + read.error().message);
  if (read->package_digest != package_digest) return refused("the attestation is of another package");
  auto const trusted = checkTrust(*read, trust);
  if (!trusted) return refused("the attestation " + trusted.error().message);
  if (read->date > now + kClockSkew)
    return refused("the attestation is of " + day(read->date) +
                   ", which is yet to come; is this machine's clock right?");
  if (read->expires <= now)
    return refused("the attestation expired on " + day(read->expires) + "; have the package certified again");
  return read;
}

// ---------------------------------------------------------------- revocations

Revocation const* revocationOf(std::string_view subject, Trust const& trust) {
  auto const at = std::ranges::find(trust.revoked, subject, &Revocation::subject);
  return at == trust.revoked.end() ? nullptr : &*at;
}

std::string inWords(Revocation const& revocation) {
  return "was revoked on " + day(revocation.since) + ", because " + revocation.reason;
}

Result<void> checkObject(Attestation const& attestation, std::string_view object) {
  if (std::ranges::find(attestation.objects, object) != attestation.objects.end()) return {};
  return refused("its attestation is of a run on another kind of machine: nobody has certified the shared "
                 "object for this one; have it certified on such a machine");
}

Result<void> checkRevoked(std::string_view package_digest, Trust const& trust) {
  auto const* revoked = revocationOf(package_digest, trust);
  if (revoked) return refused("the package " + inWords(*revoked));
  return {};
}

Result<std::string> makeRevocations(RevocationList const& list, SigningKey const& key) {
  json::array items;
  for (auto const& item : list.items) {
    if (!isDigest(item.subject) && !isPublicKey(item.subject))
      return bad("a revocation is of the digest of a package or of a public key, and " +
                 inQuotes(item.subject) + " is neither");
    if (item.reason.empty()) return bad("the revocation of " + item.subject + " has no reason");
    items.push_back(
        json::object{{"subject", item.subject}, {"reason", item.reason}, {"since", rfc3339(item.since)}});
  }
  json::object out{{"type", "revocations"}, {"number", list.number}, {"date", rfc3339(list.date)}};
  out["items"] = std::move(items);
  auto text = signStatement(out, key);
  auto const back = readRevocations(text, {key.publicKey()});
  if (!back) return bad("the list of revocations could never be read again: it " + back.error().message);
  return text;
}

Result<RevocationList> readRevocations(std::string_view text, std::vector<std::string> const& trusted) {
  TRY(statement, readStatement(text, "revocations", kMostRevocationBytes));
  if (std::ranges::find(trusted, statement.key) == trusted.end())
    return refused("is signed by " + statement.key + ", which is no key of a trusted marketplace");
  RevocationList out;
  TRY(number, integerAt(statement.said, "/number"));
  TRY(date, timeAt(statement.said, "/date"));
  out.number = number;
  out.date = date;
  auto const* items = find(statement.said, "/items");
  if (!items || !items->is_array() || items->get_array().size() > kMostRevocations)
    return bad("/items: must be a list of at most " + std::to_string(kMostRevocations) + " revocations");
  for (auto const& item : items->get_array()) {
    TRY(since, timeAt(item, "/since"));
    TRY(subject, textAt(item, "/subject"));
    TRY(reason, textAt(item, "/reason"));
    out.items.push_back({std::move(subject), std::move(reason), since});
  }
  return out;
}

} // namespace garland::marketplace
