// The words of `garland vault`.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addPassphraseOptions(CLI::App* command) {
  auto* const file =
      command->add_option("--passphrase-file", vault_.passphrase_file,
                          "The passphrase is the first line of this file; else it is asked for");
  command->add_option("--passphrase-fd", vault_.passphrase_fd, "... of what is open as this descriptor")
      ->check(CLI::NonNegativeNumber)
      ->excludes(file);
}

void Grammar::addVault() {
  auto* const all = group("vault", "Master keys, and exports of what is sealed under them");
  leaf(all, "status",
       "How many secrets are under which master key.  Exit code 1: a key is missing, or secrets are damaged",
       [](Context with) { return vaultStatus(with); });
  auto* const rekey =
      leaf(all, "rekey",
           "Moves every secret to the master key that seals now, while all else goes on.\n"
           "Before: set [vault] master_key to the new key and old_keys to the one before, and start "
           "garlandd again.\n"
           "Interrupted, it goes on where it was.  Exit code 1: some secrets cannot be moved",
           [this](Context with) { return rekeyVault(with, !no_wait_); });
  rekey->add_flag("--no-wait", no_wait_, "Do not wait for its end");
  auto* const out =
      leaf(all, "export",
           "Writes connections and their secrets to a file, encrypted to a passphrase: for a host that "
           "replaces this one.\n"
           "Exit code 2: the passphrase is too short, or was typed in two ways.\n"
           "Example: garland vault export vault.garland",
           [this](Context with) { return exportVault(with, place_, vault_); });
  out->add_option("FILE", vault_.file, "Is not overwritten")->required();
  addPassphraseOptions(out);
  auto* const in =
      leaf(all, "import",
           "Takes in such a file: all of it, or nothing. What is here already and in the file, too, is "
           "replaced, and told.\n"
           "Exit code 1: the passphrase is wrong, or the export was changed.\n"
           "Example: garland vault import vault.garland",
           [this](Context with) { return importVault(with, place_, vault_); });
  in->add_option("FILE", vault_.file)->required();
  addPassphraseOptions(in);
}

} // namespace garland::cli
