#include "host/base/clock.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <charconv>
#include <cstdio>

namespace garland {
namespace {

Error sleepCancelled() { return Error(ErrorKind::cancelled, "the wait was cancelled"); }

} // namespace

TimePoint SystemClock::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

Monotonic SystemClock::monotonic() const {
  return std::chrono::duration_cast<Monotonic>(std::chrono::steady_clock::now().time_since_epoch());
}

Task<void> SystemClock::sleepFor(Milliseconds span) {
  auto const executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, span);
  boost::system::error_code failed;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return sleepCancelled();
  co_return Result<void>();
}

// A timer that never expires by itself: advance() cancels it, which is what wakes the sleeper.
struct VirtualClock::Sleeper {
  explicit Sleeper(asio::any_io_executor const& executor)
      : timer(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer timer;
  bool due = false;
};

VirtualClock::VirtualClock(TimePoint start) : start_(start) {}

Task<void> VirtualClock::sleepFor(Milliseconds span) {
  if (span <= Milliseconds::zero()) co_return Result<void>();
  auto const executor = co_await asio::this_coro::executor;
  auto const sleeper = std::make_shared<Sleeper>(executor);
  auto const place = sleepers_.emplace(passed_ + span, sleeper);
  boost::system::error_code ignored;
  co_await sleeper->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (sleeper->due) co_return Result<void>();
  sleepers_.erase(place);
  co_return sleepCancelled();
}

void VirtualClock::advance(Milliseconds span) {
  auto const target = passed_ + span;
  while (!sleepers_.empty() && sleepers_.begin()->first <= target) {
    auto const first = sleepers_.begin();
    auto const sleeper = first->second;
    passed_ = first->first;
    sleepers_.erase(first);
    sleeper->due = true;
    sleeper->timer.cancel();
  }
  passed_ = target;
}

std::string rfc3339(TimePoint when) {
  auto const day = std::chrono::floor<std::chrono::days>(when);
  std::chrono::year_month_day const date(day);
  std::chrono::hh_mm_ss const time(when - day);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text.data();
}

namespace {

// Reads exactly `width` digits at `at` and moves past them.
bool digits(std::string_view text, std::size_t& at, std::size_t width, int& out) {
  if (at + width > text.size()) return false;
  auto const* first = text.data() + at;
  auto const [end, problem] = std::from_chars(first, first + width, out);
  if (problem != std::errc() || end != first + width || *first == '-' || *first == '+') return false;
  at += width;
  return true;
}

bool literal(std::string_view text, std::size_t& at, std::string_view any_of) {
  if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

// ".123456" as milliseconds; finer digits are cut off. True and 0 if there is no fraction.
bool fraction(std::string_view text, std::size_t& at, int& out) {
  out = 0;
  if (at >= text.size() || text[at] != '.') return true;
  ++at;
  int count = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    if (count < 3) out = out * 10 + (text[at] - '0');
    ++count;
    ++at;
  }
  for (int i = count; i < 3; ++i) out *= 10;
  return count > 0;
}

// "Z" or "+02:00" as minutes east of UTC.
bool offset(std::string_view text, std::size_t& at, int& minutes_east) {
  minutes_east = 0;
  if (literal(text, at, "Zz")) return true;
  if (at >= text.size() || (text[at] != '+' && text[at] != '-')) return false;
  int const sign = text[at++] == '-' ? -1 : 1;
  int hour = 0;
  int minute = 0;
  if (!digits(text, at, 2, hour) || !literal(text, at, ":") || !digits(text, at, 2, minute)) return false;
  if (hour > 23 || minute > 59) return false;
  minutes_east = sign * (hour * 60 + minute);
  return true;
}

} // namespace

Result<TimePoint> parseRfc3339(std::string_view text) {
  using namespace std::chrono;
  std::size_t at = 0;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0, east = 0;
  bool const shape = digits(text, at, 4, y) && literal(text, at, "-") && digits(text, at, 2, mo) &&
                     literal(text, at, "-") && digits(text, at, 2, d) && literal(text, at, "Tt ") &&
                     digits(text, at, 2, h) && literal(text, at, ":") && digits(text, at, 2, mi) &&
                     literal(text, at, ":") && digits(text, at, 2, s) && fraction(text, at, ms) &&
                     offset(text, at, east) && at == text.size();
  year_month_day const date(year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d)));
  if (!shape || !date.ok() || h > 23 || mi > 59 || s > 60)
    return Error(ErrorKind::invalidInput,
                 "\"" + std::string(text.substr(0, 40)) + "\" is not a time such as 2026-06-13T12:00:00Z");
  return TimePoint(sys_days(date)) + hours(h) + minutes(mi) + seconds(s) + Milliseconds(ms) - minutes(east);
}

} // namespace garland
