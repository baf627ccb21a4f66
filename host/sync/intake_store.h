// The table of what came in by itself: rows in and out, and nothing of what they mean.
#pragma once

#include "host/sync/context.h"
#include "host/sync/due.h"

#include <optional>
#include <string>
#include <vector>

namespace garland::sync {

// What a person said of an item, for the audit trail: it stays when the item is gone.
struct Word {
  std::string who;
  std::string act; // "intake.accept"
};

class IntakeStore {
public:
  explicit IntakeStore(Context& context) : context_(context) {}

  // With its count. conflict: its key is taken, or the connection stores too much. An item with the same key
  // that came before `keys_since` gives its key up.
  Task<void> insert(IntakeItem item, IntakeContent content, std::optional<TimePoint> keys_since);
  // What of it can change, if its revision still is what was read; else the unit fails with conflict.
  store::Statement update(IntakeItem const& item) const;
  // ... and the key that its content gave it: conflict if another item has it.
  store::Statement update(IntakeItem const& item, std::string content_key) const;
  // For the unit that has it wait for a person: a row of the audit chain.
  store::Statement toldReview(IntakeItem const& item) const;
  Task<void> save(IntakeItem item);
  // By the owner of its connection: `cancelled` if that is another daemon by now.
  Task<void> saveOwned(IntakeItem item);
  // The same, and a row of who said what of it, in one unit.
  Task<void> saveWithWord(IntakeItem item, Word word);

  Task<IntakeItem> one(std::string id); // notFound
  Task<IntakeContent> contentOf(std::string id);
  Task<std::optional<IntakeItem>> byKey(std::string vendor_id, std::string connection_id, std::string key);
  // "" if no other item of the connection that was taken has it.
  Task<std::string> otherWith(IntakeItem const* item, std::string content_key);
  Task<std::vector<IntakeItem>> list(IntakeQuery query);
  Task<IntakeCounts> counts(std::string connection_id);

  // To be read now, oldest first: of each connection the first, at most so many.
  Task<std::vector<Due>> due(TimePoint now, std::size_t most);
  Task<std::optional<TimePoint>> nextDue(TimePoint after);
  // Those that wait for a person are due again; how many.
  Task<std::int64_t> reopen(std::string vendor_id, std::string connection_id, TimePoint now);
  // How many nobody has read.
  Task<std::int64_t> open(std::string vendor_id, std::string connection_id);

private:
  Context& context_;
};

} // namespace garland::sync
