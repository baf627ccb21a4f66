// What an error of PostgreSQL means to Garland.
#pragma once

#include "host/store/store.h"

#include <libpq-fe.h>

namespace garland::store {

// True if the session ended with this result: the server closed it, or libpq found it gone.
bool endsSession(PGresult const* result);

// The error that the server reported for one statement; nothing of the statement was applied.
// PostgreSQL's own sentence is quoted only where it cannot hold a bound value.
Error statementError(PGresult const* result, std::string_view what);

// The server is away. `reason` is libpq's text; it names host, port and user, never the password.
Error unreachable(std::string_view place, std::string_view reason);

// Our own store was closed while the connection was in use.
Error closedConnection(std::string_view place);

// The prepared statement is gone or stale; preparing it again cures that.
bool needsPreparing(Error const& error);
// The failure was bad luck with somebody else's transaction; the same statements may work now.
bool worthRepeating(Error const& error);
// Two transactions waited for each other, and this one was ended for the other's sake; nothing of it was
// kept.
bool wasVictim(Error const& error);

} // namespace garland::store
