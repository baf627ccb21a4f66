#include "host/sync/pace.h"

#include <algorithm>
#include <cmath>

namespace garland::sync {
namespace {

constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;
constexpr double kRefused = 0.5; // the rate after too many requests
constexpr double kAnsweredSlowly = 0.75;
constexpr double kLeast = 1.0 / 64; // of the full rate
// From nothing to the full rate, if all goes well: half of it is back after half of this.
constexpr Monotonic kRecovery = std::chrono::seconds(60);
// Answers to what was asked before the rate went down say nothing of the new one.
constexpr Monotonic kBetweenSteps = std::chrono::seconds(2);
constexpr Monotonic kCounted = std::chrono::seconds(10);
// Slow: so many times what is usual, and a second at least, so often in a row.
constexpr double kTimesUsual = 4;
constexpr Monotonic kSlow = std::chrono::seconds(1);
constexpr int kSlowInARow = 3;
constexpr int kAnswersKnown = 16;
constexpr double kWeight = 1.0 / 16;    // of a new answer in what is usual
constexpr double kSlowestLearned = 0.1; // requests a second
constexpr double kToken = 1 - 1e-9;     // what is reckoned in fractions may lack a little

double seconds(Monotonic span) { return std::chrono::duration<double>(span).count(); }

} // namespace

bool isRefusal(Pace::Seen const& seen) {
  return seen.status == kTooManyRequests || (seen.status == kUnavailable && seen.retry_after);
}

Pace::Pace(std::optional<runtime::RequestLimit> declared, Monotonic now)
    : declared_(declared.has_value()), at_(now), counted_since_(now) {
  if (!declared) return;
  most_ = tokens_ = static_cast<double>(declared->at_once);
  // However the provider cuts time into spans, no span holds more than it allows.
  full_ = rate_ = static_cast<double>(declared->count - declared->at_once + 1) / seconds(declared->span);
}

void Pace::reckon(Monotonic now) {
  auto const since = seconds(std::max(now - at_, Monotonic::zero()));
  at_ = std::max(at_, now);
  if (full_ <= 0) return;
  auto const grows = std::min(since, untilFull());
  tokens_ = std::min(most_, tokens_ + grows * (rate_ + growth() * grows / 2) + (since - grows) * full_);
  rate_ = std::min(full_, rate_ + growth() * since);
  if (!declared_ && rate_ >= full_) full_ = rate_ = 0; // the provider bears it again
}

// Of the rate, in each second, until it is whole again.
double Pace::growth() const { return full_ / seconds(kRecovery); }

double Pace::untilFull() const { return (full_ - rate_) / growth(); }

// Seconds in which so many tokens come in, while the rate grows.
double Pace::spanOf(double tokens) const {
  auto const until_full = untilFull();
  auto const by_then = until_full * (rate_ + full_) / 2;
  if (tokens >= by_then) return until_full + (tokens - by_then) / full_;
  return 2 * tokens / (rate_ + std::sqrt(rate_ * rate_ + 2 * growth() * tokens));
}

Milliseconds Pace::wait(Monotonic now, std::size_t before) {
  reckon(now);
  auto wait = std::max(closed_until_, now) - now;
  auto const lacking = static_cast<double>(before) + 1 - tokens_;
  if (full_ > 0 && lacking > 1 - kToken)
    wait = std::max(wait, Monotonic(static_cast<std::int64_t>(std::ceil(spanOf(lacking) * 1e9))));
  return std::chrono::ceil<Milliseconds>(wait);
}

void Pace::take(Monotonic now) {
  reckon(now);
  tokens_ -= full_ > 0 ? 1 : 0;
  if (now - counted_since_ > kCounted) {
    before_ = counted_ / seconds(now - counted_since_);
    counted_since_ = now;
    counted_ = 0;
  }
  ++counted_;
}

void Pace::answered(Monotonic now, Seen const& seen) {
  reckon(now);
  if (isRefusal(seen)) {
    if (seen.retry_after) close(now + *seen.retry_after);
    slowDown(now, kRefused);
    return;
  }
  if (isSlow(seen.took)) slowDown(now, kAnsweredSlowly);
}

bool Pace::isSlow(Monotonic took) {
  auto const span = static_cast<double>(took.count());
  bool const slow = answers_ >= kAnswersKnown && took >= kSlow && span > kTimesUsual * usual_;
  usual_ = answers_ == 0 ? span : usual_ + (span - usual_) * kWeight;
  answers_ = std::min(answers_ + 1, kAnswersKnown);
  slow_in_a_row_ = slow ? slow_in_a_row_ + 1 : 0;
  if (slow_in_a_row_ < kSlowInARow) return false;
  slow_in_a_row_ = 0;
  return true;
}

void Pace::slowDown(Monotonic now, double factor) {
  if (slowed_ != Monotonic::min() && now < slowed_ + kBetweenSteps) return;
  slowed_ = now;
  if (full_ <= 0) { // as fast as it went was too much
    auto const recent = counted_ / std::max(seconds(now - counted_since_), 1.0);
    full_ = rate_ = std::max({recent, before_, kSlowestLearned});
    tokens_ = 1;
  }
  rate_ = std::max(rate_ * factor, full_ * kLeast);
  tokens_ = std::min(tokens_, 1.0);
}

bool Pace::isIdle(Monotonic now) {
  reckon(now);
  bool const whole = full_ <= 0 || (rate_ >= full_ && tokens_ >= most_);
  return whole && closed_until_ <= now && now - counted_since_ > kCounted;
}

std::optional<double> Pace::rate(Monotonic now) {
  reckon(now);
  return full_ > 0 ? std::optional(rate_) : std::nullopt;
}

} // namespace garland::sync
