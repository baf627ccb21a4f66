#include "host/marketplace/sbom.h"

#include "host/base/json.h"
#include "host/vault/vault.h"

namespace garland::marketplace {

std::string makeSbom(runtime::Manifest const& manifest, std::vector<PackedFile> const& files,
                     std::vector<std::string> const& needed) {
  json::array components;
  json::array parts;
  for (auto const& file : files) {
    auto const reference = "file:" + file.path;
    json::array hashes;
    hashes.push_back(json::object{{"alg", "SHA-256"}, {"content", vault::sha256Hex(file.bytes)}});
    components.push_back(json::object{
        {"type", "file"}, {"bom-ref", reference}, {"name", file.path}, {"hashes", std::move(hashes)}});
    parts.push_back(json::string(reference));
  }
  for (auto const& library : needed) {
    auto const reference = "library:" + library;
    components.push_back(
        json::object{{"type", "library"}, {"bom-ref", reference}, {"name", library}, {"scope", "required"}});
    parts.push_back(json::string(reference));
  }
  json::object connector{
      {"type", "library"}, {"bom-ref", manifest.id}, {"name", manifest.id}, {"version", manifest.version}};
  json::array dependencies;
  dependencies.push_back(json::object{{"ref", manifest.id}, {"dependsOn", std::move(parts)}});
  json::object out{{"bomFormat", "CycloneDX"}, {"specVersion", "1.5"}, {"version", 1}};
  out["metadata"] = json::object{{"component", std::move(connector)}};
  out["components"] = std::move(components);
  out["dependencies"] = std::move(dependencies);
  return canonicalJson(out) + "\n";
}

} // namespace garland::marketplace
