#include "host/access/access.h"

#include <algorithm>

namespace garland::access {

Milliseconds Attempts::wait(std::string_view address) const {
  auto const found = full_again_.find(address);
  if (found == full_again_.end()) return Milliseconds(0);
  // With one token in it a bucket is full again after all the others.
  auto const one_token = found->second - (limits_.burst - 1) * Monotonic(limits_.each);
  auto const left = one_token - clock_.monotonic();
  return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(left));
}

void Attempts::failed(std::string_view address) {
  auto const now = clock_.monotonic();
  auto found = full_again_.find(address);
  if (found == full_again_.end()) {
    if (full_again_.size() >= limits_.addresses) makeRoom(now);
    found = full_again_.emplace(address, now).first;
  }
  found->second = std::max(found->second, now) + Monotonic(limits_.each);
}

void Attempts::forgive(std::string_view address) {
  auto const found = full_again_.find(address);
  if (found == full_again_.end()) return;
  found->second -= Monotonic(limits_.each);
  if (found->second <= clock_.monotonic()) full_again_.erase(found);
}

void Attempts::makeRoom(Monotonic now) {
  std::erase_if(full_again_, [&](auto const& entry) { return entry.second <= now; });
  if (full_again_.size() < limits_.addresses) return;
  full_again_.erase(
      std::ranges::min_element(full_again_, {}, [](auto const& entry) { return entry.second; }));
}

} // namespace garland::access
