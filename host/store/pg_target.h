// Where a PostgreSQL URL leads, as libpq's own parser understands it.
#pragma once

#include "host/store/store.h"

#include <utility>

namespace garland::store {

struct PgTarget {
  std::vector<std::pair<std::string, std::string>> parameters; // libpq keyword and value, password too
  std::string place;                                           // "host:port/name", fit to be shown

  std::string const* find(std::string_view keyword) const;
  void set(std::string keyword, std::string value); // replaces
};

// invalidInput if it is no PostgreSQL URL. The text is never quoted: it may hold a password.
Result<PgTarget> parseTarget(std::string const& url);

// Looks the host up without stopping the loop, which libpq itself would do. Gives the target with its
// addresses filled in; Unix sockets, addresses and lists of hosts come back as they are.
Task<PgTarget> resolveTarget(asio::any_io_executor executor, PgTarget target);

} // namespace garland::store
