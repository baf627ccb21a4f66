#include "host/daemon/installed.h"

#include "host/base/file_text.h"
#include "host/daemon/checks.h"

#include <garland/schemas.hpp>

#include <filesystem>

namespace garland::daemon {
namespace {

Result<Schema> manifestSchema() {
  TRY(text, parseJson(schemaText("manifest.json")));
  return Schema::compile(text);
}

// Without the list nobody knows what was revoked, so a list that cannot be read is no empty one.
Result<std::vector<marketplace::Revocation>> revocations(Config const& config) {
  if (config.revocations.empty()) return std::vector<marketplace::Revocation>();
  auto const text = readFileText(config.revocations);
  if (!text) return Error(text.error().kind, "[plugins] revocations: " + text.error().message);
  auto list = marketplace::readRevocations(*text, config.trust);
  if (!list)
    return Error(list.error().kind,
                 "[plugins] revocations: " + config.revocations + " " + list.error().message);
  return std::move(list->items);
}

Result<std::shared_ptr<marketplace::Shelf const>> shelfOf(Config const& config, bool look_only) {
  TRY(revoked, revocations(config));
  marketplace::ShelfOptions options;
  options.dir = packagesDir(config);
  options.development = config.development;
  options.look_only = look_only;
  options.trust = {config.trust, std::move(revoked)};
  return std::make_shared<marketplace::Shelf const>(std::move(options));
}

} // namespace

std::string packagesDir(Config const& config) { return config.data_dir + "/packages"; }

Result<Installed> findInstalled(Config const& config, TimePoint now, bool look_only) {
  TRY(schema, manifestSchema());
  TRY(shelf, shelfOf(config, look_only));
  return Installed{shelf->scan(pluginDirs(config), schema, now), shelf};
}

Result<std::string> installPackage(Config const& config, std::string const& file, TimePoint now) {
  TRY(schema, manifestSchema());
  TRY(shelf, shelfOf(config, false));
  auto const path = packagesDir(config) + "/" + file;
  auto const bytes = readFileText(path, marketplace::kMaxPackageBytes);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  if (!bytes) return bytes.error();
  TRY(plugin, shelf->install(*bytes, schema, now));
  return plugin.manifest.id;
}

} // namespace garland::daemon
