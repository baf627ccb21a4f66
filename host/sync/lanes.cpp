#include "host/sync/lanes.h"

#include <utility>

namespace garland::sync {

Lanes::Place& Lanes::Place::operator=(Place&& other) noexcept {
  reset();
  lanes_ = std::move(other.lanes_);
  connection_id_ = std::move(other.connection_id_);
  turn_ = std::move(other.turn_);
  return *this;
}

void Lanes::Place::reset() {
  auto const turn = std::exchange(turn_, nullptr);
  if (auto const lanes = lanes_.lock(); lanes && turn) lanes->leave(connection_id_, turn);
}

Task<Lanes::Place> Lanes::enter(std::string connection_id, Priority priority, std::string what) {
  auto const turn = std::make_shared<Turn>(executor_, priority, std::move(what));
  lanes_[connection_id].waiting.push(priority, turn);
  ++waiting_;
  Place place(weak_from_this(), connection_id, turn);
  admit(connection_id);
  CO_TRY_VOID(co_await turn->called.wait());
  co_return place;
}

void Lanes::leave(std::string const& connection_id, std::shared_ptr<Turn> const& turn) {
  auto& lane = lanes_[connection_id];
  if (lane.holder == turn) lane.holder.reset();
  if (lane.waiting.erase(turn)) --waiting_;
  admit(connection_id);
}

void Lanes::admit(std::string const& connection_id) {
  auto& lane = lanes_[connection_id];
  if (lane.holder) return;
  if (lane.waiting.empty()) {
    lanes_.erase(connection_id);
    return;
  }
  lane.holder = lane.waiting.pop();
  --waiting_;
  lane.holder->called.set();
}

bool Lanes::somebodyWaits(std::string const& connection_id) const {
  auto const found = lanes_.find(connection_id);
  if (found == lanes_.end()) return false;
  auto const& waiting = found->second.waiting;
  return waiting.has(Priority::weddingDay) || waiting.has(Priority::interactive);
}

std::string Lanes::holder(std::string const& connection_id) const {
  auto const found = lanes_.find(connection_id);
  return found != lanes_.end() && found->second.holder ? found->second.holder->what : std::string();
}

Priority Lanes::priority(std::string const& connection_id) const {
  auto const found = lanes_.find(connection_id);
  bool const held = found != lanes_.end() && found->second.holder;
  return held ? found->second.holder->priority : Priority::interactive;
}

} // namespace garland::sync
