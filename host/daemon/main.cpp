// garlandd: reads its arguments, then checks or serves. CLI11 lives here alone.
#include "host/daemon/app.h"
#include "host/daemon/checks.h"
#include "host/daemon/daemon.h"
#include "host/daemon/process.h"
#include "host/daemon/restore.h"
#include "host/vault/vault.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>

namespace {

using namespace garland;
using namespace garland::daemon;

int check(LoadedConfig const& loaded, bool as_json) {
  auto const findings = runChecks(loaded);
  bool ok = true;
  for (Finding const& finding : findings) ok = ok && finding.ok;
  if (as_json) {
    auto report = toJson(findings);
    report.as_object()["data_dir"] = loaded.config.data_dir;
    std::cout << json::serialize(report) << '\n';
    return ok ? exitOk : exitFindings;
  }
  for (Finding const& finding : findings) {
    auto const* verdict = finding.weak ? "WEAK    " : finding.ok ? "ok      " : "PROBLEM ";
    std::cout << verdict << finding.check << ": " << finding.message << '\n';
    if (!finding.fix.empty()) std::cout << "        " << finding.fix << '\n';
  }
  return ok ? exitOk : exitFindings;
}

int start(LoadedConfig const& loaded) {
  for (auto const& problem : loaded.problems) std::cerr << "garlandd: " << problem << '\n';
  if (!loaded.file_was_read) std::cerr << "garlandd: name the file of settings with --config FILE\n";
  if (!loaded.problems.empty()) return exitUsage;
  auto const usable = ensureDataDir(loaded.config.data_dir);
  if (!usable) {
    std::cerr << "garlandd: " << usable.error().message << '\n';
    return exitEnvironment;
  }
  return serve(loaded.config);
}

int restore(LoadedConfig const& loaded, std::string const& file, int passphrase_fd, bool as_json) {
  for (auto const& problem : loaded.problems) std::cerr << "garlandd: " << problem << '\n';
  if (!loaded.problems.empty()) return exitUsage;
  auto const restored = restoreHost(loaded.config, file, passphrase_fd);
  if (!restored) {
    std::cerr << "garlandd: " << restored.error().message << '\n';
    return restored.error().provider_code == vault::kWrongPassphrase ? exitFindings : exitEnvironment;
  }
  if (as_json)
    std::cout << json::serialize(*restored) << '\n';
  else
    std::cout << describeRestored(*restored, loaded.config);
  return exitOk;
}

} // namespace

int main(int argc, char** argv) {
  hardenProcess();
  CLI::App app("Garland's daemon: keeps a vendor's data the same at every provider.\n"
               "Example: garlandd --data-dir ~/garland --port 0");
  std::string config_path = defaultConfigPath();
  Overrides overrides;
  bool only_check = false;
  bool as_json = false;
  app.add_option("--config", config_path,
                 "The settings, a TOML file (garland.example.toml documents each one).");
  app.add_option("--database", overrides.database_url,
                 "sqlite:FILE or postgresql://...; wins over the file.");
  app.add_option("--data-dir", overrides.data_dir,
                 "Folder for keys and the SQLite file; wins over the file.");
  app.add_option("--port", overrides.port, "Port to listen on, 0 for any free one; wins over the file.")
      ->check(CLI::Range(0, 65535));
  auto* const checking =
      app.add_flag("--check", only_check, "Say everything that would keep the daemon from working, and end.");
  app.add_flag("--json", as_json, "With --check: findings as JSON. With --restore: what was restored.");
  std::string backup;
  int passphrase_fd = -1;
  auto* const restoring =
      app.add_option("--restore", backup,
                     "Make the host of this backup, and end; garland restore asks for what "
                     "it needs.");
  app.add_option("--passphrase-fd", passphrase_fd,
                 "With --restore: the passphrase is what can be read there.")
      ->needs(restoring);
  restoring->excludes(checking);
  app.callback([&] {
    if (as_json && !only_check && backup.empty()) throw CLI::RequiresError("--json", "--check or --restore");
  });
  app.footer(
      "A connected account is synced by itself, as often as its connector says (CalDAV: every 15 minutes).");
  app.set_version_flag("--version", "garlandd " + std::string(version));
  try {
    app.parse(argc, argv);
  } catch (CLI::ExtrasError const&) {
    // Its own text repeats every word, and one may be a password.
    std::cerr << "garlandd: there is a word or an option that it does not know; see garlandd --help\n";
    return exitUsage;
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? exitOk : exitUsage;
  }
  try {
    auto const loaded = loadConfig(config_path, overrides);
    if (!backup.empty()) return restore(loaded, backup, passphrase_fd, as_json);
    return only_check ? check(loaded, as_json) : start(loaded);
  } catch (std::exception const& exception) {
    std::fprintf(stderr, "garlandd: a bug ended the daemon: %s\n", exception.what());
    return exitEnvironment;
  }
}
