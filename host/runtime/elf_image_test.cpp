// Hostile bytes: whatever they hold, reading them ends in facts or a sentence (run under ASan too).
#include "host/runtime/elf_image.h"

#include "host/base/random.h"
#include "host/runtime/host_test_kit.h"

#include <elf.h>

#include <cstring>

namespace garland::runtime::testing {
namespace {

std::string const kObject = kPlugins + "/test.host_probe/connector.so";

template <class Value> std::string bytesOf(Value const& value) {
  return {reinterpret_cast<char const*>(&value), sizeof value};
}

// The smallest object with `count` exports, all of one name that is stored once.
std::string objectWithExports(std::size_t count, std::string const& name) {
  constexpr auto kDynamicAt = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  constexpr auto kHashAt = kDynamicAt + 4 * sizeof(Elf64_Dyn);
  constexpr auto kSymbolsAt = kHashAt + 2 * sizeof(Elf64_Word);
  auto const strings_at = kSymbolsAt + (count + 1) * sizeof(Elf64_Sym);

  Elf64_Ehdr header;
  std::memcpy(&header, readFile(kObject).data(), sizeof header); // of this machine
  header.e_phoff = sizeof header;
  header.e_phnum = 2;
  header.e_shoff = 0;
  Elf64_Phdr load{};
  load.p_type = PT_LOAD;
  load.p_filesz = strings_at + name.size() + 2;
  Elf64_Phdr dynamic{};
  dynamic.p_type = PT_DYNAMIC;
  dynamic.p_offset = kDynamicAt;
  dynamic.p_filesz = 4 * sizeof(Elf64_Dyn);
  auto out = bytesOf(header) + bytesOf(load) + bytesOf(dynamic);
  out += bytesOf(Elf64_Dyn{DT_SYMTAB, {kSymbolsAt}}) + bytesOf(Elf64_Dyn{DT_STRTAB, {strings_at}});
  out += bytesOf(Elf64_Dyn{DT_HASH, {kHashAt}}) + bytesOf(Elf64_Dyn{DT_NULL, {0}});
  out += bytesOf(Elf64_Word{0}) + bytesOf(static_cast<Elf64_Word>(count + 1)) + bytesOf(Elf64_Sym{});
  Elf64_Sym symbol{};
  symbol.st_name = 1;
  symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbol.st_shndx = 1;
  for (std::size_t i = 0; i < count; ++i) out += bytesOf(symbol);
  return out + '\0' + name + '\0';
}

template <class T> void expectRefused(Result<T> const& read, std::string const& why) {
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find(why), std::string::npos) << read.error().message;
}

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

TEST(ElfImage, TellsItsBuildId) {
  auto const object = readFile(kObject);
  auto const id = gnuBuildId(object);
  EXPECT_GE(id.size(), 16U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
  std::string bytes;
  for (std::size_t i = 0; i + 1 < id.size(); i += 2)
    bytes += static_cast<char>(std::stoi(id.substr(i, 2), nullptr, 16));
  EXPECT_NE(object.find(std::string("GNU\0", 4) + bytes), std::string::npos) << "it stands in its note";
  EXPECT_EQ(gnuBuildId(objectWithExports(1, "x")), "");
  EXPECT_EQ(gnuBuildId("no object"), "");
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

// The names of a table may all be the same stretch of the file: copied one by one, a few MiB became
// terabytes.
TEST(ElfImage, ExportsThatShareOneLongNameAreNotCopied) {
  auto const object = objectWithExports(500, std::string(256U << 10U, 'x'));
  expectRefused(readBareElf(object), "is damaged: the name of dynamic symbol 1 ");
  expectRefused(readElf(object), "is damaged: the name of dynamic symbol 1 ");
  expectRefused(readBareElf(objectWithExports(500, std::string(60U << 10U, 'x'))),
                "exports too many symbols");
}

TEST(ElfImage, AForeignExportEndsTheReading) {
  auto const check = [](std::size_t count, std::string const& name) {
    return checkPluginElf(objectWithExports(count, name), "{}");
  };
  expectRefused(check(1, "another"), "exports another, and a plugin exports nothing but garland_entry_v1");
  expectRefused(check(2, "garland_entry_v1"), "more than once");
  expectRefused(check(1, "garland_entry_v1"), "carries no manifest");
}

TEST(ElfImage, AnObjectThatIsOnlyReadMayExportMoreButNotWithoutEnd) {
  auto const image = readBareElf(objectWithExports(3, std::string(64U << 10U, 'x')));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->exports, std::vector<std::string>(3, std::string(64U << 10U, 'x')));
  expectRefused(readBareElf(objectWithExports((64U << 10U) + 1, "x")), "exports too many symbols");
}

} // namespace
} // namespace garland::runtime::testing
