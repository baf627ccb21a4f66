// Randomness comes in through Random, so that a test's run is a function of its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace garland {

class Random {
public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0; // [any thread]
  std::uint64_t next();
};

// The kernel's generator; good for keys.
class SystemRandom final : public Random {
public:
  void fill(std::span<std::byte> out) override;
};

// Reproducible; never for keys. Not thread-safe.
class SeededRandom final : public Random {
public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) override;

private:
  std::mt19937_64 engine_;
};

} // namespace garland
