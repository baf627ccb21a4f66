// Where a build comes from, as data that outlives the daemon.
#include "host/runtime/runtime.h"

namespace garland::runtime {

std::string_view name(Provenance::Kind kind) {
  switch (kind) {
  case Provenance::Kind::developer: return "developer build";
  case Provenance::Kind::certified: return "certified";
  case Provenance::Kind::system: break;
  }
  return "system build";
}

json::value toJson(Provenance const& provenance) {
  json::object out{{"kind", name(provenance.kind)}};
  if (!provenance.package.empty()) out["package"] = provenance.package;
  if (!provenance.level.empty()) out["level"] = provenance.level;
  if (!provenance.attestation.empty()) out["attestation"] = provenance.attestation;
  if (provenance.expires) out["expires"] = rfc3339(*provenance.expires);
  return out;
}

Provenance provenanceFrom(json::value const& value) {
  using Kind = Provenance::Kind;
  Provenance out;
  auto const kind = textOr(value, "/kind", "");
  out.kind = Kind::developer; // of a word that this version does not know: nothing that runs unjudged
  for (auto const each : {Kind::system, Kind::certified})
    if (kind == name(each)) out.kind = each;
  out.package = textOr(value, "/package", "");
  out.level = textOr(value, "/level", "");
  out.attestation = textOr(value, "/attestation", "");
  if (auto const expires = parseRfc3339(textOr(value, "/expires", ""))) out.expires = *expires;
  return out;
}

} // namespace garland::runtime
