#include "host/cli/grammar.h"

#include "host/access/access.h"
#include "host/base/file_text.h"
#include "host/base/userinfo.h"
#include "host/cli/daemon_check.h"
#include "host/cli/wrong_words.h"
#include "host/egress/egress.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <set>

namespace garland::cli {
namespace {

std::string environment(char const* name, std::string const& fallback) {
  auto const* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

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
  if (auto url = textOr(*ready, "/url", ""); !url.empty()) return url;
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

// "" if it can be used, or none is named. Later it would be taken for a daemon that does not answer.
std::string wrongAuthority(std::string const& ca_file) {
  if (ca_file.empty()) return {};
  auto const usable = egress::checkCaFile(ca_file);
  if (usable) return {};
  return usable.error().message +
         "; name a PEM file of certificate authorities with --ca-file or GARLAND_CA_FILE, or leave it out";
}

// Why it cannot be read; "" if nothing keeps this user from it. Of the daemon's own file more is known than
// of one that somebody keeps a key in.
std::string keyTrouble(std::string const& file) {
  bool const daemons = file.ends_with("/api.key");
  if (::access(file.c_str(), R_OK) != 0 && errno == EACCES)
    return "this user may not read the key file " + file +
           (daemons
                ? ", which is private to the user that runs garlandd: be that user, or have a key made of "
                  "your own (garland keys add)"
                : "");
  if (::access(file.c_str(), F_OK) != 0)
    return "there is no key file " + file + (daemons ? " (garlandd makes its own at its first start)" : "");
  return {};
}

// Reads an existing key file; never makes one, that is the daemon's to do.
Secret readKey(Place& place) {
  place.key_problem = keyTrouble(place.key_file);
  if (!place.key_problem.empty()) return {};
  SystemRandom random;
  auto key = access::openKeyFile(place.key_file, random);
  if (!key) {
    place.key_problem = key.error().message;
    return {};
  }
  place.key_read = true;
  return std::move(*key);
}

// Those that every command has, as far as they can come and are not told by the command itself.
std::string generalExitCodes(std::string const& told, bool offline) {
  bool const tells_one = told.find("Exit code 1") != std::string::npos;
  return std::string("Exit codes: 0 done, 1 ") + (tells_one ? "as said above" : "findings") +
         ", 2 wrong usage" + (offline ? "" : ", 3 no daemon or no key");
}

// Who tells exit codes of its own does not tell the general ones as well.
void tellExitCodes(CLI::App& app, std::set<CLI::App const*> const& offline) {
  for (auto* const command : app.get_subcommands([](CLI::App*) { return true; })) {
    auto const told = command->get_description() + command->get_footer();
    if (told.find("Exit codes: ") == std::string::npos)
      command->footer(generalExitCodes(told, offline.contains(command)));
    tellExitCodes(*command, offline);
  }
}

Exit wrongUsage(std::string const& sentence) {
  std::cerr << "garland: " << sentence << "\n";
  return Exit::usage;
}

} // namespace

Grammar::Grammar(std::string version) {
  everywhere_.url = environment("GARLAND_URL", "");
  everywhere_.data_dir = environment("GARLAND_DATA_DIR", "");
  everywhere_.key_file = environment("GARLAND_KEY_FILE", "");
  everywhere_.ca_file = environment("GARLAND_CA_FILE", "");
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.set_version_flag("--version", "garland " + version);
  app_.add_option(
      "--url", everywhere_.url,
      "Where garlandd listens (GARLAND_URL; default: its ready file, then http://127.0.0.1:7480)");
  app_.add_option("--data-dir", everywhere_.data_dir,
                  "garlandd's data folder (GARLAND_DATA_DIR; default: the key file's folder, then "
                  "garlandd's own default)");
  app_.add_option("--key-file", everywhere_.key_file,
                  "API key file (GARLAND_KEY_FILE; default: api.key in the data folder)");
  app_.add_option(
      "--ca-file", everywhere_.ca_file,
      "PEM file of certificate authorities that are trusted for garlandd's own certificate besides "
      "the system's (GARLAND_CA_FILE)");
  app_.add_flag("--json", everywhere_.json, "Answer with JSON");
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
  addInit();
  addInvoke();
  addDeliveries();
  addOutlets();
  addKeys();
  addSessions();
  addRoles();
  addVault();
  addBackup();
  addDev();
  addTwins();
  addPackages();
  addCertify();
  addAudit();
  addPrivacy();
  tellExitCodes(app_, offline_commands_);
  app_.footer(
      "garlandd syncs every connection by itself, as often as its connector says (CalDAV: every 15 "
      "minutes);\n"
      "`garland sync run` does it at once.\n"
      "Exit codes: 0 done, 1 findings, 2 wrong usage, 3 no daemon or no key.\n"
      "A first sync:  garland vendors add \"Studio\";  garland plugins enable caldav --vendor VENDOR;\n"
      "               garland connections connect caldav --vendor VENDOR --set url=https://... --username "
      "NAME;\n"
      "               garland sync run CONNECTION");
}

void Grammar::addPageOptions(CLI::App* list, Page& page, std::string const& states,
                             std::string const& after) {
  list->add_option("--vendor", page.vendor, "Only this vendor's");
  list->add_option("--connection", page.connection, "Only this connection's");
  list->add_option("--state", page.state, states);
  list->add_option("--after", page.after, after);
  list->add_option("--limit", page.limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

Exit Grammar::run(int argc, char** argv) {
  std::vector<std::string> const words(argv + 1, argv + argc);
  if (auto const wrong = wrongCommand(app_, words); !wrong.empty()) return wrongUsage(wrong);
  try {
    app_.parse(argc, argv);
  } catch (CLI::ExtrasError const&) {
    return wrongUsage(unknownWord(app_, words));
  } catch (CLI::ConversionError const& problem) {
    return wrongUsage(wrongNumber(problem.what()));
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
  if (auto const wrong = wrongAuthority(everywhere_.ca_file); !wrong.empty()) return wrongUsage(wrong);
  place_.data_dir = dataDir(everywhere_);
  place_.config = everywhere_.config;
  place_.key_file = everywhere_.key_file.empty() ? place_.data_dir + "/api.key" : everywhere_.key_file;
  auto key = readKey(place_);
  if (!place_.key_read && !key_optional_) {
    std::cerr << "garland: " << place_.key_problem << "; " << kNameAKey << "\n";
    return Exit::environment;
  }
  Client client(place_.url, std::move(key), everywhere_.ca_file);
  return command_(Context{client, output});
}

// Where nobody has said which data folder is meant, garlandd itself says which one it would take.
void Grammar::askDaemonProgram() {
  bool const said = !everywhere_.data_dir.empty() || !everywhere_.key_file.empty();
  place_.check = daemonCheck(said ? dataDir(everywhere_) : "", everywhere_.config);
  if (!said && place_.check) everywhere_.data_dir = textOr(*place_.check, "/data_dir", "");
}

} // namespace garland::cli
