// A vault over a ring of keys, wherever they come from.
#pragma once

#include "host/vault/key_ring.h"
#include "host/vault/vault.h"

#include <memory>

namespace garland::vault {

// The ring has a key at least.
std::unique_ptr<Vault> sealingVault(KeyRing ring, Random& random);

} // namespace garland::vault
