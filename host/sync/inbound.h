// Takes what a provider said into the store: one batch of items, one read, one merge in memory, one
// unit. Where the items come from (a pull, a listing, an approved deletion) is not its business.
#pragma once

#include "host/sync/context.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace garland::sync {

// One item as a plugin emitted it, checked.
struct RemoteItem {
  std::string id;
  std::string version;
  std::string scope;
  bool deleted = false;
  json::value data;
  json::object places; // of intake: where its members stand in the item, by pointer, for people
};

// absent: gone there, and never known here.
enum class Outcome { created, updated, deleted, unchanged, echo, absent };

struct BatchResult {
  std::vector<std::pair<std::string, Outcome>> outcomes; // by remote id
  std::int64_t conflicts = 0;
  std::vector<ItemProblem> problems; // what people are told of them
};

// Where a batch belongs.
struct Place {
  std::string vendor_id;
  std::string connection_id;
  std::string run_id;
  KindEntry const* kind = nullptr;
};

class Inbound {
public:
  Inbound(Context& context, Place place) : context_(context), place_(std::move(place)) {}

  // Each id at most once. Answers after the commit; the cursor, if given, is in the same unit.
  // A record that is edited meanwhile is read and merged again.
  Task<BatchResult> apply(std::vector<RemoteItem> items, std::optional<std::string> cursor);

  // The complete listing of one scope: what is linked and not in it is gone, unless that is too much
  // to be believed; then the links are held, and nothing is deleted.
  Task<BatchResult> sweep(std::string scope, std::set<std::string> ids, bool confirmed);

  // Deletes what earlier sweeps held.
  Task<BatchResult> deleteHeld();
  // How many links are held, by scope.
  Task<std::vector<std::pair<std::string, std::int64_t>>> held();

private:
  Task<BatchResult> applyOnce(std::vector<RemoteItem> const* items, std::optional<std::string> const* cursor);
  Task<BatchResult> whyNot(Error error, Storage growth);
  Task<BatchResult> deleteAll(std::vector<std::string> ids, std::string scope);
  Task<void> mark(std::vector<std::string> ids, std::string state);

  Context& context_;
  Place place_;
};

// More deletions than this in one listing are held: max(10, 5 %).
std::size_t deletionBrake(std::size_t linked);

} // namespace garland::sync
