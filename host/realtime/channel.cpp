#include "host/realtime/channel.h"

#include <algorithm>

namespace garland::realtime {

bool admits(Filter const& filter, Event const& event) {
  if (!filter.wedding.empty() && filter.wedding != event.wedding) return false;
  return filter.kinds.empty() || std::ranges::find(filter.kinds, event.kind) != filter.kinds.end();
}

Channel::Channel(std::string vendor_id, std::int64_t head, Limits const& limits,
                 std::shared_ptr<std::size_t> tail_bytes)
    : vendor_id_(std::move(vendor_id)), limits_(limits), tail_bytes_(std::move(tail_bytes)), head_(head) {}

Channel::~Channel() {
  while (!tail_.empty()) dropFirst();
}

std::int64_t Channel::mostBehind() const {
  std::int64_t most = 0;
  for (auto const& [id, place] : places_) most = std::max(most, head_ - place->position);
  return most;
}

void Channel::enter(Place& place) {
  place.id = next_id_++;
  places_.emplace(place.id, &place);
}

void Channel::leave(Place const& place) { places_.erase(place.id); }

void Channel::dropFirst() {
  *tail_bytes_ -= tail_.front()->bytes();
  tail_.pop_front();
}

void Channel::publish(std::vector<SharedEvent> const& events) {
  if (events.empty()) return;
  if (events.front()->sequence != head_ + 1) {
    while (!tail_.empty()) dropFirst();
  }
  for (auto const& event : events) {
    *tail_bytes_ += event->bytes();
    tail_.push_back(event);
    head_ = event->sequence;
    while (tail_.size() > limits_.tail_events || (*tail_bytes_ > limits_.tail_bytes && !tail_.empty()))
      dropFirst();
  }
  for (auto const& [id, place] : places_)
    if (place->was_live && head_ - place->position > limits_.most_behind && place->end == End::none)
      place->end = End::slow;
  untold_ = places_.size();
}

void Channel::trim() {
  auto least = head_;
  for (auto const& [id, place] : places_) least = std::min(least, place->position);
  while (!tail_.empty() && tail_.front()->sequence <= least) dropFirst();
}

void Channel::tellWhoIsBehind() {
  if (std::ranges::any_of(places_, [this](auto const& place) { return isBehind(*place.second); }))
    untold_ = places_.size();
}

bool Channel::wakeOne() {
  if (untold_ == 0 || places_.empty()) {
    untold_ = 0;
    return false;
  }
  --untold_;
  auto next = places_.upper_bound(told_);
  if (next == places_.end()) next = places_.begin();
  told_ = next->first;
  if (next->second->outlet != nullptr) next->second->outlet->ready(); // may leave
  return true;
}

SharedEvent Channel::nextOf(Place& place) const {
  if (!place.page.empty()) {
    auto event = std::move(place.page.front());
    place.page.pop_front();
    return event;
  }
  if (place.reading || place.position >= head_ || place.position + 1 < first()) return nullptr;
  return tail_[static_cast<std::size_t>(place.position + 1 - first())];
}

std::vector<SharedEvent> Channel::take(Place& place) const {
  std::vector<SharedEvent> out;
  if (place.end != End::none) return out;
  while (out.size() < limits_.batch) {
    auto event = nextOf(place);
    if (!event) break;
    place.position = event->sequence;
    if (admits(place.filter, *event)) out.push_back(std::move(event));
  }
  place.was_live = place.was_live || place.position >= head_;
  return out;
}

bool Channel::isBehind(Place const& place) const {
  return place.end == End::none && !place.reading && place.page.empty() && place.position < head_ &&
         place.position + 1 < first();
}

void Channel::fill(Place& place, std::vector<SharedEvent> const& events) {
  // Only a place behind the head reads, so that there was a next change once.
  if (events.empty() || events.front()->sequence != place.position + 1) place.end = End::gone;
  if (place.end == End::none) place.page.assign(events.begin(), events.end());
}

} // namespace garland::realtime
