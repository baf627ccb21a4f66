// Where a daemon keeps its things and how it tells others where it listens. The daemon is a program,
// not a library: whoever wants something from it reads <data_dir>/garlandd.json and asks over HTTP.
#pragma once

#include "host/audit/audit.h"
#include "host/base/result.h"

#include <optional>
#include <string>

namespace garland::daemon {

// $STATE_DIRECTORY (set by systemd), else $XDG_DATA_HOME/garland, else $HOME/.local/share/garland.
std::string defaultDataDir();
// /etc/garland/garland.toml, if it is there; else "".
std::string defaultConfigPath();

std::string keyPath(std::string const& data_dir);       // the API key: <data_dir>/api.key
std::string masterKeyPath(std::string const& data_dir); // of the vault: <data_dir>/master.key
std::string readyPath(std::string const& data_dir);     // <data_dir>/garlandd.json
std::string lockPath(std::string const& data_dir);      // held while a daemon runs on the folder

// Written when the daemon listens, removed when it stops.
struct ReadyFile {
  int pid = 0;
  std::string address;
  unsigned short port = 0;
  std::string url;              // how this machine reaches it: "https://localhost:7480"
  unsigned short mail_port = 0; // 0: no mail is taken
  std::string mail_address;
  std::string mail_domain;
};

// The audit chain's newest checkpoint, remembered in <data_dir>/audit.mark: whoever cuts the chain's end off
// in the database has to change this file as well. No file, or one that cannot be read: Mark().
audit::Mark readAuditMark(std::string const& data_dir);
Result<void> writeAuditMark(std::string const& data_dir, audit::Mark const& mark);

// Its time is that of the newest backup, whoever made it: <data_dir>/backup.stamp.
std::string backupStampPath(std::string const& data_dir);
Result<void> noteBackup(std::string const& data_dir, std::string const& backup_id);

// "127.0.0.1:2525", "[::1]:2525"
std::string placeOf(std::string const& address, unsigned short port);

// notFound if no daemon says it is running there.
Result<ReadyFile> readReadyFile(std::string const& data_dir);
Result<void> writeReadyFile(std::string const& data_dir, ReadyFile const& file);
void removeReadyFile(std::string const& data_dir);

} // namespace garland::daemon
