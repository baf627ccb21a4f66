// garland.toml: every setting of the daemon, with its default and what is allowed.
#pragma once

#include "host/api/api.h"
#include "host/base/log.h"
#include "host/nats/nats.h"
#include "host/notify/notify.h"
#include "host/runtime/runtime.h"
#include "host/sync/sync.h"
#include "host/vault/vault.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace garland::daemon {

struct Config {
  std::string address = "127.0.0.1";
  unsigned short port = 7480;
  std::size_t clients = 256;              // of the HTTP interface, connected at once
  api::TlsFiles tls;                      // of the HTTP interface; certificate "": none
  bool clear_text_to_proxy = false;       // beyond loopback without TLS
  api::OidcSettings oidc;                 // where people sign in; issuer "": nowhere
  access::SessionTimes sessions;          // of those who did
  std::string data_dir;                   // resolved: never empty once loaded
  std::string database_url;               // resolved
  std::string database_place;             // "FILE:LINE:COLUMN: " that says so; empty: the default
  bool database_alone = false;            // no other daemon may be on a PostgreSQL database
  nats::Options carrier;                  // servers "": daemons tell each other by the database
  std::vector<std::string> plugin_dirs;   // empty: beside the program
  std::string worker_path;                // empty: beside the program
  vault::KeySource master_key;            // seals; resolved
  std::vector<vault::KeySource> old_keys; // open only
  bool development = false;               // builds may change under one version, packages lack attestations
  std::vector<std::string> trust;         // public keys of marketplaces whose attestations count
  std::string revocations;                // file; resolved; empty: none
  bool allow_degraded_sandbox = false;
  runtime::Isolation isolation = runtime::Isolation::plugin;
  std::map<std::string, runtime::Isolation> isolation_of; // by plugin id
  Milliseconds idle{600'000};
  Milliseconds idle_vendor{60'000};
  std::size_t memory = 256U << 20U;            // of each worker, bytes
  std::uint64_t min_free_bytes = 256U << 20U;  // on the disk of a SQLite file
  sync::Storage limits = sync::kDefaultLimits; // of each connection
  sync::RunsAtOnce runs;
  std::map<std::string, sync::RequestRates> requests; // by plugin id
  Milliseconds actions_kept = sync::kActionsKept;
  sync::KeptFor kept_for;
  std::int64_t audit_rows = 1'000;  // of the audit chain, between two checkpoints
  Milliseconds audit_every{60'000}; // the longest time between them
  notify::Limits endpoints;         // that are told what has changed
  api::StreamOptions streams;       // of those who follow the changes
  std::string hooks_url;            // where the world reaches /hooks/; empty: at our own address
  std::string extra_ca_file;        // empty: the system's certificates only
  std::string mail_address;         // empty: no mail is taken
  unsigned short mail_port = 0;
  std::string mail_domain = "localhost";
  std::string mail_certificate; // PEM; empty: no STARTTLS
  std::string mail_certificate_key;
  Milliseconds mail_visit_every{300'000}; // vendors' mailboxes
  LogLevel log_level = LogLevel::info;
  std::string settings_file; // that was read; empty: none
};

// Whether other daemons may be on its database: a SQLite file has one.
bool isShared(Config const& config);

// "FILE:LINE:COLUMN: what is wrong and what is allowed"
struct LoadedConfig {
  Config config;
  std::vector<std::string> problems;
  bool file_was_read = true; // false: the first problem says why
};

// What the command line says; it wins over the file.
struct Overrides {
  std::string database_url;
  std::string data_dir;
  int port = -1; // -1: not given
};

// Reads all of it and reports every problem. `path` "": no file, only defaults.
LoadedConfig loadConfig(std::string const& path, Overrides const& overrides);
// The same for a text; relative paths in it are taken from `folder`.
LoadedConfig parseConfig(std::string_view text, std::string const& name, std::string const& folder,
                         Overrides const& overrides);

// "[section] key" and its default as TOML text, for the example file and its test.
struct SettingDoc {
  std::string section;
  std::string key;
  std::string default_text;
};
std::vector<SettingDoc> settings();

} // namespace garland::daemon
