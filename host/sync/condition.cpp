// How a connection stands, in the words of whoever looks after it. No I/O.
#include "host/sync/sync.h"

#include <algorithm>

namespace garland::sync {
namespace {

SignIn const* firstThat(Connection const& connection, std::string_view stands) {
  auto const found = std::ranges::find(connection.sign_ins, stands, &SignIn::state);
  return found == connection.sign_ins.end() ? nullptr : &*found;
}

Condition waiting(std::string state, std::string why, std::string by, std::optional<TimePoint> until) {
  Condition out;
  out.state = std::move(state);
  out.why = std::move(why);
  out.by = std::move(by);
  out.until = until;
  return out;
}

Condition plain(std::string state, std::string why = {}, std::string by = {}) {
  return waiting(std::move(state), std::move(why), std::move(by), std::nullopt);
}

} // namespace

// What only a person can end comes before what ends by itself. A sign-in that cannot be renewed leaves a
// connection that works, until its access token has run out.
Condition conditionOf(Connection const& connection) {
  auto const& state = connection.state;
  auto const& reason = connection.state_reason;
  if (state == "paused") return plain("paused", "it was paused here; it goes on when it is resumed", "host");
  if (state == "revoked") return plain("revoked", reason, "host");
  if (auto const* over = firstThat(connection, "reconnect needed"))
    return plain("reconnect needed", over->cause, over->by);
  if (state == "reconnect needed") return plain("reconnect needed", reason, "provider");
  auto const* retrying = firstThat(connection, "retrying");
  if (state == "failing" && retrying != nullptr)
    return waiting("retrying", retrying->cause, retrying->by, retrying->next_try);
  if (state == "failing") return waiting("retrying", reason, "", connection.next_due);
  if (retrying != nullptr) return waiting("degraded", retrying->cause, retrying->by, retrying->next_try);
  if (!reason.empty()) return plain("degraded", reason);
  return plain("connected");
}

} // namespace garland::sync
