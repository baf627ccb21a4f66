#include "host/store/pg_errors.h"

#include <array>

namespace garland::store {
namespace {

struct Meaning {
  std::string_view state; // SQLSTATE, or its first two characters for a whole class
  ErrorKind kind;
  bool quote; // PostgreSQL's sentence names objects, never a bound value
  std::string_view advice;
};

// The first row that fits is taken.
constexpr std::array kMeanings = {
    Meaning{"23502", ErrorKind::invalidInput, true, "a value breaks a rule of the table"},
    Meaning{"23514", ErrorKind::invalidInput, true, "a value breaks a rule of the table"},
    Meaning{"23", ErrorKind::conflict, true, "it contradicts what the database holds; read it again"},
    Meaning{"P0001", ErrorKind::conflict, false, "it contradicts what the database holds; read it again"},
    Meaning{
        "53100", ErrorKind::hostLimit, true,
        "the disk of the PostgreSQL server is full, so nothing of this was kept; free space there and try "
        "again"},
    Meaning{"53300", ErrorKind::transient, true,
            "PostgreSQL has no connection left; raise max_connections or run fewer daemons"},
    Meaning{"53", ErrorKind::hostLimit, true, "PostgreSQL lacks memory or another resource for it"},
    Meaning{"54", ErrorKind::invalidInput, true, "it is larger than PostgreSQL allows"},
    Meaning{"25006", ErrorKind::invalidInput, true,
            "writing is not allowed here: read() takes queries only, and a standby server takes no writes"},
    Meaning{"40", ErrorKind::transient, true, "another transaction was in the way; try again"},
    Meaning{"55P03", ErrorKind::transient, true, "another transaction holds the rows; try again"},
    Meaning{"57014", ErrorKind::transient, true, "PostgreSQL cancelled it; try again"},
    Meaning{"57", ErrorKind::transient, true, "PostgreSQL is stopping or starting; try again soon"},
    Meaning{"58", ErrorKind::transient, true, "PostgreSQL had trouble with its files; see the server's log"},
    Meaning{"XX", ErrorKind::transient, false, "PostgreSQL met an internal error; see the server's log"},
    Meaning{"42", ErrorKind::invalidInput, true, "PostgreSQL does not accept the statement"},
    Meaning{"22", ErrorKind::invalidInput, false, "a value does not fit its column"},
    Meaning{"", ErrorKind::invalidInput, false, "PostgreSQL does not accept the statement"},
};

std::string_view field(PGresult const* result, int code) {
  auto const* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string oneLine(std::string_view text) {
  std::string line;
  for (char const c : text) line += c == '\n' || c == '\t' ? ' ' : c;
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

} // namespace

bool endsSession(PGresult const* result) {
  auto const status = PQresultStatus(result);
  if (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE) return false;
  // Errors made by libpq itself have no SQLSTATE: the connection broke.
  auto const severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC" || field(result, PG_DIAG_SQLSTATE).empty();
}

Error statementError(PGresult const* result, std::string_view what) {
  auto const state = field(result, PG_DIAG_SQLSTATE);
  auto const* meaning = kMeanings.data();
  while (!state.starts_with(meaning->state)) ++meaning;
  Error error(meaning->kind, std::string(what) + ": " + std::string(meaning->advice));
  if (meaning->quote) error.message += " [" + oneLine(field(result, PG_DIAG_MESSAGE_PRIMARY)) + "]";
  error.provider_code = state;
  return error;
}

Error unreachable(std::string_view place, std::string_view reason) {
  return Error(ErrorKind::transient, "PostgreSQL at " + std::string(place) +
                                         " cannot be reached; check that it runs and that [database] url is "
                                         "right [" +
                                         oneLine(reason) + "]");
}

Error closedConnection(std::string_view place) {
  return Error(ErrorKind::cancelled,
               "the store was closed while PostgreSQL at " + std::string(place) + " had not answered yet");
}

bool needsPreparing(Error const& error) {
  return error.provider_code == "26000" || error.provider_code == "0A000";
}

bool worthRepeating(Error const& error) {
  return needsPreparing(error) || error.provider_code.starts_with("40") || error.provider_code == "55P03";
}

bool wasVictim(Error const& error) {
  return error.provider_code == "40P01" || error.provider_code == "40001";
}

} // namespace garland::store
