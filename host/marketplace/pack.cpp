// From folders to a package, and from a package to one with another signature.
#include "host/base/file_text.h"
#include "host/base/json.h"
#include "host/marketplace/archive.h"
#include "host/marketplace/layout.h"
#include "host/marketplace/package.h"
#include "host/marketplace/sbom.h"
#include "host/marketplace/statement.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace garland::marketplace {
namespace {

namespace fs = std::filesystem;

Error bad(std::string what) { return {ErrorKind::invalidInput, std::move(what)}; }

Error noPlainFile(fs::path const& path) {
  return bad(path.string() +
             " is no plain file; a package holds no links, pipes or devices: put a copy in its place");
}

// The plain files below a folder as relative paths, sorted. Only those that `wanted` accepts are looked at,
// and of folders, which end in "/", what is in them.
Result<std::vector<std::string>> pathsIn(std::string const& folder, bool (*wanted)(std::string_view path)) {
  std::vector<std::string> out;
  std::error_code failed;
  if (!fs::is_directory(folder, failed))
    return Error(ErrorKind::notFound,
                 "there is no folder " + folder + "; name the folder of the built connector");
  fs::recursive_directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    auto const kind = entry->symlink_status(failed).type();
    auto path = entry->path().lexically_relative(folder).generic_string();
    bool const is_folder = kind == fs::file_type::directory;
    bool const is_link = kind == fs::file_type::symlink; // which may lead to a folder
    if (!(!is_folder && wanted(path)) && !((is_folder || is_link) && wanted(path + "/"))) {
      entry.disable_recursion_pending();
      continue;
    }
    if (is_folder) continue;
    if (kind != fs::file_type::regular) return noPlainFile(entry->path());
    out.push_back(std::move(path));
    if (out.size() > kMaxEntries)
      return bad(folder + " holds more than " + std::to_string(kMaxEntries) + " files");
  }
  if (failed)
    return Error(ErrorKind::hostLimit, "cannot read the folder " + folder + ": " + failed.message());
  std::ranges::sort(out);
  return out;
}

class Packing {
public:
  // A connector's own folder: as it is built, or laid out like a package. Nothing in it is left out unsaid.
  Result<void> addFolder(std::string const& folder) {
    TRY(paths, pathsIn(folder, [](std::string_view) { return true; }));
    for (auto const& path : paths) {
      bool const flat = path == "connector.so";
      bool const made_here = path == kList || path.starts_with(kSignatures);
      if (!flat && (made_here || !hasPlace(path)))
        return bad(folder + " holds " + path +
                   ", which has no place in a package; take it out, or leave it in the "
                   "source folder. A package may hold " +
                   places());
      TRY(bytes, readFileText((fs::path(folder) / path).string(), kMaxPackageBytes));
      files_.push_back({flat ? "lib//connector.so" : path, std::move(bytes)});
    }
    return {};
  }

  // README.md and the like of a source folder, unless the connector's folder has its own.
  Result<void> addCompanions(std::string const& folder) {
    TRY(paths, pathsIn(folder, isCompanion)); // a source folder may hold whatever else: its build, links
    for (auto const& path : paths) {
      if (has(path)) continue;
      TRY(bytes, readFileText((fs::path(folder) / path).string(), kMaxPackageBytes));
      files_.push_back({path, std::move(bytes)});
    }
    return {};
  }

  Result<void> addTwin(std::string const& folder) {
    std::error_code ignored;
    for (auto const* file : {"connector.json", "connector.so", "certification.json"}) {
      auto const path = fs::path(folder) / file;
      if (fs::is_symlink(fs::symlink_status(path, ignored))) return noPlainFile(path);
    }
    for (auto const* file : {"connector.json", "connector.so"}) {
      TRY(bytes, readFileText((fs::path(folder) / file).string(), kMaxPackageBytes));
      files_.push_back(
          {file == std::string_view("connector.so") ? "twin//connector.so" : std::string(kTwinManifest),
           std::move(bytes)});
    }
    auto const brief = fs::path(folder) / "certification.json";
    if (!fs::exists(brief, ignored)) return {};
    TRY(bytes, readFileText(brief.string(), kMaxPackageBytes));
    files_.push_back({std::string(kTwinBrief), std::move(bytes)});
    return {};
  }

