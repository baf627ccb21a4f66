// Who goes first where several wait for one place, and why nobody waits for ever. No I/O.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace garland::sync {

// weddingDay: the same as the next two, for a vendor that has a wedding today. interactive: somebody waits
// for it. normal: it comes by itself, and is a little. bulk: it is much, such as a first sync.
enum class Priority : std::uint8_t { weddingDay, interactive, normal, bulk };
inline constexpr std::size_t kPriorities = 4;

// So many go before the first of a priority while that waits; then it is its turn.
constexpr std::size_t patienceOf(Priority priority) {
  constexpr std::array<std::size_t, kPriorities> kPatience{1, 2, 4, 8};
  return kPatience.at(static_cast<std::size_t>(priority));
}

// The highest priority goes first, and within one whoever came first. Whoever is the first of a priority goes
// after at most patienceOf() others, or one more for each other priority whose patience has ended, too:
// those go by how long it ended ago, and a priority that has had its turn is patient anew.
template <class T> class PriorityQueue {
public:
  static constexpr std::size_t mostBefore(Priority priority) {
    return patienceOf(priority) + kPriorities - 1;
  }

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  bool has(Priority priority) const {
    auto const first = waiting_.lower_bound(Place(priority, 0));
    return first != waiting_.end() && first->first.first == priority;
  }

  void push(Priority priority, T who) { waiting_.emplace(Place(priority, ++came_), std::move(who)); }

  // Of a queue that is not empty.
  T pop() {
    return std::move(*popOf([](T const&) { return true; }));
  }

  // The next of those that may go, as if the others did not wait. Nothing: none of them may.
  template <class May> std::optional<T> popOf(May may) {
    std::array<typename Waiting::iterator, kPriorities> firsts;
    for (std::size_t i = 0; i < kPriorities; ++i) firsts[i] = firstOf(static_cast<Priority>(i), may);
    auto const chosen = next(firsts);
    if (chosen == kPriorities) return std::nullopt;
    for (std::size_t i = 0; i < kPriorities; ++i)
      passed_[i] = i != chosen && firsts[i] != waiting_.end() ? passed_[i] + 1 : 0;
    std::optional<T> who(std::move(firsts[chosen]->second));
    waiting_.erase(firsts[chosen]);
    return who;
  }

  // Whether it waited.
  bool erase(T const& who) {
    auto const found = find(who);
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    return true;
  }

  // Asks each in turn.
  template <class Leaves> void eraseIf(Leaves leaves) {
    std::erase_if(waiting_, [&](auto const& each) { return leaves(each.second); });
  }

  // Whoever waits goes by this priority from now on, if that is higher.
  void hasten(T const& who, Priority priority) {
    auto const found = find(who);
    if (found == waiting_.end() || found->first.first <= priority) return;
    T moved = std::move(found->second);
    waiting_.erase(found);
    push(priority, std::move(moved));
  }

private:
  using Place = std::pair<Priority, std::uint64_t>;
  using Waiting = std::map<Place, T>; // one that is empty takes no memory

  template <class May> typename Waiting::iterator firstOf(Priority priority, May const& may) {
    auto each = waiting_.lower_bound(Place(priority, 0));
    for (; each != waiting_.end() && each->first.first == priority; ++each)
      if (may(std::as_const(each->second))) return each;
    return waiting_.end();
  }

  typename Waiting::iterator find(T const& who) {
    return std::find_if(waiting_.begin(), waiting_.end(),
                        [&](auto const& each) { return each.second == who; });
  }

  // Which priority; kPriorities if there is nobody.
  std::size_t next(std::array<typename Waiting::iterator, kPriorities> const& firsts) const {
    auto chosen = kPriorities;
    std::size_t longest = 0; // since the patience of the chosen one ended, and one more
    for (std::size_t i = 0; i < kPriorities; ++i) {
      if (firsts[i] == waiting_.end()) continue;
      if (chosen == kPriorities) chosen = i;
      auto const patience = patienceOf(static_cast<Priority>(i));
      if (passed_[i] < patience || passed_[i] - patience + 1 < longest) continue;
      longest = passed_[i] - patience + 1;
      chosen = i;
    }
    return chosen;
  }

  Waiting waiting_;
  std::uint64_t came_ = 0;
  std::array<std::size_t, kPriorities> passed_{}; // others that went while it waited
};

} // namespace garland::sync
