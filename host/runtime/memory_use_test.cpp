// What a worker has used of its memory, in numbers and in words.
#include "host/runtime/memory_use.h"

#include <gtest/gtest.h>

#include <unistd.h>

namespace garland::runtime {
namespace {

constexpr std::size_t kMebibyte = 1U << 20U;

TEST(MemoryUse, IsUsedUpAboveThreeQuartersOfTheLimit) {
  EXPECT_FALSE((MemoryUse{192 * kMebibyte, 256 * kMebibyte}).isUsedUp());
  EXPECT_TRUE((MemoryUse{193 * kMebibyte, 256 * kMebibyte}).isUsedUp());
  EXPECT_FALSE((MemoryUse{900 * kMebibyte, 0}).isUsedUp()) << "without a limit there is always more";
  EXPECT_FALSE((MemoryUse{0, 256 * kMebibyte}).isUsedUp());
}

TEST(MemoryUse, IsToldInMebibytes) {
  EXPECT_EQ((MemoryUse{251 * kMebibyte + 12'345, 256 * kMebibyte}).describe(),
            "had used 251 of its 256 MiB of memory");
}

TEST(MemoryUse, IsReadFromWhatTheKernelSays) {
  EXPECT_EQ(addressSpaceIn("65286 120 90 4 0 61000 0\n", 4096), 65286U * 4096U);
  for (auto const* const broken :
       {"", "\n", "x", "-1 2", "99999999999999999999999 1", "18446744073709551615 1"})
    EXPECT_EQ(addressSpaceIn(broken, 4096), 0U) << broken;
  EXPECT_GT(addressSpaceOf(::getpid()), kMebibyte);
}

} // namespace
} // namespace garland::runtime
