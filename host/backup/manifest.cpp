#include "host/backup/backup.h"

#include "host/base/ids.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <set>

namespace garland::backup {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMostMembers = 10'000;
constexpr std::size_t kLongestName = 200;
constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";

Error noManifest(std::string const& why) {
  return {ErrorKind::invalidInput, "its manifest is damaged: " + why};
}

// Leads nowhere but into the folder that it is unpacked to.
bool isPath(std::string_view path) {
  if (path.empty() || path.size() > kLongestName) return false;
  if (path.find_first_not_of(kPlain) != std::string_view::npos) return false;
  for (std::size_t at = 0; at <= path.size();) {
    auto const end = std::min(path.find('/', at), path.size());
    if (end == at || path[at] == '.') return false;
    at = end + 1;
  }
  return true;
}

bool isName(std::string_view name) {
  if (name == kDatabase || name == kVault || name == kPrivate) return true;
  return name.starts_with(kFiles) && isPath(name);
}

bool isDigest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Member> memberFrom(json::value const& value) {
  TRY(name, textAt(value, "/name"));
  TRY(bytes, integerAt(value, "/bytes"));
  TRY(sha256, textAt(value, "/sha256"));
  if (!isName(name) || bytes < 0 || !isDigest(sha256))
    return noManifest("no backup has such a member: " + name.substr(0, kLongestName));
  return Member{name, bytes, sha256};
}

Result<std::vector<Member>> membersFrom(json::value const& value) {
  auto const* list = find(value, "/members");
  if (list == nullptr || !list->is_array() || list->get_array().size() > kMostMembers)
    return noManifest("no list of members");
  std::vector<Member> members;
  std::set<std::string> names;
  for (auto const& each : list->get_array()) {
    TRY(member, memberFrom(each));
    if (!names.insert(member.name).second) return noManifest("a member twice");
    members.push_back(std::move(member));
  }
  for (auto const needed : {kDatabase, kVault, kPrivate})
    if (!names.contains(std::string(needed))) return noManifest("no member " + std::string(needed));
  return members;
}

} // namespace

json::value toJson(Manifest const& manifest) {
  json::array members;
  for (auto const& member : manifest.members)
    members.push_back(
        json::object{{"name", member.name}, {"bytes", member.bytes}, {"sha256", member.sha256}});
  json::object out;
  out["format"] = kFormat;
  out["id"] = manifest.id;
  out["made"] = rfc3339(manifest.made);
  out["version"] = manifest.version;
  out["schema"] = manifest.schema;
  out["driver"] = manifest.driver;
  out["members"] = std::move(members);
  out["sha256"] = vault::sha256Hex(canonicalJson(out)); // of all that is before it
  return out;
}

Result<Manifest> manifestFrom(std::string_view text) {
  TRY(value, parseJson(text));
  if (integerOr(value, "/format", 0) != kFormat)
    return Error(ErrorKind::unsupported,
                 "it is of a form that this Garland does not know; restore it with the "
                 "version that made it");
  Manifest manifest;
  TRY(id, textAt(value, "/id"));
  TRY(made, textAt(value, "/made"));
  TRY(when, parseRfc3339(made));
  TRY(version, textAt(value, "/version"));
  TRY(schema, integerAt(value, "/schema"));
  TRY(driver, textAt(value, "/driver"));
  TRY(members, membersFrom(value));
  if (!isId("bak", id)) return noManifest("its id is none");
  manifest.id = std::move(id);
  manifest.made = when;
  manifest.version = std::move(version);
  manifest.schema = schema;
  manifest.driver = std::move(driver);
  manifest.members = std::move(members);
  if (canonicalJson(toJson(manifest)) != canonicalJson(value))
    return noManifest("it is not what was written");
  return manifest;
}

} // namespace garland::backup
