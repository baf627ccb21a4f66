// The words of `garland privacy`.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addPrivacy() {
  auto* const all = group("privacy", "People and vendors in all that is kept: exported, and erased");
  auto const who = [this](CLI::App* command) {
    command->add_option(
        "--person", privacy_.person,
        "An address, a telephone number or the whole name of one person; may be repeated for the same "
        "person. The first one is what their pseudonym is made of");
    command->add_option("--vendor", privacy_.vendor,
                        "Only at this vendor; without --person all of the vendor");
  };
  auto* const out = leaf(all, "export",
                         "Writes everything that names a person, or is a vendor's, as JSON lines.\n"
                         "Nothing names them: the file is empty, which is said, and the exit code is 0.\n"
                         "Example: garland privacy export --person rosa@example.com -o rosa.jsonl",
                         [this](Context with) { return exportPrivacy(with, place_, privacy_); });
  who(out);
  out->add_option("-o,--out", privacy_.out, "The file; is not overwritten")->required();
  auto* const erase =
      leaf(all, "erase",
           "Erases a person, or a vendor, in every table and file, and gives a signed receipt.\n"
           "Providers are asked nothing, but what they have of a person does not come in again.\n"
           "Exit code 1: something was kept, or is under way, or the database's files may still hold what\n"
           "was deleted, as PostgreSQL's do until its administrator has them written anew; the receipt says "
           "what and why.\n"
           "Example: garland privacy erase --person rosa@example.com --receipt rosa.json --yes",
           [this](Context with) { return erasePrivacy(with, privacy_); });
  who(erase);
  erase->add_option("--receipt", privacy_.receipt,
                    "Where the receipt goes; is not overwritten (default: standard output)");
  erase->add_flag("--yes", privacy_.sure, "It is meant: nothing brings back what is erased");
  auto* const verify = offline(all, "verify",
                               "Whether a receipt is genuine; needs no daemon, and the public key alone.\n"
                               "Exit code 1: it was changed, or signed with another key.\n"
                               "Example: garland privacy verify rosa.json --key audit-key.txt",
                               [this](Output& output) { return verifyReceipt(output, privacy_); });
  verify->add_option("FILE", privacy_.receipt)->required();
  verify->add_option("--key", privacy_.key, "The public key, or a file with it: garland audit key prints it")
      ->required();
}

} // namespace garland::cli
