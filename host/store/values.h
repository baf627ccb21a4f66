// What both drivers demand of a statement before it is sent, and how an error names it.
#pragma once

#include "host/store/store.h"

namespace garland::store {

// PostgreSQL's TEXT holds UTF-8 without zero bytes; SQLite would take anything. Both refuse here, so
// that a record does not become unreadable the day an installation moves. The error names the
// placeholder, never the value. More than 32766 arguments are refused too (SQLite's usual limit).
Result<void> checkArguments(Statement const& statement);

// "statement 2 (INSERT INTO links ...)": SQL text holds placeholders, so it may be shown.
std::string describe(std::string_view sql, std::size_t index);

// The rows that an expectation counts: what came back, or else what was changed.
std::int64_t countedRows(Rows const& rows);
Error expectationFailed(Statement const& statement, std::size_t index, Rows const& rows);

} // namespace garland::store
