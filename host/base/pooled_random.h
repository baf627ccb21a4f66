// Randomness for ids, of which every request takes some: the kernel is asked for many at once. Not for keys:
// what was fetched and not taken yet lies in memory.
#pragma once

#include "host/base/random.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace garland {

// [one thread]
class PooledRandom final : public Random {
public:
  // `from` must outlive it.
  explicit PooledRandom(Random& from) : from_(from) {}

  void fill(std::span<std::byte> out) override {
    if (out.size() > pool_.size()) return from_.fill(out);
    if (out.size() > pool_.size() - taken_) {
      from_.fill(pool_);
      taken_ = 0;
    }
    std::ranges::copy_n(pool_.begin() + static_cast<std::ptrdiff_t>(taken_), std::ssize(out), out.begin());
    taken_ += out.size();
  }

private:
  Random& from_;
  std::array<std::byte, 512> pool_{};
  std::size_t taken_ = pool_.size(); // from the front; nothing is taken twice
};

} // namespace garland
