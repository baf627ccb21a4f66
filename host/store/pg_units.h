// How units and reads are carried out on a PostgreSQL session.
//
// Units that wait together share one transaction. The usual case costs two round trips for all of
// them: BEGIN and every statement in one pipeline; the row counts are compared here; then COMMIT. If no
// statement has an expectation there is nothing to compare, and COMMIT goes along in the first trip.
// If anything failed, the transaction is rolled back and the units are done once more, each within a
// savepoint and a round trip of its own, so that each is judged on exactly what stands before it.
// READ COMMITTED with row counts checked before COMMIT is atomic: a row that an UPDATE counted is
// locked until the transaction ends.
//
// Two daemons whose batches write the same rows in another order wait for each other until PostgreSQL ends
// one of them. Units that name such a row (Statement::contendingFor) go in the order of the names, so theirs
// do not; whatever else meets so is rolled back, and each of its units has a transaction of its own then.
#pragma once

#include "host/base/random.h"
#include "host/store/pending.h"
#include "host/store/pg_session.h"

namespace garland::store {

// Gives every answer. A connection lost before COMMIT was sent is replaced and the work done again;
// lost later, the effect is unknown and the answers say so.
asio::awaitable<void> serveUnits(PgSession* session, asio::any_io_executor executor,
                                 std::vector<PendingUnit> batch, std::shared_ptr<Random> random);
asio::awaitable<void> serveRead(PgSession* session, PendingRead pending);

} // namespace garland::store
