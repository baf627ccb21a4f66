// What is installed: every plugin folder, loadable or with the sentence why not. Runs no plugin code
// and never fails as a whole: one bad folder must not hide the good ones.
#include "host/runtime/elf_image.h"
#include "host/runtime/image.h"
#include "host/runtime/runtime.h"
#include "host/vault/vault.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace garland::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxManifestBytes = 1U << 20U;

Error at(std::string_view file, Error const& error) {
  return Error(error.kind, std::string(file) + " " + error.message);
}

Result<void> checkSettings(Manifest const& manifest) {
  if (manifest.settings_schema.is_null()) return {};
  auto const compiled = Schema::compile(manifest.settings_schema);
  if (!compiled)
    return Error(ErrorKind::invalidInput, "connector.json: /settings: is " + compiled.error().message);
  return {};
}

Result<Manifest> manifestIn(std::string_view text, std::string const& folder, Schema const& schema) {
  auto manifest = checkedManifest(text, schema);
  if (manifest && manifest->id != folder)
    return Error(ErrorKind::invalidInput, "connector.json: /id: says \"" + manifest->id.substr(0, 100) +
                                              "\" but the folder is named \"" + folder +
                                              "\"; rename the folder");
  return manifest;
}

// A twin takes requests like a provider and holds made-up data: nothing to connect a vendor's account with.
Result<void> checkRole(Manifest const& manifest, bool twins) {
  bool const is_twin = std::ranges::find(manifest.operations, "twin.serve/1") != manifest.operations.end();
  if (is_twin == twins) return {};
  if (is_twin)
    return Error(ErrorKind::unsupported,
                 "connector.json: /operations: names twin.serve/1, so this is the twin of a provider and no "
                 "connector; move it out of the plugins' folder, and run it with `garland twin serve`");
  return Error(
      ErrorKind::unsupported,
      "connector.json: /operations: lacks twin.serve/1, so this is no twin; a connector belongs into "
      "a folder of [plugins] dirs");
}

// Fills `info` as far as the plugin is sound; the error is the refusal.
Result<void> inspect(fs::path const& folder, Schema const& schema, bool twins, PluginInfo& info) {
  auto const text = readPluginFile((folder / "connector.json").string(), kMaxManifestBytes);
  if (!text) return at("connector.json", text.error());
  TRY(manifest, manifestIn(*text, info.manifest.id, schema));
  info.manifest = std::move(manifest);
  TRY_VOID(checkRole(info.manifest, twins));
  auto const bytes = readPluginFile(info.path, kMaxPluginBytes);
  if (!bytes) return at("connector.so", bytes.error());
  info.digest = vault::sha256Hex(*bytes);
  auto const sound = checkPluginElf(*bytes, *text);
  if (!sound) return at("connector.so", sound.error());
  return {};
}

// An id without its files, as an interrupted installation leaves it.
bool isEmptyPlugin(fs::path const& folder) {
  auto const name = folder.filename().string();
  std::error_code ignored;
  return name.find('.', 1) != std::string::npos && fs::is_directory(folder, ignored) &&
         fs::is_empty(folder, ignored);
}

// Folders with other files than these two are no plugins (a build tree has such).
std::vector<fs::path> pluginFolders(std::string const& directory) {
  std::vector<fs::path> out;
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    std::error_code ignored;
    auto const& path = entry->path();
    if (fs::exists(path / "connector.json", ignored) || fs::exists(path / "connector.so", ignored) ||
        isEmptyPlugin(path))
      out.push_back(path);
  }
  std::ranges::sort(out);
  return out;
}

std::string_view lastPart(std::string_view id) { return id.substr(id.rfind('.') + 1); }

bool alike(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other,
                            [](char a, char b) { return (a == '_' ? '-' : a) == (b == '_' ? '-' : b); });
}

// Rather one that may be loaded; nullptr if several ids have the same right.
template <class Fits> PluginInfo const* onlyOne(std::vector<PluginInfo> const& plugins, Fits fits) {
  PluginInfo const* found = nullptr;
  bool ambiguous = false;
  for (auto const& plugin : plugins) {
    if (!fits(std::string_view(plugin.manifest.id))) continue;
    if (!found || (!found->refusal.empty() && plugin.refusal.empty())) {
      found = &plugin;
      ambiguous = false;
    } else if (plugin.manifest.id != found->manifest.id && plugin.refusal.empty() == found->refusal.empty()) {
      ambiguous = true;
    }
  }
  return ambiguous ? nullptr : found;
}

} // namespace

Result<Manifest> checkedManifest(std::string_view text, Schema const& manifest_schema) {
  auto const document = parseJson(text, JsonLimits{kMaxManifestBytes, 32});
  if (!document) return Error(ErrorKind::invalidInput, "connector.json: " + document.error().message);
  TRY_VOID(manifest_schema.require(*document, "connector.json"));
  auto manifest = parseManifest(text);
  if (!manifest) return Error(ErrorKind::invalidInput, "connector.json: " + manifest.error().message);
  TRY_VOID(checkSettings(*manifest));
  return manifest;
}

Catalogue Catalogue::scan(std::vector<std::string> const& dirs, Schema const& manifest_schema) {
  return scanFor(false, dirs, manifest_schema);
}

Catalogue Catalogue::scanTwins(std::vector<std::string> const& dirs, Schema const& manifest_schema) {
  return scanFor(true, dirs, manifest_schema);
}

Catalogue Catalogue::scanFor(bool twins, std::vector<std::string> const& dirs,
                             Schema const& manifest_schema) {
  Catalogue catalogue;
  std::set<std::string> seen;
  for (auto const& directory : dirs) {
    for (auto const& folder : pluginFolders(directory)) {
      PluginInfo info;
      info.manifest.id = folder.filename().string();
      info.path = (folder / "connector.so").string();
      if (auto const sound = inspect(folder, manifest_schema, twins, info); !sound) {
        info.refusal = folder.string() + "/" + sound.error().message;
      } else if (!seen.insert(info.manifest.id).second) {
        info.refusal =
            folder.string() + " is installed a second time; the first folder in [plugins] dirs counts";
      }
      catalogue.plugins_.push_back(std::move(info));
    }
  }
  return catalogue;
}

void Catalogue::renew(Catalogue newer) {
  former_.push_back(std::exchange(plugins_, std::move(newer.plugins_))); // moved, so addresses stay
}

// Its id; what people type, the last part; either of them, spelled with the other of "-" and "_".
PluginInfo const* Catalogue::find(std::string_view id) const {
  using Fits = bool (*)(std::string_view known, std::string_view asked);
  constexpr Fits fitting[] = {
      [](std::string_view known, std::string_view asked) { return known == asked; },
      [](std::string_view known, std::string_view asked) { return lastPart(known) == asked; },
      [](std::string_view known, std::string_view asked) {
        return alike(known, asked) || alike(lastPart(known), asked);
      }};
  for (auto const fits : fitting)
    if (auto const* found = onlyOne(plugins_, [&](std::string_view known) { return fits(known, id); }))
      return found;
  return nullptr;
}

} // namespace garland::runtime
