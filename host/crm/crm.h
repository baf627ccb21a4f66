// What the records of a CRM mean: clients, projects and what belongs to them. The contract of each is
// plugin-api/schemas/record.crm.<entity>.json; connectors bring them by crm.pull/1, crm.upsert/1,
// crm.delete/1.
#pragma once

#include "host/sync/sync.h"

#include <vector>

namespace garland::crm {

// For the sync engine. In the order in which a sync brings them: what others point to comes first.
std::vector<sync::Kind> kinds();

} // namespace garland::crm
