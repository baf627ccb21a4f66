// A master key on its way from its source into locked memory; it touches no other.
#pragma once

#include "host/vault/locked_memory.h"
#include "host/vault/vault.h"

#include <string>

namespace garland::vault {

// notFound: there is no such file, variable or credential. Other errors as of Vault::open.
Result<LockedMemory> readMasterKey(KeySource const& source);
Result<void> createMasterKey(std::string const& path, Random& random);

} // namespace garland::vault
