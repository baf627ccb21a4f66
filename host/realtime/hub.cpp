// When the feed is read, and for whom: once for all after each commit, and for those who are behind the tail
// a page at a time, of which there are only so many.
#include "host/realtime/channel.h"
#include "host/realtime/outage.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>

namespace garland::realtime {
namespace {

constexpr int kPumped = 256;             // changes that are read at once for all
constexpr std::size_t kToldAtOnce = 256; // then others have their turn on the loop

class FeedOfEngine final : public Feed {
public:
  explicit FeedOfEngine(sync::Engine& engine) : engine_(engine) {}
  Task<std::vector<sync::Change>> after(std::string vendor_id, std::int64_t sequence, int limit) override {
    return engine_.changes(std::move(vendor_id), sequence, limit);
  }
  Task<std::vector<sync::FeedSpan>> spans(std::vector<std::string> vendor_ids) override {
    return engine_.feedSpans(std::move(vendor_ids));
  }

private:
  sync::Engine& engine_;
};

class Seat;

class HubOfChannels final : public Hub, public std::enable_shared_from_this<HubOfChannels> {
public:
  HubOfChannels(Dependencies dependencies, Limits limits) : with_(std::move(dependencies)), limits_(limits) {}

  Task<Subscribed> subscribe(Filter filter, std::optional<std::int64_t> after) override;
  void changed(std::string const& vendor_id) override;
  Figures figures() const override;
  void stop() override;

  // For seats.
  std::vector<SharedEvent> take(Seat& seat);
  void left(Seat& seat);

private:
  using SharedChannel = std::shared_ptr<Channel>;

  Result<void> checkRoom(std::string const& vendor_id) const;
  SharedChannel channelOf(std::string const& vendor_id, std::int64_t head);
  std::vector<SharedEvent> rendered(std::vector<sync::Change> const& changes) const;
  void spawn(asio::awaitable<void> work);
  static asio::awaitable<void> pump(std::shared_ptr<HubOfChannels> self, SharedChannel channel);
  static asio::awaitable<void> look(std::shared_ptr<HubOfChannels> self);
  static asio::awaitable<void> readFor(std::shared_ptr<HubOfChannels> self, std::weak_ptr<Seat> seat);
  bool mayRead() { return outage_.mayRead(with_.clock.monotonic()); }
  void wasRead(Result<std::vector<sync::Change>> const& page);
  void tell(SharedChannel channel);
  void wakeLater(std::shared_ptr<Seat> seat);
  void lookLater();
  void askForPage(Seat& seat);
  void giveBack(Seat& seat);

  Dependencies with_;
  Limits limits_;
  std::shared_ptr<std::size_t> const tail_bytes_ = std::make_shared<std::size_t>(0);
  std::map<std::string, SharedChannel, std::less<>> channels_;
  std::size_t subscribers_ = 0;
  std::size_t readers_ = 0;
  std::deque<std::weak_ptr<Seat>> waiting_; // to read a page
  std::uint64_t handed_out_ = 0;
  Outage outage_; // of the feed: all channels are in one database
  asio::cancellation_signal stop_looking_;
  bool looking_ = false;
  bool stopped_ = false;
};

class Seat final : public Subscription, public std::enable_shared_from_this<Seat> {
public:
  Seat(std::shared_ptr<HubOfChannels> hub, std::shared_ptr<Channel> channel_in, Filter filter,
       std::int64_t position)
      : channel(std::move(channel_in)), hub_(std::move(hub)) {
    place.filter = std::move(filter);
    place.position = position;
    channel->enter(place);
  }
  ~Seat() override {
    channel->leave(place);
    hub_->left(*this);
  }
  Seat(Seat const&) = delete;
  Seat& operator=(Seat const&) = delete;

  void wakes(Outlet* outlet) override { place.outlet = outlet; }
  std::vector<SharedEvent> take() override { return hub_->take(*this); }
  std::int64_t position() const override { return place.position; }
  End ended() const override { return place.end; }

