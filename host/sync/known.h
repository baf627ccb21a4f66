// What the store knows about the items of a batch: their links, and records that they may belong to.
#pragma once

#include "host/sync/inbound.h"
#include "host/sync/writes.h"

#include <unordered_map>

namespace garland::sync {

struct RecordState {
  std::string id;
  std::string data; // JSON text
  std::int64_t version = 0;
  bool deleted = false;
  std::string push_state;   // at this connection: "", "pending", "sent", "parked"
  std::string push_payload; // what was sent, if it was
};

struct Known {
  Link link;
  RecordState record;
};

// A record of the vendor that carries the identity of an item which has no link yet.
struct Candidate {
  RecordState record;
  std::int64_t links_here = 0;      // live links at this connection
  std::int64_t links_elsewhere = 0; // live links at others
};

struct Knowledge {
  std::unordered_map<std::string, Known> by_remote_id;
  std::unordered_multimap<std::string, Candidate> by_identity;
};

Task<Knowledge> readKnowledge(Context& context, Place const& place, std::vector<RemoteItem> const& items);

} // namespace garland::sync
