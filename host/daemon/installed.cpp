#include "host/daemon/installed.h"

#include "host/base/file_text.h"
#include "host/base/json.h"
#include "host/daemon/checks.h"

#include <garland/schemas.hpp>

#include <filesystem>

namespace garland::daemon {
namespace {

Result<Schema> manifestSchema() {
  TRY(text, parseJson(schemaText("manifest.json")));
  return Schema::compile(text);
}

// Whoever brings the list may bring an old one, which is as rightly signed as the new: the highest number
// that was ever taken is noted, and no lower one is taken.
Result<void> noteNewest(Config const& config, std::int64_t number, bool look_only) {
  auto const note = config.data_dir + "/revocations-taken.json";
  std::error_code unreadable;
  if (std::filesystem::exists(note, unreadable) || unreadable) {
    TRY(text, readFileText(note));
    auto const noted = parseJson(text);
    auto const newest = noted ? integerAt(*noted, "/number") : Result<std::int64_t>(noted.error());
    if (!newest)
      return Error(ErrorKind::invalidInput,
                   note + " does not say which list of revocations was taken last; remove it if the list in "
                          "[plugins] revocations is the newest there is");
    if (number < *newest)
      return Error(ErrorKind::forbidden,
                   "[plugins] revocations: " + config.revocations + " is number " + std::to_string(number) +
                       ", and number " + std::to_string(*newest) +
                       " was taken already: an older list may not let run again what a newer one has "
                       "revoked; put the newest list there, or remove " +
                       note + " if its numbers begin anew");
    if (number == *newest) return {};
  }
  if (look_only) return {};
  return marketplace::writeFile(note, canonicalJson(json::object{{"number", number}}) + "\n");
}

// Without the list nobody knows what was revoked, so a list that cannot be read is no empty one.
Result<std::vector<marketplace::Revocation>> revocations(Config const& config, bool look_only) {
  if (config.revocations.empty()) return std::vector<marketplace::Revocation>();
  auto const text = readFileText(config.revocations);
  if (!text) return Error(text.error().kind, "[plugins] revocations: " + text.error().message);
  auto list = marketplace::readRevocations(*text, config.trust);
  if (!list)
    return Error(list.error().kind,
                 "[plugins] revocations: " + config.revocations + " " + list.error().message);
  TRY_VOID(noteNewest(config, list->number, look_only));
  return std::move(list->items);
}

Result<std::shared_ptr<marketplace::Shelf const>> shelfOf(Config const& config, bool look_only) {
  TRY(revoked, revocations(config, look_only));
  marketplace::ShelfOptions options;
  options.dir = packagesDir(config);
  options.development = config.development;
  options.look_only = look_only;
  options.trust = {config.trust, std::move(revoked)};
  return std::make_shared<marketplace::Shelf const>(std::move(options));
}

} // namespace

std::string packagesDir(Config const& config) { return config.data_dir + "/packages"; }

void tellInstalled(Log const& log, runtime::Catalogue const& catalogue) {
  for (auto const& plugin : catalogue.plugins()) {
    json::object fields{{"plugin", plugin.manifest.id}, {"version", plugin.manifest.version}};
    fields["provenance"] = runtime::name(plugin.provenance.kind);
    if (!plugin.refusal.empty())
      log.warn("plugin refused: " + plugin.refusal, std::move(fields));
    else if (plugin.provenance.kind == runtime::Provenance::Kind::developer)
      log.warn("plugin found; it runs as a developer build, without an attestation", std::move(fields));
    else
      log.debug("plugin found", std::move(fields));
  }
  if (catalogue.plugins().empty()) log.warn("no plugin is installed: see [plugins] dirs in garland.toml");
}

Result<std::vector<runtime::Adoption>> ofInstallation(Result<std::vector<runtime::Adoption>> adopted,
                                                      std::string const& id) {
  using Outcome = runtime::Adoption::Outcome;
  if (!adopted) {
    auto error = adopted.error();
    error.message +=
        "; the package is installed all the same, and the next `garland plugins rescan` takes it";
    return error;
  }
  std::erase_if(*adopted, [&](runtime::Adoption const& each) {
    return each.plugin_id != id && each.outcome == Outcome::unchanged;
  });
  for (auto& each : *adopted)
    if (each.plugin_id == id && each.outcome == Outcome::refused)
      each.words += "; the package is installed all the same, in place of an earlier one: install that one "
                    "again if this one is not to stay";
  return adopted;
}

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
