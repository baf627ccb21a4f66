#include "host/runtime/semver.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace garland::runtime {
namespace {

TEST(Semver, VersionsStandInTheOrderOfTheSpecification) {
  std::array<std::string_view, 14> const rising{
      "0.0.1",       "0.9.0",         "0.10.0",           "1.0.0-1",      "1.0.0-2",       "1.0.0-10",
      "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
      "1.0.0",       "1.0.1"};
  for (std::size_t a = 0; a < rising.size(); ++a)
    for (std::size_t b = 0; b < rising.size(); ++b)
      EXPECT_EQ(compareVersions(rising[a], rising[b]), a <=> b) << rising[a] << " and " << rising[b];
}

} // namespace
} // namespace garland::runtime
