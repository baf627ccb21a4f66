// What a plugin has made this installation keep for one connection, and how much that may be. The counts
// change in the unit that writes what they count, and a unit that would go above a limit is not committed.
//
// Does not belong here: room on the disk (the store's business), the size of one record or value (the
// runtime's).
#pragma once

#include "host/sync/context.h"

#include <string>

namespace garland::sync {

struct Owner {
  std::string vendor_id;
  std::string connection_id;
};

// Adds to the counts of records; the unit fails with `conflict` if that goes above `most`.
store::Statement recordsGrow(Owner const& owner, Storage const& growth, Storage const& most);
// After such a conflict: `quota` if a limit was its reason.
Task<void> refuseRecordsOver(Context* context, Owner owner, Storage growth);

// The statements that count a value before it is put; the unit fails with `conflict` if one goes above
// `most`.
void countValue(store::Unit& unit, Owner const& owner, std::string const& key, std::int64_t bytes,
                Storage const& most);
// As above. What has expired is forgotten first, so without an error the unit may be tried again.
Task<void> refuseValueOver(Context* context, Owner owner, std::string key, std::int64_t bytes);

// The statement that counts an item before it is taken in; fails as above.
store::Statement itemsGrow(Owner const& owner, std::int64_t bytes, Storage const& most);
// As above. Items that have their end make room first, the oldest before others.
Task<void> refuseItemOver(Context* context, Owner owner, std::int64_t bytes);

// Items of a vendor that had their end before that, with their content and their keys; some at a time, the
// oldest first. True if there may be more.
Task<bool> forgetItemsEndedBefore(Context* context, std::string vendor_id, TimePoint before);

Task<Storage> storedFor(Context* context, Owner owner);

} // namespace garland::sync
