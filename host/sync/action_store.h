// The table of actions: rows in and out, and nothing of what they mean.
#pragma once

#include "host/sync/due.h"
#include "host/sync/storage.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace garland::sync {

class ActionStore {
public:
  explicit ActionStore(Context& context) : context_(context) {}

  // conflict: the vendor's connection has an action with this key.
  Task<void> insert(Action action);
  // What of it can change, if its revision still is what was read; else conflict.
  Task<void> save(Action action);
  // By the owner of its connection: `cancelled` if that is another daemon by now.
  Task<void> saveOwned(Action action);

  Task<Action> one(std::string id); // notFound
  Task<std::optional<Action>> byKey(std::string vendor_id, std::string connection_id, std::string key);
  Task<std::vector<Action>> list(ActionQuery query);

  // Something is to be done about them now, oldest first: of each connection the first, at most so many.
  Task<std::vector<Due>> due(TimePoint now, std::size_t most);
  Task<std::optional<TimePoint>> nextDue(TimePoint after);
  // Of these connections those whose account has to be connected again, and why. None of theirs is due.
  Task<std::map<std::string, std::string>> withoutSignIn(std::vector<std::string> connection_ids);

  // The process that sent them is gone: nobody will hear of their answers. And what is unknown is looked
  // at again, since a newer connector may know how. None named: of all connections.
  Task<void> recover(TimePoint now, std::optional<Owner> of);
  // How many have no end yet.
  Task<std::int64_t> open(std::string vendor_id, std::string connection_id);
  // Of what ended before then, some; how many.
  Task<std::int64_t> forget(TimePoint before);
  // Their connection goes: what waits fails, and about the rest nothing is done by itself any more.
  store::Unit ends(Owner const& owner, TimePoint now) const;

private:
  static store::Statement update(Action const& action);

  Context& context_;
};

} // namespace garland::sync
