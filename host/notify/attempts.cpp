// One attempt, and what follows from its end.
#include "host/notify/courier.h"
#include "host/notify/feed_notifier.h"
#include "host/notify/message.h"

#include <boost/asio/this_coro.hpp>

namespace garland::notify {

asio::awaitable<void> FeedNotifier::send(Shared line, Due due) {
  // How it ended is kept even if the daemon is stopping by then.
  co_await asio::this_coro::throw_if_cancelled(false);
  auto attempting = attempt(line, std::move(due));
  auto const ended = co_await std::move(attempting);
  if (!ended && !stopping_)
    with_.log.error("what became of a delivery could not be kept; it is sent again: " + ended.error().message,
                    json::object{{"endpoint", line->kept.endpoint.id}});
  --line->in_flight;
  --in_flight_;
  line->look_at = {};
  wake();
}

Task<void> FeedNotifier::attempt(Shared line, Due due) {
  auto const endpoint = line->kept.endpoint;
  auto const began = with_.clock.monotonic();
  Result<egress::Response> answer = Error();
  auto const secrets = endpoints_.secretsOf(line->kept);
  if (!secrets) {
    answer = secrets.error();
  } else if (auto request = requestFor(endpoint, due, *secrets, with_.clock.now(), with_.limits.timeout);
             !request) {
    answer = request.error();
  } else {
    auto fetching = with_.egress.fetch(*std::move(request), policyFor(endpoint, with_.extra_ca_file),
                                       addressOf(endpoint));
    answer = co_await std::move(fetching);
  }
  // Broken off by us: nobody knows, so it is due again.
  if (!answer && (stopping_ || answer.error().kind == ErrorKind::cancelled)) co_return Result<void>();
  auto outcome = outcomeOf(answer);
  outcome.took = std::chrono::duration_cast<Milliseconds>(with_.clock.monotonic() - began);
  auto keeping = keep(line, std::move(due), std::move(outcome));
  co_return co_await std::move(keeping);
}

Task<void> FeedNotifier::keep(Shared line, Due due, Outcome outcome) {
  if (!outcome.delivered) {
    line->wentWrong(with_.clock.monotonic(), outcome.retry_after);
    tell("failed");
    auto keeping = keepFailure(line, std::move(due), std::move(outcome));
    co_return co_await std::move(keeping);
  }
  line->wentWell();
  tell("delivered");
  co_return co_await deliveries_.delivered(line->kept.endpoint, std::move(due), std::move(outcome));
}

Task<void> FeedNotifier::keepFailure(Shared line, Due due, Outcome outcome) {
  auto const endpoint = line->kept.endpoint;
  auto const now = with_.clock.now();
  auto const next = now + pauseAfter(due.tries, outcome.retry_after, with_.random);
  CO_TRY(since, co_await deliveries_.failed(endpoint, due, outcome, next));
  if (!since) co_return Result<void>();
  if (outcome.gone) co_return co_await disableByItself(endpoint, outcome.problem, "gone");
  CO_TRY(for_good, co_await failsForGood(endpoint, *since));
  if (for_good) {
    auto const hours = std::to_string(std::chrono::floor<std::chrono::hours>(now - *since).count());
    co_return co_await disableByItself(
        endpoint, "every attempt failed for " + hours + " hours; at last " + outcome.problem, "failing");
  }
  bool const tried = due.tries >= with_.limits.fewest_tries;
  if (!tried || now - due.first_sent < with_.limits.give_up) co_return Result<void>();
  tell("given up");
  with_.log.warn("a delivery is given up",
                 json::object{{"endpoint", endpoint.id}, {"delivery", idOf(endpoint.id, due.sequence)}});
  co_return co_await deliveries_.giveUp(endpoint, std::move(due));
}

Task<bool> FeedNotifier::failsForGood(Endpoint endpoint, TimePoint since) {
  if (with_.clock.now() - since < with_.limits.give_up) co_return false;
  CO_TRY(moments, co_await deliveries_.countMoments(std::move(endpoint), since));
  co_return moments >= with_.limits.fewest_tries;
}

Task<void> FeedNotifier::disableByItself(Endpoint endpoint, std::string why, std::string cause) {
  if (auto const known = lines_.find(endpoint.id);
      known == lines_.end() || !known->second->kept.endpoint.enabled)
    co_return Result<void>();
  CO_TRY_VOID(co_await endpoints_.disable(endpoint, why, std::move(cause)));
  tell("disabled");
  with_.log.warn("an endpoint is disabled: " + why + "; enable it again with: garland endpoints enable " +
                     endpoint.id,
                 json::object{{"endpoint", endpoint.id}, {"vendor", endpoint.vendor_id}});
  CO_TRY_VOID(co_await reload(endpoint.id));
  co_return Result<void>();
}

} // namespace garland::notify
