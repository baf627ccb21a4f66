// The words of `garland backup` and `garland restore`.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addBackup() {
  auto const ask = [this](CLI::App* command) {
    auto* const file =
        command->add_option("--passphrase-file", backup_.passphrase_file,
                            "The passphrase is the first line of this file; else it is asked for");
    command->add_option("--passphrase-fd", backup_.passphrase_fd, "... of what is open as this descriptor")
        ->check(CLI::NonNegativeNumber)
        ->excludes(file);
  };
  auto* const make = leaf(
      &app_, "backup",
      "Makes a backup of the whole host, while everything goes on: database, packages, settings, secrets.\n"
      "What nobody else may read is encrypted to a passphrase; the master key is not in it.\n"
      "Exit code 2: the passphrase is too short, or was typed in two ways.\n"
      "Example: garland backup monday.garland",
      [this](Context with) { return makeBackup(with, place_, backup_); });
  make->add_option("FILE", backup_.file, "Is not overwritten");
  make->require_subcommand(0, 1);
  ask(make);
  auto* const verify =
      offline(make, "verify",
              "Reads all of a backup: is it whole, and with the passphrase: has anybody changed it?\n"
              "Needs no daemon.  Exit code 1: it is damaged or was changed, or the passphrase is wrong",
              [this](Output& output) { return verifyBackup(output, backup_); });
  verify->add_option("FILE", backup_.file)->required();
  ask(verify);
  auto* const restore = offline(
      &app_, "restore",
      "Makes the host of a backup, on an empty data folder and an empty database; no daemon may run there.\n"
      "Interrupted, it is typed again.  Stop the old host for good before: what it may have done since "
      "the backup is looked up at the providers.\n"
      "Example: garland restore monday.garland --data-dir /var/lib/garland",
      [this](Output& output) {
        backup_.data_dir = everywhere_.data_dir;
        return restoreBackup(output, backup_);
      });
  restore->add_option("FILE", backup_.file)->required();
  restore->footer(
      "Exit codes: 0 restored; 1 the passphrase is wrong, or the backup was changed; 2 wrong usage; 3 it "
      "cannot be restored, as the message says");
  restore->add_option("--config", backup_.config, "garlandd's settings file on this host");
  restore->add_option("--database", backup_.database,
                      "sqlite:FILE or postgresql://...; wins over the settings");
  ask(restore);
}

} // namespace garland::cli
