// The three-way merge of one record, by atomic group, and the canonical form that it compares.
// Pure: no I/O, no clock. What to do with a conflict beyond "the provider's value is kept" is not
// decided here.
#pragma once

#include "host/sync/sync.h"

#include <string>
#include <vector>

namespace garland::sync {

// The mapped fields of a record, normalised, with the bytes by which they are compared.
struct Projection {
  json::object fields;
  std::string text; // canonical JSON of `fields`
  std::string hash; // SHA-256 of `text`, hex
};

Projection projectionOf(Kind const& kind, json::value const& data);
Projection projectionFrom(std::string_view stored_text); // of a link's base

// Both sides changed one group differently; the remote value was taken.
struct GroupConflict {
  std::vector<std::string> members;
  json::object base;
  json::object local;
  json::object remote;
};

struct MergeInput {
  json::object base;         // projection that both sides had; empty: nothing in common
  json::value local;         // data of Garland's record
  json::value remote;        // data of the provider's item
  bool local_changed = true; // false: whatever local holds, no edit of it waits to be written
};

struct Merged {
  json::value data;
  Projection projection;
  bool differs_from_local = false;  // the record must be written
  bool differs_from_remote = false; // the provider lacks something
  std::vector<GroupConflict> conflicts;
};

// What was written and not taken: groups that differ from the base in `sent`, that the provider returned as
// they were in the base, and that are in `merged` as they were returned.
std::vector<GroupConflict> notTaken(Kind const& kind, json::object const& base, json::value const& sent,
                                    json::value const& returned, Merged const& merged);

// Per group: equal keep; local as base take remote; remote as base keep local; else a conflict.
Merged merge(Kind const& kind, MergeInput const& input);

} // namespace garland::sync
