// The grammar of the command line, and nothing else: words in, one function of commands.h called.
#include "host/cli/commands.h"
#include "host/cli/completion.h"
#include "host/cli/daemon_check.h"
#include "host/cli/grammar_intake.h"
#include "host/cli/wrong_words.h"

#include "host/access/access.h"
#include "host/base/file_text.h"
#include "host/base/userinfo.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>

namespace garland::cli {
namespace {

std::string environment(char const* name, std::string const& fallback) {
  auto const* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

// Options that every command takes.
struct Everywhere {
  std::string url = environment("GARLAND_URL", "");
  std::string data_dir = environment("GARLAND_DATA_DIR", "");
  std::string config;
  std::string key_file = environment("GARLAND_KEY_FILE", "");
  bool json = false;
};

using Command = std::function<Exit(Context)>;

// Where garlandd keeps its things if nobody says otherwise; its rule is the same (garland.example.toml).
std::string defaultDataDir() {
  auto const data = environment("XDG_DATA_HOME", "");
  if (!data.empty()) return data + "/garland";
  auto const home = environment("HOME", "");
  return (home.empty() ? "/var/lib" : home + "/.local/share") + "/garland";
}

// What was said, else the folder of the key file, else the default.
std::string dataDir(Everywhere const& where) {
  if (!where.data_dir.empty()) return where.data_dir;
  auto const slash = where.key_file.rfind('/');
  if (slash != std::string::npos) return where.key_file.substr(0, slash);
  return defaultDataDir();
}

// Finds the daemon: what was said, else where the running daemon's ready file says, else the default.
std::string daemonUrl(Everywhere const& where) {
  if (!where.url.empty()) return where.url;
  std::string fallback = "http://127.0.0.1:7480";
  auto const text = readFileText(dataDir(where) + "/garlandd.json");
  auto const ready = text ? parseJson(*text) : Result<json::value>(text.error());
  if (!ready) return fallback;
  auto const address = textOr(*ready, "/address", "127.0.0.1");
  bool const six = address.find(':') != std::string::npos;
  return "http://" + (six ? "[" + address + "]" : address) + ":" +
         std::to_string(integerOr(*ready, "/port", 7480));
}

// "" if it can be one.
std::string wrongUrl(std::string const& url) {
  if (hasUserinfo(url))
    return "garlandd's address (--url, GARLAND_URL) must not hold a user name or password; it is asked with "
           "the API "
           "key";
  if (url.starts_with("http://") || url.starts_with("https://")) return {};
  return "garlandd's address (--url, GARLAND_URL) must begin with http:// or https://, such as "
         "http://127.0.0.1:7480";
}

// Reads an existing key file; never makes one, that is the daemon's to do.
Secret readKey(Place& place) {
  if (::access(place.key_file.c_str(), R_OK) != 0 && errno == EACCES) {
    place.key_problem =
        "this user may not read the key file " + place.key_file +
        ": it is private to the user that runs garlandd; be that user, or ask for a copy of the key";
    return {};
  }
  if (::access(place.key_file.c_str(), F_OK) != 0) {
    place.key_problem = "there is no key file " + place.key_file + "; garlandd makes it at its first start";
    return {};
  }
  SystemRandom random;
  auto key = access::openKeyFile(place.key_file, random);
  if (!key) {
    place.key_problem = key.error().message;
    return {};
  }
  place.key_read = true;
  return std::move(*key);
}

class Grammar {
public:
  Grammar() {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_version_flag("--version", "garland " GARLAND_VERSION);
    app_.add_option(
        "--url", everywhere_.url,
        "Where garlandd listens (GARLAND_URL; default: its ready file, then http://127.0.0.1:7480)");
    app_.add_option("--data-dir", everywhere_.data_dir,
                    "garlandd's data folder (GARLAND_DATA_DIR; default: the key file's folder, then "
                    "garlandd's own default)");
    app_.add_option("--key-file", everywhere_.key_file,
                    "API key file (GARLAND_KEY_FILE; default: api.key in the data folder)");
    app_.add_flag("--json", everywhere_.json, "Answer with JSON");
    app_.footer(
        "garlandd syncs every connection by itself, as often as its connector says (CalDAV: every 15 "
        "minutes);\n"
        "`garland sync run` does it at once.\n"
        "Exit codes: 0 done, 1 findings, 2 wrong usage, 3 no daemon or no key.\n"
        "A first sync:  garland vendors add \"Studio\";  garland plugins enable caldav --vendor VENDOR;\n"
        "               garland connections connect caldav --vendor VENDOR --set url=https://... --username "
        "NAME;\n"
        "               garland sync run CONNECTION");
    addPlugins();
    addVendors();
    addConnections();
    addSync();
    addActions();
    addIntake();
    addRecords();
    addTables();
    addMachine();
    addWebhooks();
    addDev();
    addTwins();
    addPackages();
  }

  Exit run(int argc, char** argv) {
    std::vector<std::string> const words(argv + 1, argv + argc);
    if (auto const wrong = wrongCommand(app_, words); !wrong.empty()) return wrongUsage(wrong);
    try {
      app_.parse(argc, argv);
    } catch (CLI::ExtrasError const&) {
      return wrongUsage(unknownWord(app_, words));
    } catch (CLI::ParseError const& problem) {
      return app_.exit(problem) == 0 ? Exit::ok : Exit::usage;
    }
    bool const terminal = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
    Output output(std::cout, std::cerr, everywhere_.json, terminal,
                  terminal && environment("NO_COLOR", "").empty());
    if (offline_) return offline_(output);
    if (key_optional_) askDaemonProgram();
    place_.url = daemonUrl(everywhere_);
    if (auto const wrong = wrongUrl(place_.url); !wrong.empty()) return wrongUsage(wrong);
    place_.data_dir = dataDir(everywhere_);
    place_.config = everywhere_.config;
    place_.key_file = everywhere_.key_file.empty() ? place_.data_dir + "/api.key" : everywhere_.key_file;
    auto key = readKey(place_);
    if (!place_.key_read && !key_optional_) {
      std::cerr << "garland: " << place_.key_problem
                << "; name another with --key-file or GARLAND_KEY_FILE\n";
      return Exit::environment;
    }
    Client client(place_.url, std::move(key));
    return command_(Context{client, output});
  }

private:
  static Exit wrongUsage(std::string const& sentence) {
    std::cerr << "garland: " << sentence << "\n";
    return Exit::usage;
  }
  // Where nobody has said which data folder is meant, garlandd itself says which one it would take.
  void askDaemonProgram() {
    bool const said = !everywhere_.data_dir.empty() || !everywhere_.key_file.empty();
    place_.check = daemonCheck(said ? dataDir(everywhere_) : "", everywhere_.config);
    if (!said && place_.check) everywhere_.data_dir = textOr(*place_.check, "/data_dir", "");
  }
  CLI::App* group(char const* name, char const* about) {
    auto* const added = app_.add_subcommand(name, about);
    added->require_subcommand(1);
    return added;
  }
  // A command whose words are in; `command` runs after parsing.
  CLI::App* leaf(CLI::App* parent, char const* name, char const* about, Command command) {
    auto* const added = parent->add_subcommand(name, about);
    added->final_callback([this, command = std::move(command)] { command_ = command; });
    return added;
  }
  void needId(CLI::App* command, char const* what) { command->add_option(what, id_)->required(); }
  void needVendor(CLI::App* command) {
    command->add_option("--vendor", vendor_, "The vendor's id (garland vendors ls)")->required();
  }

  void addPlugins();
  void addVendors();
  void addConnections();
  void addSync();
  void addActions();
  void addIntake() {
    intake_.add(group("intake", "What came in by itself: hooks, mails, files"),
                app_.get_subcommand("connections"),
                [this](auto... words) { return leaf(std::move(words)...); });
  }
  void addRecords();
  void addTables();
  void addMachine();
  void addWebhooks();
  void addDev();
  void addTwins();
  void addPackages();
  // A command that needs no daemon.
  CLI::App* offline(CLI::App* parent, char const* name, char const* about,
                    std::function<Exit(Output&)> command) {
    auto* const added = parent->add_subcommand(name, about);
    added->final_callback([this, command = std::move(command)] { offline_ = command; });
    return added;
  }
  void addDevOptions(CLI::App* command);

  CLI::App app_{"garland: keeps a wedding vendor's data the same everywhere.", "garland"};
  Everywhere everywhere_;
  Place place_;
  Command command_;
  std::function<Exit(Output&)> offline_;
  bool key_optional_ = false;

  std::string id_, vendor_, name_, connection_, file_, from_, until_, shell_, schema_kind_;
  std::string zone_ = "UTC", kind_ = "calendar.event";
  std::int64_t after_ = 0;
  bool no_wait_ = false, allow_downgrade_ = false, discard_ = false, rotate_mailbox_ = false;
  ConnectWords connect_;
  HintWords hint_;
  RecordEdit edit_;
  RecordPage page_;
  ActionWords action_;
  ActionPage actions_;
  SettleWords settle_;
  IntakeGrammar intake_;
  ExportWords export_;
  WebhookWords webhook_;
  DevWords dev_;
  TwinWords twin_;
  PackageWords package_;
  std::string address_;
};

void Grammar::addPlugins() {
  auto* const plugins = group("plugins", "Installed connectors, and which vendor may use them");
  leaf(plugins, "ls", "Lists the installed connectors; a refused one says why",
       [](Context with) { return listPlugins(with); });
  needId(leaf(plugins, "show",
              "Shows one: operations, sign-in, settings.  Example: garland plugins show caldav",
              [this](Context with) { return showPlugin(with, id_); }),
         "ID");
  leaf(plugins, "rescan",
       "Makes the running garlandd take over what is installed now: new calls go to newer builds, running\n"
       "ones end in the old.  Exit code 1: something was refused, such as an older version",
       [this](Context with) { return rescanPlugins(with, allow_downgrade_); })
      ->add_flag("--allow-downgrade", allow_downgrade_, "Take an older version over, too");
  needId(leaf(plugins, "release",
              "Lifts a quarantine after the cause is mended.  Example: garland plugins release caldav",
              [this](Context with) { return releasePlugin(with, id_); }),
         "ID");
  leaf(plugins, "install",
       "Installs a package, or a newer version of one, into the running garlandd, which refuses it unless a\n"
       "marketplace of [plugins] trust has certified it.  Example: garland plugins install acme-1.0.0.gpk",
       [this](Context with) { return installPlugin(with, place_, package_.file); })
      ->add_option("FILE", package_.file, "A package, as `garland pack` makes it")
      ->required();
  auto* const enable =
      leaf(plugins, "enable",
           "Lets a vendor connect accounts with it.  Example: garland plugins enable caldav --vendor ven_...",
           [this](Context with) { return enablePlugin(with, id_, vendor_); });
  needId(enable, "ID");
  needVendor(enable);
  auto* const disable =
      leaf(plugins, "disable", "Takes that back; connected accounts stay but are not synced",
           [this](Context with) { return disablePlugin(with, id_, vendor_); });
  needId(disable, "ID");
  needVendor(disable);
}

void Grammar::addVendors() {
  auto* const vendors = group("vendors", "The businesses whose data this is");
  leaf(vendors, "ls", "Lists the vendors", [](Context with) { return listVendors(with); });
  leaf(vendors, "add", "Adds a vendor and prints its id.  Example: garland vendors add \"Studio Lindenau\"",
       [this](Context with) { return addVendor(with, name_); })
      ->add_option("NAME", name_)
      ->required();
}

void Grammar::addConnections() {
  auto* const connections = group("connections", "Connected accounts");
  leaf(connections, "ls", "Lists connected accounts and their state", [this](Context with) {
    return listConnections(with, vendor_);
  })->add_option("--vendor", vendor_, "Only this vendor's");
  needId(leaf(connections, "show", "Shows one account",
              [this](Context with) { return showConnection(with, id_); }),
         "ID");
  auto* const connect =
      leaf(connections, "connect",
           "Connects an account; the password, token or key is asked for and goes into the vault.\n"
           "The same account with the same settings again replaces those and keeps everything else.\n"
           "Example: garland connections connect caldav --vendor ven_... --set "
           "url=https://dav.example.com --username rosa",
           [this](Context with) { return connectAccount(with, connect_); });
  connect->add_option("PLUGIN", connect_.plugin)->required();
  connect->add_option("--vendor", connect_.vendor, "The vendor's id")->required();
  connect
      ->add_option("--set", connect_.settings,
                   "A setting of the connector, NAME=VALUE (garland plugins show PLUGIN)")
      ->allow_extra_args(false);
  connect->add_option("--username", connect_.username, "User name at the provider");
  connect->add_flag(
      "--password-stdin", connect_.password_from_stdin,
      "Take the password, or the token or key of a connector that signs in with one, from standard "
      "input: its first line");
  connect->add_flag("--allow-private-network", connect_.allow_private_network,
                    "Let this connection reach private and loopback addresses, plain http too");
  auto* const disconnects = leaf(connections, "disconnect", "Forgets credential and links; the records stay",
                                 [this](Context with) { return disconnect(with, id_, discard_); });
  needId(disconnects, "ID");
  disconnects->add_flag("--discard", discard_, "Also if edits made here are not written there yet");
  needId(leaf(connections, "confirm-deletes",
              "Lets the next sync apply deletions that were held.  Held are many at once that were only "
              "inferred,\n"
              "because a listing no longer shows the records; what a provider itself reports as deleted is "
              "not held",
              [this](Context with) { return confirmDeletes(with, id_); }),
         "ID");
  auto* const mailbox =
      leaf(connections, "mailbox",
           "Prints the mail address of an account, to which its provider sends leads; it is shown once.\n"
           "Example: garland connections mailbox con_...",
           [this](Context with) { return openMailbox(with, id_, rotate_mailbox_); });
  needId(mailbox, "CONNECTION");
  mailbox->add_flag("--rotate", rotate_mailbox_, "Make another address; the one there is ends at once");
}

void Grammar::addSync() {
  auto* const sync = group("sync", "Bringing a provider and Garland to the same state");
  auto* const run =
      leaf(sync, "run", "Writes local edits out, then brings changes in.  Example: garland sync run con_...",
           [this](Context with) { return runSync(with, id_, !no_wait_); });
  needId(run, "CONNECTION");
  run->add_flag("--no-wait", no_wait_, "Start it and return at once");
  auto* const hint = leaf(
      sync, "hint",
      "Fetches single records from the provider, as a webhook would have it.  Example: garland sync hint "
      "con_... crm.project 01HX...",
      [this](Context with) { return hintSync(with, hint_, !no_wait_); });
  hint->add_option("CONNECTION", hint_.connection, "A connection's id (con_...)")->required();
  hint->add_option("KIND", hint_.kind, "Which kind of record, such as crm.project")->required();
  hint->add_option("ID", hint_.ids, "The provider's ids of the records")->required();
  hint->add_flag("--no-wait", no_wait_, "Start it and return at once");
  needId(leaf(sync, "status", "How a run (run_...) or a connection's last run (con_...) stands",
              [this](Context with) { return syncStatus(with, id_); }),
         "ID");
  auto* const retry = leaf(
      sync, "retry",
      "Lets the next sync try again what was set aside: of a record's writes (rec_..., with --vendor), or "
      "everything\nof a connection (con_...), also a pull that ended its worker",
      [this](Context with) { return retrySync(with, id_, vendor_); });
  needId(retry, "ID");
  retry->add_option("--vendor", vendor_, "The vendor's id, if ID is a record's");
}

void Grammar::addActions() {
  auto* const actions = group("actions", "What is to be done once: a payment, a message");
  auto* const run = leaf(
      actions, "run",
      "Has an operation of a connection done once, and says how it stands.  Under the same key it is never\n"
      "done again, so a command that was cut off can simply be repeated.  Exit code 1 with --wait: it "
      "failed,\n"
      "or nobody knows.  Example: garland actions run con_... payments.create/1 --key invoice-7 --input "
      "payment.json --wait",
      [this](Context with) { return runAction(with, action_); });
  run->add_option("CONNECTION", action_.connection)->required();
  run->add_option("OPERATION", action_.operation, "Such as payments.create/1")->required();
  run->add_option("--key", action_.key, "Your name for what is to be done once: an invoice's number, say")
      ->required();
  run->add_option("--input", action_.input, "JSON file with the input, - for standard input")->required();
  run->add_flag("--wait", action_.wait, "Return when it is done, has failed, or is unknown");
  auto* const list = leaf(actions, "ls", "Lists actions.  Example: garland actions ls --state unknown",
                          [this](Context with) { return listActions(with, actions_); });
  list->add_option("--vendor", actions_.vendor, "Only this vendor's");
  list->add_option("--connection", actions_.connection, "Only this connection's");
  list->add_option("--state", actions_.state, "waiting, sent, done, failed or unknown");
  list->add_option("--after", actions_.after, "Continue after this action");
  list->add_option("--limit", actions_.limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  needId(leaf(actions, "show", "How one stands, and what finds out an unknown one",
              [this](Context with) { return showAction(with, id_); }),
         "ID");
  auto* const settle = leaf(actions, "settle",
                            "Says what you found out at the provider about an unknown action; --not-applied "
                            "also calls off one that\n"
                            "waits.  Example: garland actions settle act_... --applied",
                            [this](Context with) { return settleAction(with, settle_); });
  settle->add_option("ID", settle_.id)->required();
  auto* const applied = settle->add_flag("--applied", settle_.applied, "It took place");
  settle->add_flag("--not-applied", settle_.not_applied, "It did not")->excludes(applied);
  settle->add_option("--output", settle_.output,
                     "JSON file with what the operation would have answered, - for standard input");
}

void Grammar::addRecords() {
  auto* const records = group("records", "A vendor's records, whichever provider holds them");
  auto* const list = leaf(records, "ls", "Lists records, page by page", [this](Context with) {
    page_.vendor = vendor_;
    return listRecords(with, page_);
  });
  needVendor(list);
  list->add_option("--kind", page_.kind, "Only this kind, such as calendar.event");
  list->add_option("--after", page_.after, "Continue after this record id");
  list->add_option("--limit", page_.limit, "Most records on a page")->check(CLI::Range(1, 1000));
  list->add_flag("--deleted", page_.deleted, "Deleted records too");
  auto* const show = leaf(records, "show", "Shows one record",
                          [this](Context with) { return showRecord(with, id_, vendor_); });
  needId(show, "ID");
  needVendor(show);
  auto* const edit = leaf(records, "edit",
                          "Edits members of a record.  Example: garland records edit rec_... --vendor "
                          "ven_... --set \"/title=Rehearsal\"",
                          [this](Context with) {
                            edit_.id = id_;
                            edit_.vendor = vendor_;
                            return editRecord(with, edit_);
                          });
  needId(edit, "ID");
  needVendor(edit);
  edit->add_option("--set", edit_.texts, "/MEMBER=TEXT")->allow_extra_args(false);
  edit->add_option("--set-json", edit_.values, "/MEMBER=JSON, for anything but text")
      ->allow_extra_args(false);
  auto* const add =
      leaf(records, "add",
           "Adds a record; the connection's next sync creates it at the provider.\n"
           "Example: echo '{\"uid\":\"tasting@studio\",\"title\":\"Menu "
           "tasting\",\"status\":\"confirmed\",\"busy\":true,"
           "\"start\":{\"date\":\"2026-06-13\"}}' |\n"
           "           garland records add --vendor ven_... --connection con_... -\n"
           "What belongs into it: garland schema calendar.event",
           [this](Context with) { return addRecord(with, vendor_, connection_, kind_, file_); });
  needVendor(add);
  add->add_option("--connection", connection_, "Where to create it")->required();
  add->add_option("--kind", kind_, "Its kind (garland schema lists them)")->capture_default_str();
  add->add_option("FILE", file_, "JSON file with the record's data, or - for standard input")->required();
  auto* const remove = leaf(records, "rm", "Deletes a record here, and with the next sync at the provider",
                            [this](Context with) { return removeRecord(with, id_, vendor_); });
  needId(remove, "ID");
  needVendor(remove);
  auto* const dates =
      leaf(records, "dates", "When an event takes place, recurrence and exceptions applied",
           [this](Context with) { return recordDates(with, id_, vendor_, from_, until_, zone_); });
  needId(dates, "ID");
  needVendor(dates);
  dates->add_option("--from", from_, "Such as 2026-06-01T00:00:00Z; now if not given");
  dates->add_option("--until", until_, "A year from now if not given");
  dates->add_option("--zone", zone_, "Zone of all-day and floating events")->capture_default_str();

  auto* const changes = leaf(&app_, "changes", "What changed, in order",
                             [this](Context with) { return listChanges(with, vendor_, after_); });
  needVendor(changes);
  changes->add_option("--after", after_, "Continue after this sequence number");
  needVendor(leaf(&app_, "conflicts", "Edits that met on both sides, and how each was decided",
                  [this](Context with) { return listConflicts(with, vendor_); }));
}

void Grammar::addTables() {
  auto* const out = leaf(group("export", "Records as files for other programs"), "csv",
                         "Writes a vendor's records of one kind as a table, a column for each value.\n"
                         "Example: garland export csv --vendor ven_... --kind crm.client --out clients.csv",
                         [this](Context with) { return exportCsv(with, export_); });
  out->add_option("--vendor", export_.vendor, "The vendor's id")->required();
  out->add_option("--kind", export_.kind, "crm.client, crm.lead, crm.project, calendar.event, ...")
      ->required();
  out->add_option("--out", export_.out, "The file; - for standard output")->required();
}

void Grammar::addMachine() {
  auto* const sandbox = group("sandbox", "What protects this machine from connectors");
  sandbox->add_subcommand("status", "Tries out what this machine offers and names the tier; needs no daemon")
      ->final_callback([this] { offline_ = [](Output& output) { return sandboxStatus(output); }; });
  auto* const doctors = app_.add_subcommand(
      "doctor",
      "Looks for what is wrong and says what to type.  Example: garland doctor --config garland.toml");
  doctors->add_option("--config", everywhere_.config, "garlandd's settings, to be checked too");
  doctors->final_callback([this] {
    key_optional_ = true;
    command_ = [this](Context with) { return doctor(with, place_); };
  });
  auto* const schemas = app_.add_subcommand(
      "schema", "Prints the JSON Schema of a kind of record, or lists the kinds.  Example: garland schema "
                "calendar.event");
  schemas->add_option("KIND", schema_kind_, "Such as calendar.event");
  schemas->final_callback(
      [this] { offline_ = [this](Output& output) { return recordSchema(output, schema_kind_); }; });
  auto* const completion = app_.add_subcommand(
      "completion", "Prints a completion script.  Example: source <(garland completion bash)");
  completion->add_option("SHELL", shell_, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  completion->final_callback([this] {
    offline_ = [this](Output& output) {
      output.line(completionScript(shell_));
      return Exit::ok;
    };
  });
}

void Grammar::addWebhooks() {
  auto* const webhooks = group("webhooks", "Signatures of what providers send; needs no daemon");
  webhooks->add_subcommand("schemes", "Lists the signature schemes that are known by name")
      ->final_callback([this] { offline_ = [](Output& output) { return listWebhookSchemes(output); }; });
  auto* const verify =
      webhooks->add_subcommand("verify", "Says whether a request is the provider's, and if not, why.\n"
                                         "Example: garland webhooks verify --scheme stripe --secret-file - "
                                         "--headers headers.txt --body body.json\n"
                                         "             --now 1760000000 < secret.txt\n"
                                         "Exit codes: 0 accept, 1 reject, 2 wrong usage");
  verify
      ->add_option("--scheme", webhook_.scheme,
                   "A name (garland webhooks schemes), or a file: a connector.json, or its \"webhooks\"")
      ->required();
  verify
      ->add_option(
          "--secret", webhook_.secrets,
          "The secret or public key; again for a second live one.  Every user of this machine can read\n"
          "it while the command runs, and the shell remembers it: for real ones use --secret-file")
      ->allow_extra_args(false);
  verify
      ->add_option("--secret-file", webhook_.secret_files, "File that holds the secret, - for standard input")
      ->allow_extra_args(false);
  verify->add_option("--headers", webhook_.headers, "File with a line \"Name: value\" for each header");
  verify->add_option("--body", webhook_.body, "File with the body, byte for byte; none if not given");
  verify->add_option("--now", webhook_.now, "The clock: seconds since 1970 or RFC 3339; now if not given");
  verify->add_option("--url", webhook_.url, "The webhook's address as it was registered with the provider");
  verify->add_option("--method", webhook_.method, "The request's method")->capture_default_str();
  verify->add_option("--certificate", webhook_.certificate,
                     "PEM file with the certificate, or its public key, that the request names");
  verify->add_option("--set", webhook_.parameters, "A value agreed on at registration, NAME=VALUE")
      ->allow_extra_args(false);
  verify->add_option("--seen", webhook_.seen, "What came before, for schemes that allow a token once")
      ->allow_extra_args(false);
  verify->final_callback(
      [this] { offline_ = [this](Output& output) { return verifyWebhook(output, webhook_); }; });
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
  auto* const dev = group("dev", "For writing connectors: run one operation by hand, replay a crash");
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

void Grammar::addTwins() {
  auto* const twin =
      group("twin", "Twins: deterministic stand-ins for providers, for tests and demonstrations");
  auto* const serve = twin->add_subcommand(
      "serve",
      "Serves the twin of a provider over HTTP, prints its address and its ledger's, and runs until SIGINT "
      "or\n"
      "SIGTERM.  Example: garland twin serve stripe --port 0 --seed 7 --volume 10000\n"
      "Under /_twin/ of its address: ledger, state, clock, edit (a change by somebody else), fault.\n"
      "Exit codes: 0 ended by a signal, 1 the twin died, 2 wrong usage, 3 the port is taken or no sandbox");
  serve->add_option("ID", twin_.id, "Such as stripe")->required();
  serve->add_option("--port", twin_.port, "0 for any free one")->check(CLI::Range(0, 65535));
  serve->add_option("--seed", twin_.seed, "What all of its randomness is made of")->capture_default_str();
  serve->add_option("--volume", twin_.volume, "How many records it begins with; the twin says of what")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}))
      ->capture_default_str();
  serve->add_option("--host", twin_.host, "A loopback address")->capture_default_str();
  serve->add_option(
      "--now", twin_.now,
      "Begin at this time (2026-06-13T12:00:00Z) and stand still until POST /_twin/clock moves it; "
      "else the clock is the real one");
  serve->add_option("--dir", twin_.dirs, "Folder with twins, instead of those installed");
  serve->add_option("--worker", twin_.worker, "Another garland-worker");
  serve->add_flag("--allow-degraded-sandbox", twin_.allow_degraded, "Run although this machine is tier D");
  serve->final_callback([this] { offline_ = [this](Output& output) { return serveTwin(output, twin_); }; });
  auto* const ledger = twin->add_subcommand(
      "ledger",
      "Prints what really happened at a served twin.  Example: garland twin ledger http://127.0.0.1:8123");
  ledger->add_option("ADDRESS", address_, "What `garland twin serve` printed")->required();
  ledger->add_option("--after", after_, "Only what came after this number");
  ledger->final_callback(
      [this] { offline_ = [this](Output& output) { return twinLedger(output, address_, after_); }; });
}

void Grammar::addPackages() {
  auto* const keys = group("keys", "Keys that packages and attestations are signed with");
  offline(keys, "new",
          "Makes an Ed25519 key: FILE, which nobody else may read, and FILE.pub.\n"
          "Example: garland keys new --out ~/.config/garland/publisher.key",
          [this](Output& output) { return makeKey(output, package_.out); })
      ->add_option("--out", package_.out, "Where the private key goes; never overwritten")
      ->required();
  auto* const pack =
      offline(&app_, "pack",
              "Makes a package (.gpk) of a built connector, its twin and its documents; the same files give "
              "the same\n"
              "bytes.  Example: garland pack build/plugins/com.example.crm --source . -o crm.gpk",
              [this](Output& output) { return makePackage(output, package_); });
  pack->add_option("DIR", package_.folder, "Folder with connector.json and connector.so")->required();
  pack->add_option("-o,--out", package_.out, "The package (default: ID-VERSION.gpk)");
  pack->add_option(
      "--source", package_.source,
      "Folder that README.md, CHANGELOG.md, LICENSE, icon.svg, docs/ and schemas/ are taken from");
  pack->add_option("--twin", package_.twin,
                   "Folder of the built twin (default: ../../twins/ID-twin, if there)");
  auto* const sign = offline(
      &app_, "sign",
      "Signs a package in place; its digest stays.  Example: garland sign crm.gpk --key publisher.key --as "
      "publisher",
      [this](Output& output) { return signPackageFile(output, package_); });
  sign->add_option("FILE", package_.file)->required();
  sign->add_option("--key", package_.key_file, "Private key, made by `garland keys new`")->required();
  sign->add_option("--as", package_.role, "publisher or marketplace")
      ->required()
      ->check(CLI::IsMember({"publisher", "marketplace"}));
  auto* const package = group("package", "Packages, looked at without running what is in them");
  offline(package, "show", "Shows what is in a package, and who signed it",
          [this](Output& output) { return showPackage(output, package_.file); })
      ->add_option("FILE", package_.file)
      ->required();
  auto* const verify = offline(package, "verify",
                               "Says whether a package is sound and, with --trust, whether it is certified.\n"
                               "Exit codes: 0 it is, 1 it is not, 2 wrong usage",
                               [this](Output& output) { return verifyPackage(output, package_); });
  verify->add_option("FILE", package_.file)->required();
  verify->add_option("--trust", package_.trust,
                     "File with a marketplace's public keys, one a line (a .pub file)");
}

} // namespace
} // namespace garland::cli

int main(int argc, char** argv) {
  try {
    garland::cli::Grammar grammar;
    return static_cast<int>(grammar.run(argc, argv));
  } catch (std::exception const& exception) {
    std::cerr << "garland: a bug ended this command: " << exception.what() << "\n";
    return static_cast<int>(garland::cli::Exit::environment);
  }
}