  Place place;
  std::shared_ptr<Channel> const channel;
  bool may_read = false; // is one of the readers
  bool waits = false;    // to be one

private:
  std::shared_ptr<HubOfChannels> const hub_;
};

Result<void> HubOfChannels::checkRoom(std::string const& vendor_id) const {
  auto const found = channels_.find(vendor_id);
  if (found != channels_.end() && found->second->size() >= limits_.subscribers_of_vendor)
    return Error(ErrorKind::quota, "this vendor has " + std::to_string(found->second->size()) +
                                       " subscribers, and may have no more: end some");
  if (subscribers_ < limits_.subscribers) return {};
  Error error(ErrorKind::transient, "there are " + std::to_string(subscribers_) +
                                        " subscribers, and no room for more: try again later");
  error.retry_after = Milliseconds(5'000);
  return error;
}

HubOfChannels::SharedChannel HubOfChannels::channelOf(std::string const& vendor_id, std::int64_t head) {
  auto& channel = channels_[vendor_id];
  if (!channel) channel = std::make_shared<Channel>(vendor_id, head, limits_, tail_bytes_);
  return channel;
}

Task<Subscribed> HubOfChannels::subscribe(Filter filter, std::optional<std::int64_t> after) {
  auto const self = shared_from_this();
  std::vector<std::string> asked;
  asked.push_back(filter.vendor_id);
  CO_TRY(spans, co_await with_.feed->spans(std::move(asked)));
  if (spans.empty()) co_return Error(ErrorKind::notFound, "there is no vendor " + filter.vendor_id);
  Subscribed out;
  out.span = spans.front();
  if (stopped_) co_return Error(ErrorKind::transient, "this daemon is stopping");
  CO_TRY_VOID(checkRoom(filter.vendor_id));
  auto const known = channels_.find(filter.vendor_id);
  if (known != channels_.end()) out.span.last = std::max(out.span.last, known->second->head());
  auto const position = after.value_or(out.span.last);
  if (position < out.span.first - 1 || position > out.span.last) co_return out;
  auto const vendor_id = filter.vendor_id;
  auto channel = channelOf(vendor_id, out.span.last);
  out.subscription = std::make_shared<Seat>(self, std::move(channel), std::move(filter), position);
  ++subscribers_;
  // What was committed since the feed was looked at is told of to nobody.
  changed(vendor_id);
  lookLater();
  co_return out;
}

void HubOfChannels::changed(std::string const& vendor_id) {
  auto const found = channels_.find(vendor_id);
  if (found == channels_.end() || stopped_) return;
  auto const& channel = found->second;
  channel->grew = true;
  if (std::exchange(channel->pumping, true)) return;
  spawn(pump(shared_from_this(), channel));
}

void HubOfChannels::spawn(asio::awaitable<void> work) {
  asio::co_spawn(with_.executor, std::move(work), [&log = with_.log](std::exception_ptr failed) {
    if (!failed) return;
    try {
      std::rethrow_exception(failed);
    } catch (std::exception const& exception) {
      log.error("reading the feed for subscribers ended in an exception",
                json::object{{"what", exception.what()}});
    }
  });
}

std::vector<SharedEvent> HubOfChannels::rendered(std::vector<sync::Change> const& changes) const {
  std::vector<SharedEvent> events;
  events.reserve(changes.size());
  for (auto const& change : changes) {
    auto event = std::make_shared<Event>();
    event->sequence = change.sequence;
    event->kind = change.kind;
    event->wedding = change.wedding;
    with_.render(change, *event);
    events.push_back(std::move(event));
  }
  return events;
}

asio::awaitable<void> HubOfChannels::pump(std::shared_ptr<HubOfChannels> self, SharedChannel channel) {
  while (std::exchange(channel->grew, false) && !self->stopped_) {
    for (bool more = true; more && channel->size() > 0 && !self->stopped_ && self->mayRead();) {
      auto const page = co_await self->with_.feed->after(channel->vendor(), channel->head(), kPumped);
      self->wasRead(page);
      if (!page) break; // whoever looks from time to time finds that there is more
      more = std::ssize(*page) == kPumped;
      channel->publish(self->rendered(*page));
      self->tell(channel);
    }
  }
  channel->pumping = false;
}

void HubOfChannels::wasRead(Result<std::vector<sync::Change>> const& page) {
  if (page && outage_.worked()) with_.log.info("the change feed can be read for its subscribers again");
  if (!page && outage_.failed(with_.clock.monotonic()))
    with_.log.warn("the change feed cannot be read for its subscribers, who wait until it can: " +
                   page.error().message);
}

void HubOfChannels::tell(SharedChannel channel) {
  for (std::size_t told = 0; told < kToldAtOnce; ++told)
    if (stopped_ || !channel->wakeOne()) return;
  asio::post(with_.executor, [self = shared_from_this(), channel] { self->tell(channel); });
}

void HubOfChannels::lookLater() {
  if (std::exchange(looking_, true)) return;
  asio::co_spawn(with_.executor, look(shared_from_this()),
                 asio::bind_cancellation_slot(stop_looking_.slot(), [](std::exception_ptr) {}));
}

// The safety net under changed(): other daemons commit too, and a read may fail.
asio::awaitable<void> HubOfChannels::look(std::shared_ptr<HubOfChannels> self) {
  while (!self->channels_.empty() && !self->stopped_) {
    auto const slept = co_await self->with_.clock.sleepFor(self->limits_.look_every);
    if (!slept) break;
    std::vector<std::string> vendors;
    std::vector<SharedChannel> watched; // whoever is told may leave
    for (auto const& [id, channel] : self->channels_) {
      vendors.push_back(id);
      watched.push_back(channel);
    }
    for (auto const& channel : watched) {
      channel->trim();
      channel->tellWhoIsBehind();
      self->tell(channel);
    }
    watched.clear();
    auto const spans = co_await self->with_.feed->spans(std::move(vendors));
    if (!spans) continue;
    for (auto const& span : *spans) {
      auto const found = self->channels_.find(span.vendor_id);
      if (found != self->channels_.end() && span.last > found->second->head()) self->changed(span.vendor_id);
    }
  }
  self->looking_ = false;
}

std::vector<SharedEvent> HubOfChannels::take(Seat& seat) {
  if (stopped_) return {};
  auto out = seat.channel->take(seat.place);
  handed_out_ += out.size();
  if (seat.channel->isBehind(seat.place))
    askForPage(seat);
  else if (seat.may_read && seat.place.page.empty() && !seat.place.reading)
    giveBack(seat);
  return out;
}

void HubOfChannels::askForPage(Seat& seat) {
  if (seat.waits) return;
  if (seat.may_read && !waiting_.empty()) giveBack(seat); // others first
  if (!seat.may_read && readers_ >= limits_.readers) {
    seat.waits = true;
    waiting_.push_back(seat.weak_from_this());
    return;
  }
  if (!mayRead()) return giveBack(seat); // whoever looks from time to time wakes it
  if (!std::exchange(seat.may_read, true)) ++readers_;
  seat.place.reading = true;
  spawn(readFor(shared_from_this(), seat.weak_from_this()));
}

// The next of those who wait reads.
void HubOfChannels::giveBack(Seat& seat) {
  if (!std::exchange(seat.may_read, false)) return;
  --readers_;
  while (!waiting_.empty() && readers_ < limits_.readers) {
    auto const next = waiting_.front().lock();
    waiting_.pop_front();
    if (!next) continue;
    next->waits = false;
    if (next->channel->isBehind(next->place))
      askForPage(*next);
    else
      wakeLater(next);
  }
}

// Never from within take(): what it hands out would be overtaken.
void HubOfChannels::wakeLater(std::shared_ptr<Seat> seat) {
  asio::post(with_.executor, [seat = std::move(seat)] {
    if (seat->place.outlet != nullptr) seat->place.outlet->ready();
  });
}

asio::awaitable<void> HubOfChannels::readFor(std::shared_ptr<HubOfChannels> self, std::weak_ptr<Seat> weak) {
  std::string vendor_id;
  std::int64_t position = 0;
  if (auto const seat = weak.lock()) {
    vendor_id = seat->channel->vendor();
    position = seat->place.position;
  }
  if (vendor_id.empty()) co_return;
  auto const page = co_await self->with_.feed->after(vendor_id, position, self->limits_.page);
  self->wasRead(page);
  auto const seat = weak.lock();
  if (!seat || self->stopped_) co_return;
  seat->place.reading = false;
  if (page) Channel::fill(seat->place, self->rendered(*page));
  // Without a page, whoever looks from time to time wakes it.
  if (!page || seat->place.end != End::none) self->giveBack(*seat);
  if (page) self->wakeLater(seat);
}

void HubOfChannels::left(Seat& seat) {
  --subscribers_;
  giveBack(seat);
  auto const found = channels_.find(seat.channel->vendor());
  if (found != channels_.end() && found->second == seat.channel && seat.channel->size() == 0)
    channels_.erase(found);
}

Figures HubOfChannels::figures() const {
  Figures out;
  out.subscribers = subscribers_;
  out.vendors = channels_.size();
  out.tail_bytes = *tail_bytes_;
  out.handed_out = handed_out_;
  for (auto const& [id, channel] : channels_)
    out.most_behind = std::max(out.most_behind, channel->mostBehind());
  return out;
}

void HubOfChannels::stop() {
  if (std::exchange(stopped_, true)) return;
  stop_looking_.emit(asio::cancellation_type::all);
}

} // namespace

std::unique_ptr<Feed> feedOf(sync::Engine& engine) { return std::make_unique<FeedOfEngine>(engine); }

std::shared_ptr<Hub> Hub::create(Dependencies dependencies, Limits limits) {
  return std::make_shared<HubOfChannels>(std::move(dependencies), limits);
}

} // namespace garland::realtime
