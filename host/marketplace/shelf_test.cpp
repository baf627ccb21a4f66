// What is installed on a machine, and what of it may run.
#include "host/marketplace/package_fixture.h"

namespace garland::marketplace::testing {
namespace {

using namespace std::chrono_literals;
using Kind = runtime::Provenance::Kind;

class ShelfTest : public ::testing::Test {
protected:
  Shelf shelf(bool development = false, std::vector<Revocation> revoked = {}) const {
    ShelfOptions options;
    options.dir = folder_ / "packages";
    options.development = development;
    options.trust = {{marketplaceKey().publicKey()}, std::move(revoked)};
    return Shelf(std::move(options));
  }
  runtime::PluginInfo only(Shelf const& shelf, TimePoint now = kToday) const {
    auto const catalogue = shelf.scan({folder_ / "plugins"}, manifestSchema(), now);
    EXPECT_EQ(catalogue.plugins().size(), 1U);
    return catalogue.plugins().empty() ? runtime::PluginInfo() : catalogue.plugins().front();
  }
  void drop(std::string const& bytes, std::string const& name = "x.gpk") const {
    put(folder_ / ("plugins/" + name), bytes);
  }
  void dropFolder() const {
    for (auto const* file : {"/connector.json", "/connector.so"})
      put(folder_ / ("plugins/example.packed" + std::string(file)), bytesOf(kConnector + file));
  }
  TestFolder folder_;
};

TEST_F(ShelfTest, ACertifiedPackageOfAFolderIsUnpackedAndMayRun) {
  drop(certified(goodPackage()));
  auto const plugin = only(shelf());
  EXPECT_EQ(plugin.refusal, "");
  EXPECT_EQ(plugin.manifest.id, "example.packed");
  EXPECT_EQ(plugin.provenance.kind, Kind::certified);
  EXPECT_EQ(plugin.provenance.level, "silver");
  EXPECT_EQ(plugin.provenance.package, digestOf(goodPackage()));
  EXPECT_EQ(bytesOf(plugin.path), bytesOf(kConnector + "/connector.so"));
  EXPECT_EQ(plugin.digest, vault::sha256Hex(bytesOf(plugin.path)));
}

TEST_F(ShelfTest, WithoutAnAttestationItIsRefusedAndNothingIsUnpacked) {
  drop(goodPackage());
  auto const plugin = only(shelf());
  EXPECT_THAT(plugin.refusal, HasSubstr("may not be loaded: it carries no attestation"));
  EXPECT_THAT(plugin.refusal, HasSubstr("[plugins] development = true"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "packages"));
}

TEST_F(ShelfTest, AnObjectThatNobodyRanIsNotCertifiedByAnothersRun) {
  auto const text = makeAttestation(attestationOf(digestOf(goodPackage())), marketplaceKey()).value();
  drop(attachAttestation(goodPackage(), text, manifestSchema()).value());
  EXPECT_THAT(only(shelf()).refusal, HasSubstr("another kind of machine"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "packages"));
}

TEST_F(ShelfTest, AStrangersAttestationIsNone) {
  drop(certified(goodPackage(), SigningKey::make().value()));
  EXPECT_THAT(only(shelf()).refusal, HasSubstr("no key of a trusted marketplace"));
}

TEST_F(ShelfTest, UnderDevelopmentItRunsAsADeveloperBuild) {
  drop(goodPackage());
  auto const plugin = only(shelf(true));
  EXPECT_EQ(plugin.refusal, "");
  EXPECT_EQ(plugin.provenance.kind, Kind::developer);
}

TEST_F(ShelfTest, AFolderIsASystemBuildAndUnderDevelopmentADeveloperBuild) {
  dropFolder();
  EXPECT_EQ(only(shelf()).provenance.kind, Kind::system);
  EXPECT_EQ(only(shelf(true)).provenance.kind, Kind::developer);
  EXPECT_EQ(only(shelf()).refusal, "");
}

TEST_F(ShelfTest, ADamagedPackageIsToldAndHidesNoOther) {
  drop(certified(goodPackage()));
  drop("nonsense", "a.gpk");
  auto const catalogue = shelf().scan({folder_ / "plugins"}, manifestSchema(), kToday);
  ASSERT_EQ(catalogue.plugins().size(), 2U);
  EXPECT_EQ(catalogue.plugins()[0].manifest.id, "a");
  EXPECT_THAT(catalogue.plugins()[0].refusal, HasSubstr("a.gpk is cut short or damaged"));
  EXPECT_EQ(catalogue.plugins()[1].refusal, "");
}

TEST_F(ShelfTest, OneWithoutABuildForThisMachineIsRefused) {
  auto files = goodFiles();
  auto& object = fileIn(files, kHere);
  object.bytes[18] = '\xb7';
  object.path = "lib/aarch64-linux-gnu/connector.so";
  auto const bytes = certified(packedAgain(std::move(files)));
  drop(bytes);
  EXPECT_THAT(only(shelf()).refusal, HasSubstr("holds no build for this machine (x86_64-linux-gnu)"));
  EXPECT_EQ(shelf().install(bytes, manifestSchema(), kToday).error().kind, ErrorKind::unsupported);
}

TEST_F(ShelfTest, AnInstalledPackageTakesThePlaceOfAFolder) {
  dropFolder();
  auto const installed = shelf().install(certified(goodPackage()), manifestSchema(), kToday).value();
  EXPECT_EQ(installed.provenance.kind, Kind::certified);
  EXPECT_EQ(only(shelf()).provenance.kind, Kind::certified);
}

TEST_F(ShelfTest, ARefusedPackageIsNotInstalled) {
  auto const refused = shelf().install(goodPackage(), manifestSchema(), kToday);
  EXPECT_EQ(refused.error().kind, ErrorKind::forbidden);
  EXPECT_THAT(refused.error().message, HasSubstr("example.packed 1.0.0 may not be loaded"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "packages/example.packed.gpk"));
  EXPECT_EQ(shelf().install("nonsense", manifestSchema(), kToday).error().kind, ErrorKind::invalidInput);
}

TEST_F(ShelfTest, TwoOfOneIdAreToldAndTheFirstCounts) {
  drop(certified(goodPackage()));
  dropFolder();
  auto const catalogue = shelf().scan({folder_ / "plugins"}, manifestSchema(), kToday);
  ASSERT_EQ(catalogue.plugins().size(), 2U);
  EXPECT_EQ(catalogue.plugins()[0].provenance.kind, Kind::certified);
  EXPECT_THAT(catalogue.plugins()[1].refusal, HasSubstr("is installed a second time"));
}

TEST_F(ShelfTest, WhatRanBeforeIsJudgedAnew) {
  drop(certified(goodPackage()));
  auto const ran = only(shelf()).provenance;
  EXPECT_TRUE(shelf().admits(ran, kToday));
  EXPECT_THAT(shelf().admits(ran, kToday + 180 * 24h).error().message, HasSubstr("expired on"));
  auto const revoking = shelf(false, {{ran.package, "it charged twice", kToday}});
  EXPECT_THAT(revoking.admits(ran, kToday).error().message, HasSubstr("because it charged twice"));
  runtime::Provenance developer{Kind::developer, ran.package, "", "", {}};
  EXPECT_TRUE(shelf(true).admits(developer, kToday));
  EXPECT_FALSE(shelf().admits(developer, kToday));
  EXPECT_TRUE(shelf().admits({}, kToday)) << "a folder";
}

TEST_F(ShelfTest, WhatWasRevokedDoesNotRunUnderDevelopmentEither) {
  std::vector<Revocation> const revoked{{digestOf(goodPackage()), "it charged twice", kToday}};
  for (auto const& bytes : {goodPackage(), certified(goodPackage())}) {
    drop(bytes);
    EXPECT_THAT(only(shelf(true, revoked)).refusal, HasSubstr("may not be loaded: the package was revoked on "
                                                              "2026-06-13, because it charged twice"));
    auto const refused = shelf(true, revoked).install(bytes, manifestSchema(), kToday);
    EXPECT_EQ(refused.error().kind, ErrorKind::forbidden);
  }
  runtime::Provenance const ran{Kind::developer, digestOf(goodPackage()), "", "", {}};
  EXPECT_TRUE(shelf(true).admits(ran, kToday));
  EXPECT_THAT(shelf(true, revoked).admits(ran, kToday).error().message,
              HasSubstr("because it charged twice"));
}

TEST_F(ShelfTest, WhatWasUnpackedOfPackagesThatAreGoneIsRemoved) {
  auto const installed = shelf().install(certified(goodPackage()), manifestSchema(), kToday).value();
  put(folder_ / ("packages/" + std::string(64, '0') + "/connector.so"), "of another");
  put(folder_ / "packages/incoming-1", "left behind");
  shelf().prune(shelf().scan({}, manifestSchema(), kToday));
  EXPECT_TRUE(std::filesystem::exists(installed.path));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "packages/example.packed.gpk"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / ("packages/" + std::string(64, '0'))));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "packages/incoming-1"));
}

TEST_F(ShelfTest, AnUnpackedFileThatWasChangedIsPutRight) {
  drop(certified(goodPackage()));
  auto const plugin = only(shelf());
  put(plugin.path, "changed");
  EXPECT_EQ(bytesOf(only(shelf()).path), bytesOf(kConnector + "/connector.so"));
}

} // namespace
} // namespace garland::marketplace::testing
