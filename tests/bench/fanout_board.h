// What is known of every change: when it was made, when each subscriber was told, and whether in order and
// once.
#pragma once

#include "tests/bench/load.h"

#include <charconv>
#include <cstdint>
#include <string_view>

namespace garland::bench {

// Where one subscriber is.
struct Place {
  std::int64_t next = 0; // the index of the change that it has to be told of now
};

class Board {
public:
  // Changes are numbered from `first`; an event tells its own as "record_version".
  Board(std::int64_t first, std::size_t changes, std::size_t subscribers)
      : first_(first), made_(changes), told_all_(changes), subscribers_(subscribers) {
    took_.reserve(changes * subscribers);
  }

  void made(std::size_t index) { made_[index] = Steady::now(); }
  void told(Place& place, std::string_view text) {
    auto const now = Steady::now();
    auto const index = numberIn(text) - first_;
    if (index < 0 || index >= std::ssize(made_)) return;
    if (sample_.empty()) sample_ = text;
    if (index < place.next) return void(++doubled_);
    place.next = index + 1; // what was left out is missing at the end
    auto const at = static_cast<std::size_t>(index);
    took_.push_back(milliseconds(now - made_[at]));
    told_all_[at] = std::max(told_all_[at], took_.back());
  }
  bool complete() const { return took_.size() == made_.size() * subscribers_; }

  json::object figures() {
    json::object out{{"deliveries", took_.size()},
                     {"missing", made_.size() * subscribers_ - took_.size()},
                     {"doubled", doubled_}};
    out["p50_ms"] = quantile(took_, 0.5);
    out["p99_ms"] = quantile(took_, 0.99);
    out["last_p50_ms"] = quantile(told_all_, 0.5); // until the last subscriber was told of a change
    out["last_p99_ms"] = quantile(told_all_, 0.99);
    out["sample"] = sample_;
    return out;
  }

private:
  static std::int64_t numberIn(std::string_view text) {
    constexpr std::string_view kMember = "\"record_version\":";
    auto const at = text.find(kMember);
    std::int64_t number = -1;
    if (at != std::string_view::npos)
      std::from_chars(text.data() + at + kMember.size(), text.data() + text.size(), number);
    return number;
  }

  std::int64_t first_;
  std::vector<Steady::time_point> made_;
  std::vector<float> told_all_; // of each change: ms until the last one was told
  std::vector<float> took_;     // of each delivery, ms
  std::size_t subscribers_;
  std::size_t doubled_ = 0;
  std::string sample_;
};

} // namespace garland::bench
