// What reviewers type: comparing, waiving, attesting, verifying. Apart from commands.h, which everybody
// reads.
#pragma once

#include "host/cli/commands.h"

#include <CLI/CLI.hpp>

#include <functional>

namespace garland::cli {

struct ReviewWords {
  std::string file;        // to verify, or of waivers
  std::string report;      // report.json, or its folder
  std::string package;     // that an attestation is put into
  std::string waivers;     // of a run: file; "": none
  std::string previous;    // of a run: the last version; ""
  unsigned time_limit = 0; // of a run: seconds; 0: none
  std::string check, reason, until, approver, connector;
  std::string key_file, out;
  std::string trust, revocations;
  std::string old_path, new_path;
};

// A run with what a reviewer adds to it.
Exit certify(Output& output, CertifyWords const& words, ReviewWords const& review);
// What `garland certify replay TOKEN` needs besides to run a case as it was run here, as it is typed.
std::string replayOptions(CertifyWords const& words, ReviewWords const& review);
Exit replayFinding(Output& output, CertifyWords words, ReviewWords const& review, std::string const& token);
Exit compareVersions(Output& output, ReviewWords const& words);
Exit waiveFinding(Output& output, ReviewWords const& words);
Exit attestReport(Output& output, ReviewWords const& words);
Exit verifyAttestation(Output& output, ReviewWords const& words);

// The grammar of it, below `certify`; what was chosen is put into `chosen`. The words live as long as the
// commands.
void addReview(CLI::App& certify, std::shared_ptr<ReviewWords> words, std::function<Exit(Output&)>& chosen);

} // namespace garland::cli
