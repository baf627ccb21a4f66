#include "host/sync/run_places.h"

namespace garland::sync {
namespace {

constexpr Monotonic kLendsAfter = std::chrono::seconds(1);

} // namespace

Task<RunPlaces::Place> RunPlaces::enter(std::string connection_id, std::string connector, Priority priority) {
  auto const turn = std::make_shared<Turn>(executor_, std::move(connector));
  turns_.insert_or_assign(connection_id, turn);
  waiting_.push(priority, turn);
  Place place(*this, std::move(connection_id));
  admit();
  CO_TRY_VOID(co_await turn->called.wait());
  if (!turn->has_place) co_return Error(ErrorKind::cancelled, "the wait for a place was called off");
  co_return place;
}

void RunPlaces::hasten(std::string const& connection_id, Priority priority) {
  auto const found = turns_.find(connection_id);
  if (found != turns_.end()) waiting_.hasten(found->second, priority);
}

void RunPlaces::callOff(std::string const& connection_id) {
  auto const found = turns_.find(connection_id);
  if (found != turns_.end()) found->second->called.set();
}

void RunPlaces::rests(std::string const& connection_id, Monotonic now) {
  auto const found = turns_.find(connection_id);
  if (found != turns_.end() && found->second->has_place) found->second->rests_since = now;
}

// Of several requests the first answer is enough: it is work.
void RunPlaces::goesOn(std::string const& connection_id) {
  auto const found = turns_.find(connection_id);
  if (found == turns_.end()) return;
  found->second->rests_since.reset();
  takeBack(*found->second);
}

void RunPlaces::look(Monotonic now) {
  if (waiting_.empty()) return;
  for (auto const& [connection, turn] : turns_) {
    bool const rests = turn->rests_since && now - *turn->rests_since >= kLendsAfter;
    if (!rests || std::exchange(turn->has_lent_it, true)) continue;
    --at_work_;
    --connectors_[turn->connector].at_work;
  }
  admit();
}

void RunPlaces::takeBack(Turn& turn) {
  if (!std::exchange(turn.has_lent_it, false)) return;
  ++at_work_;
  ++connectors_[turn.connector].at_work;
}

void RunPlaces::leave(std::string const& connection_id) {
  auto const turn = turns_.extract(connection_id).mapped();
  if (!turn->has_place) {
    waiting_.erase(turn);
    return;
  }
  takeBack(*turn);
  --at_work_;
  auto const connector = connectors_.find(turn->connector);
  --connector->second.at_work;
  if (--connector->second.begun == 0) connectors_.erase(connector);
  admit();
}

bool RunPlaces::hasRoom(Turn const& turn) const {
  auto const found = connectors_.find(turn.connector);
  if (found == connectors_.end()) return true;
  auto const& connector = found->second;
  return connector.at_work < most_.of_connector && connector.begun < most_.begun_of_connector;
}

void RunPlaces::admit() {
  while (at_work_ < most_.all) {
    auto const turn = waiting_.popOf([this](Shared const& each) { return hasRoom(*each); });
    if (!turn) return;
    (*turn)->has_place = true;
    ++at_work_;
    auto& connector = connectors_[(*turn)->connector];
    ++connector.at_work;
    ++connector.begun;
    (*turn)->called.set();
  }
}

} // namespace garland::sync
