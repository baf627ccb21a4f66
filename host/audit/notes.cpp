#include "host/audit/notes.h"

namespace garland::audit {
namespace {

constexpr std::size_t kMostNoted = 100'000; // some 100 MB

std::string keyOf(Event const& event) {
  json::array all{name(event.kind),    event.act,     event.vendor_id,
                  event.connection_id, event.subject, event.person};
  all.push_back(event.facts);
  return canonicalJson(all);
}

} // namespace

void Notes::add(Event event) {
  auto const [place, first] = places_.try_emplace(keyOf(event), noted_.size());
  if (!first) {
    ++noted_[place->second].times;
    return;
  }
  if (noted_.size() < kMostNoted) {
    noted_.push_back(Noted{std::move(event)});
    return;
  }
  places_.erase(place);
  too_many_ += integerOr(event.facts, "/times", 1);
}

std::vector<Event> Notes::take() {
  std::vector<Event> out;
  for (auto& one : noted_) {
    if (one.times > 1) one.event.facts["times"] = one.times;
    out.push_back(std::move(one.event));
  }
  if (too_many_ > 0) {
    Event more;
    more.kind = Kind::count;
    more.act = "more_than_could_be_noted";
    more.facts = json::object{{"times", too_many_}};
    out.push_back(std::move(more));
  }
  noted_.clear();
  places_.clear();
  too_many_ = 0;
  return out;
}

void Notes::putBack(std::vector<Event> events) {
  auto const since = take();
  for (auto& event : events) add(std::move(event));
  for (auto const& event : since) add(event);
}

} // namespace garland::audit
