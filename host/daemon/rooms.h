// What the rooms bring with them: kinds of records, tables, and what of these is secret or personal.
#pragma once

#include "host/custody/custody.h"
#include "host/store/store.h"
#include "host/sync/sync.h"

#include <vector>

namespace garland::daemon {

std::vector<sync::Kind> allKinds();

// In the order of their versions.
std::vector<store::Migration> allMigrations();
// A record goes before what arrived of it and what was told of it.
std::vector<PersonalTable> allPersonalData();
// Vaults' tables, as they are exported and moved to another master key.
std::vector<custody::Table> allSecretTables();

} // namespace garland::daemon