  Result<std::string> finish(Schema const& schema) {
    auto const* text = has(kManifest);
    if (!text) return bad("the folder holds no connector.json; name the folder of the built connector");
    TRY(manifest, runtime::checkedManifest(text->bytes, schema));
    TRY_VOID(nameObjects());
    sort();
    for (auto const& file : files_) {
      auto const named = checkPath(file.path);
      if (!named) return named.error();
    }
    auto const* given = has(kSbom);
    auto const own = given != nullptr ? given->bytes : std::string();
    std::erase_if(files_, [](PackedFile const& file) { return file.path == kSbom; });
    files_.push_back({std::string(kSbom), makeSbom(manifest, files_, {needed_.begin(), needed_.end()}, own)});
    sort();
    std::string list;
    for (auto const& file : files_) list += listLine(file);
    files_.push_back({std::string(kList), std::move(list)});
    sort();
    return writeArchive(files_);
  }

private:
  PackedFile const* has(std::string_view path) const {
    auto const at = std::ranges::find(files_, path, &PackedFile::path);
    return at == files_.end() ? nullptr : &*at;
  }
  void sort() { std::ranges::sort(files_, {}, &PackedFile::path); }

  // An object that lies flat in its folder goes to that of its architecture.
  Result<void> nameObjects() {
    for (auto& file : files_) {
      bool const flat = file.path.find("//") != std::string::npos;
      auto const top = file.path.substr(0, file.path.find('/'));
      if (!flat && architectureIn(file.path, "lib").empty() && architectureIn(file.path, "twin").empty())
        continue;
      auto const* manifest = has(top == "lib" ? kManifest : kTwinManifest);
      if (!manifest) return bad("the twin's connector.json is missing");
      auto const object = runtime::readPluginObject(file.bytes, manifest->bytes);
      if (!object) return bad((flat ? "connector.so" : file.path) + " " + object.error().message);
      needed_.insert(object->needed.begin(), object->needed.end());
      if (flat) file.path = objectPath(top, object->architecture);
    }
    return {};
  }

  std::vector<PackedFile> files_;
  std::set<std::string> needed_;
};

// The package with this file in place of the one of the same path.
Result<std::string> withFile(std::string_view bytes, PackedFile file, Schema const& schema) {
  TRY_VOID(readPackage(bytes, schema));
  TRY(files, readArchive(bytes));
  std::erase_if(files, [&](PackedFile const& each) { return each.path == file.path; });
  files.push_back(std::move(file));
  std::ranges::sort(files, {}, &PackedFile::path);
  TRY(out, writeArchive(files));
  TRY_VOID(readPackage(out, schema));
  return out;
}

} // namespace

Result<std::string> pack(PackWords const& words, Schema const& manifest_schema) {
  Packing packing;
  TRY_VOID(packing.addFolder(words.folder));
  if (!words.source.empty()) {
    TRY_VOID(packing.addCompanions(words.source));
  }
  if (!words.twin.empty()) {
    TRY_VOID(packing.addTwin(words.twin));
  }
  TRY(bytes, packing.finish(manifest_schema));
  auto const checked = readPackage(bytes, manifest_schema);
  if (!checked) return Error(checked.error().kind, "the package " + checked.error().message);
  return bytes;
}

Result<std::string> signPackage(std::string_view bytes, Role role, SigningKey const& key,
                                Schema const& manifest_schema) {
  TRY(package, readPackage(bytes, manifest_schema));
  auto text = signStatement(signatureStatement(role, package.digest), key);
  return withFile(bytes, {signaturePath(role), std::move(text)}, manifest_schema);
}

Result<std::string> attachAttestation(std::string_view bytes, std::string attestation,
                                      Schema const& manifest_schema) {
  return withFile(bytes, {std::string(kAttestation), std::move(attestation)}, manifest_schema);
}

} // namespace garland::marketplace
