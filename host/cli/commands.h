// One function for each thing a person can ask for; the grammar in main.cpp calls them.
#pragma once

#include "certification/certification.h"
#include "host/cli/client.h"
#include "host/cli/output.h"

#include <optional>
#include <string>
#include <vector>

namespace garland::cli {

struct Context {
  Client& client;
  Output& output;
};

// Which of a list is asked for; "" = all.
struct Page {
  std::string vendor;
  std::string connection;
  std::string state;
  std::string after; // the id that it goes on after
  int limit = 100;
};

// What ends every trouble with a key: the daemon's own, and those that were made with `garland keys add`.
inline constexpr char const* kNameAKey =
    "name a file with one of its keys with --key-file or GARLAND_KEY_FILE (its first one is api.key in its "
    "data folder)";

// Where the daemon and its key were looked for; the doctor tells of it.
struct Place {
  std::string url;
  std::string data_dir;
  std::string config; // garlandd's settings, "" = its default
  std::string key_file;
  bool key_read = false;
  std::string key_problem;   // why the key could not be read
  Result<json::value> check; // what garlandd --check said; for the doctor only
};

// commands_setup.cpp
struct ConnectWords {
  std::string plugin;
  std::string vendor;
  std::vector<std::string> settings; // "NAME=VALUE"
  std::string username;
  bool password_from_stdin = false;
  bool allow_private_network = false;
  bool device = false; // the sign-in is on another device
};
Exit listPlugins(Context with);
Exit rescanPlugins(Context with, bool allow_downgrade);
Exit releasePlugin(Context with, std::string const& id);
// What the daemon answered to a change of what is installed. 1 if something was not taken over.
Exit tellAdoptions(Context with, Result<json::value> const& answer);
Exit showPlugin(Context with, std::string const& id);
Exit enablePlugin(Context with, std::string const& id, std::string const& vendor);
Exit disablePlugin(Context with, std::string const& id, std::string const& vendor);
Exit listVendors(Context with);
Exit addVendor(Context with, std::string const& name);
Exit listConnections(Context with, std::string const& vendor);
Exit showConnection(Context with, std::string const& id);
Exit connectAccount(Context with, ConnectWords const& words);
// What is said of an account that was connected before; connecting it again does not resume it.
std::string reconnectedAs(json::value const& connection, bool signs_in);
// Prints the address where somebody signs in at the provider, or a code and where it is typed.
Exit authorizeAccount(Context with, ConnectWords const& words);
// What somebody needs who signs in on another device.
void tellDevice(Output& output, json::value const& authorization);
Exit showAuthorization(Context with, std::string const& id, std::string const& vendor);
// `settings`: "NAME=VALUE"; `removed`: "NAME".
// Asks for the credential, too, if it is to be replaced.
Exit changeSettings(Context with, std::string const& id, ConnectWords const& words, bool credential,
                    std::vector<std::string> const& removed);
Exit disconnect(Context with, std::string const& id, bool discard);
Exit confirmDeletes(Context with, std::string const& id);
// Exit code 1: the account cannot be reached, or is another one.
Exit testConnection(Context with, std::string const& id);
Exit rotateConnection(Context with, std::string const& id);
Exit revokeConnection(Context with, std::string const& id);
Exit pauseConnection(Context with, std::string const& id);
Exit resumeConnection(Context with, std::string const& id);
Exit resyncConnection(Context with, std::string const& id);
Exit openMailbox(Context with, std::string const& connection, bool rotate);
struct ImapWords {
  std::string connection, url, folder, user; // url "": what is there is shown
  bool password_from_stdin = false, stop = false;
};
Exit watchMailbox(Context with, ImapWords const& words);

// commands_sync.cpp
Exit runSync(Context with, std::string const& connection, bool wait);
struct HintWords {
  std::string connection;
  std::string kind; // "crm.project"
  std::vector<std::string> ids;
};
Exit hintSync(Context with, HintWords const& words, bool wait);
Exit syncStatus(Context with, std::string const& id);
Exit retrySync(Context with, std::string const& record, std::string const& vendor);
// Where a record's edit goes, in words: "the next sync of con_... writes it".
std::string whatWaits(json::value const& record);

// commands_actions.cpp
struct ActionWords {
  std::string connection;
  std::string operation;
  std::string key;
  std::string input; // file, "-": standard input
  bool wait = false;
};
Exit runAction(Context with, ActionWords const& words);
Exit listActions(Context with, Page const& page);
Exit showAction(Context with, std::string const& id);
struct SettleWords {
  std::string id;
  bool applied = false, not_applied = false; // one of them
  std::string output;                        // file; "": what the provider answered is not known
};
Exit settleAction(Context with, SettleWords const& words);

// commands_intake.cpp
struct HookWords {
  std::string connection;
  bool rotate = false, unsigned_ = false;
  std::string scheme; // a name, or a file
  bool secret_from_stdin = false;
};
Exit openHook(Context with, HookWords const& words);
Exit listItems(Context with, Page const& page);
Exit showItem(Context with, std::string const& id);
Exit retryItem(Context with, std::string const& id); // or of a connection all that wait
Exit acceptItem(Context with, std::string const& id,
                std::string const& by); // by "": whoever is signed in here
Exit dismissItem(Context with, std::string const& id, std::string const& why);

// commands_deliveries.cpp
struct EndpointWords {
  std::string connection;
  bool asks_secret = false, secret_from_stdin = false, rotate = false;
  std::string name;
  std::vector<std::string> parameters; // "NAME=VALUE"
};
struct ReplayWords {
  std::string id; // or:
  std::string connection, state, from, until;
};
Exit setUpWebhook(Context with, EndpointWords const& words);
Exit listDeliveries(Context with, Page const& page);
Exit showDelivery(Context with, std::string const& id);
Exit replayDeliveries(Context with, ReplayWords const& words);
Exit retryDead(Context with, std::string const& id); // or of a connection all that are dead
Exit dropDelivery(Context with, std::string const& id, std::string const& why);

// commands_endpoints.cpp: here an outlet, since what webhooks come in at is an endpoint, too
struct OutletWords {
  std::string id, vendor, url;
  std::optional<std::string> description; // none: as it is; "": it has none any more
  std::vector<std::string> events;
  bool all_events = false;
  std::optional<bool> ordered, allow_private_network; // none: as it is
  std::int64_t after = -1;                            // below 0: from now on
};
struct SentWords {
  std::string id;       // of the endpoint
  std::string delivery; // or:
  std::string state, from, until;
  std::int64_t after = 0;
  int limit = 100;
};
// What the words ask the daemon for.
json::object outletBody(OutletWords const& words);
// What a person has to know of an endpoint, and what to type next. findings: it is disabled.
Exit tellOutlet(Output& output, json::value const& endpoint);
Exit addOutlet(Context with, OutletWords const& words);
Exit listOutlets(Context with, std::string const& vendor); // "" = all
Exit showOutlet(Context with, std::string const& id);
Exit changeOutlet(Context with, OutletWords const& words);
Exit removeOutlet(Context with, std::string const& id);
Exit enableOutlet(Context with, std::string const& id, bool from_now);
Exit disableOutlet(Context with, std::string const& id, std::string const& why);
Exit rotateOutlet(Context with, std::string const& id, std::int64_t overlap_seconds);
Exit listSent(Context with, SentWords const& words);
Exit resendSent(Context with, SentWords const& words);

// commands_records.cpp
struct RecordPage {
  std::string vendor;
  std::string kind;
  std::string after;
  int limit = 100;
  bool deleted = false;
};
struct RecordEdit {
  std::string id;
  std::string vendor;
  std::vector<std::string> texts;  // "/MEMBER=TEXT"
  std::vector<std::string> values; // "/MEMBER=JSON"
};
// All of a file, or of standard input for "-".
Result<json::value> readJsonFile(std::string const& file);
Exit listRecords(Context with, RecordPage const& page);
Exit showRecord(Context with, std::string const& id, std::string const& vendor);
Exit editRecord(Context with, RecordEdit const& edit);
Exit addRecord(Context with, std::string const& vendor, std::string const& connection,
               std::string const& kind, std::string const& file);
Exit removeRecord(Context with, std::string const& id, std::string const& vendor);
// Empty `from`: now; empty `until`: a year from now.
Exit recordDates(Context with, std::string const& id, std::string const& vendor, std::string from,
                 std::string until, std::string const& zone);
// commands_follow.cpp
struct FollowWords {
  std::string vendor;
  std::vector<std::string> kinds; // empty: all
  std::string wedding;            // record id; "": all
  std::int64_t after = -1;        // below 0: from now on
  std::int64_t count = 0;         // ends after so many; 0: never
};
// Returns when `count` is reached, or what is asked for is refused.
Exit followStream(Context with, FollowWords const& words);

// commands_records.cpp
Exit listChanges(Context with, std::string const& vendor, std::int64_t after, int limit);
Exit listConflicts(Context with, std::string const& vendor);

// commands_csv.cpp
struct ImportWords {
  std::string connection;
  std::string file; // "-": standard input
  std::string kind; // "": whatever the connector finds
  bool dry_run = false, skip_uneven = false, wait = true;
};
Exit importCsv(Context with, ImportWords const& words);
struct ExportWords {
  std::string vendor;
  std::string kind;
  std::string connection; // only its records; "": all of the vendor
  std::string out;        // "-": standard output
  std::string mapping;    // file; "": a column for each value of the schema
};
Exit exportCsv(Context with, ExportWords const& words);

// commands_init.cpp
struct InitWords {
  std::string name;
  std::string kind = "crm-oauth2"; // the template
  std::string id;                  // "": example.NAME
  std::string folder;              // "": NAME
};
Exit initConnector(Output& output, InitWords words);
Exit listTemplates(Output& output);

// commands_invoke.cpp
struct RehearsalWords {
  std::string dir; // the connector's folder; "": this one
  std::uint64_t seed = 1;
  std::int64_t volume = -1; // below 0: as certification.json says
  std::string worker;
  bool allow_degraded = false;
};
struct InvokeWords {
  std::string operation;
  std::string input; // file, "-": standard input; "": as certification.json says
  bool twin = false;
  RehearsalWords rehearsal;
};
// For the built connector in that folder.
Result<certification::RehearsalOptions> rehearsalOptions(RehearsalWords const& words);
Exit invokeOperation(Output& output, InvokeWords const& words);

// commands_watch.cpp
struct WatchWords {
  RehearsalWords rehearsal;
  int port = 0;
  bool once = false;
};
Exit watchConnector(Output& output, WatchWords const& words);

// commands_dev.cpp
struct DevWords {
  std::string plugin; // folder or shared object
  std::string operation;
  std::string capsule; // set: replay it
  std::string sandbox = "on";
  bool in_process = false; // the same as sandbox "off"
  std::string input;
  std::string account;
  std::string answers;
  std::string worker;
  int deadline = 0; // seconds; 0: the usual
  bool wait_debugger = false;
  bool allow_degraded = false;
};
// Does not return if the program that does it can be started.
Exit runDev(Output& output, DevWords const& dev);

// commands_package.cpp
struct PackageWords {
  std::string file;        // X.gpk
  std::string folder;      // to pack
  std::string source;      // README.md and the like
  std::string twin;        // folder of the built twin
  std::string out;         // "": ID-VERSION.gpk
  std::string key_file;    // private
  std::string role;        // "publisher" or "marketplace"
  std::string trust;       // file of public keys
  std::string revocations; // file; "": none
};
Exit makeKey(Output& output, std::string const& file);
Exit makePackage(Output& output, PackageWords const& words);
Exit signPackageFile(Output& output, PackageWords const& words);
Exit showPackage(Output& output, std::string const& file);
Exit verifyPackage(Output& output, PackageWords const& words);
Exit installPlugin(Context with, Place const& place, std::string const& file);

// commands_vault.cpp
struct VaultWords {
  std::string file;
  std::string passphrase_file; // "": asked for, unless
  int passphrase_fd = -1;
};
// findings: secrets cannot be opened, or cannot be moved.
Exit vaultStatus(Context with);
Exit rekeyVault(Context with, bool wait);
Exit exportVault(Context with, Place const& place, VaultWords const& words);
Exit importVault(Context with, Place const& place, VaultWords const& words);
// What of a status a person has to know.
Exit tellVault(Output& output, json::value const& status);
void tellImported(Output& output, json::value const& answer);

// commands_backup.cpp
struct BackupWords {
  std::string file;
  std::string passphrase_file; // "": asked for, unless
  int passphrase_fd = -1;
  std::string data_dir, config, database; // of the host that is made; "": garlandd's choice
};
Exit makeBackup(Context with, Place const& place, BackupWords const& words);
// findings: it is damaged, or was changed.
Exit verifyBackup(Output& output, BackupWords const& words);
// Becomes garlandd.
Exit restoreBackup(Output& output, BackupWords const& words);

// commands_keys.cpp
struct KeyWords {
  std::string id;
  std::string name, role, vendor;
  std::int64_t life_days = 365;
  std::int64_t overlap_seconds = 86'400;
};
// The text of a key is printed where it is made, and never again.
Exit addKey(Context with, KeyWords const& words);
Exit listKeys(Context with, Page const& page);
Exit rotateKey(Context with, KeyWords const& words);
Exit revokeKey(Context with, std::string const& id);
Exit showRoles(Context with, bool markdown);
Exit listSessions(Context with, Page const& page);
Exit endSession(Context with, std::string const& id);
void tellKey(Output& output, json::value const& key);
void tellRevoked(Output& output, json::value const& key); // and the key that it was rotated to
void tellMatrix(Output& output, json::value const& matrix);
// The page of sdk-docs.
std::string rolesPage(json::value const& matrix);
// Of one that was ended.
void tellSession(Output& output, json::value const& session);

// commands_privacy.cpp
struct PrivacyWords {
  std::vector<std::string> person; // addresses, numbers, names of one; empty: all of the vendor
  std::string vendor;
  std::string out;     // of an export
  std::string receipt; // file; "": standard output
  std::string key;     // or the file that holds it
  bool sure = false;
};
Exit exportPrivacy(Context with, Place const& place, PrivacyWords const& words);
// findings: something was kept or is under way.
Exit erasePrivacy(Context with, PrivacyWords const& words);
Exit verifyReceipt(Output& output, PrivacyWords const& words);
// What of a receipt a person has to know.
Exit tellReceipt(Output& output, json::value const& receipt);

// commands_webhooks.cpp
struct WebhookWords {
  std::string scheme; // a preset's name, or a file
  std::vector<std::string> secrets;
  std::vector<std::string> secret_files; // "-": standard input
  std::string headers;
  std::string body;
  std::string now; // empty: the clock's
  std::string url;
  std::string method = "POST";
  std::string certificate;
  std::vector<std::string> parameters; // "NAME=VALUE"
  std::vector<std::string> seen;       // what came before
};
Exit verifyWebhook(Output& output, WebhookWords const& words);
Exit listWebhookSchemes(Output& output);

// commands_twin.cpp
struct TwinWords {
  std::string id;
  int port = 0;
  std::int64_t seed = 1;
  std::int64_t volume = 0;
  std::string host = "127.0.0.1";
  std::string now; // where a virtual clock begins; "": real time
  std::vector<std::string> dirs;
  std::string worker;
  bool allow_degraded = false;
};
// Returns when a signal ended it, or when the twin died.
Exit serveTwin(Output& output, TwinWords const& words);
Exit twinLedger(Output& output, std::string address, std::int64_t after);

// commands_certify.cpp
struct CertifyWords {
  std::string path; // folder or shared object
  std::string level = "bronze";
  std::string profile = "standard";
  std::uint64_t seed = 1;
  std::vector<std::string> only;
  std::string only_case;
  std::string report; // folder; "": no files
  std::vector<std::string> twin_dirs;
  std::string worker;
  unsigned jobs = 0;
  bool allow_degraded = false;
};
Exit certify(Output& output, CertifyWords const& words);
Exit listChecks(Output& output, bool markdown);

// commands_audit.cpp
struct AuditWords {
  std::string file;       // an export; "": the daemon is asked
  std::string key;        // "ed25519:...", or a file
  std::string checkpoint; // "NUMBER:HASH"; "": what the daemon remembers
  std::string out;        // "": standard output
  std::string text;       // of a pseudonym
};
Exit verifyAuditFile(Output& output, AuditWords const& words);
Exit verifyAudit(Context with, AuditWords const& words);
Exit exportAudit(Context with, AuditWords const& words);
Exit auditKey(Context with);
Exit auditPseudonym(Context with, std::string const& text);

// commands_machine.cpp
Exit sandboxStatus(Output& output);
// Empty `kind`: lists them.
Exit describe(Output& output, std::string const& kind);
Exit doctor(Context with, Place const& place);

} // namespace garland::cli
