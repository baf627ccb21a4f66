// Hostile bytes: whatever they hold, reading them ends in facts or a sentence (run under ASan too).
#include "host/runtime/elf_image.h"

#include "host/base/random.h"
#include "host/runtime/host_test_kit.h"

#include <elf.h>

#include <cstring>

namespace garland::runtime::testing {
namespace {

std::string const kObject = kPlugins + "/test.host_probe/connector.so";

TEST(ElfImage, APluginsExportsAndManifestAreRead) {
  auto const image = readElf(readFile(kObject));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->exports, std::vector<std::string>{"garland_entry_v1"});
  EXPECT_EQ(image->manifest, readFile(kPlugins + "/test.host_probe/connector.json"));
}

TEST(ElfImage, AnObjectWithoutAManifestIsReadOnlyWhereItNeedsNone) {
  auto object = readFile(kObject);
  auto const note = object.find(std::string_view("Garland\0", 8));
  ASSERT_NE(note, std::string::npos);
  object[note] = 'g';
  auto const image = readBareElf(object);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->exports, std::vector<std::string>{"garland_entry_v1"});
  EXPECT_EQ(image->manifest, "");
  auto const refused = readElf(object);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with("carries no manifest")) << refused.error().message;
}

TEST(ElfImage, EveryByteOfTheHeadersMayBeWrong) {
  auto const object = readFile(kObject);
  for (std::size_t at = 0; at < std::min<std::size_t>(object.size(), 2048); ++at) {
    for (unsigned const value : {0x00U, 0x01U, 0x7fU, 0x80U, 0xffU}) {
      auto changed = object;
      changed[at] = static_cast<char>(value);
      static_cast<void>(readElf(changed)); // no crash, no read outside (ASan)
    }
  }
}

TEST(ElfImage, ManyRandomDamagesAreSurvived) {
  auto const object = readFile(kObject);
  SeededRandom random(42);
  for (int round = 0; round < 3000; ++round) {
    auto changed = object;
    for (int hits = 0; hits < 8; ++hits)
      changed[random.next() % changed.size()] = static_cast<char>(random.next());
    static_cast<void>(readElf(changed));
  }
}

TEST(ElfImage, WhereverItIsCutItIsRefused) {
  auto const object = readFile(kObject);
  for (std::size_t size = 0; size < object.size(); size += 1 + object.size() / 2000)
    EXPECT_FALSE(readElf(std::string_view(object).substr(0, size))) << size;
}

TEST(ElfImage, AHeaderAloneIsCutShort) {
  auto const image = readElf(readFile(kObject).substr(0, sizeof(Elf64_Ehdr)));
  ASSERT_FALSE(image);
  EXPECT_TRUE(image.error().message.starts_with("is cut short")) << image.error().message;
}

TEST(ElfImage, SectionHeadersAreNotBelieved) {
  auto object = readFile(kObject);
  Elf64_Ehdr header;
  std::memcpy(&header, object.data(), sizeof(header));
  header.e_shoff = 0;
  header.e_shnum = 0;
  std::memcpy(object.data(), &header, sizeof(header));
  auto const image = readElf(object); // what `strip --strip-section-headers` leaves: the loader takes it
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->exports, std::vector<std::string>{"garland_entry_v1"});
}

} // namespace
} // namespace garland::runtime::testing
