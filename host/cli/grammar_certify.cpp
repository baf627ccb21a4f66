// For those who certify connectors: every check, one check again, the list of them.
#include "host/cli/grammar.h"
#include "host/cli/review.h"

namespace garland::cli {

void Grammar::addCertifyOptions(CLI::App* command) {
  command->add_option("--report", certify_.report,
                      "Folder for report.json, report.xml (JUnit), report.sarif, report.html and times.json");
  command
      ->add_option("--twins", certify_.twin_dirs, "Folder with twins, instead of those beside and installed")
      ->allow_extra_args(false);
  command->add_option("--worker", certify_.worker, "Another garland-worker");
  command->add_flag("--allow-degraded-sandbox", certify_.allow_degraded,
                    "Run although this machine is tier D");
}

void Grammar::addCertify() {
  auto const review = std::make_shared<ReviewWords>();
  auto* const command = app_.add_subcommand(
      "certify", "Runs every check on a connector, in the sandbox, against the twin of its provider.\n"
                 "Example: garland certify build/plugins/com.example.crm --profile quick");
  command->footer(
      "Exit codes: 0 the level is reached, or with --only nothing stands in its way; 1 it is not, or "
      "something does;\n"
      "2 wrong usage; 3 this machine cannot run it, or the report cannot be written. A run that its time "
      "limit,\n"
      "SIGINT or SIGTERM has ended writes its report, too, and exits with 1");
  command->add_option("PATH", certify_.path,
                      "Package (.gpk), folder with connector.so and connector.json, or the shared object");
  command->add_option("--level", certify_.level, "bronze, silver or gold")->capture_default_str();
  command
      ->add_option("--profile", certify_.profile,
                   "quick: while writing it, a minute; standard: ten minutes; full: everything")
      ->capture_default_str();
  command->add_option("--seed", certify_.seed, "What the twin's data is made of")
      ->check(CLI::Range(std::uint64_t{0}, kMostSeed))
      ->capture_default_str();
  command->add_option("--only", certify_.only, "Only these checks (CAP-04) or areas (CAP), by comma")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--jobs", certify_.jobs,
                      "Cases at a time; as many as there are processors if not given");
  command->add_option("--waivers", review->waivers,
                      "File of `garland certify waive`: findings that are accepted for a while");
  command->add_option("--previous", review->previous,
                      "The last version (package or folder); the report says what differs");
  command->add_option("--time-limit", review->time_limit,
                      "Seconds for the whole run; then it ends, and the report says what was not run");
  command->add_flag("--list", list_checks_,
                    "Lists every check of the catalogue, and whether this suite has it");
  command->add_flag("--markdown", markdown_, "With --list: the page of sdk-docs");
  addCertifyOptions(command);
  auto* const replay = command->add_subcommand(
      "replay",
      "Runs the case of a finding again.  Example: garland certify replay g2:CAP-04:volume-1:7:quick:...");
  replay->footer(
      "Exit codes: 0 nothing is found any more; 1 something is; 2 wrong usage, such as a token of another "
      "suite or connector;\n"
      "3 this machine cannot run it, or the report cannot be written");
  replay->add_option("TOKEN", token_, "What the finding told")->required();
  replay->add_option("--path", certify_.path, "The connector; else it is looked for among those installed");
  replay->add_option("--previous", review->previous, "The last version, if the finding was made with one");
  addCertifyOptions(replay);
  replay->final_callback([this, review] {
    offline_ = [this, review](Output& output) { return replayFinding(output, certify_, *review, token_); };
  });
  addReview(*command, review, offline_);
  command->final_callback([this, command, review] {
    if (!command->get_subcommands().empty()) return;
    offline_ = [this, review](Output& output) {
      if (list_checks_) return listChecks(output, markdown_);
      if (certify_.path.empty())
        return output.error(
            Error(ErrorKind::invalidInput, "name the connector: garland certify PATH (or --list)"));
      return certify(output, certify_, *review);
    };
  });
}

} // namespace garland::cli
