// A feed in memory that answers late, and a hub over it on a virtual clock.
#pragma once

#include "host/realtime/realtime.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <random>

namespace garland::realtime {

class FakeFeed final : public Feed {
public:
  explicit FakeFeed(asio::io_context& loop) : loop_(loop) {}

  void commit(std::string const& vendor_id, std::string kind = "crm.client", std::string wedding = "") {
    auto& changes = of[vendor_id];
    sync::Change change;
    change.sequence = std::ssize(changes) + 1;
    change.vendor_id = vendor_id;
    change.kind = std::move(kind);
    change.wedding = std::move(wedding);
    changes.push_back(std::move(change));
  }
  // Nothing up to `sequence` is kept any more.
  void forget(std::string const& vendor_id, std::int64_t sequence) { forgotten[vendor_id] = sequence; }

  Task<std::vector<sync::Change>> after(std::string vendor_id, std::int64_t sequence, int limit) override {
    ++reads;
    ++reading;
    most_reading = std::max(most_reading, reading);
    if (broken) {
      --reading;
      co_return Error(ErrorKind::transient, "the database is away");
    }
    std::vector<sync::Change> page; // as it is now; it arrives later
    for (auto const& change : of[vendor_id])
      if (change.sequence > std::max(sequence, forgotten[vendor_id]) && std::ssize(page) < limit)
        page.push_back(change);
    for (auto steps = lateness(); steps > 0; --steps) co_await asio::post(loop_, asio::use_awaitable);
    --reading;
    co_return page;
  }

  Task<std::vector<sync::FeedSpan>> spans(std::vector<std::string> vendor_ids) override {
    std::vector<sync::FeedSpan> out;
    for (auto const& id : vendor_ids) {
      if (!of.contains(id)) continue;
      sync::FeedSpan span;
      span.vendor_id = id;
      span.last = std::ssize(of[id]);
      span.first = std::min(forgotten[id], span.last) + 1;
      out.push_back(span);
    }
    for (auto steps = lateness(); steps > 0; --steps) co_await asio::post(loop_, asio::use_awaitable);
    co_return out;
  }

  std::map<std::string, std::vector<sync::Change>> of;
  std::map<std::string, std::int64_t> forgotten;
  std::function<int()> lateness = [] { return 0; }; // turns of the loop until an answer comes
  bool broken = false;
  int reads = 0, reading = 0, most_reading = 0;

private:
  asio::io_context& loop_;
};

struct HubHouse {
  explicit HubHouse(Limits limits = {}) {
    auto made = std::make_unique<FakeFeed>(loop);
    feed = made.get();
    auto const render = [](sync::Change const& change, Event& event) {
      event.body = "{\"sequence\":" + std::to_string(change.sequence) + "}";
    };
    hub = Hub::create({loop.get_executor(), clock, log, std::move(made), render}, limits);
  }
  ~HubHouse() {
    hub->stop();
    settle();
  }

  void settle() {
    loop.restart();
    loop.poll();
  }
  void look() {
    clock.advance(Milliseconds(1'000));
    settle();
  }
  void commit(std::string const& vendor_id, int count = 1) {
    for (int i = 0; i < count; ++i) feed->commit(vendor_id);
    hub->changed(vendor_id);
    settle();
  }
  Result<Subscribed> subscribe(Filter filter, std::optional<std::int64_t> after = {}) {
    std::optional<Result<Subscribed>> out;
    asio::co_spawn(loop, hub->subscribe(std::move(filter), after),
                   [&](std::exception_ptr, Result<Subscribed> result) { out = std::move(result); });
    settle();
    return std::move(*out);
  }

  asio::io_context loop;
  VirtualClock clock{TimePoint(Milliseconds(1'780'000'000'000))};
  Redactor redactor;
  std::string log_text;
  Log log{clock, redactor, LogLevel::debug, [this](std::string_view line) { log_text += line; }};
  FakeFeed* feed = nullptr;
  std::shared_ptr<Hub> hub;
};

inline Filter filterOf(std::string vendor_id, std::vector<std::string> kinds = {}, std::string wedding = "") {
  Filter filter;
  filter.vendor_id = std::move(vendor_id);
  filter.kinds = std::move(kinds);
  filter.wedding = std::move(wedding);
  return filter;
}

// Takes whatever there is, until it is told to hold still.
class Reader final : public Outlet {
public:
  explicit Reader(std::shared_ptr<Subscription> subscription) : subscription_(std::move(subscription)) {
    subscription_->wakes(this);
    ready();
  }
  ~Reader() override { subscription_->wakes(nullptr); }
  Reader(Reader const&) = delete;
  Reader& operator=(Reader const&) = delete;

  void ready() override {
    ++told;
    while (!still && takeOnce()) {
    }
  }
  bool takeOnce() {
    auto const events = subscription_->take();
    for (auto const& event : events) seen.push_back(event->sequence);
    return !events.empty();
  }
  Subscription& subscription() { return *subscription_; }

  bool still = false;
  int told = 0;
  std::vector<std::int64_t> seen;

private:
  std::shared_ptr<Subscription> subscription_;
};

} // namespace garland::realtime
