// One function per check; each says what to do, not only what is wrong.
#include "host/daemon/checks.h"

#include "host/daemon/daemon.h"
#include "host/daemon/installed.h"
#include "host/daemon/process.h"
#include "host/daemon/rooms.h"
#include "host/daemon/weaknesses.h"
#include "host/egress/egress.h"
#include "host/runtime/runtime.h"
#include "host/store/store.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

namespace garland::daemon {

namespace fs = std::filesystem;

namespace {

Finding good(std::string check, std::string message) {
  return Finding{std::move(check), true, std::move(message), "", false};
}
Finding bad(std::string check, std::string message, std::string fix) {
  return Finding{std::move(check), false, std::move(message), std::move(fix), false};
}

// The folder that a start would have to make it in.
fs::path nearestFolder(fs::path path) {
  std::error_code ignored;
  path = fs::absolute(path, ignored);
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

Finding checkDataDir(Config const& config) {
  auto const folder = nearestFolder(config.data_dir);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored) || ::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
    return bad("data folder", folder.string() + " is no folder that this user can write to",
               "mkdir -p " + config.data_dir + " && chown $USER " + config.data_dir);
  if (!fs::exists(config.data_dir, ignored))
    return good("data folder", config.data_dir + " is not there yet; the first start makes it");
  return good("data folder", config.data_dir + " can be written");
}

// A file that may not be what it is named as is not made private: that would be advice about somebody else's
// file.
struct KeyFile {
  std::string name;
  std::string setting; // that says where it is
  std::string path;
  std::uintmax_t least_bytes;
  std::uintmax_t most_bytes;
};

Finding checkNewKeyFile(KeyFile const& key, Config const& config) {
  auto const folder = fs::path(key.path).parent_path();
  std::error_code ignored;
  bool const made_at_start = folder == fs::path(config.data_dir);
  if (!made_at_start && !fs::is_directory(folder, ignored))
    return bad(key.name, "there is no folder " + folder.string() + " for " + key.path,
               "make the folder, or name another file with " + key.setting);
  if (!made_at_start && ::access(folder.c_str(), W_OK | X_OK) != 0)
    return bad(key.name, "this user cannot make a file in " + folder.string(),
               "make " + key.path + " there yourself, or name another file with " + key.setting);
  return good(key.name, key.path + " is not there yet; the first start makes it");
}

Finding checkKeyFile(KeyFile const& key, Config const& config) {
  struct stat info{};
  if (::stat(key.path.c_str(), &info) != 0) {
    if (errno == ENOENT) return checkNewKeyFile(key, config);
    return bad(key.name, key.path + " cannot be looked at: " + std::generic_category().message(errno),
               "name another file with " + key.setting);
  }
  if (!S_ISREG(info.st_mode))
    return bad(key.name, key.path + " is no regular file", "name another file with " + key.setting);
  auto const bytes = static_cast<std::uintmax_t>(info.st_size);
  if (bytes < key.least_bytes || bytes > key.most_bytes)
    return bad(key.name,
               key.path + " holds " + std::to_string(bytes) + " bytes, so it is no " + key.name + " (" +
                   std::to_string(key.least_bytes) + " bytes)",
               "name another file with " + key.setting + ", or restore this one from its backup");
  if ((info.st_mode & 077U) != 0)
    return bad(key.name, key.path + " can be read by others", "chmod 600 " + key.path);
  if (::access(key.path.c_str(), R_OK) != 0)
    return bad(key.name, key.path + " cannot be read by this user", "chown $USER " + key.path);
  return good(key.name, key.path + " is private");
}

// A line ending that an editor added is no harm to the API key.
KeyFile apiKeyFile(Config const& config) {
  return {"API key", "[daemon] data_dir", keyPath(config.data_dir), 46, 48};
}

// Whoever looks has another environment than the daemon.
Finding checkEnvironmentKey(vault::KeySource const& source, std::string const& check, Config const& config) {
  auto const what = vault::describe(source);
  if (isLocked(config.data_dir)) return good(check, what + " was read by the running daemon");
  if (source.kind == vault::KeySource::Kind::variable) {
    if (std::getenv(source.name.c_str()) != nullptr) return good(check, what + " is set");
    return bad(check, what + " is not set here", "set it where garlandd is started");
  }
  char const* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) return good(check, what + " is read when systemd starts garlandd");
  std::error_code ignored;
  if (fs::exists(std::string(folder) + "/" + source.name, ignored)) return good(check, what + " is there");
  return bad(check, what + " is not there", "add LoadCredential=" + source.name + ":/path to the unit");
}

// Where a master key comes from. Looks only: no variable is wiped, no command is run.
Finding checkKeySource(vault::KeySource const& source, std::string const& setting, Config const& config) {
  using Kind = vault::KeySource::Kind;
  bool const is_old = setting == "[vault] old_keys";
  std::string const check = is_old ? "old master key" : "master key";
  auto const what = vault::describe(source);
  std::error_code ignored;
  if (source.kind == Kind::file && is_old && !fs::exists(source.name, ignored))
    return bad(check, what + " is not there", "restore it from its backup, or take it out of " + setting);
  if (source.kind == Kind::file) return checkKeyFile({check, setting, source.name, 32, 32}, config);
  if (source.kind != Kind::command) return checkEnvironmentKey(source, check, config);
  if (::access(source.argv.front().c_str(), X_OK) == 0) return good(check, what + " gives it at the start");
  return bad(check, what + " is not there or cannot be run", "correct " + setting);
}

Finding checkTrust(Config const& config) {
  auto const usable = egress::checkCaFile(config.extra_ca_file);
  if (!usable)
    return bad("certificates", usable.error().message,
               "set [egress] extra_ca_file to a PEM file of certificates, or leave it out");
  if (config.extra_ca_file.empty()) return good("certificates", "the system's authorities are trusted");
  return good("certificates",
              "the system's authorities and those of " + config.extra_ca_file + " are trusted");
}

Finding checkWorker(Config const& config) {
  auto const path = workerPath(config);
  if (::access(path.c_str(), X_OK) == 0) return good("worker program", path);
  return bad("worker program", path + " is not there or cannot be run",
             "set [plugins] worker to the path of garland-worker");
}

Finding checkPlugins(Config const& config) {
  auto const dirs = pluginDirs(config);
  auto const installed = findInstalled(config, SystemClock().now(), true);
  if (!installed)
    return bad("plugins", installed.error().message, "correct the setting, or install Garland again");
  auto const& catalogue = installed->catalogue;
  std::string where;
  for (auto const& dir : dirs) where += (where.empty() ? "" : ", ") + dir;
  if (catalogue.plugins().empty())
    return bad("plugins", "no plugin is installed in " + where,
               "set [plugins] dirs to the folder that holds them");
  std::string refused;
  for (auto const& plugin : catalogue.plugins())
    if (!plugin.refusal.empty())
      refused += (refused.empty() ? "" : "; ") + plugin.manifest.id + ": " + plugin.refusal;
  if (!refused.empty())
    return bad("plugins", refused, "install these plugins again, or remove their folders");
  for (auto const& [id, isolation] : config.isolation_of) {
    auto const* const meant = catalogue.find(id);
    if (!meant || meant->manifest.id != id)
      return bad("plugins", "[sandbox] isolation_of names " + id + ", which is not installed",
                 "name the full id of a plugin: see `garland plugins ls`");
  }
  return good("plugins", std::to_string(catalogue.plugins().size()) + " installed in " + where);
}

Finding checkSandbox(Config const& config) {
  auto const status = runtime::probeSandbox();
  std::string message =
      "tier " + std::string(runtime::name(status.tier)) + ": " + std::string(runtime::coverage(status.tier));
  for (auto const& note : status.notes) message += "; " + note;
  if (status.tier == runtime::SandboxTier::d && !config.allow_degraded_sandbox)
    return bad("sandbox", message,
               "use a kernel with Landlock or user namespaces, or set [sandbox] allow_degraded = true");
  auto finding = good("sandbox", message);
  finding.weak = status.tier == runtime::SandboxTier::d;
  if (finding.weak)
    finding.fix = "use a kernel with Landlock or user namespaces; until then install no stranger's plugin";
  return finding;
}

Finding checkPort(Config const& config) {
  auto const where = placeOf(config.address, config.port);
  asio::io_context context;
  boost::system::error_code code;
  auto const address = asio::ip::make_address(config.address, code);
  asio::ip::tcp::acceptor acceptor(context);
  if (!code) acceptor.open(asio::ip::tcp::endpoint(address, 0).protocol(), code);
  if (!code) acceptor.set_option(asio::ip::tcp::acceptor::reuse_address(true), code);
  if (!code) acceptor.bind({address, config.port}, code);
  if (!code && config.port == 0)
    return good("address", "a free port of " + config.address + " will be taken");
  if (!code) return good("address", where + " is free");
  return bad("address", where + " cannot be used: " + code.message(),
             code == boost::system::errc::address_not_available
                 ? "this machine has no such address: correct [daemon] address"
                 : "choose another with --port, or 0 for any");
}

Finding checkMail(Config const& config) {
  auto const options = mailOptions(config);
  if (options.address.empty()) return good("mail", "none is taken: [mail] listen is empty");
  auto const where = placeOf(options.address, options.port);
  if (options.port != 0 && options.port == config.port && options.address == config.address)
    return bad("mail", where + " is the address of [daemon], too", "choose another [mail] listen");
  if (auto const usable = mail::tryListen(options); !usable)
    return bad("mail", usable.error().message, "correct [mail] in the file of settings");
  return good("mail", where + (options.port == 0 ? ": a free port" : " is free; mail") + " for " +
                          options.domain + " will be taken there");
}

// Where a daemon that runs takes mail.
Finding mailOfRunning(Config const& config) {
  auto const ready = readReadyFile(config.data_dir);
  if (!ready) return good("mail", "where the running daemon takes it, it has not said yet");
  if (ready->mail_port == 0) return good("mail", "the running daemon takes none");
  return good("mail", "the running daemon takes mail for " + ready->mail_domain + " at " +
                          placeOf(ready->mail_address, ready->mail_port));
}

std::string fixOf(std::string const& problem, LoadedConfig const& loaded) {
  if (!loaded.file_was_read && &problem == &loaded.problems.front())
    return "name the file of settings with --config FILE, or leave it out for the defaults";
  return problem.starts_with("--") ? "correct this option" : "correct this line";
}

// Whether daemons that know nothing of the last `pending` of all migrations go on beside them.
bool leavesOthersAtWork(std::vector<store::Migration> const& all, std::size_t pending) {
  auto const first = all.end() - static_cast<std::ptrdiff_t>(pending);
  return std::all_of(first, all.end(), [&](store::Migration const& each) {
    return each.compatible_from != 0 && each.compatible_from <= std::prev(first)->version;
  });
}

// What the first or next start would do to it. Looks only.
std::string describePending(std::size_t pending, std::vector<store::Migration> const& all) {
  if (pending == all.size()) return "the first start makes its tables";
  if (pending == 0) return "it answers and has this version's tables";
  return "it answers; the next start brings its tables to this version (" + std::to_string(pending) +
         " migrations); daemons that are at work on it " +
         (leavesOthersAtWork(all, pending) ? "go on" : "must be stopped before");
}

bool comesWithDataDir(Config const& config) {
  std::error_code ignored;
  fs::path const file(config.database_url.substr(config.database_url.find(':') + 1));
  return !fs::exists(config.data_dir, ignored) && file.parent_path() == fs::path(config.data_dir);
}

Finding checkDatabase(Config const& config) {
  if (comesWithDataDir(config)) return good("database", "the first start makes it in the data folder");
  asio::io_context context;
  auto const all = allMigrations();
  store::Options options;
  options.url = config.database_url;
  std::optional<Result<std::size_t>> pending;
  asio::co_spawn(context, store::Store::pendingMigrations(context.get_executor(), options, all),
                 [&](std::exception_ptr, Result<std::size_t> result) { pending = std::move(result); });
  context.run();
  if (*pending) return good("database", describePending(**pending, all));
  std::string const place = pending->error().field == "/database/url" ? config.database_place : "";
  return bad("database", place + pending->error().message, "check [database] url");
}

} // namespace

