#include "host/marketplace/sbom.h"

#include "host/base/json.h"
#include "host/vault/vault.h"

#include <algorithm>

namespace garland::marketplace {
namespace {

json::object emptyBill(runtime::Manifest const& manifest) {
  json::object connector{
      {"type", "library"}, {"bom-ref", manifest.id}, {"name", manifest.id}, {"version", manifest.version}};
  json::object out{{"bomFormat", "CycloneDX"}, {"specVersion", "1.5"}, {"version", 1}};
  out["metadata"] = json::object{{"component", std::move(connector)}};
  return out;
}

// Its components, without the files: those are told by the package.
json::array componentsOf(json::object const& bill) {
  json::array out;
  auto const* all = bill.if_contains("components");
  if (all == nullptr || !all->is_array()) return out;
  for (auto const& each : all->get_array())
    if (textOr(each, "/type", "") != "file") out.push_back(each);
  return out;
}

bool isNamed(json::array const& components, std::string const& name) {
  return std::ranges::any_of(components,
                             [&](json::value const& each) { return textOr(each, "/name", "") == name; });
}

} // namespace

std::string makeSbom(runtime::Manifest const& manifest, std::vector<PackedFile> const& files,
                     std::vector<std::string> const& needed, std::string const& own) {
  auto bill = emptyBill(manifest);
  if (!own.empty()) {
    auto const said = parseJson(own);
    if (!said || textOr(*said, "/bomFormat", "") != "CycloneDX") return own;
    bill = said->as_object();
  }
  auto components = componentsOf(bill);
  for (auto const& file : files) {
    json::array hashes;
    hashes.push_back(json::object{{"alg", "SHA-256"}, {"content", vault::sha256Hex(file.bytes)}});
    components.push_back(json::object{{"type", "file"},
                                      {"bom-ref", "file:" + file.path},
                                      {"name", file.path},
                                      {"hashes", std::move(hashes)}});
  }
  for (auto const& library : needed)
    if (!isNamed(components, library))
      components.push_back(json::object{
          {"type", "library"}, {"bom-ref", "library:" + library}, {"name", library}, {"scope", "required"}});
  json::array parts;
  for (auto const& each : components)
    if (auto reference = textOr(each, "/bom-ref", ""); !reference.empty()) parts.emplace_back(reference);
  bill["components"] = std::move(components);
  json::array dependencies;
  dependencies.push_back(json::object{{"ref", manifest.id}, {"dependsOn", std::move(parts)}});
  if (own.empty() || !bill.contains("dependencies")) bill["dependencies"] = std::move(dependencies);
  return canonicalJson(bill) + "\n";
}

} // namespace garland::marketplace
