// Paths, and the small file by which the command-line tool finds a running daemon.
#include "host/daemon/daemon.h"

#include "host/base/file_text.h"
#include "host/base/json.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace garland::daemon {

namespace fs = std::filesystem;

namespace {

std::string environment(char const* name) {
  char const* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Whole or not at all for whoever reads it.
Result<void> writeWhole(std::string const& path, json::object const& document) {
  auto const fresh = path + ".new";
  std::ofstream out(fresh, std::ios::trunc);
  out << json::serialize(document) << '\n';
  out.close();
  std::error_code code;
  if (out) fs::rename(fresh, path, code);
  if (!out || code)
    return Error(ErrorKind::hostLimit, "cannot write " + path + ": is the disk full or read-only?");
  return {};
}

std::string auditMarkPath(std::string const& data_dir) { return data_dir + "/audit.mark"; }

} // namespace

std::string defaultDataDir() {
  // systemd gives a list if the unit names several folders; the first is ours.
  if (auto const state = environment("STATE_DIRECTORY"); !state.empty())
    return state.substr(0, state.find(':'));
  if (auto const data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/garland";
  auto const home = environment("HOME");
  return (home.empty() ? std::string("/var/lib") : home + "/.local/share") + "/garland";
}

std::string defaultConfigPath() {
  std::string const path = "/etc/garland/garland.toml";
  std::error_code ignored;
  return fs::exists(path, ignored) ? path : std::string();
}

std::string keyPath(std::string const& data_dir) { return data_dir + "/api.key"; }
std::string masterKeyPath(std::string const& data_dir) { return data_dir + "/master.key"; }
std::string readyPath(std::string const& data_dir) { return data_dir + "/garlandd.json"; }
std::string lockPath(std::string const& data_dir) { return data_dir + "/garlandd.lock"; }

std::string placeOf(std::string const& address, unsigned short port) {
  bool const bare_ipv6 = address.find(':') != std::string::npos;
  return (bare_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Result<ReadyFile> readReadyFile(std::string const& data_dir) {
  auto const path = readyPath(data_dir);
  auto text = readFileText(path);
  if (!text)
    return Error(ErrorKind::notFound, "no daemon runs on " + data_dir + " (" + text.error().message + ")");
  TRY(value, parseJson(*text));
  TRY(address, textAt(value, "/address"));
  TRY(port, integerAt(value, "/port"));
  ReadyFile file;
  file.pid = static_cast<int>(integerOr(value, "/pid", 0));
  file.address = address;
  file.port = static_cast<unsigned short>(port);
  file.url = textOr(value, "/url", "");
  file.mail_port = static_cast<unsigned short>(integerOr(value, "/mail_port", 0));
  file.mail_address = textOr(value, "/mail_address", "");
  file.mail_domain = textOr(value, "/mail_domain", "");
  return file;
}

Result<void> writeReadyFile(std::string const& data_dir, ReadyFile const& file) {
  return writeWhole(readyPath(data_dir), json::object{{"pid", file.pid},
                                                      {"address", file.address},
                                                      {"port", file.port},
                                                      {"url", file.url},
                                                      {"mail_port", file.mail_port},
                                                      {"mail_address", file.mail_address},
                                                      {"mail_domain", file.mail_domain}});
}

audit::Mark readAuditMark(std::string const& data_dir) {
  auto const text = readFileText(auditMarkPath(data_dir));
  auto const value = text ? parseJson(*text) : Result<json::value>(text.error());
  if (!value) return {};
  return audit::Mark{integerOr(*value, "/number", 0), textOr(*value, "/hash", "")};
}

Result<void> writeAuditMark(std::string const& data_dir, audit::Mark const& mark) {
  return writeWhole(auditMarkPath(data_dir), json::object{{"number", mark.number}, {"hash", mark.hash}});
}

std::string backupStampPath(std::string const& data_dir) { return data_dir + "/backup.stamp"; }

Result<void> noteBackup(std::string const& data_dir, std::string const& backup_id) {
  return writeWhole(backupStampPath(data_dir), json::object{{"backup", backup_id}});
}

void removeReadyFile(std::string const& data_dir) {
  std::error_code ignored;
  fs::remove(readyPath(data_dir), ignored);
}

} // namespace garland::daemon
