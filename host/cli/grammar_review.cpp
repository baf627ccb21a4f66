// For a marketplace's reviewers: comparing, waiving, attesting, verifying.
#include "host/cli/review.h"

namespace garland::cli {

namespace {

using Words = std::shared_ptr<ReviewWords>;
using Chosen = std::function<Exit(Output&)>;

CLI::App* leaf(CLI::App& certify, char const* name, char const* about, Chosen& chosen, Chosen command) {
  auto* const added = certify.add_subcommand(name, about);
  added->final_callback([&chosen, command = std::move(command)] { chosen = command; });
  return added;
}

} // namespace

void addReview(CLI::App& certify, Words words, Chosen& chosen) {
  auto* const diff =
      leaf(certify, "diff",
           "Says what a new version asks for that the old one did not: hosts, scopes, symbols, system "
           "calls, fields,\n"
           "operations, budgets; and the operations that are gone.\n"
           "A version alone is the package ID-VERSION.gpk here, of the connector that has both.\n"
           "Example: garland certify diff 1.0.0 1.1.0",
           chosen, [words](Output& output) { return compareVersions(output, *words); });
  diff->footer("Exit codes: 0 compared, whatever differs; 2 wrong usage");
  diff->add_option("OLD", words->old_path, "Package, folder, shared object, or version")->required();
  diff->add_option("NEW", words->new_path, "The same of the new version")->required();

  auto* const waive =
      leaf(certify, "waive",
           "Accepts a finding for at most 90 days, in writing.\n"
           "With --report: of a run that has found it; what could not be judged cannot be waived.\n"
           "Example: garland certify waive DOC-06 --reason \"icon comes with 1.1\" --until 30d",
           chosen, [words](Output& output) { return waiveFinding(output, *words); });
  waive->footer(
      "Exit codes: 0 waived; 2 wrong usage, or there is nothing to waive; 3 the file cannot be written");
  waive->add_option("ID", words->check, "The check, such as DOC-06")->required();
  waive->add_option("--reason", words->reason, "Why it may pass: a sentence, at least 10 characters")
      ->required();
  waive->add_option("--until", words->until, "2026-12-31, or days from now: 30d")->required();
  waive->add_option("--approver", words->approver, "Who answers for it (default: your name on this machine)");
  waive->add_option("--connector", words->connector, "Id of the connector; of any, if not given");
  waive->add_option("--report", words->report, "Folder of the run that it is about; waivers.json goes there");
  waive->add_option("--file", words->file,
                    "The file (default: waivers.json, here or in the report's folder)");

  auto* const attest =
      leaf(certify, "attest",
           "Signs what a run has found: package, suite, level, seed, results; for 180 days, or until the "
           "first waiver\n"
           "ends.  Example: garland certify attest out/ --key marketplace.key --package crm-1.0.0.gpk",
           chosen, [words](Output& output) { return attestReport(output, *words); });
  attest->footer("Exit codes: 0 signed; 1 what the run has found may not be signed; 2 wrong usage; 3 a file "
                 "cannot be written");
  attest->add_option("REPORT", words->report, "report.json, or the folder that --report named")->required();
  attest->add_option("--key", words->key_file, "The marketplace's private key (garland signing-keys new)")
      ->required();
  attest->add_option("--package", words->package, "The package, which then carries the attestation");
  attest->add_option("-o,--out", words->out, "The attestation (default: attestation.json beside the report)");

  auto* const verify =
      leaf(certify, "verify",
           "Says what an attestation is of, who signed it, until when it counts, and whether "
           "it was revoked. Needs no network.",
           chosen, [words](Output& output) { return verifyAttestation(output, *words); });
  verify->footer("Exit codes: 0 it counts; 1 it does not, or without --trust nobody can say; 2 wrong usage");
  verify->add_option("FILE", words->file, "A package, or attestation.json")->required();
  auto* const trust =
      verify->add_option("--trust", words->trust,
                         "File with the public keys of marketplaces, one a line; without it nothing "
                         "counts");
  verify->add_option("--report", words->report,
                     "report.json or its folder: is it the one that was attested?");
  verify->add_option("--revocations", words->revocations, "The marketplace's list of revocations")
      ->needs(trust);
}

} // namespace garland::cli
