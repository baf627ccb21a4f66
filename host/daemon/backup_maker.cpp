#include "host/daemon/backup_maker.h"

#include "host/backup/backup.h"
#include "host/base/file_text.h"
#include "host/base/ids.h"
#include "host/daemon/app.h"
#include "host/daemon/daemon.h"
#include "host/daemon/installed.h"
#include "host/daemon/rooms.h"
#include "host/vault/vault.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <filesystem>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParts = ".parts";
constexpr std::string_view kNew = ".new";
constexpr int kTrial = 10; // cost of a key that is only tried

// Of the data folder, besides packages; what is not there is left out.
constexpr auto kFiles = {"audit.mark", "revocations-taken.json"};

// The folder of the parts, gone with it.
class Parts {
public:
  explicit Parts(std::string path) : path_(std::move(path)) {}
  Parts(Parts const&) = delete;
  Parts& operator=(Parts const&) = delete;
  ~Parts() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Result<void> make() const {
    std::error_code failed;
    fs::create_directories(path_, failed);
    if (!failed) fs::permissions(path_, fs::perms::owner_all, failed);
    if (failed)
      return Error(ErrorKind::hostLimit, "cannot make the folder " + path_ + ": " + failed.message());
    return {};
  }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

private:
  std::string path_;
};

// They may be replaced at any time, so each is taken at once.
Result<void> takeSmallFiles(Config const& config, Parts const& parts, std::vector<backup::Source>& sources) {
  for (std::string const name : kFiles) {
    std::error_code failed;
    if (!fs::exists(config.data_dir + "/" + name, failed)) continue;
    fs::copy_file(config.data_dir + "/" + name, parts / name, failed);
    if (failed) return Error(ErrorKind::hostLimit, "cannot copy " + name + ": " + failed.message());
    sources.push_back(backup::Source{std::string(backup::kFiles) + name, parts / name});
  }
  return {};
}

std::vector<backup::Source> packagesOf(Config const& config) {
  std::vector<backup::Source> sources;
  std::error_code failed;
  auto const folder = packagesDir(config);
  for (fs::directory_iterator entry(folder, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    auto const name = entry->path().filename().string();
    if (name.ends_with(".gpk"))
      sources.push_back(
          backup::Source{std::string(backup::kFiles) + "packages/" + name, entry->path().string()});
  }
  std::ranges::sort(sources, {}, &backup::Source::name);
  return sources;
}

void addPrivate(std::vector<backup::PrivateFile>& files, std::string name, std::string const& path) {
  if (path.empty()) return;
  if (auto text = readFileText(path)) files.push_back(backup::PrivateFile{std::move(name), std::move(*text)});
}

Result<void> addPrivatePart(BackupParts const& with, backup::Manifest const& manifest,
                            Secret const& passphrase, std::string const& path) {
  std::vector<backup::PrivateFile> files;
  addPrivate(files, "garland.toml", with.config.settings_file);
  addPrivate(files, "api.key", keyPath(with.config.data_dir));
  addPrivate(files, "revocations", with.config.revocations);
  SystemRandom random; // not the loop's: this is another thread
  TRY(sealed, backup::sealPrivate(manifest, files, passphrase, random));
  TRY(made, vault::createKeyFile(path, sealed, random));
  if (made) return {};
  return Error(ErrorKind::conflict, path + " is there already");
}

// The rest of it, away from the loop.
Task<std::string> pack(BackupParts const* with, Parts const* parts, std::vector<backup::Source> sources,
                       backup::Manifest manifest, Secret const* passphrase) {
  auto const database = std::string(backup::kDatabase);
  auto const vault = std::string(backup::kVault);
  auto const private_part = std::string(backup::kPrivate);
  sources.insert(sources.begin(), backup::Source{vault, *parts / vault});
  sources.insert(sources.begin(), backup::Source{database, *parts / database});
  for (auto& package : packagesOf(with->config)) sources.push_back(std::move(package));
  for (auto const& source : sources) {
    CO_TRY(member, backup::describe(source));
    manifest.members.push_back(std::move(member));
  }
  CO_TRY_VOID(addPrivatePart(*with, manifest, *passphrase, *parts / private_part));
  sources.push_back(backup::Source{private_part, *parts / private_part});
  CO_TRY(sealed, backup::describe(sources.back()));
  manifest.members.push_back(std::move(sealed));
  CO_TRY_VOID(backup::write(with->config.data_dir + "/exports/" + manifest.id, manifest, sources));
  co_return manifest.id;
}

} // namespace

Task<std::string> makeBackup(BackupParts const* with, Secret passphrase) {
  // A passphrase that is too short is told before the work.
  CO_TRY_VOID(vault::ExportKey::make(passphrase, with->random, kTrial));
  backup::Manifest manifest;
  manifest.id = newId("bak", with->clock, with->random);
  manifest.made = with->clock.now();
  manifest.version = version;
  manifest.schema = allMigrations().back().version;
  manifest.driver = with->store.driver();
  auto const exports = with->config.data_dir + "/exports/";
  Parts const parts(exports + manifest.id + std::string(kParts));
  CO_TRY_VOID(parts.make());
  std::vector<backup::Source> sources;
  // Before the database: a checkpoint that it does not have would look like an end that was cut off.
  CO_TRY_VOID(takeSmallFiles(with->config, parts, sources));
  CO_TRY_VOID(co_await with->store.copyTo(parts / backup::kDatabase));
  // After it: of a secret that was replaced meanwhile, the newer one.
  auto exporting = with->custody.exportFile(passphrase.clone());
  CO_TRY(exported, co_await std::move(exporting));
  std::error_code failed;
  fs::rename(exports + exported, parts / backup::kVault, failed);
  if (failed)
    co_return Error(ErrorKind::hostLimit, "the vault's export cannot be taken: " + failed.message());
  auto packing = pack(with, &parts, std::move(sources), std::move(manifest), &passphrase);
  co_return co_await asio::co_spawn(with->aside, std::move(packing), asio::use_awaitable);
}

void dropUnfinishedBackups(std::string const& data_dir) {
  std::error_code failed;
  std::vector<fs::path> left;
  for (fs::directory_iterator entry(data_dir + "/exports", failed);
       !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    auto const name = entry->path().filename().string();
    if (name.starts_with("bak_") && (name.ends_with(kParts) || name.ends_with(kNew)))
      left.push_back(entry->path());
  }
  for (auto const& path : left) fs::remove_all(path, failed);
}

} // namespace garland::daemon
