#include "host/daemon/weaknesses.h"

#include "host/base/file_text.h"
#include "host/daemon/config_together.h"
#include "host/daemon/daemon.h"
#include "host/daemon/process.h"
#include "host/egress/egress.h"

#include <sys/stat.h>
#include <sys/timex.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

namespace garland::daemon {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kDay{86'400'000};
constexpr int kDaysToRenew = 14;  // a certificate that ends sooner should have been renewed
constexpr int kDaysOfBackup = 7;  // and a backup that is older should have been made again
constexpr std::uint64_t kRoom{4}; // times the bytes that stay free: what a daemon needs for a while

Finding good(std::string check, std::string message) {
  return {std::move(check), true, std::move(message), "", false};
}
Finding weak(std::string check, std::string message, std::string fix) {
  return {std::move(check), true, std::move(message), std::move(fix), true};
}
Finding bad(std::string check, std::string message, std::string fix) {
  return {std::move(check), false, std::move(message), std::move(fix), false};
}

std::string dayOf(TimePoint at) { return rfc3339(at).substr(0, 10); }

// ---------------------------------------------------------------- keys

Finding checkPlaceOfKey(Config const& config) {
  constexpr char const* check = "place of the master key";
  constexpr std::string_view sqlite = "sqlite:";
  bool const both_files = config.master_key.kind == vault::KeySource::Kind::file &&
                          std::string_view(config.database_url).starts_with(sqlite);
  if (!both_files) return good(check, "it is not beside the database");
  std::error_code ignored;
  auto const folderOf = [&](std::string const& file) {
    return fs::weakly_canonical(fs::path(file), ignored).parent_path();
  };
  auto const folder = folderOf(config.master_key.name);
  if (folder != folderOf(config.database_url.substr(sqlite.size())))
    return good(check, "it is not beside the database");
  return weak(check,
              "the master key and the database are both in " + folder.string() +
                  ", so one copy of that folder opens every stored credential",
              "stop garlandd, mv " + config.master_key.name +
                  " /etc/garland/master.key, set [vault] master_key to that, and back the two up apart");
}

Finding checkOldKeys(Config const& config) {
  constexpr char const* check = "old master keys";
  if (config.old_keys.empty()) return good(check, "none opens anything any more");
  return weak(
      check,
      std::to_string(config.old_keys.size()) +
          " still open what was sealed under them; a key that has leaked goes on counting",
      "garland vault rekey, and when `garland vault status` says that it is done take them out of [vault] "
      "old_keys");
}

// ---------------------------------------------------------------- the network

// A certificate's key is the certificate for whoever reads it.
bool othersMayRead(std::string const& file) {
  struct stat info{};
  return ::stat(file.c_str(), &info) == 0 && (info.st_mode & 07U) != 0;
}

bool groupMayRead(std::string const& file) {
  struct stat info{};
  return ::stat(file.c_str(), &info) == 0 && (info.st_mode & 070U) != 0;
}

Finding checkCertificate(Config const& config, TimePoint now) {
  constexpr char const* check = "TLS";
  auto const facts = api::examineCertificate(config.tls);
  if (!facts) return bad(check, facts.error().message, "correct [tls], or have the certificate made again");
  auto const ends = dayOf(facts->ends);
  auto const renew = "have it renewed, then: systemctl reload garlandd";
  if (facts->ends <= now) return bad(check, "the certificate has ended on " + ends, renew);
  if (facts->begins > now)
    return bad(check, "the certificate begins on " + dayOf(facts->begins),
               "correct this machine's clock, or have the certificate made again");
  if (othersMayRead(config.tls.key))
    return weak(check, config.tls.key + " can be read by everybody on this machine",
                "chmod o= " + config.tls.key);
  if (facts->ends - now < kDaysToRenew * kDay) return weak(check, "the certificate ends on " + ends, renew);
  return good(check, "the certificate ends on " + ends);
}

Finding checkTls(Config const& config, TimePoint now) {
  if (config.tls.certificate.empty() != config.tls.key.empty())
    return bad("TLS", "a certificate is of no use without its key, nor a key without its certificate",
               "set both certificate and key of [tls], or neither");
  if (!config.tls.certificate.empty()) return checkCertificate(config, now);
  if (isLoopback(config.address)) return good("TLS", "only this machine reaches " + config.address);
  return weak("TLS",
              "API keys and vendors' data go in the clear to " + config.address +
                  ": whoever listens on that network reads them",
              config.clear_text_to_proxy ? "set [tls] certificate and key, and take clear_text_to_proxy out"
                                         : "set [tls] certificate and key");
}

Finding checkSignIn(Config const& config) {
  constexpr char const* check = "sign-in of people";
  constexpr Milliseconds kLongDay{24 * 3'600'000};
  auto const& oidc = config.oidc;
  if (oidc.issuer.empty()) return good(check, "nobody signs in; programs come with API keys");
  auto const& secret = oidc.client_secret_file;
  std::error_code failed;
  if (!secret.empty() && fs::status(secret, failed).type() == fs::file_type::not_found)
    return bad(check, secret + " is not there, so nobody can sign in",
               "write the client's secret into it (mode 0600), or correct [oidc] client_secret_file");
  if (!secret.empty() && othersMayRead(secret))
    return bad(check, secret + " can be read by everybody on this machine",
               "chmod 600 " + secret + ", and have the provider make another secret");
  if (!secret.empty() && groupMayRead(secret))
    return bad(check, secret + " can be read by its group, so it is refused and nobody can sign in",
               "chmod 600 " + secret);
  if (oidc.issuer.starts_with("http://") || oidc.public_url.starts_with("http://"))
    return weak(check, "it goes in the clear, which is for trying it out on one machine only",
                "set [oidc] issuer and public_url to https addresses");
  if (config.sessions.life > kLongDay)
    return weak(check, "whoever left goes on for more than a day after the provider has shut them out",
                "set [oidc] session_minutes to 1440 at most");
  if (!config.hooks_url.empty() && !egress::haveSameOrigin(config.hooks_url, oidc.public_url))
    return weak(check,
                "what people begin at " + oidc.public_url + " to sign in to a provider ends at " +
                    config.hooks_url + ", where no browser shows their session: another one may end it",
                "set [hooks] public_url and [oidc] public_url to one address");
  return good(check, "people sign in at " + oidc.issuer);
}

// The value of a parameter of a PostgreSQL URL, the last one if there are several; "" if it is not there.
std::string parameterOf(std::string const& url, std::string const& name) {
  auto const query = url.find('?');
  std::string out;
  for (auto at = query; at != std::string::npos; at = url.find('&', at + 1))
    if (url.compare(at + 1, name.size() + 1, name + "=") == 0) {
      auto const begin = at + name.size() + 2;
      out = url.substr(begin, url.find('&', begin) - begin);
    }
  return out;
}

std::vector<std::string> split(std::string const& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= list.size();) {
    auto const end = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// "host", "host:5432", "[::1]:5432", "%2Frun%2Fpostgresql"
bool isThisMachine(std::string host) {
  if (host.starts_with('['))
    host = host.substr(1, host.find(']') - 1);
  else if (std::ranges::count(host, ':') == 1)
    host.resize(host.find(':'));
  bool const socket =
      host.empty() || host.starts_with('/') || host.starts_with("%2F") || host.starts_with("%2f");
  return socket || host == "localhost" || isLoopback(host);
}

// As libpq takes them: a parameter wins over what stands before the path.
std::vector<std::string> databaseHosts(std::string const& url) {
  for (auto const* name : {"hostaddr", "host"})
    if (auto const said = parameterOf(url, name); !said.empty()) return split(said);
  auto const begin = url.find("://") + 3;
  auto authority = url.substr(begin, url.find_first_of("/?", begin) - begin);
  if (auto const at = authority.rfind('@'); at != std::string::npos) authority.erase(0, at + 1);
  return split(authority);
}

Finding checkDatabaseTls(Config const& config) {
  constexpr char const* check = "way to the database";
  auto const& url = config.database_url;
  if (url.starts_with("sqlite:")) return good(check, "it is a file");
  if (std::ranges::all_of(databaseHosts(url), isThisMachine)) return good(check, "it is on this machine");
  auto const mode = parameterOf(url, "sslmode");
  if (mode == "verify-full" || mode == "verify-ca")
    return good(check, "TLS, with a certificate that is checked");
  constexpr char const* fix =
      "add sslmode=verify-full to [database] url, and sslrootcert=FILE if its authority is "
      "your own";
  if (mode == "require")
    return weak(check, "it is encrypted, but nobody checks that it is the database that answers", fix);
  return weak(check, "what goes to the database may go in the clear", fix);
}

// ---------------------------------------------------------------- the machine

Finding checkBackup(Config const& config, Surroundings const& around) {
  constexpr char const* check = "backup";
  auto const stamp = backupStampPath(config.data_dir);
  auto const fix =
      "garland backup FILE, and keep the master key elsewhere; what else makes one ends with: touch " + stamp;
  if (!around.has_data) return good(check, "there is nothing to back up yet");
  if (!around.backed_up) return weak(check, "nobody has told of one", fix);
  auto const day = dayOf(*around.backed_up);
  if (around.now - *around.backed_up > kDaysOfBackup * kDay)
    return weak(check, "the last one is of " + day, fix);
  return good(check, "the last one is of " + day);
}

Finding checkClock(Surroundings const& around) {
  if (around.clock_is_set) return good("clock", "it is set by the network's time");
  return weak(
      "clock",
      "nobody sets it: tokens, signatures and certificates are taken for too old or too new once it is "
      "wrong",
      "timedatectl set-ntp true");
}

// "Max core file size        0                    unlimited            bytes"
Finding checkCoreDumps(std::string const& limits) {
  constexpr char const* check = "core dumps";
  constexpr std::string_view row = "Max core file size";
  auto const at = limits.find(row);
  if (at == std::string::npos) return good(check, "garlandd allows none of itself when it starts");
  auto const value = limits.find_first_not_of(' ', at + row.size());
  if (value != std::string::npos && limits.compare(value, 2, "0 ") == 0)
    return good(check, "there will be none");
  return weak(check, "a crash of the daemon that runs would write its memory, keys included, to a file",
              "restart garlandd, and set LimitCORE=0 in its unit");
}

char const* wordFor(SwapArea::Kind kind) {
  if (kind == SwapArea::Kind::memory) return " is memory";
  return kind == SwapArea::Kind::encrypted ? " is encrypted" : " is not encrypted";
}

// Keys are in locked pages; what else garlandd holds is not.
Finding checkSwap(Surroundings const& around) {
  constexpr char const* check = "swap";
  if (around.swaps.empty()) return good(check, "it is off");
  std::string areas;
  bool is_clear = false;
  for (auto const& area : around.swaps) {
    areas += (areas.empty() ? "" : ", ") + area.name + wordFor(area.kind);
    is_clear = is_clear || area.kind == SwapArea::Kind::clear;
  }
  if (!is_clear) return good(check, areas);
  if (around.is_never_swapped) return good(check, areas + ", and nothing of garlandd comes there");
  return weak(check, areas + ": secrets that are in use may come to a disk as they are",
              "encrypt it, switch it off, or run garlandd by its systemd unit (MemorySwapMax=0)");
}

Finding checkDisk(Config const& config, Surroundings const& around) {
  constexpr char const* check = "disk";
  if (!around.free_bytes) return good(check, "nobody says how much is free");
  auto const free = std::to_string(*around.free_bytes >> 20U) + " MiB are free for " + config.data_dir;
  constexpr char const* fix = "free some, or move [daemon] data_dir to a larger disk";
  if (*around.free_bytes < config.min_free_bytes)
    return bad(check, free + ", fewer than [database] min_free_mib: nothing new is taken", fix);
  if (*around.free_bytes < kRoom * config.min_free_bytes) return weak(check, "only " + free, fix);
  return good(check, free);
}

// ---------------------------------------------------------------- looking

std::optional<TimePoint> changedAt(std::string const& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return std::nullopt;
  return TimePoint(Milliseconds(1'000 * static_cast<std::int64_t>(info.st_mtim.tv_sec)));
}

bool clockIsSet() {
  timex status{}; // asks only
  return ::adjtimex(&status) != TIME_ERROR || (static_cast<unsigned>(status.status) & STA_UNSYNC) == 0;
}

void lookAtDaemon(std::string const& data_dir, Surroundings& around) {
  auto const ready = isLocked(data_dir) ? readReadyFile(data_dir) : Result<ReadyFile>(Error());
  if (!ready) return;
  auto text = readFileText("/proc/" + std::to_string(ready->pid) + "/limits");
  if (text) around.limits = std::move(*text);
  around.is_never_swapped = isNeverSwapped("/", ready->pid);
}

// Before the first start there is no data folder yet; it will be on the disk of the folder that it is made
// in.
std::string nearestThatIs(std::string const& folder) {
  std::error_code failed;
  auto path = fs::absolute(folder, failed).lexically_normal();
  while (!fs::exists(path, failed) && path.has_relative_path()) path = path.parent_path();
  return path.string();
}

} // namespace

Surroundings lookAround(Config const& config, TimePoint now) {
  Surroundings around;
  around.now = now;
  std::error_code failed;
  around.has_data = fs::exists(config.data_dir, failed);
  auto const space = fs::space(nearestThatIs(config.data_dir), failed);
  if (!failed) around.free_bytes = space.available;
  around.backed_up = changedAt(backupStampPath(config.data_dir));
  around.clock_is_set = clockIsSet();
  lookAtDaemon(config.data_dir, around);
  around.swaps = swapAreas("/");
  return around;
}

std::vector<Finding> findWeaknesses(Config const& config, Surroundings const& around) {
  return {checkPlaceOfKey(config),  checkOldKeys(config),          checkTls(config, around.now),
          checkSignIn(config),      checkDatabaseTls(config),      checkBackup(config, around),
          checkClock(around),       checkCoreDumps(around.limits), checkSwap(around),
          checkDisk(config, around)};
}

} // namespace garland::daemon
