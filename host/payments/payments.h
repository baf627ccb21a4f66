// What the records of a payment provider mean: payments, refunds, transfers, disputes, payouts, and the lines
// of the account there. The contract of each is plugin-api/schemas/record.payments.<entity>.json; connectors
// bring them by payments.pull/1. They are only read: what is to be done with money is an action
// (sync/actions.h).
#pragma once

#include "host/sync/sync.h"

#include <vector>

namespace garland::payments {

// For the sync engine. The lines come last: what one books is here by then.
std::vector<sync::Kind> kinds();

} // namespace garland::payments
