#include "host/daemon/config_paths.h"

#include <cstdlib>
#include <filesystem>

namespace garland::daemon {
namespace {

void resolve(std::string& path, std::string const& folder) {
  if (!path.empty() && path.front() != '/')
    path = (std::filesystem::path(folder) / path).lexically_normal().string();
}

} // namespace

std::optional<std::string> expandHome(std::string& path) {
  if (!path.starts_with('~')) return std::nullopt;
  char const* home = std::getenv("HOME");
  if (path != "~" && !path.starts_with("~/"))
    return "must be a path; of paths that begin with ~ only ~/... is known";
  if (home == nullptr || *home != '/') return "begins with ~, but HOME is not set: write the whole path";
  path = home + path.substr(1);
  return std::nullopt;
}

void resolvePaths(Config& config, std::string const& folder) {
  for (std::string* path : {&config.data_dir, &config.worker_path, &config.extra_ca_file, &config.revocations,
                            &config.mail_certificate, &config.mail_certificate_key, &config.tls.certificate,
                            &config.tls.key, &config.tls.client_ca, &config.oidc.client_secret_file,
                            &config.carrier.credentials_file, &config.carrier.ca_file})
    resolve(*path, folder);
  if (config.master_key.kind == vault::KeySource::Kind::file) resolve(config.master_key.name, folder);
  for (auto& source : config.old_keys)
    if (source.kind == vault::KeySource::Kind::file) resolve(source.name, folder);
  for (std::string& dir : config.plugin_dirs) resolve(dir, folder);
  constexpr std::string_view sqlite = "sqlite:";
  if (!config.database_url.starts_with(sqlite)) return;
  std::string file = config.database_url.substr(sqlite.size());
  resolve(file, folder);
  config.database_url = std::string(sqlite) + file;
}

} // namespace garland::daemon
