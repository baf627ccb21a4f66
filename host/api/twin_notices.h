// Delivers a twin's notices (webhooks) to the addresses that its customers registered, in order, each tried
// three times. They go over egress like any request, private addresses included: a twin is for tests.
#pragma once

#include "host/api/api.h"
#include "host/api/twin_call.h"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>

namespace garland::api {

// [loop thread] Kept alive by its own coroutines until close().
class TwinNotices : public std::enable_shared_from_this<TwinNotices> {
public:
  TwinNotices(TwinDependencies const& with, TwinOptions const& options);
  // Returns at once.
  void deliver(std::vector<TwinWebhook> webhooks);
  void close();

private:
  asio::awaitable<void> deliverLater(TwinWebhook webhook);
  asio::awaitable<void> work();
  asio::awaitable<void> deliverOne(TwinWebhook webhook);
  Result<egress::Request> signedRequest(TwinWebhook const& webhook) const;
  void push(TwinWebhook webhook);

  TwinDependencies with_;
  std::function<Result<std::vector<egress::Header>>(TwinNotice const&)> sign_;
  std::deque<TwinWebhook> waiting_;
  bool working_ = false;
  bool closed_ = false;
};

} // namespace garland::api
