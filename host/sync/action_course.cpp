// The course of an action: which state follows from what was seen, and when something is done next.
#include "host/sync/action_rule.h"

#include <algorithm>

namespace garland::sync {
namespace {

constexpr std::int64_t kMostAttempts = 10;
constexpr Milliseconds kFirstRetry{2'000};
constexpr Milliseconds kMostRetry{900'000};
// A provider that wants to be left alone for longer is told to the caller instead.
constexpr Milliseconds kMostPatience{std::chrono::hours(24)};
constexpr Milliseconds kFirstLook{5'000};
constexpr Milliseconds kMostLook{std::chrono::hours(6)};
// Lookups call "not found" final once more than ten minutes have passed since the sending (settled_after of
// the SDK). The second more is for clocks that count in seconds.
constexpr Milliseconds kSettled{std::chrono::minutes(10) + std::chrono::seconds(1)};

// 1 gives `first`, each further one twice as much.
Milliseconds doubled(Milliseconds first, std::int64_t times, Milliseconds most) {
  constexpr std::int64_t kMostDoublings = 30;
  auto const doublings = std::clamp<std::int64_t>(times - 1, 0, kMostDoublings);
  return std::min(most, first * (std::int64_t{1} << doublings));
}

// It waits until the account is connected again, as writes do.
bool wantsSignIn(ErrorKind kind) { return kind == ErrorKind::authExpired || kind == ErrorKind::authRevoked; }

bool passes(ErrorKind kind) {
  return kind == ErrorKind::transient || kind == ErrorKind::rateLimited || kind == ErrorKind::quota ||
         kind == ErrorKind::cancelled || wantsSignIn(kind);
}

// An answer of the provider about the request itself, which a provider that honours keys gives to every
// request under the key alike. A refused sign-in, a rate limit or "this key is in use" are about the attempt.
bool isVerdict(Error const& error) {
  return error.kind == ErrorKind::invalidInput && error.effect == Effect::notApplied &&
         error.http_status != 0;
}

// The refusal that a record at the provider stands for, as the answer would have told it.
Error refusalOf(json::value const& refused) {
  Error error(ErrorKind::invalidInput, textOr(refused, "/message", "the provider refused it"));
  error.effect = Effect::notApplied;
  error.user_message = textOr(refused, "/user_message", "");
  error.provider_code = textOr(refused, "/code", "");
  if (auto const* detail = find(refused, "/detail")) error.detail = *detail;
  return error;
}

Error malformed(std::string const& lookup) {
  return Error(ErrorKind::pluginBug,
               lookup + R"( has to answer {"found": true, "output": ...} or {"found": false, "final": ...})");
}

} // namespace

void ActionCourse::end(Action& action, ActionState state, std::string known_by) const {
  action.state = state;
  action.known_by = std::move(known_by);
  action.next_attempt.reset();
  action.finished = now_;
}

// Full jitter: many actions that a provider's bad minute has gathered do not come back together.
Milliseconds ActionCourse::upTo(Milliseconds most) const {
  auto const choices = static_cast<std::uint64_t>(std::max<std::int64_t>(0, most.count())) + 1;
  return Milliseconds(static_cast<std::int64_t>(random_.next() % choices));
}

void ActionCourse::sent(Action& action) const {
  action.state = ActionState::sent;
  ++action.attempts;
  action.last_sent = now_;
  if (!action.first_sent) action.first_sent = now_;
  action.next_attempt.reset();
}

void ActionCourse::answered(Action& action, json::value output) const {
  action.output = std::move(output);
  action.error.reset();
  end(action, ActionState::done, "answer");
}

void ActionCourse::failed(Action& action, Error error, bool in_doubt) const {
  auto const effect = error.effect;
  auto const retry_after = error.retry_after;
  bool const verdict = isVerdict(error);
  bool const again = passes(error.kind);
  action.error = std::move(error);
  if (effect != Effect::notApplied || (in_doubt && !verdict)) {
    // "Applied" as well: without its output nobody knows what took place, and what said so may have been a
    // page of some proxy's.
    doubt(action, retry_after);
  } else if (again && !in_doubt) {
    tryAgain(action, retry_after);
  } else {
    end(action, ActionState::failed, "answer");
  }
}

// It does not count, so it is not given up by count: its pauses grow with its age, and end it. That it had to
// rest was a person's will: nobody tried, so nobody tried in vain. Nor is it in vain that it waits for a
// sign-in.
void ActionCourse::neverAsked(Action& action, Action const& before, Error error, bool in_doubt,
                              TimePoint resumed) const {
  constexpr int kPartOfAge = 4;
  action.attempts = before.attempts;
  action.first_sent = before.first_sent;
  action.last_sent = before.last_sent;
  // Whatever ended the call, it ended before the provider was asked for anything.
  if (error.effect == Effect::unknown) error.effect = Effect::notApplied;
  bool const wants_sign_in = wantsSignIn(error.kind);
  failed(action, std::move(error), in_doubt);
  if (!action.next_attempt || wants_sign_in) return;
  auto const age = std::chrono::duration_cast<Milliseconds>(now_ - std::max(action.created, resumed));
  if (action.state == ActionState::waiting && age > kMostPatience)
    return end(action, ActionState::failed, action.attempts == 0 ? "host" : "answer");
  auto const pause = std::clamp(age / kPartOfAge, kFirstRetry, kMostRetry);
  action.next_attempt = std::max(*action.next_attempt, now_ + upTo(pause));
}

void ActionCourse::tryAgain(Action& action, std::optional<Milliseconds> retry_after) const {
  auto const asked = retry_after.value_or(Milliseconds::zero());
  if (action.attempts >= kMostAttempts || asked > kMostPatience)
    return end(action, ActionState::failed, "answer");
  action.state = ActionState::waiting;
  action.next_attempt = now_ + asked + upTo(doubled(kFirstRetry, action.attempts, kMostRetry));
}

void ActionCourse::refused(Action& action, Error error) const {
  if (action.state == ActionState::waiting) {
    action.error = std::move(error);
    return end(action, ActionState::failed, "host");
  }
  action.lookup_problem = error.message;
  ++action.lookups;
  // A connection that is gone does not come back; a plugin may be allowed or installed again.
  if (error.kind == ErrorKind::notFound)
    action.next_attempt.reset();
  else
    lookLater(action, std::nullopt);
}

void ActionCourse::doubt(Action& action, std::optional<Milliseconds> retry_after) const {
  action.state = ActionState::unknown;
  action.next_attempt.reset();
  if (!rule_.lookup.empty()) return lookLater(action, retry_after);
  if (!rule_.repeat_for || action.attempts >= kMostAttempts) return;
  auto const when = now_ + retry_after.value_or(Milliseconds::zero()) +
                    upTo(doubled(kFirstRetry, action.attempts, kMostRetry));
  if (keyLivesUntil(action, when + kActionDeadline)) action.next_attempt = when;
}

// At least half of the span: providers need a moment to show what they have just taken. No pause goes on past
// the moment from which a lookup can be final.
void ActionCourse::lookLater(Action& action, std::optional<Milliseconds> retry_after) const {
  auto const half = doubled(kFirstLook, action.lookups + 1, kMostLook) / 2;
  auto const allowed = now_ + std::min(kMostPatience, retry_after.value_or(Milliseconds::zero()));
  auto next = allowed + half + upTo(half);
  if (action.last_sent && now_ < *action.last_sent + kSettled)
    next = std::min(next, std::max(*action.last_sent + kSettled, allowed + kFirstLook / 2));
  action.next_attempt = next;
}

bool ActionCourse::keyLivesUntil(Action const& action, TimePoint when) const {
  return rule_.repeat_for && action.first_sent && when <= *action.first_sent + *rule_.repeat_for;
}

bool ActionCourse::mayRepeat(Action const& action) const {
  return action.attempts < kMostAttempts && keyLivesUntil(action, now_ + kActionDeadline);
}

void ActionCourse::lookedUp(Action& action, json::value const& answer) const {
  auto const* found = find(answer, "/found");
  if (found == nullptr || !found->is_bool()) return lookupFailed(action, malformed(rule_.lookup));
  action.lookup_problem.clear();
  auto const* refused = find(answer, "/refused");
  if (found->get_bool() && refused != nullptr && refused->is_object()) {
    action.error = refusalOf(*refused);
    return end(action, ActionState::failed, "lookup");
  }
  if (found->get_bool()) {
    auto const* output = find(answer, "/output");
    action.output = output == nullptr ? json::value() : *output;
    action.error.reset();
    return end(action, ActionState::done, "lookup");
  }
  if (!boolOr(answer, "/final", false)) {
    ++action.lookups;
    return lookLater(action, std::nullopt);
  }
  // It never got there and never will, so no doubt is left; the attempt's error says whether another is
  // of any use.
  action.lookups = 0;
  if (action.error) action.error->effect = Effect::notApplied;
  bool const worth =
      !action.error || passes(action.error->kind) || action.error->kind == ErrorKind::providerBug;
  if (worth && action.attempts < kMostAttempts)
    tryAgain(action, std::nullopt);
  else
    end(action, ActionState::failed, "lookup");
}

void ActionCourse::lookupFailed(Action& action, Error error) const {
  action.lookup_problem = std::move(error.message);
  ++action.lookups;
  lookLater(action, error.retry_after);
}

} // namespace garland::sync
