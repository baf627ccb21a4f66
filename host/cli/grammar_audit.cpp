// The audit chain: verify, export, key, pseudonym.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addAudit() {
  auto* const audit = group("audit", "The audit chain: what was changed, asked of others and refused");
  auto* const verify =
      leaf(audit, "verify",
           "Finds what was changed in the chain, put into it or taken out of it, and names the "
           "first row.\n"
           "With FILE, an export: needs no daemon, and the public key alone.\n"
           "Example: garland audit verify audit.jsonl --key audit-key.txt",
           nullptr);
  verify->add_option("FILE", audit_.file, "An export, \"-\": standard input (default: ask the daemon)");
  verify->add_option("--key", audit_.key,
                     "The public key, or a file with it (default, without FILE: what the daemon says)");
  verify->add_option("--checkpoint", audit_.checkpoint,
                     "NUMBER:HASH of a checkpoint that has to be there, as `garland audit export` tells it");
  verify->footer("Exit codes: 0 nothing was changed; 1 something was; 2 wrong usage; 3 no daemon or no key");
  verify->final_callback([this] {
    if (audit_.file.empty())
      command_ = [this](Context with) { return verifyAudit(with, audit_); };
    else
      offline_ = [this](Output& output) { return verifyAuditFile(output, audit_); };
  });
  leaf(audit, "export",
       "Writes the whole chain as JSON lines: checkpoints, then rows.\n"
       "Example: garland audit export -o audit.jsonl",
       [this](Context with) { return exportAudit(with, audit_); })
      ->add_option("-o,--out", audit_.out, "The file (default: standard output)");
  leaf(audit, "key", "Prints the public key that checkpoints are signed with.",
       [](Context with) { return auditKey(with); });
  leaf(audit, "pseudonym", "Prints what a person, or the path of a request, is called in the chain.",
       [this](Context with) { return auditPseudonym(with, audit_.text); })
      ->add_option("TEXT", audit_.text, "A name or an address as it was typed, or a path")
      ->required();
}

} // namespace garland::cli
