// For those who write a connector: making one, calling it by hand, `garland dev`.
#include "host/cli/grammar.h"

namespace garland::cli {

void Grammar::addInit() {
  auto* const command =
      offline(&app_, "init",
              "Makes a connector to begin with, in a folder of its own: it builds, runs against its twin, "
              "and is certified\n"
              "Bronze as it is.  Example: garland init my-crm --template crm-oauth2\n"
              "Exit codes: 0 made, 2 wrong usage, nothing was written, 3 it cannot be written",
              [this](Output& output) {
                if (list_templates_) return listTemplates(output);
                if (init_.name.empty())
                  return output.error(
                      Error(ErrorKind::invalidInput, "name the connector: garland init NAME (or --list)"));
                return initConnector(output, init_);
              });
  command->add_option("NAME", init_.name, "Small letters, digits and single hyphens, such as my-crm");
  command->add_option("--template", init_.kind, "What it begins as; --list lists them")
      ->capture_default_str();
  command->add_option("--id", init_.id,
                      "Its id for good, such as com.example.my-crm (default: example.NAME)");
  command->add_option("--dir", init_.folder, "Where it goes: a new or empty folder (default: NAME)");
  command->add_flag("--list", list_templates_, "Lists the templates");
}

void Grammar::addRehearsalOptions(CLI::App* command, RehearsalWords& words) {
  command->add_option("--dir", words.dir, "The connector's folder (default: this one)");
  command->add_option("--seed", words.seed, "What the twin's data is made of")
      ->check(CLI::Range(std::uint64_t{0}, kMostSeed))
      ->capture_default_str();
  command
      ->add_option("--volume", words.volume,
                   "How much the twin begins with (default: as certification.json says)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  command->add_option("--worker", words.worker, "Another garland-worker");
  command->add_flag("--allow-degraded-sandbox", words.allow_degraded, "Run although this machine is tier D");
}

void Grammar::addInvoke() {
  auto* const command =
      offline(&app_, "invoke",
              "Runs one operation of the built connector in this folder against its twin, in the sandbox, "
              "and prints its\n"
              "requests, records and outcome.  Example: garland invoke crm.pull --twin\n"
              "Exit codes: 0 it ended well, 1 it did not, 2 wrong usage, 3 this machine cannot run it",
              [this](Output& output) { return invokeOperation(output, invoke_); });
  command->add_option("OPERATION", invoke_.operation, "Such as crm.pull or crm.pull/1")->required();
  command->add_flag("--twin", invoke_.twin, "Against its twin, made for this one call");
  command->add_option(
      "--input", invoke_.input,
      "JSON file with the operation's input, - for standard input (default: as certification.json\n"
      "says: a pull of each entity, the record to write, one that is made to be deleted or read, the\n"
      "input of an action)");
  addRehearsalOptions(command, invoke_.rehearsal);
}

void Grammar::addDevOptions(CLI::App* command) {
  command
      ->add_option("--sandbox", dev_.sandbox,
                   "on: as garlandd runs it; audit: and list what is refused; off: the same as --in-process")
      ->check(CLI::IsMember({"on", "audit", "off"}))
      ->capture_default_str();
  command->add_flag(
      "--in-process", dev_.in_process,
      "No sandbox, no second process, no time limits: for gdb; a crash ends it by its signal, untold");
  command->add_flag("--wait-debugger", dev_.wait_debugger,
                    "With --in-process: wait until a debugger is attached");
  command->add_option("--deadline", dev_.deadline, "Seconds until a worker is killed (60); none in process")
      ->check(CLI::Range(1, 86'400));
  command->add_option("--worker", dev_.worker,
                      "Another garland-worker, such as one built with AddressSanitizer");
  command->add_flag("--allow-degraded-sandbox", dev_.allow_degraded, "Run although this machine is tier D");
  command->final_callback([this] { offline_ = [this](Output& output) { return runDev(output, dev_); }; });
}

void Grammar::addDev() {
  auto* const dev = app_.add_subcommand(
      "dev", "For writing connectors. By itself, or as `garland dev watch`: builds the connector in this "
             "folder on each\n"
             "save, serves its twin over HTTP, and runs what reads against it, with a line for each "
             "operation and each\n"
             "request.  Example: garland dev --volume 20\n"
             "Exit codes: by --once 0 all went well, 1 something did not; 2 wrong usage, 3 cannot watch");
  auto* const watch = dev->add_subcommand("watch", "The same as `garland dev`");
  offline_commands_.insert(watch);
  for (auto* const command : {dev, watch}) {
    addRehearsalOptions(command, watch_.rehearsal);
    command->add_option("--port", watch_.port, "Of the twin; 0 for any free one")
        ->check(CLI::Range(0, 65535));
    command->add_flag("--once", watch_.once, "Build and run once, and end");
  }
  dev->final_callback([this, dev, watch] {
    if (!dev->get_subcommands().empty() && !watch->parsed()) return;
    offline_ = [this](Output& output) { return watchConnector(output, watch_); };
  });
  auto* const run = dev->add_subcommand(
      "run",
      "Runs one operation with recorded answers in place of the provider; no request leaves this machine.\n"
      "Example:  garland dev run build/plugins/com.example.cal calendar.pull/1 --input in.json\n"
      "gdb:      gdb --args garland dev run --in-process PLUGIN OPERATION\n"
      "Refusals: garland dev run --sandbox=audit PLUGIN OPERATION\n"
      "Exit codes: 0 it ended well, 1 it failed, died or was refused something, 2 wrong usage, 3 cannot run");
  run->add_option("PLUGIN", dev_.plugin, "Folder with connector.so, or the shared object")->required();
  run->add_option("OPERATION", dev_.operation, "Such as calendar.pull/1")->required();
  run->add_option("--input", dev_.input, "JSON file with the operation's input, - for standard input");
  run->add_option("--account", dev_.account, "JSON file: {\"settings\": {...}, \"slots\": [\"login\"]}");
  run->add_option("--answers", dev_.answers,
                  "JSON file: {\"host_calls\": [{\"call\": \"http\", \"method\": \"GET\", \"url\": ..., "
                  "\"status\": 200, \"body\": ...}]}; a capsule is one");
  addDevOptions(run);
  auto* const replay = dev->add_subcommand(
      "replay",
      "Runs the operation of a crash capsule again, with its input and its recorded answers, and says\n"
      "whether and where it dies.  Example: garland dev replay DATA_DIR/capsules/0123456789abcdef-1.json\n"
      "Exit codes: 0 it does not die, 1 it dies, 2 wrong usage, 3 cannot run");
  replay->add_option("CAPSULE", dev_.capsule, "The file that garland plugins show names")->required();
  replay->add_option("--plugin", dev_.plugin, "Another build of it than the one that died");
  addDevOptions(replay);
}

} // namespace garland::cli
