// toml++ lives here, in config_oidc and in config_requests.cpp. A setting is one row of the table below; what
// the table does not know is a mistake in the file, and is answered with its place.
#include "host/daemon/config.h"

#include "host/base/file_text.h"
#include "host/daemon/config_oidc.h"
#include "host/daemon/config_paths.h"
#include "host/daemon/config_requests.h"
#include "host/daemon/config_together.h"
#include "host/daemon/daemon.h"
#include "host/marketplace/marketplace.h"

#include <boost/asio/ip/address.hpp>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>

namespace garland::daemon {

namespace fs = std::filesystem;

namespace {

using Complaint = std::optional<std::string>; // "must be ...": what is wrong with a value

struct Setting {
  char const* section;
  char const* key;
  char const* default_text;
  std::function<Complaint(toml::node const&, Config&)> take;
};

template <class Take> std::function<Complaint(toml::node const&, Config&)> text(Take take) {
  return [take](toml::node const& node, Config& config) -> Complaint {
    auto const value = node.value_exact<std::string>();
    if (!value) return "must be a text in quotes";
    return take(*value, config);
  };
}

std::function<Complaint(toml::node const&, Config&)> path(std::string Config::* member) {
  return text([member](std::string const& value, Config& config) -> Complaint {
    config.*member = value;
    return expandHome(config.*member);
  });
}

Complaint takePort(toml::node const& node, Config& config) {
  auto const value = node.value_exact<std::int64_t>();
  if (!value || *value < 0 || *value > 65535)
    return "must be a whole number from 0 to 65535 (0: any free port)";
  config.port = static_cast<unsigned short>(*value);
  return std::nullopt;
}

Complaint takeAddress(std::string const& value, Config& config) {
  boost::system::error_code failed;
  boost::asio::ip::make_address(value, failed);
  if (failed)
    return "must be an IP address: \"127.0.0.1\", \"::1\", or with [tls] any other, \"0.0.0.0\" for all";
  config.address = value;
  return std::nullopt;
}

std::function<Complaint(toml::node const&, Config&)> tlsFile(std::string api::TlsFiles::* member) {
  return text([member](std::string const& value, Config& config) -> Complaint {
    config.tls.*member = value;
    return expandHome(config.tls.*member);
  });
}

Complaint takeMailListen(std::string const& value, Config& config) {
  constexpr char const* wanted = "must be empty or an address and a port: \"127.0.0.1:2525\", \"[::1]:2525\"";
  if (value.empty()) return std::nullopt;
  auto const colon = value.rfind(':');
  if (colon == std::string::npos) return wanted;
  auto host = value.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  auto const digits = value.substr(colon + 1);
  unsigned int port = 0;
  auto const [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  boost::system::error_code failed;
  boost::asio::ip::make_address(host, failed);
  if (failed || digits.empty() || wrong != std::errc() || end != digits.data() + digits.size() ||
      port > 65535)
    return wanted;
  config.mail_address = host;
  config.mail_port = static_cast<unsigned short>(port);
  return std::nullopt;
}

Complaint takeMailDomain(std::string const& value, Config& config) {
  bool const plain = !value.empty() && value.size() <= 190 && value.front() != '.' &&
                     std::all_of(value.begin(), value.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '.' || c == '-';
                     });
  if (!plain) return "must be a domain, such as \"leads.example.com\"";
  config.mail_domain = value;
  return std::nullopt;
}

Complaint takeDatabase(std::string const& value, Config& config) {
  if (!value.empty() && !value.starts_with("sqlite:") && !value.starts_with("postgresql://"))
    return "must be empty, \"sqlite:/path/to/garland.db\" or \"postgresql://user@host:port/name\"";
  config.database_url = value;
  constexpr std::string_view sqlite = "sqlite:";
  if (!value.starts_with(sqlite)) return std::nullopt;
  auto file = value.substr(sqlite.size());
  auto wrong = expandHome(file);
  config.database_url = std::string(sqlite) + file;
  return wrong;
}

Complaint takeNats(std::string const& value, Config& config) {
  if (!value.empty() && !nats::isServers(value))
    return "must be empty or addresses with commas between, such as \"nats://host:4222\" or "
           "\"tls://host:4222\", without a user or password in them";
  config.carrier.servers = value;
  return std::nullopt;
}

Complaint takeStream(std::string const& value, Config& config) {
  if (!nats::isStream(value)) return "must be 1 to 64 letters, digits, \"-\" and \"_\"";
  config.carrier.stream = value;
  return std::nullopt;
}

Complaint takeCredentials(std::string const& value, Config& config) {
  config.carrier.credentials_file = value;
  return expandHome(config.carrier.credentials_file);
}

Complaint takeNatsCaFile(std::string const& value, Config& config) {
  config.carrier.ca_file = value;
  return expandHome(config.carrier.ca_file);
}

Complaint takeDirs(toml::node const& node, Config& config) {
  constexpr char const* wanted = "must be a list of folders, such as [\"/usr/lib/garland/plugins\"]";
  auto const* list = node.as_array();
  if (list == nullptr) return wanted;
  for (auto const& element : *list) {
    auto const value = element.value_exact<std::string>();
    if (!value || value->empty()) return wanted;
    config.plugin_dirs.push_back(*value);
    if (auto wrong = expandHome(config.plugin_dirs.back())) return wrong;
  }
  return std::nullopt;
}

Complaint takeTrust(toml::node const& node, Config& config) {
  constexpr char const* wanted = "must be a list of public keys, each \"ed25519:\" and 64 hexadecimal digits "
                                 "(a marketplace's .pub file)";
  auto const* list = node.as_array();
  if (list == nullptr) return wanted;
  for (auto const& element : *list) {
    auto const value = element.value_exact<std::string>();
    if (!value || !marketplace::isPublicKey(*value)) return wanted;
    config.trust.push_back(*value);
  }
  return std::nullopt;
}

constexpr char const* kWantedKey = "must be the path of a file, \"env:NAME\", \"credential:NAME\", or a "
                                   "command as a list of its words, the program by "
                                   "its whole path";

Complaint takeKeyCommand(toml::array const& words, vault::KeySource& source) {
  source.kind = vault::KeySource::Kind::command;
  for (auto const& element : words) {
    auto const word = element.value_exact<std::string>();
    if (!word || word->find('\0') != std::string::npos) return kWantedKey;
    source.argv.push_back(*word);
  }
  if (source.argv.empty() || !source.argv.front().starts_with('/')) return kWantedKey;
  return std::nullopt;
}

Complaint takeKeySource(toml::node const& node, vault::KeySource& source) {
  if (auto const* words = node.as_array()) return takeKeyCommand(*words, source);
  auto const text = node.value_exact<std::string>();
  auto named = text ? vault::keySourceNamed(*text) : Result<vault::KeySource>(Error());
  if (!named) return kWantedKey;
  source = std::move(*named);
  return source.kind == vault::KeySource::Kind::file ? expandHome(source.name) : std::nullopt;
}

Complaint takeMasterKey(toml::node const& node, Config& config) {
  if (auto const text = node.value_exact<std::string>(); text && text->empty()) return std::nullopt;
  return takeKeySource(node, config.master_key);
}

Complaint takeOldKeys(toml::node const& node, Config& config) {
  constexpr std::size_t most = 15;
  auto const* list = node.as_array();
  if (list == nullptr || list->size() > most)
    return "must be a list of at most 15 keys, each as master_key is";
  for (auto const& element : *list) {
    vault::KeySource source;
    if (auto wrong = takeKeySource(element, source)) return "holds a key that " + *wrong;
    config.old_keys.push_back(std::move(source));
  }
  return std::nullopt;
}

std::function<Complaint(toml::node const&, Config&)> flag(bool Config::* member) {
  return [member](toml::node const& node, Config& config) -> Complaint {
    auto const value = node.value_exact<bool>();
    if (!value) return "must be true or false";
    config.*member = *value;
    return std::nullopt;
  };
}

std::function<Complaint(toml::node const&, Config&)> seconds(Milliseconds Config::* member) {
  return [member](toml::node const& node, Config& config) -> Complaint {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < 1 || *value > 86'400) return "must be a whole number of seconds from 1 to 86400";
    config.*member = std::chrono::seconds(*value);
    return std::nullopt;
  };
}

// A whole number in the file, times `unit`.
template <class Member>
std::function<Complaint(toml::node const&, Config&)> amount(Member member, std::int64_t least,
                                                            std::int64_t most, std::int64_t unit) {
  return [=](toml::node const& node, Config& config) -> Complaint {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most)
      return "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    auto& place = member(config);
    place = static_cast<std::remove_reference_t<decltype(place)>>(*value * unit);
    return std::nullopt;
  };
}

constexpr std::int64_t kMebibyte = 1 << 20;
constexpr std::int64_t kMostMebibytes = 1 << 24; // 16 TiB
constexpr std::int64_t kMostRows = 1'000'000'000;
constexpr std::int64_t kMostRunsOfConnector =
    static_cast<std::int64_t>(sync::RunsAtOnce().begun_of_connector); // of which a worker takes no more
constexpr std::int64_t kSecond = 1'000;                               // milliseconds
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;

std::size_t& memoryOf(Config& config) { return config.memory; }
std::uint64_t& minFreeOf(Config& config) { return config.min_free_bytes; }
std::int64_t& recordsOf(Config& config) { return config.limits.records; }
std::int64_t& recordBytesOf(Config& config) { return config.limits.record_bytes; }
std::int64_t& valuesOf(Config& config) { return config.limits.values; }
std::int64_t& valueBytesOf(Config& config) { return config.limits.value_bytes; }

Milliseconds& actionsKeptOf(Config& config) { return config.actions_kept; }

std::size_t& runsOf(Config& config) { return config.runs.all; }
std::size_t& runsOfConnector(Config& config) { return config.runs.of_connector; }

Milliseconds& changesKeptOf(Config& config) { return config.kept_for.changes; }
Milliseconds& conflictsKeptOf(Config& config) { return config.kept_for.conflicts; }
Milliseconds& itemsKeptOf(Config& config) { return config.kept_for.items; }
Milliseconds& deletedKeptOf(Config& config) { return config.kept_for.deleted; }
Milliseconds& trailsKeptOf(Config& config) { return config.kept_for.old_trails; }

std::int64_t& auditRowsOf(Config& config) { return config.audit_rows; }
Milliseconds& auditEveryOf(Config& config) { return config.audit_every; }

int& endpointsOf(Config& config) { return config.endpoints.endpoints; }
std::int64_t& endpointWaitingOf(Config& config) { return config.endpoints.waiting; }
Milliseconds& endpointTimeoutOf(Config& config) { return config.endpoints.timeout; }
Milliseconds& endpointRetryOf(Config& config) { return config.endpoints.give_up; }
Milliseconds& endpointKeptOf(Config& config) { return config.endpoints.kept; }

std::int64_t& itemsOf(Config& config) { return config.limits.items; }
std::int64_t& itemBytesOf(Config& config) { return config.limits.item_bytes; }

std::size_t& clientsOf(Config& config) { return config.clients; }

std::size_t& subscribersOf(Config& config) { return config.streams.limits.subscribers; }
std::size_t& subscribersOfVendor(Config& config) { return config.streams.limits.subscribers_of_vendor; }
std::int64_t& mostBehindOf(Config& config) { return config.streams.limits.most_behind; }
std::size_t& streamBytesOf(Config& config) { return config.streams.limits.tail_bytes; }

Complaint takePing(toml::node const& node, Config& config) {
  auto const value = node.value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > 300) return "must be a whole number of seconds from 1 to 300";
  config.streams.ping = std::chrono::seconds(*value);
  config.streams.silence = 3 * config.streams.ping;
  return std::nullopt;
}

