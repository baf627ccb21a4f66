// What the daemons on one database tell each other, as a text in the unit that is the news. The only place
// where it is made and read; what carries it, the database or NATS, is the store's business.
#pragma once

#include "host/sync/context.h"

#include <optional>
#include <string>
#include <string_view>

namespace garland::sync {

enum class NewsKind {
  feed,     // the vendor's feed has grown
  webhooks, // something of the connection is due, of no connection: of all of them: deliveries or hints
  actions,  // ... actions
  items,    // ... what came in by itself
  runs,     // ... a sync
  retry,    // what is set aside of the connection may run again
  known,    // what every daemon holds in memory of the connection has changed: addresses
  leases,   // some have come free, or are asked for
  pauses,   // the connection is paused, or goes on; asked again: does it rest?
  rests,    // it is paused, and nothing of it is under way
};

struct News {
  News(NewsKind kind_in, std::string vendor, std::string connection = {})
      : kind(kind_in), vendor_id(std::move(vendor)), connection_id(std::move(connection)) {}
  NewsKind kind;
  std::string vendor_id;     // "": it is about none
  std::string connection_id; // likewise
};

store::Statement telling(std::string_view node_id, News const& news);
// Nothing if it is this node's own, or a newer daemon's that is not understood.
std::optional<News> heard(std::string_view node_id, std::string_view text);

} // namespace garland::sync
