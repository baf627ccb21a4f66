// One vendor's newest changes, and who follows them. No I/O and no time: what is read and when is hub.cpp's.
#pragma once

#include "host/realtime/realtime.h"

#include <deque>
#include <map>

namespace garland::realtime {

// Where one subscriber stands.
struct Place {
  std::uint64_t id = 0; // in the channel
  Filter filter;
  std::int64_t position = 0;
  std::deque<SharedEvent> page; // read for it alone, because the tail does not go back so far
  bool reading = false;         // such a page
  bool was_live = false;        // has been at the end of the feed
  End end = End::none;
  Outlet* outlet = nullptr;
};

class Channel {
public:
  // `head`: how far the feed goes at this moment. `tail_bytes` counts those of all channels.
  Channel(std::string vendor_id, std::int64_t head, Limits const& limits,
          std::shared_ptr<std::size_t> tail_bytes);
  ~Channel();
  Channel(Channel const&) = delete;
  Channel& operator=(Channel const&) = delete;

  std::string const& vendor() const { return vendor_id_; }
  std::int64_t head() const { return head_; }
  std::size_t size() const { return places_.size(); }
  std::int64_t mostBehind() const;

  void enter(Place& place);
  void leave(Place const& place);

  // The changes right after head(); if the first is a later one, those between are gone from the feed.
  void publish(std::vector<SharedEvent> const& events);
  // Drops of the tail what everybody has.
  void trim();
  // Somebody is behind and nothing is done about it, because a read failed: all are told once more.
  void tellWhoIsBehind();
  // Tells the next of those who have not been told of what was published; false: all have.
  bool wakeOne();

  std::vector<SharedEvent> take(Place& place) const;
  // Its next change is neither here nor still to come: a page has to be read for it.
  bool isBehind(Place const& place) const;
  // The page that was read after its position.
  static void fill(Place& place, std::vector<SharedEvent> const& events);

  bool grew = false;    // the feed holds more than head(), perhaps
  bool pumping = false; // and somebody is about to read it

private:
  std::int64_t first() const { return head_ - std::ssize(tail_) + 1; } // of the tail
  SharedEvent nextOf(Place& place) const;
  void dropFirst();

  std::string vendor_id_;
  Limits limits_;
  std::shared_ptr<std::size_t> tail_bytes_;
  std::int64_t head_;
  std::deque<SharedEvent> tail_; // first() to head_, without gaps
  std::map<std::uint64_t, Place*> places_;
  std::uint64_t next_id_ = 1;
  std::uint64_t told_ = 0; // the last that was told
  std::size_t untold_ = 0; // how many of the next ones still have to be
};

} // namespace garland::realtime
