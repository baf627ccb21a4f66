#include "host/cli/packed_version.h"

#include "host/base/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;

TEST(PackedVersion, AVersionIsThePackageThatWasMadeOfIt) {
  TestFolder const folder;
  for (auto const* name : {"com.example.crm-1.0.0.gpk", "com.example.crm-1.1.0.gpk"})
    std::ofstream(folder / name) << "";
  EXPECT_EQ(packedVersion("1.0.0", folder.path()).value(), folder / "com.example.crm-1.0.0.gpk");
  EXPECT_EQ(packedVersion("1.1.0", folder.path()).value(), folder / "com.example.crm-1.1.0.gpk");
}

TEST(PackedVersion, OneThatIsNotThereOrThereTwiceIsToldSo) {
  TestFolder const folder;
  for (auto const* name : {"com.example.crm-1.0.0.gpk", "com.example.feed-1.0.0.gpk"})
    std::ofstream(folder / name) << "";
  auto const twice = packedVersion("1.0.0", folder.path());
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind, ErrorKind::invalidInput);
  EXPECT_THAT(twice.error().message, HasSubstr("com.example.feed-1.0.0.gpk"));
  auto const none = packedVersion("2.0.0", folder.path());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::notFound);
  EXPECT_THAT(none.error().message, HasSubstr("ID-2.0.0.gpk"));
}

TEST(PackedVersion, TwoVersionsAreThoseOfTheOneConnectorThatHasBoth) {
  TestFolder const folder;
  for (auto const* name : {"com.example.crm-1.0.0.gpk", "com.example.crm-1.1.0.gpk",
                           "com.example.feed-1.0.0.gpk", "com.example.cal-1.1.0.gpk"})
    std::ofstream(folder / name) << "";
  auto const both = packedVersions("1.0.0", "1.1.0", folder.path());
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->first, folder / "com.example.crm-1.0.0.gpk");
  EXPECT_EQ(both->second, folder / "com.example.crm-1.1.0.gpk");
  std::ofstream(folder / "com.example.feed-1.1.0.gpk") << "";
  auto const unclear = packedVersions("1.0.0", "1.1.0", folder.path());
  ASSERT_FALSE(unclear);
  EXPECT_THAT(unclear.error().message, HasSubstr("com.example.crm and com.example.feed"));
  EXPECT_FALSE(packedVersions("1.0.0", "2.0.0", folder.path()));
  EXPECT_EQ(packedVersions("a", "b", folder.path())->second, "b");
}

TEST(PackedVersion, APathStaysWhatItIs) {
  TestFolder const folder;
  for (auto const* path : {"crm-1.0.0.gpk", "1.0.0.gpk", "build/plugins/crm", "./1.0.0", "crm", ""})
    EXPECT_EQ(packedVersion(path, folder.path()).value(), path);
  EXPECT_EQ(packedVersion(folder.path(), folder.path()).value(), folder.path());
}

} // namespace
} // namespace garland::cli
