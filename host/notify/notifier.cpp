// The loop: what is new in the feeds becomes deliveries, and what is due is sent.
#include "host/notify/feed_notifier.h"

#include "host/base/store_error.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace garland::notify {
namespace {

constexpr Milliseconds kLookEvery{2'000};
constexpr Milliseconds kSweepEvery{300'000};
constexpr Milliseconds kRenewEvery{10'000}; // what other daemons may have changed
constexpr Milliseconds kSetBackEvery{60'000};
constexpr Milliseconds kGrace{
    15'000}; // beyond the timeout, until an attempt whose end nobody saw is due again
constexpr std::int64_t kPage = 500;

} // namespace

Task<void> FeedNotifier::start() {
  CO_TRY(all, co_await endpoints_.list(std::string()));
  for (auto& kept : all) {
    auto line = std::make_shared<Line>();
    line->kept = std::move(kept);
    lines_[line->kept.endpoint.id] = std::move(line);
  }
  next_sweep_ = with_.clock.monotonic() + kSweepEvery;
  spawn(tick());
  spawn(loop());
  co_return Result<void>();
}

Task<void> FeedNotifier::stop() {
  stopping_ = true;
  wake();
  auto const all = running_; // what ends takes itself out
  for (auto const& signal : all) signal->emit(asio::cancellation_type::all);
  boost::system::error_code ignored;
  while (!running_.empty()) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return Result<void>();
}

void FeedNotifier::spawn(asio::awaitable<void> work) {
  auto const signal = std::make_shared<asio::cancellation_signal>();
  running_.insert(signal);
  asio::co_spawn(with_.executor, std::move(work),
                 asio::bind_cancellation_slot(signal->slot(), [this, signal](std::exception_ptr thrown) {
                   if (thrown && !stopping_) with_.log.error("telling an endpoint ended with an exception");
                   running_.erase(signal);
                   ended_.cancel();
                 }));
}

asio::awaitable<void> FeedNotifier::tick() {
  for (;;) {
    auto sleeping = with_.clock.sleepFor(kLookEvery);
    auto const slept = co_await std::move(sleeping);
    if (!slept || stopping_) co_return;
    look_everywhere_ = true;
    wake();
  }
}

asio::awaitable<void> FeedNotifier::loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  boost::system::error_code ignored;
  while (!stopping_) {
    woken_ = false;
    auto passing = pass(std::exchange(look_everywhere_, false));
    auto const passed = co_await std::move(passing);
    if (!passed && !stopping_)
      with_.log.error("endpoints could not be told what has changed: " + passed.error().message);
    while (!woken_ && !stopping_)
      co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Task<void> FeedNotifier::pass(bool all) {
  CO_TRY_VOID(co_await renew());
  CO_TRY_VOID(co_await bringForward());
  if (all) {
    CO_TRY_VOID(co_await findBehind());
  }
  auto const grown = std::exchange(grown_, {});
  // Endpoints come and go meanwhile.
  for (auto at = lines_.begin(); at != lines_.end() && !stopping_;) {
    auto const id = at->first;
    auto const line = at->second;
    if (with_.shared && !with_.engine.caresFor(id)) {
      line->behind = true; // when it is ours one day
      line->look_at = {};
      ++at;
      continue;
    }
    line->behind = line->behind || grown.contains(line->kept.endpoint.vendor_id);
    auto const served = co_await serve(line);
    // It would be the same with every endpoint.
    if (!served && ofTheStore(served.error())) co_return served.error();
    if (!served)
      with_.log.error("an endpoint could not be told what has changed: " + served.error().message,
                      json::object{{"endpoint", id}});
    at = lines_.upper_bound(id);
  }
  bool const sweeps = !with_.shared || with_.engine.caresFor("old deliveries");
  auto const looked = with_.clock.monotonic();
  if (looked < next_sweep_ || !sweeps) co_return Result<void>();
  next_sweep_ = looked + kSweepEvery;
  CO_TRY(more, co_await deliveries_.forget(with_.clock.now() - with_.limits.kept));
  if (more) next_sweep_ = {}; // the next pass goes on, so that more than comes in is forgotten
  co_return Result<void>();
}

Task<void> FeedNotifier::serve(Shared line) {
  if (line->behind && line->kept.endpoint.enabled) {
    CO_TRY_VOID(co_await takeIn(line));
  }
  if (roomOf(*line) > 0) {
    CO_TRY_VOID(co_await sendDue(line));
  }
  co_return Result<void>();
}

Task<void> FeedNotifier::findBehind() {
  if (lines_.empty()) co_return Result<void>();
  std::set<std::string> vendors;
  for (auto const& [id, line] : lines_) vendors.insert(line->kept.endpoint.vendor_id);
  std::vector<std::string> const asked(vendors.begin(), vendors.end());
  CO_TRY(spans, co_await with_.engine.feedSpans(asked));
  std::map<std::string, std::int64_t> last;
  for (auto const& span : spans) last[span.vendor_id] = span.last;
  for (auto const& [id, line] : lines_)
    if (last[line->kept.endpoint.vendor_id] > line->kept.endpoint.place) line->behind = true;
  co_return Result<void>();
}

// Endpoints that were added, changed or removed at another daemon, and deliveries that were asked for there.
Task<void> FeedNotifier::renew() {
  auto const looked = with_.clock.monotonic();
  if (!with_.shared || looked < next_renewal_) co_return Result<void>();
  next_renewal_ = looked + kRenewEvery;
  std::set<std::string> gone; // of those known before the rows are read
  for (auto const& [id, line] : lines_) gone.insert(id);
  CO_TRY(all, co_await endpoints_.list(std::string()));
  for (auto& kept : all) {
    gone.erase(kept.endpoint.id);
    auto& line = lines_[kept.endpoint.id];
    if (!line) line = std::make_shared<Line>();
    line->behind = true;
    line->look_at = {};
    if (line->kept.endpoint.revision <= kept.endpoint.revision) line->kept = std::move(kept);
  }
  for (auto const& id : gone) lines_.erase(id);
  co_return Result<void>();
}

// What waits for a time of day that was set back. Only by who sends it, so that an attempt which is on its
// way is not due again by another one's clock.
Task<void> FeedNotifier::bringForward() {
  auto const looked = with_.clock.monotonic();
  if (looked < next_set_back_) co_return Result<void>();
  next_set_back_ = looked + kSetBackEvery;
  CO_TRY(waiting, co_await deliveries_.waitTooLong());
  for (auto const& id : waiting) {
    auto const known = lines_.find(id);
    if (known == lines_.end() || (with_.shared && !with_.engine.caresFor(id))) continue;
    auto const line = known->second;
    CO_TRY_VOID(co_await deliveries_.bringForward(line->kept.endpoint));
    line->look_at = {};
  }
  co_return Result<void>();
}

// As much as the endpoint may have waiting; the rest stays in the feed, where it is as durable.
Task<void> FeedNotifier::takeIn(Shared line) {
  while (line->behind && line->kept.endpoint.enabled && !stopping_) {
    line->behind = false;
    auto const endpoint = line->kept.endpoint;
    CO_TRY(waiting, co_await deliveries_.countWaiting(endpoint));
    auto const room = std::min<std::int64_t>(with_.limits.waiting - waiting, kPage);
    if (room <= 0) co_return Result<void>();
    auto reading = with_.engine.changes(endpoint.vendor_id, endpoint.place, static_cast<int>(room));
    CO_TRY(changes, co_await std::move(reading));
    if (changes.empty()) co_return Result<void>();
    if (changes.front().sequence > endpoint.place + 1)
      with_.log.warn("an endpoint was so far behind that the feed holds less than it was to be told; see: "
                     "garland endpoints show " +
                         endpoint.id,
                     json::object{{"endpoint", endpoint.id}});
    auto const last = changes.back().sequence;
    bool const more = std::ssize(changes) == room;
    auto const taken = co_await deliveries_.take(endpoint, std::move(changes));
    if (!taken && taken.error().kind != ErrorKind::conflict) co_return taken.error();
    if (!taken) {
      auto const there = co_await reload(endpoint.id);
      if (!there && there.error().kind != ErrorKind::notFound) co_return there.error();
      co_return Result<void>();
    }
    if (line->kept.endpoint.place == endpoint.place) line->kept.endpoint.place = last;
    line->behind = line->behind || more;
    if (*taken > 0) line->look_at = {};
  }
  co_return Result<void>();
}

// How many attempts may begin now; none while nothing is due.
std::size_t FeedNotifier::roomOf(Line const& line) const {
  if (line.look_at > with_.clock.now()) return 0;
  auto const of_all = with_.limits.at_once - std::min(with_.limits.at_once, in_flight_);
  return std::min(line.room(with_.clock.monotonic(), with_.limits.at_once_each), of_all);
}

Task<void> FeedNotifier::sendDue(Shared line) {
  auto const endpoint = line->kept.endpoint;
  auto const room = roomOf(*line);
  auto const again = with_.clock.now() + with_.limits.timeout + kGrace;
  auto begun = co_await deliveries_.begin(endpoint, static_cast<std::int64_t>(room), again);
  // Somebody resent, dropped or removed one of them; the next look shows what there is.
  if (!begun && begun.error().kind == ErrorKind::conflict) {
    next_renewal_ = {}; // or another daemon has changed it
    co_return Result<void>();
  }
  if (!begun) co_return begun.error();
  bool const all = begun->size() < room;
  for (auto& due : *begun) {
    ++line->in_flight;
    ++in_flight_;
    spawn(send(line, std::move(due)));
  }
  if (!all) co_return Result<void>();
  line->look_at = TimePoint::max();
  auto const next = co_await deliveries_.nextDue(endpoint);
  if (!next) line->look_at = {};
  if (!next) co_return next.error();
  if (*next) line->look_at = std::min(line->look_at, **next);
  co_return Result<void>();
}

std::unique_ptr<Notifier> Notifier::create(Dependencies dependencies) {
  return std::make_unique<FeedNotifier>(std::move(dependencies));
}

} // namespace garland::notify
