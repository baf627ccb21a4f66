// The vault of a host: opened with the keys that the settings name, or made where there is none yet.
#pragma once

#include "host/base/random.h"
#include "host/base/task.h"
#include "host/daemon/config.h"
#include "host/store/store.h"
#include "host/vault/vault.h"

#include <memory>
#include <vector>

namespace garland::daemon {

// The one that seals, and those of earlier.
std::vector<vault::KeySource> masterKeysOf(Config const& config);

// It is kept in a file, which is not there.
bool mayMakeMasterKey(Config const& config);

// A new master key, unless what the database holds was sealed with one that is lost: notFound. With those of
// earlier at hand it is the begin of a rotation.
Task<std::unique_ptr<vault::Vault>> makeVault(Config const* config, store::Store* store, Random* random);

} // namespace garland::daemon
