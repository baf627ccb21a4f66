// What is installed on one machine: packages are judged, unpacked and told as plugins; folders are told as
// they are.
#include "host/base/file_text.h"
#include "host/marketplace/archive.h"
#include "host/marketplace/layout.h"
#include "host/marketplace/marketplace.h"
#include "host/marketplace/place_file.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace garland::marketplace {
namespace {

namespace fs = std::filesystem;
using runtime::PluginInfo;
using runtime::Provenance;

constexpr std::string_view kEnding = ".gpk";
constexpr char const* kDevelopmentWay =
    "; have it certified, or set [plugins] development = true to run it as a developer build";

// Files *.gpk of a folder, sorted.
std::vector<std::string> packagesIn(std::string const& folder) {
  std::vector<std::string> out;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    auto const path = entry->path().string();
    std::error_code ignored;
    if (path.ends_with(kEnding) && entry->is_regular_file(ignored)) out.push_back(path);
  }
  std::ranges::sort(out);
  return out;
}

std::string unpackedPath(std::string const& dir, std::string_view digest) {
  return dir + "/" + std::string(digest);
}

} // namespace

Result<Provenance> Shelf::judge(Package const& package, TimePoint now) const {
  TRY_VOID(checkRevoked(package.digest, options_.trust));
  Provenance out;
  out.package = package.digest;
  auto attested = package.attestation.empty()
                      ? Result<Attestation>(Error(ErrorKind::forbidden, "it carries no attestation"))
                      : verifyAttestation(package.attestation, package.digest, options_.trust, now);
  // Without an object for this machine nothing of it runs here.
  if (auto const* object = package.object(runtime::hostArchitecture()); attested && object != nullptr)
    if (auto const run = checkObject(*attested, vault::sha256Hex(object->bytes)); !run)
      attested = run.error();
  if (attested) {
    out.kind = Provenance::Kind::certified;
    out.level = attested->level;
    out.attestation = package.attestation;
    out.expires = attested->expires;
    return out;
  }
  if (!options_.development) return Error(ErrorKind::forbidden, attested.error().message + kDevelopmentWay);
  out.kind = Provenance::Kind::developer;
  return out;
}

Result<void> Shelf::admits(Provenance const& provenance, TimePoint now) const {
  if (provenance.kind == Provenance::Kind::system) return {};
  TRY_VOID(checkRevoked(provenance.package, options_.trust));
  if (options_.development) return {};
  if (provenance.kind == Provenance::Kind::developer)
    return Error(ErrorKind::forbidden,
                 "it is a developer build, and [plugins] development is not true any more");
  TRY_VOID(verifyAttestation(provenance.attestation, provenance.package, options_.trust, now));
  return {};
}

// Only the plugin itself is unpacked: what else is in a package is read from the package.
Result<void> Shelf::unpack(Package const& package) const {
  auto const* object = package.object(runtime::hostArchitecture());
  auto const folder = unpackedPath(options_.dir, package.digest);
  TRY_VOID(placeFile(folder + "/connector.so", object->bytes));
  return placeFile(folder + "/connector.json", package.find(kManifest)->bytes);
}

PluginInfo Shelf::infoOf(std::string const& path, Schema const& manifest_schema, TimePoint now) const {
  PluginInfo info;
  info.manifest.id = fs::path(path).stem().string();
  auto const refuse = [&](std::string const& why) {
    info.refusal = path + " " + why;
    return info;
  };
  auto const bytes = readFileText(path, kMaxPackageBytes);
  if (!bytes) return refuse("cannot be taken: " + bytes.error().message);
  auto package = readPackage(*bytes, manifest_schema);
  if (!package) return refuse(package.error().message);
  info.manifest = package->manifest;
  auto const* object = package->object(runtime::hostArchitecture());
  if (!object)
    return refuse("holds no build for this machine (" + std::string(runtime::hostArchitecture()) + ")");
  info.digest = vault::sha256Hex(object->bytes);
  info.path = unpackedPath(options_.dir, package->digest) + "/connector.so";
  auto provenance = judge(*package, now);
  info.provenance.package = package->digest;
  if (!provenance) return refuse("may not be loaded: " + provenance.error().message);
  info.provenance = std::move(*provenance);
  if (options_.look_only) return info;
  if (auto const unpacked = unpack(*package); !unpacked)
    return refuse("cannot be unpacked: " + unpacked.error().message);
  return info;
}

runtime::Catalogue Shelf::scan(std::vector<std::string> const& dirs, Schema const& manifest_schema,
                               TimePoint now) const {
  std::vector<PluginInfo> out;
  std::set<std::string> installed; // by `garland plugins install`: they take the place of what folders hold
  for (auto const& path : packagesIn(options_.dir)) {
    out.push_back(infoOf(path, manifest_schema, now));
    installed.insert(out.back().manifest.id);
  }
  std::set<std::string> sound;
  for (auto const& dir : dirs) {
    std::vector<PluginInfo> here;
    for (auto const& path : packagesIn(dir)) here.push_back(infoOf(path, manifest_schema, now));
    auto const folders = runtime::Catalogue::scan({dir}, manifest_schema);
    here.insert(here.end(), folders.plugins().begin(), folders.plugins().end());
    for (auto& plugin : here) {
      if (installed.contains(plugin.manifest.id)) continue;
      if (plugin.refusal.empty() && options_.development && plugin.provenance.package.empty())
        plugin.provenance.kind = Provenance::Kind::developer;
      if (plugin.refusal.empty() && !sound.insert(plugin.manifest.id).second)
        plugin.refusal =
            plugin.path + " is installed a second time; the first of its id in [plugins] dirs counts";
      out.push_back(std::move(plugin));
    }
  }
  return runtime::Catalogue(std::move(out));
}

Result<PluginInfo> Shelf::install(std::string_view bytes, Schema const& manifest_schema,
                                  TimePoint now) const {
  auto const package = readPackage(bytes, manifest_schema);
  if (!package) return Error(package.error().kind, "the package " + package.error().message);
  auto const judged = judge(*package, now);
  if (!judged)
    return Error(judged.error().kind, package->manifest.id + " " + package->manifest.version +
                                          " may not be loaded: " + judged.error().message);
  if (!package->object(runtime::hostArchitecture()))
    return Error(ErrorKind::unsupported, "the package holds no build for this machine (" +
                                             std::string(runtime::hostArchitecture()) + ")");
  auto const path = options_.dir + "/" + package->manifest.id + std::string(kEnding);
  TRY_VOID(placeFile(path, bytes));
  auto info = infoOf(path, manifest_schema, now);
  if (!info.refusal.empty()) return Error(ErrorKind::hostLimit, info.refusal);
  return info;
}

void Shelf::prune(runtime::Catalogue const& installed) const {
  std::set<std::string> wanted;
  for (auto const& plugin : installed.plugins()) wanted.insert(plugin.provenance.package);
  std::vector<fs::path> unwanted;
  std::error_code failed;
  for (fs::directory_iterator entry(options_.dir, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    bool const package = entry->path().string().ends_with(kEnding);
    if (!package && !wanted.contains(entry->path().filename().string())) unwanted.push_back(entry->path());
  }
  for (auto const& path : unwanted) fs::remove_all(path, failed);
}

} // namespace garland::marketplace
