#include "tests/hostile/driver/bystander.h"

#include <algorithm>

namespace garland::hostile {
namespace {

constexpr Milliseconds kPause{2};
constexpr std::uint64_t kQuietCalls = 100;
constexpr int kMostStarts = 3;

} // namespace

Task<void> Bystander::warmUp(std::string secret) {
  json::object input;
  input["n"] = 0;
  input["secret"] = std::move(secret);
  Host host(nullptr);
  // The machine may be slow, so this one has more time, and a worker that came too late may be started again.
  auto result = co_await stage_.call(plugin_, vendor_, operation_, input, kDeadline * 4, host);
  for (int start = 2; !result && start <= kMostStarts; ++start)
    result = co_await stage_.call(plugin_, vendor_, operation_, input, kDeadline * 4, host);
  if (!result) co_return std::move(result).error().within("the bystander's first call");
  co_return Result<void>();
}

Task<void> Bystander::measure() {
  std::vector<Milliseconds> took;
  for (std::uint64_t number = 1; number <= kQuietCalls; ++number) {
    CO_TRY(one, co_await once(number));
    took.push_back(one);
  }
  std::ranges::sort(took);
  late_ = std::clamp(20 * took[kQuietCalls * 99 / 100], kLateFloor, kDeadline);
  co_return Result<void>();
}

Task<void> Bystander::stream() {
  streaming_ = true;
  for (std::uint64_t number = 1; !stopping_; ++number) {
    co_await once(number);
    co_await stage_.clock.sleepFor(kPause);
  }
  streaming_ = false;
  co_return Result<void>();
}

Task<Milliseconds> Bystander::once(std::uint64_t number) {
  json::object input;
  input["n"] = number;
  json::value const expected = input;
  Host host(nullptr);
  auto const started = stage_.clock.monotonic();
  auto result = co_await stage_.call(plugin_, vendor_, operation_, std::move(input), kDeadline, host);
  auto const took = std::chrono::duration_cast<Milliseconds>(stage_.clock.monotonic() - started);
  witness_.slowest = std::max(witness_.slowest, took);
  if (!result)
    note(witness_.lost, "a call was lost: " + result.error().message);
  else if (integerOr(*result, "/n", -1) != static_cast<std::int64_t>(number))
    note(witness_.wrong, "a call was answered with " + json::serialize(*result));
  else if (with_record_ && host.last_record != json::serialize(expected))
    note(witness_.wrong, "a call emitted " + host.last_record);
  if (took > late_) note(witness_.late, "a call took " + std::to_string(took.count()) + " ms");
  ++witness_.calls;
  co_return took;
}

Task<void> Bystander::atLeast(std::uint64_t more) {
  auto const until = witness_.calls + more;
  while (streaming_ && witness_.calls < until) {
    co_await stage_.clock.sleepFor(kPause);
  }
  co_return Result<void>();
}

void Bystander::note(std::uint64_t& count, std::string trouble) {
  ++count;
  if (witness_.first_trouble.empty()) witness_.first_trouble = std::move(trouble);
}

} // namespace garland::hostile
