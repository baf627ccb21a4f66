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

// A connector tells what it was answered, and not what to do about it.
std::string withRemedy(std::string const& reason) {
  constexpr std::string_view kRemedy = "connect the account again";
  if (reason.ends_with(kRemedy)) return reason;
  return reason + (reason.empty() ? "" : "; ") + std::string(kRemedy);
}

// Who asked for what was done here; the host of an earlier version did not keep that.
std::string orHost(std::string const& who) { return who.empty() ? "host" : who; }

// What no resuming ends: somebody has to connect the account again.
std::optional<Condition> cutOff(Connection const& connection) {
  auto const& state = connection.state == "paused" ? connection.paused_from : connection.state;
  auto const& reason = connection.state_reason;
  if (state == "revoked") return plain("revoked", reason, orHost(connection.revoked_by));
  if (auto const* over = firstThat(connection, "reconnect needed"))
    return plain("reconnect needed", over->cause, over->by);
  if (state == "reconnect needed") return plain("reconnect needed", withRemedy(reason), "provider");
  return std::nullopt;
}

// A connection that was never due yet, or was just imported, has no time: 0 is as soon as possible, not 1970.
std::optional<TimePoint> dueOf(Connection const& connection) {
  if (connection.next_due == TimePoint()) return std::nullopt;
  return connection.next_due;
}

// Nobody renews a sign-in that nobody needs: the schedule may come to it later than it might be tried.
Condition waitingFor(SignIn const& retrying, std::string state, TimePoint next_due) {
  auto const until = std::max(retrying.next_try.value_or(next_due), next_due);
  auto out = plain(std::move(state), retrying.cause, retrying.by);
  if (until != TimePoint()) out.until = until;
  return out;
}

} // namespace

// What only a person can end comes before what ends by itself, and what takes more of them before what takes
// less. A sign-in that cannot be renewed leaves a connection that works, until its access token has run out.
Condition conditionOf(Connection const& connection) {
  auto const& state = connection.state;
  auto const& reason = connection.state_reason;
  if (auto over = cutOff(connection)) {
    if (state == "paused") over->why += "; it is paused here as well";
    return std::move(*over);
  }
  if (state == "paused")
    return plain("paused", "it was paused here; it goes on when it is resumed", orHost(connection.paused_by));
  auto const* retrying = firstThat(connection, "retrying");
  if (state == "failing" && retrying != nullptr)
    return waitingFor(*retrying, "retrying", connection.next_due);
  if (state == "failing") return waiting("retrying", reason, "", dueOf(connection));
  if (retrying != nullptr) return waitingFor(*retrying, "degraded", connection.next_due);
  if (!reason.empty()) return plain("degraded", reason);
  return plain("connected");
}

} // namespace garland::sync