Complaint takeOrigins(toml::node const& node, Config& config) {
  constexpr char const* wanted =
      "must be a list of origins, such as [\"https://app.example.com\"], without a path";
  auto const* list = node.as_array();
  if (list == nullptr) return wanted;
  for (auto const& element : *list) {
    auto const value = element.value_exact<std::string>();
    if (!value || (!value->starts_with("https://") && !value->starts_with("http://"))) return wanted;
    auto const host = value->substr(value->find("://") + 3);
    if (host.empty() || host.find_first_of("/?#@* \t\r\n") != std::string::npos) return wanted;
    config.streams.origins.push_back(*value);
  }
  return std::nullopt;
}

Complaint takeHooksUrl(std::string const& value, Config& config) {
  bool const web = value.starts_with("https://") || value.starts_with("http://");
  bool const plain = value.find_first_of("?#@ \t") == std::string::npos;
  if (!value.empty() && (!web || !plain || value.ends_with('/')))
    return "must be an address such as \"https://hooks.example.com\", without a slash at its end";
  config.hooks_url = value;
  return std::nullopt;
}

Complaint takeOidcSecret(std::string const& value, Config& config) {
  config.oidc.client_secret_file = value;
  return expandHome(config.oidc.client_secret_file);
}

Milliseconds& sessionLifeOf(Config& config) { return config.sessions.life; }
Milliseconds& sessionIdleOf(Config& config) { return config.sessions.idle; }

