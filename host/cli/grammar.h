// The grammar of the command line: which words there are, what they mean, and which function of commands.h
// runs. One file a theme: grammar_vendors.cpp, grammar_records.cpp, grammar_intake.cpp, grammar_webhooks.cpp,
// grammar_endpoints.cpp, grammar_keys.cpp, grammar_vault.cpp, grammar_backup.cpp, grammar_audit.cpp,
// grammar_privacy.cpp, grammar_authors.cpp, grammar_partners.cpp, grammar_certify.cpp.
#pragma once

#include "host/cli/commands.h"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace garland::cli {

// Options that every command takes; each has an environment variable.
struct Everywhere {
  std::string url, data_dir, config, key_file, ca_file;
  bool json = false;
};

// What a number of more digits is read as, CLI11 would not tell.
inline constexpr std::uint64_t kMostSeed = 1'000'000'000'000'000'000;

// Keeps what was typed, for one run.
class Grammar {
public:
  explicit Grammar(std::string version);
  Exit run(int argc, char** argv);

private:
  using Command = std::function<Exit(Context)>;

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
  // Which of a list: whose, in which state, after which one, how many.
  void addPageOptions(CLI::App* list, Page& page, std::string const& states, std::string const& after);

  // A command that needs no daemon.
  CLI::App* offline(CLI::App* parent, char const* name, char const* about,
                    std::function<Exit(Output&)> command) {
    auto* const added = parent->add_subcommand(name, about);
    added->final_callback([this, command = std::move(command)] { offline_ = command; });
    offline_commands_.insert(added);
    return added;
  }
  void askDaemonProgram();

  void addPlugins();
  void addVendors();
  void addConnections();
  void addConnectOptions(CLI::App* command);
  void addSync();
  void addActions();
  void addIntake();
  void addRecords();
  void addStream(CLI::App* parent, char const* name, char const* about);
  void addTables();
  void addMachine();
  void addWebhooks();
  void addInit();
  void addInvoke();
  void addRehearsalOptions(CLI::App* command, RehearsalWords& words);
  void addDeliveries();
  void addEndpoint(CLI::App* parent, char const* name, char const* about);
  void addOutlets();
  void addOutletOptions(CLI::App* command);
  void addSentDeliveries(CLI::App* all);
  void addKeys();
  void addNewSigningKey(CLI::App* parent, std::string const& remark);
  void addSessions();
  void addRoles();
  void addVault();
  void addBackup();
  void addPassphraseOptions(CLI::App* command);
  void addDev();
  void addTwins();
  void addPackages();
  void addCertify();
  void addAudit();
  void addPrivacy();
  void addCertifyOptions(CLI::App* command);
  void addDevOptions(CLI::App* command);

  CLI::App app_{"garland: keeps a wedding vendor's data the same everywhere.", "garland"};
  Everywhere everywhere_;
  Place place_;
  Command command_;
  std::function<Exit(Output&)> offline_;
  std::set<CLI::App const*> offline_commands_;
  bool key_optional_ = false;

  std::string id_, vendor_, name_, why_, by_, connection_, file_, from_, until_, shell_, schema_kind_;
  std::string zone_ = "UTC", kind_ = "calendar.event";
  std::int64_t after_ = 0;
  bool no_wait_ = false, allow_downgrade_ = false, discard_ = false, rotate_mailbox_ = false;
  ConnectWords connect_;
  std::vector<std::string> removed_settings_;
  bool again_credential_ = false;
  HintWords hint_;
  RecordEdit edit_;
  RecordPage page_;
  FollowWords follow_;
  ActionWords action_;
  Page actions_;
  SettleWords settle_;
  HookWords hook_;
  ImapWords imap_;
  Page items_;
  ImportWords import_;
  ExportWords export_;
  WebhookWords webhook_;
  InitWords init_;
  InvokeWords invoke_;
  WatchWords watch_;
  EndpointWords endpoint_;
  ReplayWords replay_;
  OutletWords outlet_;
  SentWords sent_;
  std::int64_t overlap_seconds_ = 86'400;
  bool from_now_ = false;
  KeyWords key_;
  Page keys_;
  Page sessions_;
  VaultWords vault_;
  BackupWords backup_;
  DevWords dev_;
  TwinWords twin_;
  PackageWords package_;
  CertifyWords certify_;
  AuditWords audit_;
  PrivacyWords privacy_;
  std::string token_;
  bool list_checks_ = false, markdown_ = false, list_templates_ = false;
  std::string address_;
};

} // namespace garland::cli
