// First everything is checked, then the parts are brought to <data_dir>/restore.unfinished, then to their
// places: the database last. While that folder is there, no daemon starts and the restore may be repeated.
#include "host/daemon/restore.h"

#include "host/backup/backup.h"
#include "host/base/file_text.h"
#include "host/custody/custody.h"
#include "host/daemon/daemon.h"
#include "host/daemon/installed.h"
#include "host/daemon/process.h"
#include "host/daemon/rooms.h"
#include "host/store/store.h"
#include "host/vault/vault.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestPassphrase = 1024;

std::string workFolder(std::string const& data_dir) { return data_dir + "/restore.unfinished"; }
std::string settingsFolder(Config const& config) { return config.data_dir + "/restored"; }

template <class T> Result<T> run(asio::io_context& loop, Task<T> task) {
  std::optional<Result<T>> out;
  asio::co_spawn(loop, std::move(task), [&out](std::exception_ptr failed, Result<T> result) {
    if (failed) std::rethrow_exception(failed);
    out = std::move(result);
  });
  loop.restart();
  while (!out) loop.run_one();
  return std::move(*out);
}

Result<Secret> passphraseFrom(int fd) {
  std::array<char, kLongestPassphrase + 1> text{};
  std::size_t have = 0;
  while (fd >= 0 && have < text.size()) {
    auto const got = ::read(fd, text.data() + have, text.size() - have);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  std::string_view const all(text.data(), have);
  Secret passphrase{std::string(all.substr(0, all.find('\n')))};
  wipe(text.data(), text.size());
  if (passphrase.empty())
    return Error(ErrorKind::invalidInput,
                 "there is no passphrase: restore with `garland restore`, which asks for it");
  return passphrase;
}

// What an operator may have put there before, and what every start leaves.
Result<void> requireEmptyFolder(Config const& config) {
  std::set<std::string> const allowed = {"garlandd.lock", "master.key", "garland.toml", "lost+found"};
  std::error_code failed;
  for (fs::directory_iterator entry(config.data_dir, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    auto const path = entry->path();
    if (allowed.contains(path.filename().string())) continue;
    if (path.string() == config.master_key.name) continue;
    if (entry->is_directory(failed) && fs::is_empty(path, failed)) continue;
    if (path.string().ends_with(".db.lock")) continue;
    return Error(ErrorKind::conflict,
                 "the data folder " + config.data_dir + " is not empty (" + path.filename().string() +
                     "): a backup is restored to an empty one; name another with --data-dir");
  }
  return {};
}

Result<void> requireFit(backup::Manifest const& manifest, Config const& config) {
  auto const newest = allMigrations().back().version;
  if (manifest.schema > newest)
    return Error(ErrorKind::unsupported, "the backup is of Garland " + manifest.version +
                                             ", whose database is newer (" + std::to_string(manifest.schema) +
                                             ") than this one knows (" + std::to_string(newest) +
                                             "): install that version, or a later one");
  bool const is_sqlite = config.database_url.starts_with("sqlite:");
  if (is_sqlite == (manifest.driver == "sqlite")) return {};
  return Error(ErrorKind::unsupported,
               "the backup is of a database of " + manifest.driver +
                   ", and [database] url names another kind: set it, or use --database");
}

store::Options databaseOptions(Config const& config) {
  store::Options options;
  options.url = config.database_url;
  options.single_daemon = true;
  options.sha256 = vault::sha256;
  return options;
}

// Whether there is anything in it.
Result<bool> hasDatabase(asio::io_context& loop, Config const& config) {
  auto const all = allMigrations();
  TRY(pending, run(loop, store::Store::pendingMigrations(loop.get_executor(), databaseOptions(config), all)));
  return pending < all.size();
}

// ---------------------------------------------------------------- to their places

Result<void> place(std::string const& from, std::string const& to) {
  std::error_code failed;
  fs::create_directories(fs::path(to).parent_path(), failed);
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, failed);
  if (failed) return Error(ErrorKind::hostLimit, "cannot write " + to + ": " + failed.message());
  return {};
}

Result<void> placeFiles(Config const& config, backup::Manifest const& manifest) {
  for (auto const& member : manifest.members) {
    if (!member.name.starts_with(backup::kFiles)) continue;
    auto const path = member.name.substr(backup::kFiles.size());
    TRY_VOID(place(workFolder(config.data_dir) + "/" + member.name, config.data_dir + "/" + path));
  }
  return {};
}

Result<void> placePrivate(Config const& config, std::vector<backup::PrivateFile> const& files) {
  SystemRandom random;
  for (auto const& file : files) {
    bool const is_key = file.name == "api.key";
    if (!is_key && file.name != "garland.toml" && file.name != "revocations") continue;
    auto const path = is_key ? keyPath(config.data_dir) : settingsFolder(config) + "/" + file.name;
    std::error_code ignored;
    fs::create_directories(fs::path(path).parent_path(), ignored);
    fs::remove(path, ignored); // of an attempt that was killed
    TRY_VOID(vault::createKeyFile(path, file.text, random));
  }
  return {};
}

// Empties one that is there already: it is there from the first step to the last, whatever is killed.
Result<void> makeWorkFolder(std::string const& work) {
  std::error_code failed;
  fs::create_directory(work, failed);
  std::vector<fs::path> left;
  for (fs::directory_iterator entry(work, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed))
    left.push_back(entry->path());
  for (auto const& path : left)
    if (!failed) fs::remove_all(path, failed);
  if (!failed) fs::permissions(work, fs::perms::owner_all, failed);
  if (failed) return Error(ErrorKind::hostLimit, "cannot make the folder " + work + ": " + failed.message());
  return {};
}

// All that was written to its disk.
Result<void> makeDurable(std::string const& folder) {
  int const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool const kept = fd >= 0 && ::syncfs(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (kept) return {};
  return Error(ErrorKind::hostLimit,
               "the disk of " + folder + " does not keep what was written; see its log");
}

// ---------------------------------------------------------------- the secrets in it

// Those of the backup take the place of all that no key here opens, the keys of the audit chain as well.
std::vector<custody::Table> replacedTables() {
  auto tables = allSecretTables();
  for (auto& table : tables)
    if (table.name == "audit_keys") table.replaces = true;
  return tables;
}

class Secrets {
public:
  Secrets(Config const& config, asio::io_context& loop) : config_(config), loop_(loop) {}

  // True if the master key of the backup is not here, so that another one has taken its place.
  Task<bool> open(std::string backup_id, Secret const* passphrase) {
    CO_TRY(store,
           co_await store::Store::open(loop_.get_executor(), databaseOptions(config_), allMigrations()));
    auto checking = openOn(store.get(), std::move(backup_id), passphrase);
    auto opened = co_await std::move(checking);
    CO_TRY_VOID(co_await store->close());
    co_return opened;
  }

private:
  Task<bool> openOn(store::Store* store, std::string backup_id, Secret const* passphrase) {
    CO_TRY(restored, co_await backup::unsettled(*store));
    if (!restored || restored->backup_id != backup_id)
      co_return Error(
          ErrorKind::conflict,
          "the database is not empty, and what is in it did not come from this backup; name another "
          "one with --database");
    CO_TRY(vault, vault::Vault::open(sources(), true, random_));
    custody::Dependencies with{
        loop_.get_executor(), loop_.get_executor(),        clock_, random_, log_, *store, *vault,
        replacedTables(),     workFolder(config_.data_dir)};
    auto const custody = custody::Custody::create(std::move(with));
    CO_TRY(before, co_await custody->status());
    auto const opens = [](custody::KeyUse const& use) { return use.held || use.id.empty(); }; // "": damaged
    if (std::ranges::all_of(before.keys, opens)) co_return false;
    auto importing = custody->importFile(std::string(backup::kVault), passphrase->clone());
    CO_TRY_VOID(co_await std::move(importing));
    co_return true;
  }
  std::vector<vault::KeySource> sources() const {
    std::vector<vault::KeySource> keys;
    keys.push_back(config_.master_key);
    for (auto const& old : config_.old_keys) keys.push_back(old);
    return keys;
  }

  Config const& config_;
  asio::io_context& loop_;
  SystemClock clock_;
  SystemRandom random_;
  Redactor redactor_;
  Log log_{clock_, redactor_, LogLevel::warn, stderrSink()};
};

// Brings everything to its place; may be repeated.
Result<bool> placeAll(asio::io_context& loop, Config const& config, backup::Manifest const& manifest,
                      std::vector<backup::PrivateFile> const& files, Secret const& passphrase) {
  auto const work = workFolder(config.data_dir);
  TRY_VOID(placeFiles(config, manifest));
  TRY_VOID(placePrivate(config, files));
  TRY(there, hasDatabase(loop, config));
  if (!there) {
    auto const database = work + "/" + std::string(backup::kDatabase);
    TRY_VOID(store::putBack(config.database_url, database, backup::restoredSql(manifest)));
  }
  Secrets secrets(config, loop);
  TRY(new_key, run(loop, secrets.open(manifest.id, &passphrase)));
  TRY_VOID(makeDurable(config.data_dir));
  std::error_code failed;
  fs::remove_all(work, failed);
  if (failed) return Error(ErrorKind::hostLimit, "cannot remove " + work + ": " + failed.message());
  return new_key;
}

} // namespace

Result<json::value> restoreHost(Config const& config, std::string const& file, int passphrase_fd) {
  TRY(passphrase, passphraseFrom(passphrase_fd));
  TRY_VOID(ensureDataDir(config.data_dir));
  TRY(lock, FolderLock::take(config.data_dir));
  asio::io_context loop;
  auto const work = workFolder(config.data_dir);
  std::error_code ignored;
  bool const again = fs::exists(work, ignored);
  TRY(manifest, backup::verify(file));
  TRY_VOID(requireFit(manifest, config));
  TRY(private_part, backup::readPrivate(file));
  SystemRandom random;
  TRY(files, backup::openPrivate(private_part, manifest, passphrase, random));
  if (!again) {
    TRY_VOID(requireEmptyFolder(config));
    TRY(there, hasDatabase(loop, config));
    if (there)
      return Error(ErrorKind::conflict,
                   "the database is not empty: a backup is restored to an empty one; name "
                   "another with --database");
  }
  TRY_VOID(makeWorkFolder(work));
  TRY(unpacked, backup::unpack(file, work));
  if (unpacked != manifest) return Error(ErrorKind::transient, file + " was changed while it was read");
  TRY(new_key, placeAll(loop, config, manifest, files, passphrase));
  auto told = backup::toJson(manifest);
  told.as_object()["new_master_key"] = new_key;
  return told;
}

std::string describeRestored(json::value const& restored, Config const& config) {
  std::string text = "restored from the backup " + textOr(restored, "/id", "") + " of " +
                     textOr(restored, "/made", "") + " by Garland " + textOr(restored, "/version", "") + "\n";
  if (boolOr(restored, "/new_master_key", false))
    text += "its master key is not here: everything is sealed under that of this host now, which is in " +
            vault::describe(config.master_key) + "; keep a copy of it\n";
  std::error_code ignored;
  text += fs::exists(settingsFolder(config), ignored)
              ? "its settings are in " + settingsFolder(config) +
                    "; compare them with those of this host, then start garlandd\n"
              : "it has no file of settings; start garlandd with those of this host\n";
  text += "what may have been done since the backup is looked up then, or waits for you: garland actions ls "
          "--state unknown\n";
  return text;
}

Result<void> requireWholeRestore(std::string const& data_dir) {
  std::error_code ignored;
  if (!fs::exists(workFolder(data_dir), ignored)) return {};
  return Error(ErrorKind::conflict, "a restore on " + data_dir +
                                        " has not come to its end: type the same `garland restore` again");
}

} // namespace garland::daemon
