#include "host/runtime/history.h"

#include <boost/asio/post.hpp>

#include <array>
#include <filesystem>
#include <utility>

namespace garland::runtime {
namespace {

using Kind = SupervisorEvent::Kind;

constexpr std::array kKinds{Kind::crashed,   Kind::restarted, Kind::halfOpen, Kind::quarantined,
                            Kind::recovered, Kind::poisoned,  Kind::refused,  Kind::replaced};

json::value toJson(CallPlace const& call) {
  return json::object{{"operation", call.operation},
                      {"vendor_id", call.vendor_id},
                      {"account_id", call.account_id},
                      {"record_id", call.record_id}};
}

json::value toJson(SupervisorEvent const& event) {
  json::object out{{"time", rfc3339(event.time)},  {"plugin", event.plugin_id}, {"digest", event.digest},
                   {"vendor_id", event.vendor_id}, {"kind", name(event.kind)},  {"reason", event.reason},
                   {"capsule", event.capsule}};
  if (event.call) out["call"] = toJson(*event.call);
  return out;
}

std::optional<SupervisorEvent> eventFrom(json::value const& value) {
  auto const time = parseRfc3339(textOr(value, "/time", ""));
  if (!time) return std::nullopt;
  SupervisorEvent event;
  event.time = *time;
  event.plugin_id = textOr(value, "/plugin", "");
  event.digest = textOr(value, "/digest", "");
  event.vendor_id = textOr(value, "/vendor_id", "");
  event.reason = textOr(value, "/reason", "");
  event.capsule = textOr(value, "/capsule", "");
  std::error_code ignored;
  if (!std::filesystem::exists(event.capsule, ignored)) event.capsule.clear(); // old ones go
  if (find(value, "/call") != nullptr)
    event.call = CallPlace{textOr(value, "/call/operation", ""), textOr(value, "/call/vendor_id", ""),
                           textOr(value, "/call/account_id", ""), textOr(value, "/call/record_id", "")};
  auto const kind = textOr(value, "/kind", "");
  for (auto const one : kKinds) {
    if (kind != name(one)) continue;
    event.kind = one;
    return event;
  }
  return std::nullopt;
}

} // namespace

History::History(KeptBuilds kept, Redactor const* redactor, Log const& log)
    : kept_(std::move(kept)), redactor_(redactor), log_(log) {
  restore();
}

History::~History() { disk_.join(); }

void History::add(SupervisorEvent event) {
  if (redactor_) event.reason = redactor_->scrub(event.reason);
  if (event.kind == Kind::restarted) ++restarts_[event.plugin_id];
  events_.add(std::move(event));
  save();
}

std::uint64_t History::restarts(std::string_view plugin_id) const {
  auto const found = restarts_.find(plugin_id);
  return found == restarts_.end() ? 0 : found->second;
}

void History::restore() {
  auto const page = kept_.page(KeptBuilds::kHistory);
  if (auto const* events = find(page, "/events"); events != nullptr && events->is_array())
    for (auto const& one : events->as_array())
      if (auto event = eventFrom(one)) events_.add(std::move(*event));
  if (auto const* restarts = find(page, "/restarts"); restarts != nullptr && restarts->is_object())
    for (auto const& [id, count] : restarts->as_object())
      if (count.is_int64() && count.as_int64() > 0)
        restarts_[std::string(id)] = static_cast<std::uint64_t>(count.as_int64());
}

void History::save() {
  Page page{events_.all(), restarts_};
  std::lock_guard const lock(mutex_);
  bool const under_way = unwritten_.has_value();
  unwritten_ = std::move(page);
  if (!under_way) asio::post(disk_, [this] { writeUnwritten(); });
}

// [disk thread] Events that come while it writes are written together.
void History::writeUnwritten() {
  std::optional<Page> page;
  {
    std::lock_guard const lock(mutex_);
    page = std::exchange(unwritten_, std::nullopt);
  }
  json::array events;
  for (auto const& event : page->events) events.push_back(toJson(event));
  json::object restarts;
  for (auto const& [id, count] : page->restarts) restarts[id] = static_cast<std::int64_t>(count);
  auto const written = kept_.write(
      KeptBuilds::kHistory, json::object{{"events", std::move(events)}, {"restarts", std::move(restarts)}});
  if (!written && !std::exchange(warned_, true))
    log_.warn("what happened to plugins' workers could not be written down",
              {{"reason", written.error().message}});
}

} // namespace garland::runtime
