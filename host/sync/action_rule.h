// What a connector's manifest says of one action, and what follows from an answer to it. Pure: time and
// chance are handed in, nothing is read, written or called.
#pragma once

#include "host/base/random.h"
#include "host/sync/sync.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

// How long one call of an action or of its lookup may take.
inline constexpr Milliseconds kActionDeadline{120'000};

// connector.json "actions": how an effect that nobody saw is found out. Both empty: by a person.
struct ActionRule {
  std::string lookup;                     // operation that looks it up at the provider
  std::optional<Milliseconds> repeat_for; // since the first attempt, the provider knows the key for so long
};

// nullopt: the connector has no such action.
std::optional<ActionRule> actionRule(runtime::Manifest const& manifest, std::string_view operation);
std::vector<std::string> actionsOf(runtime::Manifest const& manifest);

// A UUID (RFC 9562, version 8) that is the same for ever for these three, so that even a database from an
// old backup repeats a key instead of making another. No two vendors share one: they may share an
// account at the provider.
std::string providerKey(std::string_view vendor_id, std::string_view connection_id, std::string_view key);

// Input of the operation: the action's, with its key.
json::value callInput(Action const& action);
// Input of the rule's lookup.
json::value lookupInput(Action const& action);

// Moves actions from one state to the next.
class ActionCourse {
public:
  ActionCourse(ActionRule rule, TimePoint now, Random& random)
      : rule_(std::move(rule)), now_(now), random_(random) {}

  void sent(Action& action) const;
  // The call was answered. `in_doubt`: an earlier attempt may have been applied, so that an attempt that
  // did nothing says nothing about the action.
  void answered(Action& action, json::value output) const;
  void failed(Action& action, Error error, bool in_doubt) const;
  // The same, but the provider was never asked: nothing was tried. `before`: the action before sent().
  // `resumed`: when its connection could last go on, after a pause or a reconnect; only what came since
  // counts as its age.
  void neverAsked(Action& action, Action const& before, Error error, bool in_doubt,
                  TimePoint resumed = {}) const;
  // Not even called: the connection or its plugin may not be used.
  void refused(Action& action, Error error) const;

  // The lookup: {"found": true, "output"} or {"found": false, "final"}.
  void lookedUp(Action& action, json::value const& answer) const;
  void lookupFailed(Action& action, Error error) const;

  // Whether repeating it now, under its key, cannot do it twice.
  bool mayRepeat(Action const& action) const;

private:
  void end(Action& action, ActionState state, std::string known_by) const;
  void tryAgain(Action& action, std::optional<Milliseconds> retry_after) const;
  void doubt(Action& action, std::optional<Milliseconds> retry_after) const;
  void lookLater(Action& action, std::optional<Milliseconds> retry_after) const;
  bool keyLivesUntil(Action const& action, TimePoint when) const;
  Milliseconds upTo(Milliseconds most) const;

  ActionRule rule_;
  TimePoint now_;
  Random& random_;
};

} // namespace garland::sync