Complaint takeIsolation(std::string const& value, Config& config) {
  auto const isolation = runtime::parseIsolation(value);
  if (!isolation) return "must be \"plugin\", \"vendor\" or \"operation\"";
  config.isolation = *isolation;
  return std::nullopt;
}

Complaint takeIsolationOf(toml::node const& node, Config& config) {
  constexpr char const* wanted =
      "must be a table from plugin ids to \"plugin\", \"vendor\" or \"operation\", such "
      "as { \"garland.caldav\" = \"vendor\" }";
  auto const* table = node.as_table();
  if (table == nullptr) return wanted;
  for (auto const& [id, element] : *table) {
    auto const word = element.value_exact<std::string>();
    auto const isolation = word ? runtime::parseIsolation(*word) : std::nullopt;
    if (!isolation) return wanted;
    config.isolation_of.insert_or_assign(std::string(id.str()), *isolation);
  }
  return std::nullopt;
}

Complaint takeLevel(std::string const& value, Config& config) {
  for (LogLevel const level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    if (value != name(level)) continue;
    config.log_level = level;
    return std::nullopt;
  }
  return "must be \"debug\", \"info\", \"warn\" or \"error\"";
}

std::vector<Setting> const& table() {
  static std::vector<Setting> const rows{
      {"daemon", "address", "\"127.0.0.1\"", text(takeAddress)},
      {"daemon", "port", "7480", takePort},
      {"daemon", "clients", "256", amount(clientsOf, 16, 100'000, 1)},
      {"daemon", "data_dir", "\"\"", path(&Config::data_dir)},
      {"tls", "certificate", "\"\"", tlsFile(&api::TlsFiles::certificate)},
      {"tls", "key", "\"\"", tlsFile(&api::TlsFiles::key)},
      {"tls", "client_ca", "\"\"", tlsFile(&api::TlsFiles::client_ca)},
      {"tls", "clear_text_to_proxy", "false", flag(&Config::clear_text_to_proxy)},
      {"oidc", "issuer", "\"\"", text(oidc::takeIssuer)},
      {"oidc", "client_id", "\"\"", text(oidc::takeClientId)},
      {"oidc", "client_secret_file", "\"\"", text(takeOidcSecret)},
      {"oidc", "public_url", "\"\"", text(oidc::takePublicUrl)},
      {"oidc", "scopes", "\"openid email\"", text(oidc::takeScopes)},
      {"oidc", "roles_claim", "\"groups\"", text(oidc::takeRolesClaim)},
      {"oidc", "roles", "{}", oidc::takeRoles},
      {"oidc", "audiences", "[]", oidc::takeAudiences},
      {"oidc", "private_network", "false", oidc::takePrivateNetwork},
      {"oidc", "session_minutes", "480", amount(sessionLifeOf, 5, 10'080, kMinute)},
      {"oidc", "idle_minutes", "60", amount(sessionIdleOf, 5, 10'080, kMinute)},
      {"database", "url", "\"\"", text(takeDatabase)},
      {"database", "alone", "false", flag(&Config::database_alone)},
      {"database", "min_free_mib", "256", amount(minFreeOf, 0, kMostMebibytes, kMebibyte)},
      {"events", "nats", "\"\"", text(takeNats)},
      {"events", "credentials", "\"\"", text(takeCredentials)},
      {"events", "ca_file", "\"\"", text(takeNatsCaFile)},
      {"events", "stream", "\"garland\"", text(takeStream)},
      {"plugins", "dirs", "[]", takeDirs},
      {"plugins", "worker", "\"\"", path(&Config::worker_path)},
      {"plugins", "development", "false", flag(&Config::development)},
      {"plugins", "trust", "[]", takeTrust},
      {"plugins", "revocations", "\"\"", path(&Config::revocations)},
      {"vault", "master_key", "\"\"", takeMasterKey},
      {"vault", "old_keys", "[]", takeOldKeys},
      {"sandbox", "allow_degraded", "false", flag(&Config::allow_degraded_sandbox)},
      {"sandbox", "isolation", "\"plugin\"", text(takeIsolation)},
      {"sandbox", "isolation_of", "{}", takeIsolationOf},
      {"sandbox", "idle", "600", seconds(&Config::idle)},
      {"sandbox", "idle_vendor", "60", seconds(&Config::idle_vendor)},
      {"sandbox", "memory_mib", "256", amount(memoryOf, 64, 65'536, kMebibyte)},
      {"limits", "records", "1000000", amount(recordsOf, 1, kMostRows, 1)},
      {"limits", "records_mib", "1024", amount(recordBytesOf, 1, kMostMebibytes, kMebibyte)},
      {"limits", "values", "10000", amount(valuesOf, 1, kMostRows, 1)},
      {"limits", "values_mib", "16", amount(valueBytesOf, 1, kMostMebibytes, kMebibyte)},
      {"limits", "intake_items", "100000", amount(itemsOf, 1, kMostRows, 1)},
      {"limits", "intake_mib", "256", amount(itemBytesOf, 1, kMostMebibytes, kMebibyte)},
      {"sync", "runs_at_once", "128", amount(runsOf, 1, 4'096, 1)},
      {"sync", "runs_of_connector", "64", amount(runsOfConnector, 1, kMostRunsOfConnector, 1)},
      {"actions", "keep_days", "400", amount(actionsKeptOf, 30, 3'650, 24 * kHour)},
      {"retention", "changes_days", "90", amount(changesKeptOf, 0, 36'500, 24 * kHour)},
      {"retention", "conflicts_days", "400", amount(conflictsKeptOf, 0, 36'500, 24 * kHour)},
      {"retention", "items_days", "400", amount(itemsKeptOf, 0, 36'500, 24 * kHour)},
      {"retention", "deleted_days", "400", amount(deletedKeptOf, 0, 36'500, 24 * kHour)},
      {"retention", "old_trails_days", "90", amount(trailsKeptOf, 0, 36'500, 24 * kHour)},
      {"audit", "checkpoint_rows", "1000", amount(auditRowsOf, 1, kMostRows, 1)},
      {"audit", "checkpoint_seconds", "60", amount(auditEveryOf, 1, 86'400, kSecond)},
      {"streams", "subscribers", "20000", amount(subscribersOf, 0, 1'000'000, 1)},
      {"streams", "subscribers_of_vendor", "10000", amount(subscribersOfVendor, 1, 1'000'000, 1)},
      {"streams", "most_behind", "50000", amount(mostBehindOf, 1'000, kMostRows, 1)},
      {"streams", "memory_mib", "64", amount(streamBytesOf, 1, 65'536, kMebibyte)},
      {"streams", "ping", "20", takePing},
      {"streams", "origins", "[]", takeOrigins},
      {"hooks", "public_url", "\"\"", text(takeHooksUrl)},
      {"endpoints", "per_vendor", "20", amount(endpointsOf, 0, 10'000, 1)},
      {"endpoints", "waiting", "10000", amount(endpointWaitingOf, 1, kMostRows, 1)},
      {"endpoints", "timeout", "15", amount(endpointTimeoutOf, 1, 300, kSecond)},
      {"endpoints", "retry_hours", "24", amount(endpointRetryOf, 1, 720, kHour)},
      {"endpoints", "keep_days", "7", amount(endpointKeptOf, 1, 3'650, 24 * kHour)},
      {"egress", "extra_ca_file", "\"\"", path(&Config::extra_ca_file)},
      {"mail", "listen", "\"\"", text(takeMailListen)},
      {"mail", "domain", "\"localhost\"", text(takeMailDomain)},
      {"mail", "certificate", "\"\"", path(&Config::mail_certificate)},
      {"mail", "certificate_key", "\"\"", path(&Config::mail_certificate_key)},
      {"mail", "visit_every", "300", seconds(&Config::mail_visit_every)},
      {"log", "level", "\"info\"", text(takeLevel)},
  };
  return rows;
}

std::string placed(std::string const& file, toml::source_position const& at, std::string const& message) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + message;
}

std::string sectionNames() {
  std::string out;
  std::string last;
  for (Setting const& row : table()) {
    if (last == row.section) continue;
    last = row.section;
    out += (out.empty() ? "" : ", ") + std::string("[") + last + "]";
  }
  return out + ", [requests.\"PLUGIN ID\"]";
}

std::string keyNames(std::string_view section) {
  std::string out;
  for (Setting const& row : table())
    if (section == row.section) out += (out.empty() ? "" : ", ") + std::string(row.key);
  return out;
}

class Reader {
public:
  Reader(std::string file, LoadedConfig& out) : file_(std::move(file)), out_(out) {}

  void read(toml::table const& root) {
    for (auto const& [key, node] : root) {
      if (key.str() == "requests")
        readRequests(node, out_.config.requests,
                     [this](auto const& at, std::string const& message) { complain(at, message); });
      else if (auto const names = keyNames(key.str()); names.empty())
        complain(key.source().begin,
                 "\"" + std::string(key.str()) + "\" is not a section; the sections are " + sectionNames());
      else if (auto const* section = node.as_table(); section == nullptr)
        complain(key.source().begin, "\"" + std::string(key.str()) + "\" is a section: write [" +
                                         std::string(key.str()) + "] on a line of its own");
      else
        readSection(key.str(), *section);
    }
  }

private:
  void readSection(std::string_view section, toml::table const& values) {
    for (auto const& [key, node] : values) {
      auto const row = std::find_if(table().begin(), table().end(), [&](Setting const& setting) {
        return setting.section == section && setting.key == key.str();
      });
      if (row == table().end()) {
        complain(key.source().begin, "\"" + std::string(key.str()) + "\" is not a setting of [" +
                                         std::string(section) + "]; its settings are " + keyNames(section));
        continue;
      }
      if (auto const wrong = row->take(node, out_.config))
        complain(node.source().begin, "[" + std::string(section) + "] " + row->key + " " + *wrong);
      else if (section == "database" && key.str() == "url")
        out_.config.database_place = placed(file_, node.source().begin, "");
    }
  }
  void complain(toml::source_position const& at, std::string const& message) {
    out_.problems.push_back(placed(file_, at, message));
  }

  std::string file_;
  LoadedConfig& out_;
};

std::string fromHere(std::string const& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).lexically_normal().string();
}

void applyOverrides(LoadedConfig& out, Overrides const& overrides) {
  Config& config = out.config;
  if (!overrides.data_dir.empty()) {
    auto folder = overrides.data_dir;
    if (auto const wrong = expandHome(folder)) out.problems.push_back("--data-dir " + *wrong);
    config.data_dir = fromHere(folder);
  }
  if (overrides.port >= 0) config.port = static_cast<unsigned short>(overrides.port);
  if (!overrides.database_url.empty()) {
    config.database_place = "--database: ";
    if (auto const wrong = takeDatabase(overrides.database_url, config))
      out.problems.push_back("--database " + *wrong);
    else if (config.database_url.starts_with("sqlite:"))
      config.database_url = "sqlite:" + fromHere(config.database_url.substr(7));
  }
  if (config.data_dir.empty()) config.data_dir = fromHere(defaultDataDir());
  if (config.database_url.empty()) config.database_url = "sqlite:" + config.data_dir + "/garland.db";
  auto& master = config.master_key;
  if (master.kind == vault::KeySource::Kind::file && master.name.empty())
    master.name = masterKeyPath(config.data_dir);
}

} // namespace

bool isShared(Config const& config) {
  return !config.database_url.starts_with("sqlite:") && !config.database_alone;
}

LoadedConfig parseConfig(std::string_view text, std::string const& name, std::string const& folder,
                         Overrides const& overrides) {
  LoadedConfig out;
  try {
    auto const root = toml::parse(text, name);
    Reader(name, out).read(root);
  } catch (toml::parse_error const& wrong) {
    out.problems.push_back(placed(name, wrong.source().begin, std::string(wrong.description())));
  }
  resolvePaths(out.config, folder);
  applyOverrides(out, overrides);
  checkTogether(out, name);
  return out;
}

LoadedConfig loadConfig(std::string const& path, Overrides const& overrides) {
  if (path.empty()) return parseConfig("", "", "/", overrides);
  auto const text = readFileText(path);
  if (!text) {
    LoadedConfig out = parseConfig("", path, "/", overrides);
    out.file_was_read = false;
    out.problems.insert(out.problems.begin(), "the settings: " + text.error().message);
    return out;
  }
  std::error_code ignored;
  auto out = parseConfig(*text, path, fs::absolute(path, ignored).parent_path().string(), overrides);
  out.config.settings_file = path;
  return out;
}

std::vector<SettingDoc> settings() {
  std::vector<SettingDoc> out;
  for (Setting const& row : table()) out.push_back(SettingDoc{row.section, row.key, row.default_text});
  return out;
}

} // namespace garland::daemon
