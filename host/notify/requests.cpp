// What people ask for: each change is durable first, and then known to the loop.
#include "host/base/ids.h"
#include "host/notify/feed_notifier.h"
#include "host/notify/message.h"

#include <algorithm>

namespace garland::notify {
namespace {

constexpr Milliseconds kLongestOverlap{30LL * 86'400'000};
constexpr std::size_t kMostWords = 500;
constexpr std::int64_t kResentAtOnce = 500;

Error disabledError() {
  return {ErrorKind::conflict, "the endpoint is disabled: enable it, which sends what waits"};
}

Result<void> checkAll(Endpoint const& endpoint, std::vector<std::string> const& kinds) {
  TRY_VOID(checkUrl(endpoint.url, endpoint.allow_private_network));
  TRY_VOID(checkEvents(endpoint.events, kinds));
  if (endpoint.description.size() <= kMostWords) return {};
  return Error(ErrorKind::invalidInput, "a description has at most 500 bytes", "/description");
}

// For the audit trail. A private network that is opened is the one value that it tells.
std::string namesOf(EndpointChange const& change) {
  std::string names;
  auto const add = [&names](bool is_named, char const* member) {
    if (is_named) names += (names.empty() ? "" : ", ") + std::string(member);
  };
  add(change.url.has_value(), "url");
  add(change.description.has_value(), "description");
  add(change.events.has_value(), "events");
  add(change.ordered.has_value(), "ordered");
  add(change.allow_private_network == true, "private networks allowed");
  add(change.allow_private_network == false, "private networks refused");
  return names;
}

} // namespace

// What was read earlier and comes later puts nothing back.
Task<Endpoint> FeedNotifier::reload(std::string id) {
  auto kept = co_await endpoints_.one(id);
  if (!kept) {
    if (kept.error().kind == ErrorKind::notFound) lines_.erase(id);
    co_return kept.error();
  }
  auto& line = lines_[id];
  if (!line) line = std::make_shared<Line>();
  if (line->kept.endpoint.revision <= kept->endpoint.revision) line->kept = *kept;
  line->behind = true;
  line->look_at = {};
  wake();
  co_return kept->endpoint;
}

Task<std::int64_t> FeedNotifier::endOfFeed(std::string vendor_id) {
  std::vector<std::string> const asked{vendor_id};
  CO_TRY(spans, co_await with_.engine.feedSpans(asked));
  if (spans.empty())
    co_return Error(ErrorKind::notFound, "there is no vendor \"" + vendor_id + "\"", "/vendor_id");
  co_return spans.front().last;
}

Task<WithSecret> FeedNotifier::add(NewEndpoint asked) {
  CO_TRY(end, co_await endOfFeed(asked.vendor_id));
  if (asked.after && (*asked.after < 0 || *asked.after > end))
    co_return Error(ErrorKind::invalidInput, "the vendor's change feed ends at " + std::to_string(end),
                    "/after");
  WithSecret made;
  KeptEndpoint kept;
  auto& endpoint = kept.endpoint;
  endpoint.id = newId("epo", with_.clock, with_.random);
  endpoint.vendor_id = std::move(asked.vendor_id);
  endpoint.url = std::move(asked.url);
  endpoint.description = std::move(asked.description);
  endpoint.events = std::move(asked.events);
  endpoint.ordered = asked.ordered;
  endpoint.allow_private_network = asked.allow_private_network;
  endpoint.place = asked.after.value_or(end);
  endpoint.created = with_.clock.now();
  CO_TRY_VOID(checkAll(endpoint, with_.kinds));
  made.secret = newSecret(with_.random);
  CO_TRY(sealed, endpoints_.sealed(made.secret, nullptr, endpoint));
  kept.sealed = std::move(sealed);
  auto const id = endpoint.id;
  CO_TRY_VOID(co_await endpoints_.insert(std::move(kept)));
  CO_TRY(there, co_await reload(id));
  made.endpoint = std::move(there);
  co_return std::move(made);
}

Task<Endpoint> FeedNotifier::one(std::string id) {
  CO_TRY(kept, co_await endpoints_.one(std::move(id)));
  co_return std::move(kept.endpoint);
}

Task<std::vector<Endpoint>> FeedNotifier::list(std::string vendor_id) {
  CO_TRY(all, co_await endpoints_.list(std::move(vendor_id)));
  std::vector<Endpoint> endpoints;
  for (auto& kept : all) endpoints.push_back(std::move(kept.endpoint));
  co_return std::move(endpoints);
}

Task<Endpoint> FeedNotifier::change(std::string id, EndpointChange change) {
  CO_TRY(kept, co_await endpoints_.one(id));
  auto& endpoint = kept.endpoint;
  auto named = namesOf(change);
  if (change.url) endpoint.url = *std::move(change.url);
  if (change.description) endpoint.description = *std::move(change.description);
  if (change.events) endpoint.events = *std::move(change.events);
  endpoint.ordered = change.ordered.value_or(endpoint.ordered);
  endpoint.allow_private_network = change.allow_private_network.value_or(endpoint.allow_private_network);
  CO_TRY_VOID(checkAll(endpoint, with_.kinds));
  CO_TRY_VOID(co_await endpoints_.save(std::move(kept), "endpoint.change", std::move(named)));
  co_return co_await reload(std::move(id));
}

Task<void> FeedNotifier::remove(std::string id) {
  CO_TRY(kept, co_await endpoints_.one(id));
  CO_TRY_VOID(co_await endpoints_.remove(std::move(kept.endpoint)));
  if (auto const found = lines_.find(id); found != lines_.end()) {
    found->second->kept.endpoint.enabled = false; // for who still holds the line
    lines_.erase(found);
  }
  co_return Result<void>();
}

Task<WithSecret> FeedNotifier::rotate(std::string id, Milliseconds overlap) {
  if (overlap < Milliseconds(0) || overlap > kLongestOverlap)
    co_return Error(ErrorKind::invalidInput, "two secrets live beside each other for 30 days at most",
                    "/overlap_seconds");
  CO_TRY(kept, co_await endpoints_.one(id));
  CO_TRY(secrets, endpoints_.secretsOf(kept));
  WithSecret made;
  made.secret = newSecret(with_.random);
  Secret const* const older = overlap > Milliseconds(0) ? &secrets.front() : nullptr;
  CO_TRY(sealed, endpoints_.sealed(made.secret, older, kept.endpoint));
  kept.sealed = std::move(sealed);
  kept.endpoint.old_secret_until.reset();
  if (older != nullptr) kept.endpoint.old_secret_until = with_.clock.now() + overlap;
  auto overlapping = "the secret before signs for " + std::to_string(overlap.count()) + " ms";
  CO_TRY_VOID(co_await endpoints_.save(std::move(kept), "endpoint.rotate", std::move(overlapping)));
  CO_TRY(there, co_await reload(std::move(id)));
  made.endpoint = std::move(there);
  co_return std::move(made);
}

Task<Endpoint> FeedNotifier::enable(std::string id, bool from_now) {
  CO_TRY(kept, co_await endpoints_.one(id));
  std::optional<std::int64_t> place;
  if (from_now) {
    CO_TRY(end, co_await endOfFeed(kept.endpoint.vendor_id));
    place = end;
  }
  CO_TRY_VOID(co_await endpoints_.enable(std::move(kept.endpoint), place));
  if (auto const found = lines_.find(id); found != lines_.end()) found->second->wentWell();
  co_return co_await reload(std::move(id));
}

Task<Endpoint> FeedNotifier::disable(std::string id, std::string why) {
  if (why.size() > kMostWords)
    co_return Error(ErrorKind::invalidInput, "a reason has at most 500 bytes", "/why");
  CO_TRY(kept, co_await endpoints_.one(id));
  if (why.empty()) why = "somebody disabled it";
  CO_TRY_VOID(co_await endpoints_.disable(std::move(kept.endpoint), std::move(why), ""));
  co_return co_await reload(std::move(id));
}

Task<std::vector<Delivery>> FeedNotifier::deliveries(DeliveryQuery query) {
  CO_TRY(kept, co_await endpoints_.one(query.endpoint_id));
  co_return co_await deliveries_.list(std::move(query), std::move(kept.endpoint.vendor_id));
}

Task<DeliveryDetail> FeedNotifier::delivery(std::string endpoint_id, std::string id) {
  CO_TRY(kept, co_await endpoints_.one(endpoint_id));
  auto const sequence = sequenceOf(endpoint_id, id);
  if (!sequence) co_return Error(ErrorKind::notFound, "the endpoint has no delivery " + id);
  co_return co_await deliveries_.one(std::move(kept.endpoint), *sequence);
}

Task<Delivery> FeedNotifier::resend(std::string endpoint_id, std::string id) {
  CO_TRY(detail, co_await delivery(endpoint_id, id));
  CO_TRY(kept, co_await endpoints_.one(endpoint_id));
  if (!kept.endpoint.enabled) co_return disabledError();
  CO_TRY_VOID(co_await deliveries_.resend(kept.endpoint, detail.delivery.sequence));
  CO_TRY_VOID(co_await reload(endpoint_id));
  CO_TRY(now, co_await deliveries_.one(std::move(kept.endpoint), detail.delivery.sequence));
  co_return std::move(now.delivery);
}

// In portions, so that the database is never held up for long.
Task<Resent> FeedNotifier::resendRange(ResendRange range) {
  CO_TRY(kept, co_await endpoints_.one(range.endpoint_id));
  if (!kept.endpoint.enabled) co_return disabledError();
  CO_TRY(waiting, co_await deliveries_.countWaiting(kept.endpoint));
  auto room = with_.limits.waiting - waiting;
  Resent resent;
  bool more = true;
  while (more && room > 0) {
    auto const most = std::min(room, kResentAtOnce);
    CO_TRY(some, co_await deliveries_.resendSome(kept.endpoint, range, most));
    if (!some.empty()) range.after = some.back();
    resent.count += std::ssize(some);
    room -= std::ssize(some);
    more = std::ssize(some) == most;
  }
  if (more) resent.next_after = range.after;
  CO_TRY_VOID(co_await reload(kept.endpoint.id));
  co_return resent;
}

Task<Counts> FeedNotifier::counts() {
  Counts counts;
  CO_TRY(waiting, co_await deliveries_.countAllWaiting());
  counts.waiting = waiting;
  CO_TRY(disabled, co_await endpoints_.countDisabled());
  counts.disabled = disabled;
  co_return counts;
}

} // namespace garland::notify
