// Actions: operations that do something once, such as charging a payment or sending a message, and the
// truth about whether it was done. Other rooms come here through sync.h.
//
// An action is durable before it is accepted, and "sent" before its connector is called. One whose end
// nobody saw is `unknown`: it is found out at the provider, by a lookup or by a repetition under the same
// key where the connector's manifest says that this is safe, or else by a person; never by trying again.
#pragma once

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/task.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace garland::sync {

// The state is what is known of the effect: see effectOf().
enum class ActionState {
  waiting, // not done yet; it will be tried at next_attempt
  sent,    // handed to the connector, whose answer is awaited
  done,    // it took place at the provider
  failed,  // it did not, and will not
  unknown, // perhaps it did
};
std::string_view name(ActionState state); // "waiting"
std::optional<ActionState> actionStateNamed(std::string_view name);
// waiting and failed: notApplied. done: applied. sent and unknown: unknown.
Effect effectOf(ActionState state);

struct Action {
  std::string id;
  std::string vendor_id;
  std::string connection_id;
  std::string operation;    // "payments.create/1"
  std::string key;          // the caller's idempotency key, unique per vendor and connection
  std::string provider_key; // what the connector is given as "idempotency_key": a UUID made of vendor,
                            // connection and key
  json::value input;
  ActionState state = ActionState::waiting;
  // How the end is known: "answer", "lookup", "operator"; "host": it was never sent; "" while it is not.
  std::string known_by;
  json::value output;                    // of a done one, if its answer was seen; else null
  std::optional<Error> error;            // of the last attempt
  std::int64_t attempts = 0;             // calls of the operation that asked the provider for something
  std::int64_t lookups = 0;              // lookups without a final answer, in a row
  std::string lookup_problem;            // why the last one gave no answer; "" if it gave one
  std::int64_t revision = 0;             // grows by one with each change
  std::optional<TimePoint> next_attempt; // when something is done about it by itself; none: never
  TimePoint created;
  std::optional<TimePoint> first_sent, last_sent;
  std::optional<TimePoint> finished; // when it became done or failed
  // Of a waiting one: what it waits for at this moment, "the provider's rate limit, until ..."; "" otherwise.
  // Told by one() and list(), kept nowhere.
  std::string waits_for;
};

// One sentence for whoever has to act, "" if nobody has to.
std::string noticeOf(Action const& action);

// How long an action is remembered after its end, and its key: after that the same request is another action.
inline constexpr Milliseconds kActionsKept{400LL * 86'400'000};

struct ActionRequest {
  std::string connection_id;
  std::string operation;
  std::string key; // 1 to 200 visible ASCII characters
  json::value input;
};

struct AcceptedAction {
  Action action;
  bool known = false; // the same was accepted before; this is how it stands
};

struct ActionQuery {
  std::string vendor_id;            // "" = all
  std::string connection_id;        // "" = all
  std::optional<ActionState> state; // none = all
  std::string after_id;             // page cursor: actions with id > after_id
  int limit = 100;                  // 1..1000
};

// What a person has found out at the provider.
struct Settlement {
  bool applied = false;
  json::value output; // of the operation, as the connector would have given it; null: not known
};

// [loop thread]
class Actions {
public:
  virtual ~Actions() = default;

  // Answers when the action is durable. The same key with the same operation and input is the same action, as
  // long as it is remembered (Dependencies::actions_kept); with others it is a conflict. invalidInput if the
  // connector has no such action, or not this input.
  virtual Task<AcceptedAction> accept(ActionRequest request) = 0;
  virtual Task<Action> one(std::string id) = 0;
  virtual Task<std::vector<Action>> list(ActionQuery query) = 0; // by id, which is by age
  // Of an unknown one, or of a waiting one as not applied, which calls it off. conflict: it has another
  // end, or is on its way.
  virtual Task<Action> settle(std::string id, Settlement settlement) = 0;
};

} // namespace garland::sync
