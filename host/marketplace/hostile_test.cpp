// Archives that somebody made to do harm, or that were damaged: each is refused with a sentence that names
// what is wrong, before anything is unpacked.
#include "host/marketplace/package_fixture.h"

namespace garland::marketplace::testing {
namespace {

std::string tarRefusal(std::vector<RawEntry> const& entries) { return refusal(rawTar(entries)); }

TEST(HostilePackage, APathThatLeadsOutOfThePackageIsRefused) {
  for (auto const* name : {"../evil", "docs/../../evil", "docs/.."})
    EXPECT_THAT(tarRefusal({{name, "x"}}), HasSubstr("leads out of the package")) << name;
}

TEST(HostilePackage, AnAbsolutePathIsRefused) {
  EXPECT_THAT(tarRefusal({{"/etc/cron.d/evil", "x"}}), HasSubstr("an absolute path"));
}

TEST(HostilePackage, EmptyAndHiddenPartsOfANameAreRefused) {
  for (auto const* name : {"docs//a.md", "./docs/a.md", "docs/.git", ".bashrc"})
    EXPECT_THAT(tarRefusal({{name, "x"}}), HasSubstr("a part that is empty or begins with a dot")) << name;
}

TEST(HostilePackage, LinksDevicesPipesAndFoldersAreRefused) {
  struct Case {
    char type;
    char const* words;
  };
  for (auto const& each :
       {Case{'1', "is a hard link"}, Case{'2', "is a symbolic link"}, Case{'3', "is a device"},
        Case{'4', "is a device"}, Case{'5', "is a folder"}, Case{'6', "is a pipe"}})
    EXPECT_THAT(tarRefusal({{"docs/a", "", each.type, "/etc/passwd"}}), HasSubstr(each.words)) << each.type;
}

TEST(HostilePackage, TwoEntriesOfOneNameAreRefusedAlsoByCase) {
  EXPECT_THAT(tarRefusal({{"docs/a.md", "1"}, {"docs/a.md", "2"}}), HasSubstr("\"docs/a.md\" twice"));
  EXPECT_THAT(tarRefusal({{"docs/A.md", "1"}, {"docs/a.md", "2"}}), HasSubstr("\"docs/a.md\" twice"));
}

// With names of ASCII only, no two of them can be one name in another normal form.
TEST(HostilePackage, NamesThatUnicodeWritesInTwoWaysAreRefused) {
  for (auto const* name : {"docs/caf\xc3\xa9.md", "docs/cafe\xcc\x81.md", "docs/a\xe2\x80\xae.md", "docs/a b",
                           "docs/a\\b", "docs/a\x1b[2J"})
    EXPECT_THAT(tarRefusal({{name, "x"}}), HasSubstr("other characters than letters")) << name;
  EXPECT_THAT(tarRefusal({{"docs/a\x1b[2J", "x"}}), HasSubstr("docs/a\\x1b[2J"))
      << "a terminal must not act on it";
}

// In an extended header a name is UTF-8 by definition, and libarchive turns it into the locale's.
TEST(HostilePackage, ANameThatTheLocaleCannotWriteIsRefusedForItsCharacters) {
  auto const told =
      refusal(rawTar({{"PaxHeaders/a", "21 path=docs/a\xe2\x80\xae.md\n", 'x'}, {"docs/a.md", "x"}}));
  EXPECT_THAT(told, HasSubstr("\"docs/a\\xe2\\x80\\xae.md\", whose name has other characters than letters"));
}

TEST(HostilePackage, CompressedOnesAreRefusedBeforeTheyAreInflated) {
  EXPECT_THAT(refusal(std::string("\x1f\x8b\x08\0", 4) + std::string(100, 'x')),
              HasSubstr("is compressed (gzip)"));
  EXPECT_THAT(refusal(std::string("\x28\xb5\x2f\xfd", 4) + "x"), HasSubstr("is compressed (zstd)"));
  EXPECT_THAT(refusal("PK\x03\x04xxxxxxxx"), HasSubstr("is compressed (zip)"));
}

TEST(HostilePackage, ASizeThatTheFileDoesNotHaveIsRefusedBeforeMemoryIsTaken) {
  EXPECT_THAT(tarRefusal({{"docs/a.md", "x", '0', "", "77777777777"}}), HasSubstr("is cut short"));
}

TEST(HostilePackage, SparseAndOtherExtensionsOfTarAreRefused) {
  auto const pax = rawTar({{"PaxHeaders/a", "20 path=../../evil\n\n", 'x'}, {"docs/a.md", "x"}});
  EXPECT_NE(refusal(pax), "");
  auto const sparse =
      rawTar({{"PaxHeaders/a", "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n", 'x'}, {"docs/a.md", "x"}});
  EXPECT_NE(refusal(sparse), "");
  RawEntry long_name{"././@LongLink", std::string(200, 'a'), 'L'};
  long_name.magic = "ustar  ";
  EXPECT_NE(refusal(rawTar({long_name, {"docs/a.md", "x"}})), "");
  RawEntry gnu{"docs/a.md", "x"};
  gnu.magic = "ustar  ";
  EXPECT_THAT(refusal(rawTar({gnu})), HasSubstr("uses an extension of tar"));
}

TEST(HostilePackage, MoreEntriesThanAPackageMayHaveAreRefused) {
  std::vector<RawEntry> entries;
  for (int i = 0; i < 1001; ++i) entries.push_back({"docs/" + std::to_string(10'000 + i), ""});
  EXPECT_THAT(tarRefusal(entries), HasSubstr("more than 1000 entries"));
}

TEST(HostilePackage, ALargerFileThanAPackageMayBeIsRefused) {
  EXPECT_THAT(refusal(std::string(kMaxPackageBytes + 1, '\0')), HasSubstr("is larger than 128 MiB"));
}

TEST(HostilePackage, NothingAndNonsenseAreRefused) {
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("not a tar file at all"), HasSubstr("is cut short or damaged"));
  EXPECT_THAT(refusal(std::string(1024, '\0')), HasSubstr("holds nothing"));
}

TEST(HostilePackage, OneThatIsCutAnywhereIsRefused) {
  auto const whole = goodPackage();
  for (std::size_t length = 0; length < whole.size(); length += 509)
    EXPECT_NE(refusal(std::string_view(whole).substr(0, length)), "") << length;
  EXPECT_THAT(refusal(std::string_view(whole).substr(0, whole.size() - 512)),
              HasSubstr("its end is missing"));
}

TEST(HostilePackage, WhatFollowsItsEndIsRefused) {
  EXPECT_THAT(refusal(goodPackage() + "x"), HasSubstr("goes on after its end, by 1 bytes"));
  EXPECT_THAT(refusal(goodPackage() + rawTar({{"docs/z.md", "x"}})), HasSubstr("goes on after its end"));
}

// Every byte counts: of headers, padding, contents, lists and signatures.
TEST(HostilePackage, OneByteThatWasChangedAnywhereIsRefused) {
  auto const whole =
      certified(signPackage(goodPackage(), Role::publisher, marketplaceKey(), manifestSchema()).value());
  ASSERT_EQ(refusal(whole), "");
  for (std::size_t place = 0; place < whole.size(); place += 97) {
    auto changed = whole;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    ASSERT_NE(refusal(changed), "") << "byte " << place;
  }
}

TEST(HostilePackage, EntriesOutOfOrderAndOddHeadersAreNotTheOneForm) {
  EXPECT_THAT(tarRefusal({{"docs/b.md", "x"}, {"docs/a.md", "x"}}), HasSubstr("is not sorted"));
  EXPECT_THAT(
      tarRefusal({{"docs/a.md", "x", '0', "", "", "14631235000"}}),
      HasSubstr("time 0): the entry \"docs/a.md\" has another time than 0; make it with `garland pack`"));
}

TEST(HostilePackage, WhatIsNotTheOneFormIsToldWithItsPlace) {
  auto const whole = writeArchive({{"docs/a.md", "x"}, {"docs/b.md", "yy"}}).value();
  auto const changed = [&](std::size_t place, char c) {
    auto out = whole;
    out[place] = c;
    return refusal(out);
  };
  EXPECT_THAT(changed(512 + 3, '!'), HasSubstr("what fills up the entry \"docs/a.md\" is not zero"));
  EXPECT_THAT(changed(3 * 512 + 2, '!'), HasSubstr("what fills up the entry \"docs/b.md\" is not zero"));
  // The same mode, with another ending of the number; the sum of the header stays.
  auto other = whole;
  std::swap(other[1024 + 106], other[1024 + 107]);
  EXPECT_THAT(refusal(other), HasSubstr("the header of the entry \"docs/b.md\" is written in another way"));
}

} // namespace
} // namespace garland::marketplace::testing
