// Real time out: whoever subscribes to a vendor's changes gets every one of them, in order and once, from any
// number on.
//
// A change is read from the feed once and kept for a while in the vendor's tail, which all of its subscribers
// share. A subscriber is a position: behind the tail it reads the feed itself, page by page, at the tail's
// end it waits. Numbers have no gaps, so that the way from the one to the other is exact, and a number that
// is missing means that the feed does not hold it any more.
#pragma once

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/task.h"
#include "host/sync/sync.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace garland::realtime {

// Which changes a subscriber wants.
struct Filter {
  std::string vendor_id;
  std::vector<std::string> kinds; // empty: all
  std::string wedding;            // record id of its project; "": all, and those of no wedding
};

// A change as it goes out, made once for everybody.
struct Event {
  std::int64_t sequence = 0;
  std::string kind;
  std::string wedding;
  std::string body;           // the change in JSON
  std::string frame_head;     // what a WebSocket sends before the body
  std::string event_head;     // what an event stream sends before the body
  std::size_t bytes() const { // of memory, about
    return sizeof(Event) + kind.size() + wedding.size() + body.size() + frame_head.size() + event_head.size();
  }
};
using SharedEvent = std::shared_ptr<Event const>;

bool admits(Filter const& filter, Event const& event);

struct Limits {
  std::size_t subscribers = 20'000;
  std::size_t subscribers_of_vendor = 10'000;
  std::size_t tail_events = 1'024;     // of one vendor
  std::size_t tail_bytes = 64U << 20U; // of all vendors
  std::size_t batch = 16;              // events that a subscriber holds while they are sent to it
  std::size_t readers = 64;            // subscribers that hold a page of the feed at one time; others wait
  int page = 100;                      // changes on such a page
  std::int64_t most_behind =
      50'000; // a subscriber that was at the end of the feed once, and is so far behind, is shed
  Milliseconds look_every{1'000}; // for what other daemons committed
};

// The change feed, as sync::Engine has it.
class Feed {
public:
  virtual ~Feed() = default;
  // Ascending without gaps; those right after `sequence` that are still kept.
  virtual Task<std::vector<sync::Change>> after(std::string vendor_id, std::int64_t sequence, int limit) = 0;
  virtual Task<std::vector<sync::FeedSpan>> spans(std::vector<std::string> vendor_ids) = 0;
};
std::unique_ptr<Feed> feedOf(sync::Engine& engine);

// Who sends what a subscription hands out.
class Outlet {
public:
  virtual ~Outlet() = default;
  // There may be more to take, or the subscription has ended.
  virtual void ready() = 0;
};

enum class End {
  none,
  gone, // the feed does not hold the next change any more: list the records anew
  slow, // shed: too far behind
};

// One subscriber; it leaves when this is destroyed. [loop thread]
class Subscription {
public:
  virtual ~Subscription() = default;
  // The outlet outlives the subscription, or is taken back by nullptr.
  virtual void wakes(Outlet* outlet) = 0;
  // The next events, at most Limits::batch. Empty: nothing now; the outlet is told when there is.
  virtual std::vector<SharedEvent> take() = 0;
  // Every change up to this number was handed out or is none that the filter admits: where to resume.
  virtual std::int64_t position() const = 0;
  virtual End ended() const = 0;
};

struct Subscribed {
  std::shared_ptr<Subscription> subscription; // null: what comes after the number asked for is gone
  sync::FeedSpan span;                        // what there is
};

struct Figures {
  std::size_t subscribers = 0;
  std::size_t vendors = 0; // with subscribers
  std::size_t tail_bytes = 0;
  std::int64_t most_behind = 0; // changes between the feed's end and the last subscriber
  std::uint64_t handed_out = 0; // events, since the start
};

struct Dependencies {
  asio::any_io_executor executor;
  Clock& clock;
  Log const& log;
  std::unique_ptr<Feed> feed;
  // Fills in body and heads of the event of a change.
  std::function<void(sync::Change const&, Event&)> render;
};

// [loop thread] No I/O but through the feed.
class Hub {
public:
  virtual ~Hub() = default;
  static std::shared_ptr<Hub> create(Dependencies dependencies, Limits limits);
  // From the change after `after` on; without it, from now on. Errors: notFound (no such vendor), quota (the
  // vendor has too many subscribers), transient (all vendors have; with retry_after, or the database is
  // away).
  virtual Task<Subscribed> subscribe(Filter filter, std::optional<std::int64_t> after) = 0;
  // The vendor's feed has grown. For sync::Engine::onChange.
  virtual void changed(std::string const& vendor_id) = 0;
  virtual Figures figures() const = 0;
  // Nobody is told anything any more.
  virtual void stop() = 0;
};

} // namespace garland::realtime
