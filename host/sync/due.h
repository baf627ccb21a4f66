// What is due in a table that has a queue for each connection.
#pragma once

#include "host/sync/context.h"
#include "host/sync/sql.h"

#include <cstddef>
#include <string>
#include <vector>

namespace garland::sync {

struct Due {
  std::string id;
  std::string connection_id;
};

// Such a table: vendor_id, connection_id, next_attempt (NULL: nothing is to be done) and an id.
struct Queues {
  Queues(std::string table_in, std::string id_in, std::string order_in)
      : table(std::move(table_in)), id(std::move(id_in)), order(std::move(order_in)) {}
  std::string table;
  std::string id;        // its column
  std::string order;     // columns of an index of what is not NULL, which has those of the query as well
  bool signs_in = false; // while an account has to be connected again, nothing of it is due
};

// Of each connection the first that is due, in the order of the queues, at most so many (and 1024): of those
// that are this daemon's and may go on. Nothing is sorted, so it costs what it finds and what stands
// before that, not all that is due.
Task<std::vector<Due>> firstOfEach(Context* context, Queues queues, TimePoint now, std::size_t most);

// The first rows that are due, of whatever connections but these.
store::Statement dueRows(Context const& context, Queues const& queues, TimePoint now,
                         std::vector<std::string> const& without);

} // namespace garland::sync