std::vector<std::string> pluginDirs(Config const& config) {
  if (!config.plugin_dirs.empty()) return config.plugin_dirs;
  fs::path const program = programFolder();
  // ../plugins: a build tree; ../lib/garland/plugins: an installed prefix.
  std::vector<std::string> dirs;
  for (fs::path const& dir :
       {program.parent_path() / "plugins", program.parent_path() / "lib/garland/plugins"}) {
    std::error_code ignored;
    if (fs::is_directory(dir, ignored)) dirs.push_back(dir.string());
  }
  if (dirs.empty()) dirs.push_back((program.parent_path() / "plugins").string());
  return dirs;
}

std::string workerPath(Config const& config) {
  if (!config.worker_path.empty()) return config.worker_path;
  return programFolder() + "/garland-worker";
}

mail::ListenOptions mailOptions(Config const& config) {
  mail::ListenOptions options;
  options.address = config.mail_address;
  options.port = config.mail_port;
  options.domain = config.mail_domain;
  options.host = config.mail_domain;
  options.certificate = config.mail_certificate;
  options.certificate_key = config.mail_certificate_key;
  return options;
}

std::vector<Finding> runChecks(LoadedConfig const& loaded) {
  Config const& config = loaded.config;
  std::vector<Finding> out;
  out.reserve(loaded.problems.size() + 20);
  for (auto const& problem : loaded.problems)
    out.push_back(bad("configuration", problem, fixOf(problem, loaded)));
  if (loaded.problems.empty()) out.push_back(good("configuration", "every setting is understood"));
  out.push_back(checkDataDir(config));
  out.push_back(checkKeySource(config.master_key, "[vault] master_key", config));
  for (auto const& source : config.old_keys)
    out.push_back(checkKeySource(source, "[vault] old_keys", config));
  out.push_back(checkKeyFile(apiKeyFile(config), config));
  out.push_back(checkTrust(config));
  out.push_back(checkWorker(config));
  out.push_back(checkPlugins(config));
  out.push_back(checkSandbox(config));
  for (auto& finding : findWeaknesses(config, lookAround(config, SystemClock().now())))
    out.push_back(std::move(finding));
  if (isLocked(config.data_dir)) {
    out.push_back(
        good("daemon", "a daemon runs on " + config.data_dir + "; its ports and database were not tried"));
    out.push_back(mailOfRunning(config));
    return out;
  }
  out.push_back(checkPort(config));
  out.push_back(checkMail(config));
  out.push_back(checkDatabase(config));
  return out;
}

json::value toJson(std::vector<Finding> const& findings) {
  json::array items;
  bool ok = true;
  for (Finding const& finding : findings) {
    ok = ok && finding.ok;
    items.push_back(json::object{{"check", finding.check},
                                 {"ok", finding.ok},
                                 {"weak", finding.weak},
                                 {"message", finding.message},
                                 {"fix", finding.fix}});
  }
  json::object out;
  out["ok"] = ok;
  out["findings"] = std::move(items);
  return out;
}

} // namespace garland::daemon
