// What is inside a package: the list of digests, the manifest, the objects, the signatures.
#include "host/marketplace/package.h"
#include "host/marketplace/archive.h"
#include "host/marketplace/layout.h"
#include "host/marketplace/statement.h"
#include "host/vault/vault.h"

#include <algorithm>

namespace garland::marketplace {
namespace {

constexpr std::size_t kPathInLine = 66; // of SHA256SUMS: after the digest and two spaces

Error bad(std::string what) { return {ErrorKind::invalidInput, std::move(what)}; }

bool isSignatureFile(std::string_view path) { return path.starts_with(kSignatures); }

PackedFile const* findIn(std::vector<PackedFile> const& files, std::string_view path) {
  auto const at = std::ranges::lower_bound(
      files, path, {}, [](PackedFile const& file) { return std::string_view(file.path); });
  return at != files.end() && at->path == path ? &*at : nullptr;
}

Result<void> checkPlaces(std::vector<PackedFile> const& files) {
  for (auto const& file : files)
    if (!hasPlace(file.path))
      return bad("holds the entry " + inQuotes(file.path) +
                 ", which has no place in a package; it may hold " + places());
  for (auto const needed : {kList, kManifest, kSbom})
    if (!findIn(files, needed)) return bad("lacks " + std::string(needed) + "; make it with `garland pack`");
  return {};
}

// Every file as the list says, and nothing besides.
Result<void> checkList(std::vector<PackedFile> const& files, std::string_view list) {
  std::string expected;
  for (auto const& file : files) {
    if (file.path == kList || isSignatureFile(file.path)) continue;
    auto const line = listLine(file);
    expected += line;
    if (list.find(line) != std::string_view::npos) continue;
    bool const named = list.find("  " + file.path + "\n") != std::string_view::npos;
    return bad(named ? "holds " + inQuotes(file.path) +
                           " with another digest than SHA256SUMS says: it was changed"
                     : "holds the entry " + inQuotes(file.path) + ", which SHA256SUMS does not list");
  }
  if (expected == list) return {};
  for (std::size_t at = 0; at < list.size();) {
    auto const line = list.substr(at, list.find('\n', at) - at);
    at += line.size() + 1;
    if (expected.find(line) == std::string::npos)
      return bad("lists " + inQuotes(line.size() > kPathInLine ? line.substr(kPathInLine) : line) +
                 " in SHA256SUMS and does not hold it");
  }
  return bad("has a SHA256SUMS that is not sorted by path, or lists a file twice");
}

// The objects under `top`, each for the architecture that its folder names. None is fine here.
Result<std::vector<std::string>> checkObjects(std::vector<PackedFile> const& files, std::string_view top,
                                              std::string_view manifest_text) {
  std::vector<std::string> architectures;
  for (auto const& file : files) {
    auto const architecture = architectureIn(file.path, top);
    if (architecture.empty()) continue;
    auto const object = runtime::readPluginObject(file.bytes, manifest_text);
    if (!object) return bad("holds " + inQuotes(file.path) + ", which " + object.error().message);
    if (object->architecture != architecture)
      return bad("holds " + inQuotes(file.path) + ", which is built for " + object->architecture +
                 "; its folder must bear that name");
    architectures.emplace_back(architecture);
  }
  return architectures;
}

bool isTwin(runtime::Manifest const& manifest) {
  return std::ranges::find(manifest.operations, "twin.serve/1") != manifest.operations.end();
}

Result<void> checkTwin(std::vector<PackedFile> const& files, runtime::Manifest const& of,
                       Schema const& schema) {
  auto const* text = findIn(files, kTwinManifest);
  bool const objects =
      std::ranges::any_of(files, [](auto const& file) { return !architectureIn(file.path, "twin").empty(); });
  if (!text && !objects) return {};
  if (!text || !objects)
    return bad("holds half a twin: twin/connector.json and twin/ARCHITECTURE/connector.so belong together");
  auto const manifest = runtime::checkedManifest(text->bytes, schema);
  if (!manifest) return bad("holds twin/" + manifest.error().message);
  if (!isTwin(*manifest) || manifest->id != of.id + "-twin")
    return bad("holds a twin whose id is not " + inQuotes(of.id + "-twin") +
               " or that does not offer twin.serve/1");
  auto const checked = checkObjects(files, "twin", text->bytes);
  if (!checked) return checked.error();
  return {};
}

Result<void> checkDocuments(std::vector<PackedFile> const& files) {
  for (auto const& file : files) {
    if (file.path != kSbom && !file.path.starts_with("schemas/")) continue;
    auto const document = parseJson(file.bytes, JsonLimits{4U << 20U, 64});
    if (!document) return bad("holds " + inQuotes(file.path) + ", which is " + document.error().message);
    if (file.path == kSbom && textOr(*document, "/bomFormat", "") != "CycloneDX" &&
        !textOr(*document, "/spdxVersion", "").starts_with("SPDX-"))
      return bad("holds an sbom.json that is neither CycloneDX nor SPDX");
  }
  return {};
}

Result<void> readSignature(PackedFile const& file, Role role, Package& package) {
  auto const statement = readStatement(file.bytes, name(role));
  if (!statement) return bad("holds " + inQuotes(file.path) + ", which " + statement.error().message);
  if (canonicalJson(statement->said) != canonicalJson(signatureStatement(role, package.digest)))
    return bad("holds " + inQuotes(file.path) + ", which is of another package");
  package.signatures.push_back({role, statement->key});
  return {};
}

Result<void> readSignatures(std::vector<PackedFile> const& files, Package& package) {
  for (auto const role : {Role::publisher, Role::marketplace}) {
    auto const* file = findIn(files, signaturePath(role));
    if (!file) continue;
    TRY_VOID(readSignature(*file, role, package));
  }
  auto const* attestation = findIn(files, kAttestation);
  if (!attestation) return {};
  auto const read = readAttestation(attestation->bytes);
  if (!read) return bad("holds an attestation that " + read.error().message);
  if (read->package_digest != package.digest) return bad("holds an attestation of another package");
  package.attestation = attestation->bytes;
  return {};
}

} // namespace

std::string_view name(Role role) { return role == Role::publisher ? "publisher" : "marketplace"; }

std::string signaturePath(Role role) { return std::string(kSignatures) + std::string(name(role)) + ".json"; }

json::value signatureStatement(Role role, std::string_view digest) {
  return json::object{{"type", name(role)}, {"package", digest}};
}

std::string listLine(PackedFile const& file) {
  return vault::sha256Hex(file.bytes) + "  " + file.path + "\n";
}

PackedFile const* Package::find(std::string_view path) const { return findIn(files, path); }

PackedFile const* Package::object(std::string_view architecture) const {
  return find(objectPath("lib", architecture));
}

Result<Package> readPackage(std::string_view bytes, Schema const& manifest_schema) {
  TRY(files, readArchive(bytes));
  TRY_VOID(checkPlaces(files));
  Package package;
  auto const& list = findIn(files, kList)->bytes;
  TRY_VOID(checkList(files, list));
  package.digest = vault::sha256Hex(list);
  auto const& text = findIn(files, kManifest)->bytes;
  auto manifest = runtime::checkedManifest(text, manifest_schema);
  if (!manifest) return bad("holds " + manifest.error().message);
  package.manifest = std::move(*manifest);
  if (isTwin(package.manifest))
    return bad("is of a twin, not of a connector; a twin lies in its connector's package");
  TRY(architectures, checkObjects(files, "lib", text));
  package.architectures = std::move(architectures);
  if (package.architectures.empty())
    return bad("holds no shared object: lib/ARCHITECTURE/connector.so is missing");
  TRY_VOID(checkTwin(files, package.manifest, manifest_schema));
  TRY_VOID(checkDocuments(files));
  TRY_VOID(readSignatures(files, package));
  std::erase_if(files, [](auto const& file) { return file.path == kList || isSignatureFile(file.path); });
  package.files = std::move(files);
  return package;
}

} // namespace garland::marketplace
