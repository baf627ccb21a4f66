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

Task<Lanes::Place> Lanes::enter(std::string connection_id, Traffic traffic, std::string what) {
  auto const turn = std::make_shared<Turn>(executor_, std::move(what));
  auto& lane = lanes_[connection_id];
  (traffic == Traffic::action ? lane.actions : lane.bulk).push_back(turn);
  Place place(weak_from_this(), connection_id, turn);
  admit(connection_id);
  CO_TRY_VOID(co_await turn->called.wait());
  co_return place;
}

void Lanes::leave(std::string const& connection_id, std::shared_ptr<Turn> const& turn) {
  auto& lane = lanes_[connection_id];
  if (lane.holder == turn) lane.holder.reset();
  std::erase(lane.actions, turn);
  std::erase(lane.bulk, turn);
  admit(connection_id);
}

void Lanes::admit(std::string const& connection_id) {
  auto& lane = lanes_[connection_id];
  if (lane.holder) return;
  bool const action = !lane.actions.empty() && (lane.bulk.empty() || lane.row < kInARow);
  auto& queue = action ? lane.actions : lane.bulk;
  if (queue.empty()) {
    lanes_.erase(connection_id);
    return;
  }
  lane.row = action && !lane.bulk.empty() ? lane.row + 1 : 0;
  lane.holder = queue.front();
  queue.pop_front();
  lane.holder->called.set();
}

bool Lanes::actionWaits(std::string const& connection_id) const {
  auto const found = lanes_.find(connection_id);
  return found != lanes_.end() && !found->second.actions.empty();
}

std::string Lanes::holder(std::string const& connection_id) const {
  auto const found = lanes_.find(connection_id);
  return found != lanes_.end() && found->second.holder ? found->second.holder->what : std::string();
}

void Lanes::limited(std::string const& connection_id, TimePoint now, TimePoint until) {
  std::erase_if(limited_, [now](auto const& each) { return each.second <= now; });
  limited_[connection_id] = until;
}

std::optional<TimePoint> Lanes::limitedUntil(std::string const& connection_id, TimePoint now) const {
  auto const found = limited_.find(connection_id);
  if (found == limited_.end() || found->second <= now) return std::nullopt;
  return found->second;
}

} // namespace garland::sync
