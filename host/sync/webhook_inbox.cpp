#include "host/sync/webhook_inbox.h"

#include "host/base/ids.h"
#include "host/sync/retry.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <set>
#include <string_view>
#include <utility>

namespace garland::sync {
namespace {

constexpr std::size_t kMostRows = 256; // of one commit
constexpr std::size_t kUsualRows = 64; // of one while many come in
constexpr std::size_t kMostBytes = 4U << 20U;
constexpr Milliseconds kTryAgain{1'000};
constexpr Milliseconds kTryMuchLater{60'000};

Error overloaded(std::string message, Milliseconds retry_after) {
  Error error(ErrorKind::transient, std::move(message));
  error.retry_after = retry_after;
  return error;
}

Task<bool> saying(Result<bool> result) { co_return result; }

} // namespace

WebhookInbox::WebhookInbox(Context& context, WebhookStore& store, std::function<void(Owner const&)> arrived)
    : context_(context), store_(store), arrived_(std::move(arrived)), noise_(context.doors.random),
      nursery_(context.doors.executor) {}

void WebhookInbox::opened(std::string const& connection_id, std::int64_t count, std::int64_t bytes) {
  auto& open = open_[connection_id];
  open.count += count;
  open.bytes += bytes;
  if (open.count <= 0) open_.erase(connection_id);
}

Result<void> WebhookInbox::checkRoom(NewWebhook const& webhook) const {
  if (context_.stopping) return overloaded("the daemon is stopping", kTryAgain);
  auto const& room = context_.doors.webhook_room;
  if (queued_ >= room.queued || queued_bytes_ + webhook.body.size() > room.queued_bytes)
    return overloaded("more webhooks come in than the database takes", kTryAgain);
  auto const open = open_.find(webhook.connection_id);
  bool const full =
      open != open_.end() && (open->second.count >= room.open || open->second.bytes >= room.open_bytes);
  if (full)
    return overloaded("connection " + webhook.connection_id +
                          " has too many webhooks that wait or are dead; see garland webhooks ls",
                      kTryMuchLater);
  return {};
}

WebhookInbox::Batch& WebhookInbox::batchFor(std::size_t bytes) {
  bool const full = batches_.empty() || batches_.back()->rows.size() >= kMostRows ||
                    batches_.back()->bytes + bytes > kMostBytes;
  if (!full) return *batches_.back();
  auto& batch = *batches_.emplace_back(std::make_shared<Batch>());
  batch.rows.reserve(kUsualRows);
  batch.waiters.reserve(kUsualRows);
  return batch;
}

// A named object, because a lambda beside co_await is not allowed here.
struct WebhookInbox::Joining {
  WebhookInbox* inbox;
  template <class Handler> void operator()(Handler&& handler, NewWebhook webhook) const {
    inbox->join(std::move(webhook), Waiter(std::forward<Handler>(handler)));
  }
};

// No coroutine and no timer to wait for: each delivery would have one of its own.
Task<bool> WebhookInbox::add(NewWebhook webhook) {
  if (auto const room = checkRoom(webhook); !room) return saying(room.error());
  return asio::async_initiate<asio::use_awaitable_t<> const, void(Result<bool>)>(
      Joining{this}, asio::use_awaitable, std::move(webhook));
}

void WebhookInbox::join(NewWebhook webhook, Waiter waiter) {
  auto const bytes = webhook.body.size();
  auto& batch = batchFor(bytes);
  batch.bytes += bytes;
  batch.rows.push_back(
      WebhookRow{newId("whk", context_.doors.clock, noise_), context_.now(), std::move(webhook)});
  batch.waiters.push_back(std::move(waiter));
  ++queued_;
  queued_bytes_ += bytes;
  if (!std::exchange(flushing_, true)) nursery_.spawn(flush());
}

void WebhookInbox::Batch::answer(asio::any_io_executor const& executor, std::shared_ptr<Batch> batch) {
  asio::post(executor, [batch = std::move(batch)] {
    for (std::size_t i = 0; i < batch->waiters.size(); ++i)
      std::move(batch->waiters[i])(batch->error ? Result<bool>(*batch->error)
                                                : Result<bool>(batch->known[i]));
  });
}

Task<void> WebhookInbox::stop() { co_return co_await nursery_.drained(); }

// However a flush ends, the next delivery begins another one.
class WebhookInbox::Flushing {
public:
  explicit Flushing(WebhookInbox& inbox) : inbox_(inbox) {}
  Flushing(Flushing const&) = delete;
  Flushing& operator=(Flushing const&) = delete;
  ~Flushing() { inbox_.flushing_ = false; }

private:
  WebhookInbox& inbox_;
};

// However a commit ends, whoever handed something in is answered.
class WebhookInbox::Answering {
public:
  Answering(WebhookInbox& inbox, std::shared_ptr<Batch> batch)
      : inbox_(inbox), batch_(std::move(batch)), count_(batch_->rows.size()), bytes_(batch_->bytes) {}
  Answering(Answering const&) = delete;
  Answering& operator=(Answering const&) = delete;
  ~Answering() {
    inbox_.queued_ -= count_;
    inbox_.queued_bytes_ -= bytes_;
    if (batch_->known.size() != count_ && !batch_->error)
      batch_->error = overloaded("webhooks could not be kept", kTryAgain);
    Batch::answer(inbox_.context_.doors.executor, std::move(batch_));
  }

private:
  WebhookInbox& inbox_;
  std::shared_ptr<Batch> batch_;
  std::size_t count_;
  std::size_t bytes_;
};

Task<void> WebhookInbox::flush() {
  Flushing const flushing(*this);
  // What comes in with the same turn of the loop goes with it.
  co_await asio::post(context_.doors.executor, asio::use_awaitable);
  while (!batches_.empty()) {
    auto batch = std::move(batches_.front());
    batches_.pop_front();
    Answering const answering(*this, batch);
    CO_TRY_VOID(co_await commit(std::move(batch)));
  }
  co_return Result<void>();
}

// While the database is away each batch fails alike.
void WebhookInbox::tellFailure(std::string const& why, std::size_t count) {
  auto const failed = failures_.count(why, context_.doors.clock.monotonic(), count);
  if (!failed) return;
  context_.doors.log.error("webhooks could not be kept: " + why, json::object{{"count", *failed}});
}

// Of two with one key in a batch the first one goes in.
Task<void> WebhookInbox::commit(std::shared_ptr<Batch> batch) {
  std::vector<Arrival> arrivals;
  arrivals.reserve(batch->rows.size()); // what is in it stays where it is
  std::vector<WebhookRow> rows;
  std::set<std::pair<std::string, std::string>> places;
  std::map<std::string, std::string> owners; // connection -> vendor
  for (auto& row : batch->rows) {
    auto& arrival = arrivals.emplace_back();
    arrival.connection = row.webhook.connection_id;
    arrival.bytes = static_cast<std::int64_t>(row.webhook.body.size());
    owners.try_emplace(row.webhook.connection_id, row.webhook.vendor_id);
    if (!places.emplace(row.webhook.connection_id, row.webhook.key).second) continue;
    arrival.row = rows.size();
    rows.push_back(std::move(row));
  }
  auto const fresh = co_await store_.insert(std::move(rows));
  if (!fresh) {
    tellFailure(cut(fresh.error().message), arrivals.size());
    batch->error = overloaded(fresh.error().message, kTryAgain);
  } else {
    for (auto const& arrival : arrivals) {
      auto const what = arrival.row ? (*fresh)[*arrival.row] : Freshness::isKnown;
      batch->known.push_back(what == Freshness::isKnown);
      if (what == Freshness::isNew || what == Freshness::isAgain)
        opened(arrival.connection, 1, arrival.bytes);
    }
  }
  // Whatever the store says: after an error they may be durable all the same, and those that are known may
  // have come in with a commit that was told as lost.
  for (auto const& [connection, vendor] : owners) arrived_(Owner{vendor, connection});
  co_return Result<void>();
}

} // namespace garland::sync
