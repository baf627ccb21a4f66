// Makes deliveries durable, many in one commit: while one commit is under way the next batch gathers. Whoever
// handed one in is answered when its batch is durable. What is over the limits is not taken. [loop thread]
#pragma once

#include "host/base/pooled_random.h"
#include "host/sync/repeats.h"
#include "host/sync/waiting.h"
#include "host/sync/webhook_store.h"

#include <boost/asio/any_completion_handler.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace garland::sync {

class WebhookInbox {
public:
  // `arrived` is told whose deliveries are there now, or may be.
  WebhookInbox(Context& context, WebhookStore& store, std::function<void(Owner const&)> arrived);

  // True: it had come before.
  Task<bool> add(NewWebhook webhook);
  Task<void> stop(); // answers when everything that was taken is durable

  // What is open of each connection, waiting or dead: more than the limit is not taken.
  void opened(std::string const& connection_id, std::int64_t count, std::int64_t bytes);
  void closed(Webhook const& webhook) { opened(webhook.connection_id, -1, -webhook.bytes); }
  void forget(std::string const& connection_id) { open_.erase(connection_id); }
  void forgetAll() { open_.clear(); }

private:
  using Waiter = asio::any_completion_handler<void(Result<bool>)>;
  struct Batch {
    std::vector<WebhookRow> rows;
    std::vector<Waiter> waiters; // of each row
    std::size_t bytes = 0;
    std::vector<bool> known; // of each row, once it is durable
    std::optional<Error> error;

    // Not before everything else of this turn of the loop: the next batch is on its way then.
    static void answer(asio::any_io_executor const& executor, std::shared_ptr<Batch> batch);
  };
  // What has to be known of a row once it has gone into the unit.
  struct Arrival {
    std::string connection;
    std::int64_t bytes = 0;
    std::optional<std::size_t> row; // none: one with its key is in the unit already
  };
  struct Open {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
  };
  Result<void> checkRoom(NewWebhook const& webhook) const;
  Batch& batchFor(std::size_t bytes);
  void join(NewWebhook webhook, Waiter waiter);
  struct Joining;
  class Flushing;
  class Answering;
  Task<void> flush();
  Task<void> commit(std::shared_ptr<Batch> batch);
  void tellFailure(std::string const& why, std::size_t count);

  Context& context_;
  WebhookStore& store_;
  std::function<void(Owner const&)> arrived_;
  PooledRandom noise_; // of ids
  Nursery nursery_;
  std::deque<std::shared_ptr<Batch>> batches_; // not yet committed; the last one gathers
  std::size_t queued_ = 0;
  std::size_t queued_bytes_ = 0;
  bool flushing_ = false;
  Repeats failures_; // webhooks
  std::map<std::string, Open, std::less<>> open_;
};

} // namespace garland::sync
