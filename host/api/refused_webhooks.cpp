#include "host/api/refused_webhooks.h"

#include <algorithm>
#include <chrono>

namespace garland::api {
namespace {

std::int64_t minuteOf(Monotonic at) { return std::chrono::floor<std::chrono::minutes>(at).count(); }

} // namespace

void HourCount::add(Monotonic now) {
  auto const minute = minuteOf(now);
  auto const size = static_cast<std::int64_t>(minutes_.size());
  for (auto stale = std::max(newest_ + 1, minute - size + 1); stale <= minute; ++stale)
    minutes_.at(static_cast<std::size_t>(stale % size)) = 0;
  newest_ = minute;
  ++minutes_.at(static_cast<std::size_t>(minute % size));
}

std::int64_t HourCount::at(Monotonic now) const {
  auto const size = static_cast<std::int64_t>(minutes_.size());
  std::int64_t sum = 0;
  for (auto minute = std::max<std::int64_t>(minuteOf(now) - size + 1, 0); minute <= newest_; ++minute)
    sum += minutes_.at(static_cast<std::size_t>(minute % size));
  return sum;
}

void RefusedWebhooks::refused(std::string system, std::string connection_id, std::string reason) {
  auto& entry = of_connections_[std::move(connection_id)][{std::move(system), std::move(reason)}];
  entry.hour.add(clock_.monotonic());
  entry.last = clock_.now();
  entry.taken_since = false;
}

void RefusedWebhooks::taken(std::string const& connection_id) {
  auto const found = of_connections_.find(connection_id);
  if (found == of_connections_.end()) return;
  for (auto& [about, entry] : found->second) entry.taken_since = true;
}

std::vector<RefusedWebhooks::Line> RefusedWebhooks::lines() {
  auto const now = clock_.monotonic();
  for (auto& [connection_id, entries] : of_connections_)
    std::erase_if(entries, [&](auto const& one) { return one.second.hour.at(now) == 0; });
  std::erase_if(of_connections_, [](auto const& one) { return one.second.empty(); });
  std::vector<Line> out;
  for (auto const& [connection_id, entries] : of_connections_)
    for (auto const& [about, entry] : entries)
      out.push_back(
          Line{about.first, connection_id, about.second, entry.hour.at(now), entry.last, entry.taken_since});
  return out;
}

std::int64_t RefusedWebhooks::count() const {
  auto const now = clock_.monotonic();
  std::int64_t sum = 0;
  for (auto const& [connection_id, entries] : of_connections_)
    for (auto const& [about, entry] : entries) sum += entry.hour.at(now);
  return sum;
}

} // namespace garland::api
