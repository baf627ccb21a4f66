#include "host/oauth/course.h"

#include <algorithm>

namespace garland::oauth {
namespace {

constexpr Milliseconds kFirstRetry{10'000};
constexpr Milliseconds kMostRetry{std::chrono::hours(1)};
constexpr std::int64_t kMostDoublings = 20;

// At 80 % of its life, give or take 5 %, so that tokens that came together are not renewed together.
TimePoint dueAt(TimePoint now, Milliseconds life, Random& random) {
  auto const thousandth = 750 + static_cast<std::int64_t>(random.next() % 101);
  return now + life * thousandth / 1000;
}

// Between half of the span and all of it.
Milliseconds pauseAfter(std::int64_t failures, Random& random) {
  auto const doublings = std::clamp<std::int64_t>(failures - 1, 0, kMostDoublings);
  auto const span = std::min(kMostRetry, kFirstRetry * (std::int64_t{1} << doublings));
  auto const half = span.count() / 2;
  return Milliseconds(half + static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(half + 1)));
}

After given(Grant const& grant, Provider const& provider, Answer answer, TimePoint asked, TimePoint now,
            Random& random) {
  After after;
  after.given = true;
  auto const life = answer.life ? answer.life : provider.life;
  if (life) {
    after.expires = asked + *life;
    after.due = dueAt(asked, *life, random);
  }
  if (provider.at_least)
    after.due = std::min(after.due.value_or(now + *provider.at_least), now + *provider.at_least);
  if (provider.renew_by == Provider::RenewBy::access)
    after.renewal = answer.access.clone();
  else if (provider.renew_by == Provider::RenewBy::refresh)
    after.renewal =
        answer.refresh.empty() && !grant.redemption ? grant.renewal.clone() : std::move(answer.refresh);
  after.access = std::move(answer.access);
  after.status.state = "connected";
  after.status.since = grant.status.state == "connected" ? grant.status.since : now;
  return after;
}

// The doubt is the cause if there was one: a token that nobody kept is why the former one is refused.
void askForReconnect(Grant const& grant, Answer const& answer, Status& status) {
  status.state = "reconnect needed";
  if (grant.redemption && grant.doubt.empty()) {
    status.by = answer.by;
    status.cause = "the provider does not take the code that it gave (" + answer.why + "); sign in again";
    return;
  }
  status.by = grant.doubt.empty() ? answer.by : grant.doubt_by;
  status.cause = grant.doubt.empty()
                     ? "the provider takes this sign-in no more (" + answer.why +
                           "): it was taken back there, or has run out"
                     : grant.doubt +
                           "; the provider had given a new token by then, which was never kept here, and "
                           "takes the former one no more (" +
                           answer.why + ")";
  status.cause += "; connect the account again";
}

} // namespace

After afterwards(Grant const& grant, Provider const& provider, Answer answer, TimePoint asked, TimePoint now,
                 Random& random) {
  if (answer.verdict == Verdict::given) return given(grant, provider, std::move(answer), asked, now, random);
  After after;
  after.failures = grant.failures + 1;
  after.doubt = grant.doubt;
  after.doubt_by = grant.doubt_by;
  if (answer.in_doubt && after.doubt.empty()) {
    after.doubt = "the answer to the renewal of " + rfc3339(grant.attempt.begun) + " was lost: " + answer.why;
    after.doubt_by = answer.by;
  }
  auto& status = after.status;
  if (answer.verdict == Verdict::grantRefused) {
    askForReconnect(grant, answer, status);
  } else {
    status.state = "retrying";
    status.by = answer.by;
    status.cause = "the sign-in could not be renewed: " + answer.why;
    auto const pause =
        std::max(pauseAfter(after.failures, random), answer.retry_after.value_or(Milliseconds(0)));
    status.next_try = now + std::min(pause, kMostRetry);
  }
  if (answer.verdict == Verdict::clientRefused) {
    status.cause = "the provider refuses the client id or the secret that the connector signs in with (" +
                   answer.why + "); check them there";
    status.next_try = now + kClientPause;
  }
  status.since = grant.status.state == status.state ? grant.status.since : now;
  return after;
}

void doubtAttempt(Grant& grant) {
  if (!grant.doubt.empty()) return;
  grant.doubt = "the daemon " + grant.attempt.node +
                " ended while it waited for the answer to the renewal of " + rfc3339(grant.attempt.begun) +
                ", or had just received it";
  grant.doubt_by = "host";
}

} // namespace garland::oauth
