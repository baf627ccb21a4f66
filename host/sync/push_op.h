// One waiting write as the store knows it; private to push.cpp and push_result.cpp.
#pragma once

#include "host/sync/push.h"

namespace garland::sync {

struct Push::Op {
  std::string record_id;
  std::string state;               // "pending", "sent", "parked"
  std::string op_id;               // idempotency key
  std::string action;              // "upsert", "delete"
  json::value payload;             // input of the call without key and context
  std::int64_t record_version = 0; // of the edit that asked for it
  std::int64_t sent_version = 0;   // of the record whose content was sent
  std::int64_t dispatches = 0;     // handed over without an end
  json::value data;
  std::int64_t version = 0; // of the record now
  bool deleted = false;
  std::optional<Link> link;
};

// What the provider was to write and left as it was.
struct Push::Lost {
  std::string members; // empty: nothing
  std::string ours;    // in words
  bool all = false;    // nothing else was written
};

// What the provider says it has after an upsert.
struct Push::Sent {
  std::string id;
  std::string version;
  std::string scope;
  json::value data;
};

} // namespace garland::sync
