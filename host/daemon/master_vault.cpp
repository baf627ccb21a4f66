#include "host/daemon/master_vault.h"

#include "host/audit/audit.h"
#include "host/notify/notify.h"
#include "host/sync/sync.h"

#include <filesystem>
#include <string>

namespace garland::daemon {

std::vector<vault::KeySource> masterKeysOf(Config const& config) {
  std::vector<vault::KeySource> keys;
  keys.push_back(config.master_key);
  for (auto const& old : config.old_keys) keys.push_back(old);
  return keys;
}

bool mayMakeMasterKey(Config const& config) {
  std::error_code ignored;
  auto const& key = config.master_key;
  return key.kind == vault::KeySource::Kind::file && !std::filesystem::exists(key.name, ignored);
}

Task<std::unique_ptr<vault::Vault>> makeVault(Config const* config, store::Store* store, Random* random) {
  CO_TRY(credentials, co_await sync::holdsCredentials(*store));
  CO_TRY(endpoints, co_await notify::holdsSecrets(*store));
  CO_TRY(audit_keys, co_await audit::holdsKeys(*store));
  bool const sealed = (credentials || endpoints || audit_keys) && config->old_keys.empty();
  // A PostgreSQL URL may hold a password.
  std::string database = "of [database] url";
  if (store->driver() == "sqlite") database = config->database_url;
  if (sealed)
    co_return Error(ErrorKind::notFound,
                    "the master key file " + config->master_key.name + " is missing, and the database " +
                        database +
                        " holds secrets that only it can open; restore the file from its backup, or set "
                        "[database] url to a new, empty database");
  co_return vault::Vault::open(masterKeysOf(*config), true, *random);
}

} // namespace garland::daemon
