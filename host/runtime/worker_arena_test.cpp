#include "host/runtime/worker_arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace garland::runtime::worker {
namespace {

TEST(Arena, PiecesAreAlignedAndDoNotOverlap) {
  Arena arena(1U << 20U);
  char* last = nullptr;
  for (std::size_t align = 1; align <= Arena::kMaxAlign; align *= 2) {
    for (std::size_t const bytes : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{5000}}) {
      auto* const piece = static_cast<char*>(arena.allocate(bytes, align));
      ASSERT_NE(piece, nullptr);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % align, 0U);
      EXPECT_NE(piece, last);
      std::memset(piece, 0x5a, bytes);
      last = piece;
    }
  }
}

TEST(Arena, OddAlignmentsAreRefused) {
  Arena arena(1U << 20U);
  for (std::size_t const align : {std::size_t{0}, std::size_t{3}, std::size_t{8192}})
    EXPECT_EQ(arena.allocate(8, align), nullptr);
}

TEST(Arena, NothingIsGivenAboveTheLimit) {
  Arena arena(100'000);
  EXPECT_EQ(arena.allocate(100'001, 1), nullptr);
  EXPECT_EQ(arena.allocate(~std::size_t{0}, 4096), nullptr);
  std::size_t total = 0;
  while (arena.allocate(1000, 1) != nullptr) total += 1000;
  EXPECT_GT(total, 80'000U);
  EXPECT_LE(total, 100'000U);
  EXPECT_LE(arena.used(), 100'000U);
}

TEST(Arena, KeptTextsStayWhereTheyAreAndCount) {
  Arena arena(100'000);
  auto const* const first = arena.keep("short");
  ASSERT_NE(first, nullptr);
  auto const* const bytes = first->data();
  for (int i = 0; i < 100; ++i) ASSERT_NE(arena.keep("another"), nullptr);
  EXPECT_EQ(first->data(), bytes);
  EXPECT_EQ(*first, "short");
  EXPECT_EQ(arena.keep(std::string(100'000, 'x')), nullptr);
  EXPECT_EQ(arena.copy(std::string(200'000, 'x')), nullptr);
}

TEST(Arena, ACopyOfNothingIsNotNull) {
  Arena arena(100'000);
  EXPECT_NE(arena.copy(""), nullptr);
}

} // namespace
} // namespace garland::runtime::worker
