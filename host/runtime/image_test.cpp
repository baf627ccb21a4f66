#include "host/base/test_folder.h"
#include "host/runtime/image.h"

#include "host/runtime/host_test_kit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

namespace garland::runtime::testing {
namespace {

TEST(SealedImage, HoldsTheBytesAndCannotBeChanged) {
  auto const info = plugin("host_probe");
  auto const image = sealImage(info);
  ASSERT_TRUE(image) << image.error().message;
  auto const bytes = readFile(info.path);
  std::string copy(bytes.size() + 1, '\0');
  EXPECT_EQ(::pread(image->get(), copy.data(), copy.size(), 0), static_cast<ssize_t>(bytes.size()));
  copy.pop_back();
  EXPECT_EQ(copy, bytes);
  EXPECT_EQ(::pwrite(image->get(), "x", 1, 0), -1);
  EXPECT_NE(::ftruncate(image->get(), 0), 0);
  EXPECT_NE(::fcntl(image->get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, image->get(), 0), MAP_FAILED);
}

TEST(SealedImage, IsRefusedIfTheFileIsNotTheCataloguedOne) {
  auto info = plugin("host_probe");
  TestFolder const folder;
  info.path = folder / "changed.so";
  auto const good = readFile(plugin("host_probe").path);
  writeFile(info.path, good);
  EXPECT_TRUE(sealImage(info));
  for (auto const& bytes : {std::string(), good.substr(0, 100), good + "x"}) {
    writeFile(info.path, bytes);
    EXPECT_FALSE(sealImage(info)) << bytes.size();
  }
}

TEST(SealedImage, AFileThatTheHostCannotReadNowIsNotTakenForAnother) {
  auto info = plugin("host_probe");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit const none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  auto const short_of_descriptors = sealImage(info);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(short_of_descriptors);
  EXPECT_EQ(short_of_descriptors.error().kind, ErrorKind::transient) << short_of_descriptors.error().message;

  info.path += ".gone";
  auto const missing = sealImage(info);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::transient) << missing.error().message;
}

TEST(SealedImage, IsRefusedIfTheManifestIsAnother) {
  auto info = plugin("host_probe");
  info.manifest.document.as_object()["version"] = "9.9.9";
  auto const image = sealImage(info);
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().message.find("carries another manifest"), std::string::npos);
}

} // namespace
} // namespace garland::runtime::testing
