// What `garland pack` makes, and what a package must hold to be one.
#include "host/marketplace/package_fixture.h"

namespace garland::marketplace::testing {
namespace {

TEST(Package, TheSameFilesGiveTheSameBytes) {
  TestFolder folder;
  for (auto const* file : {"connector.json", "connector.so"})
    put(folder / file, bytesOf(kConnector + "/" + file));
  EXPECT_EQ(pack({folder.path(), "", kTwin}, manifestSchema()).value(), goodPackage());
}

TEST(Package, AFileThatCannotBePlacedLeavesNothingBehind) {
  TestFolder folder;
  std::filesystem::create_directory(folder / "taken");
  EXPECT_FALSE(writeFile(folder / "taken", "bytes"));
  EXPECT_FALSE(std::filesystem::exists(folder / "taken.new"));
}

TEST(Package, IsReadAsItWasPacked) {
  auto const package = readPackage(goodPackage(), manifestSchema()).value();
  EXPECT_EQ(package.manifest.id, "example.packed");
  EXPECT_EQ(package.architectures, std::vector<std::string>{"x86_64-linux-gnu"});
  EXPECT_EQ(package.object("x86_64-linux-gnu")->bytes, bytesOf(kConnector + "/connector.so"));
  EXPECT_EQ(package.object("aarch64-linux-gnu"), nullptr);
  EXPECT_EQ(package.find("twin/connector.json")->bytes, bytesOf(kTwin + "/connector.json"));
  EXPECT_EQ(package.digest.size(), 64U);
  EXPECT_TRUE(package.signatures.empty());
  EXPECT_EQ(package.attestation, "");
}

// The list is what sha256sum makes, and its digest is the package's.
TEST(Package, ItsDigestIsThatOfTheList) {
  auto files = goodFiles();
  EXPECT_EQ(vault::sha256Hex(fileIn(files, "SHA256SUMS").bytes), digestOf(goodPackage()));
  EXPECT_THAT(
      fileIn(files, "SHA256SUMS").bytes,
      HasSubstr(vault::sha256Hex(bytesOf(kConnector + "/connector.so")) + "  " + std::string(kHere) + "\n"));
}

// Another libarchive must not give another form: this fails if one ever does.
TEST(Package, ItsFormIsPinned) {
  auto const bytes = writeArchive({{"docs/a.md", "one"}, {"docs/b.md", ""}}).value();
  EXPECT_EQ(bytes.size(), 512U * 5);
  EXPECT_EQ(vault::sha256Hex(bytes), "c83c6514e355235b6f7da73a39ae4e39f4eae5570ccda295714dcf2c84bd71c4");
}

TEST(Package, DocumentsOfTheSourceFolderAreTakenAndItsCodeIsNot) {
  TestFolder source;
  put(source / "README.md", "# Packed\n");
  put(source / "docs/setup.md", "Press the button.\n");
  put(source / "connector.cpp", "int main() {}\n");
  auto const bytes = pack({kConnector, source.path(), ""}, manifestSchema()).value();
  auto const package = readPackage(bytes, manifestSchema()).value();
  EXPECT_NE(package.find("README.md"), nullptr);
  EXPECT_NE(package.find("docs/setup.md"), nullptr);
  EXPECT_EQ(package.find("connector.cpp"), nullptr);
  EXPECT_EQ(package.find("twin/connector.json"), nullptr);
}

TEST(Package, WhatElseLiesInASourceFolderIsNotLookedAt) {
  TestFolder source;
  put(source / "README.md", "# Packed\n");
  put(source / "build/CMakeCache.txt", "");
  std::filesystem::create_symlink("plugins/example.packed", source / "build/packed");
  std::filesystem::create_symlink("/nowhere", source / "notes");
  auto const bytes = pack({kConnector, source.path(), ""}, manifestSchema());
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_NE(readPackage(*bytes, manifestSchema()).value().find("README.md"), nullptr);
}

TEST(Package, ItsBillOfMaterialsNamesFilesAndLibraries) {
  auto files = goodFiles();
  auto const sbom = parseJson(fileIn(files, "sbom.json").bytes).value();
  EXPECT_EQ(textOr(sbom, "/bomFormat", ""), "CycloneDX");
  EXPECT_EQ(textOr(sbom, "/metadata/component/version", ""), "1.0.0");
  auto const text = canonicalJson(sbom);
  EXPECT_THAT(text, HasSubstr("\"libc.so.6\""));
  EXPECT_THAT(text, HasSubstr(vault::sha256Hex(bytesOf(kConnector + "/connector.so"))));
}

TEST(Package, ABillOfTheAuthorIsCompletedAndSaysWhatIsLinkedIn) {
  TestFolder folder;
  for (auto const* file : {"connector.json", "connector.so"})
    put(folder / file, bytesOf(kConnector + "/" + file));
  put(folder / "sbom.json", R"({"bomFormat":"CycloneDX","specVersion":"1.5","components":[
    {"type":"library","bom-ref":"z","name":"zlib","version":"1.3.1"},
    {"type":"file","bom-ref":"file:old","name":"old","hashes":[]}]})");
  auto const package = readPackage(pack({folder.path(), "", ""}, manifestSchema()).value(), manifestSchema());
  auto const& text = package.value().find("sbom.json")->bytes;
  EXPECT_THAT(text, HasSubstr("\"zlib\""));
  EXPECT_THAT(text, HasSubstr(vault::sha256Hex(bytesOf(kConnector + "/connector.so"))));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("file:old"))) << "a file that is not in the package";
}

std::string packRefusal(PackWords const& words) {
  auto const bytes = pack(words, manifestSchema());
  return bytes ? "" : bytes.error().message;
}

TEST(Package, WhatHasNoPlaceInAPackageIsNotLeftOutUnsaid) {
  TestFolder folder;
  for (auto const* file : {"connector.json", "connector.so"})
    put(folder / file, bytesOf(kConnector + "/" + file));
  put(folder / "id_ed25519", "secret");
  EXPECT_THAT(packRefusal({folder.path(), "", ""}), HasSubstr("id_ed25519, which has no place in a package"));
}

TEST(Package, LinksAreNotFollowedIntoAPackage) {
  TestFolder folder;
  for (auto const* file : {"connector.json", "connector.so"})
    put(folder / file, bytesOf(kConnector + "/" + file));
  std::filesystem::create_symlink("/etc/passwd", folder / "README.md");
  EXPECT_THAT(packRefusal({folder.path(), "", ""}), HasSubstr("is no plain file"));
}

TEST(Package, ALinkToAFolderOfDocumentsIsNotLeftOutUnsaid) {
  TestFolder source;
  std::filesystem::create_directories(source / "written");
  put(source / "written/setup.md", "Press the button.\n");
  std::filesystem::create_symlink("written", source / "docs");
  EXPECT_THAT(packRefusal({kConnector, source.path(), ""}), HasSubstr("docs is no plain file"));
}

TEST(Package, ALinkInATwinsFolderIsNotFollowedAndADanglingOneNotLeftOutUnsaid) {
  TestFolder twin;
  for (auto const* file : {"connector.json", "connector.so"}) put(twin / file, bytesOf(kTwin + "/" + file));
  std::filesystem::create_symlink("/nowhere", twin / "certification.json");
  EXPECT_THAT(packRefusal({kConnector, "", twin.path()}), HasSubstr("certification.json is no plain file"));
  std::filesystem::remove(twin / "connector.so");
  std::filesystem::create_symlink(kTwin + "/connector.so", twin / "connector.so");
  EXPECT_THAT(packRefusal({kConnector, "", twin.path()}), HasSubstr("connector.so is no plain file"));
}

TEST(Package, AFolderWithoutAConnectorIsToldSo) {
  TestFolder folder;
  EXPECT_THAT(packRefusal({folder.path(), "", ""}), HasSubstr("holds no connector.json"));
  EXPECT_THAT(packRefusal({folder / "nowhere", "", ""}), HasSubstr("there is no folder"));
}

// ---------------------------------------------------------------- contents

std::string changed(std::string_view path, std::function<void(std::string&)> const& change) {
  auto files = goodFiles();
  change(fileIn(files, path).bytes);
  return refusal(packedAgain(std::move(files)));
}

std::string with(std::string const& path, std::string const& text, bool keep_list = false) {
  auto files = goodFiles();
  files.push_back({path, text});
  return refusal(packedAgain(std::move(files), keep_list));
}

std::string without(std::string_view path, bool keep_list = false) {
  auto files = goodFiles();
  std::erase_if(files, [&](PackedFile const& file) { return file.path == path; });
  return refusal(packedAgain(std::move(files), keep_list));
}

TEST(Package, AFileThatIsNotListedIsRefused) {
  EXPECT_THAT(with("docs/extra.md", "x", true),
              HasSubstr("\"docs/extra.md\", which SHA256SUMS does not list"));
}

TEST(Package, AListedFileThatIsNotThereIsRefused) {
  EXPECT_THAT(without("sbom.json", true), HasSubstr("lacks sbom.json"));
  for (auto const* path : {"lib/x86_64-linux-gnu/connector.so", "twin/x86_64-linux-gnu/connector.so"})
    EXPECT_THAT(without(path, true),
                HasSubstr("lists \"" + std::string(path) + "\" in SHA256SUMS and does not hold it"));
}

TEST(Package, AListInAnotherOrderIsRefused) {
  auto files = goodFiles();
  auto& list = fileIn(files, "SHA256SUMS").bytes;
  auto const end = list.find('\n') + 1;
  list = list.substr(end) + list.substr(0, end);
  EXPECT_THAT(refusal(packedAgain(std::move(files), true)), HasSubstr("not sorted by path"));
}

TEST(Package, AFileWithAnotherDigestIsRefused) {
  auto files = goodFiles();
  fileIn(files, kHere).bytes.back() ^= 1;
  EXPECT_THAT(refusal(packedAgain(std::move(files), true)), HasSubstr("another digest than SHA256SUMS says"));
}

TEST(Package, AFileWithoutAPlaceIsRefused) {
  for (auto const* path :
       {"evil.so", "lib/connector.so", "lib/a/b/connector.so", "signatures/other.json", "twin/x"})
    EXPECT_THAT(with(path, "x"), HasSubstr("has no place in a package")) << path;
}

TEST(Package, AnotherManifestThanTheOneInTheObjectIsRefused) {
  EXPECT_THAT(changed("connector.json", [](std::string& text) { text += "\n"; }),
              HasSubstr("was built with another connector.json"));
}

TEST(Package, AManifestThatTheSchemaRefusesIsRefused) {
  EXPECT_THAT(changed("connector.json", [](std::string& text) { text = R"({"manifest": 2})"; }),
              HasSubstr("holds connector.json: "));
}

TEST(Package, AnObjectForAnotherArchitectureThanItsFolderSaysIsRefused) {
  EXPECT_THAT(changed(kHere, [](std::string& object) { object[18] = '\xb7'; }),
              HasSubstr("is built for aarch64-linux-gnu; its folder must bear that name"));
  EXPECT_THAT(changed(kHere, [](std::string& object) { object[18] = '\x08'; }),
              HasSubstr("a processor that Garland does not run on"));
}

TEST(Package, AnObjectForAnotherArchitectureMayLieBesideOurs) {
  auto files = goodFiles();
  auto other = fileIn(files, kHere).bytes;
  other[18] = '\xb7';
  files.push_back({"lib/aarch64-linux-gnu/connector.so", other});
  auto const package = readPackage(packedAgain(files), manifestSchema()).value();
  EXPECT_EQ(package.architectures, (std::vector<std::string>{"aarch64-linux-gnu", "x86_64-linux-gnu"}));
}

TEST(Package, WithoutAnyObjectIsRefused) { EXPECT_THAT(without(kHere), HasSubstr("holds no shared object")); }

TEST(Package, HalfATwinAndAnothersTwinAreRefused) {
  EXPECT_THAT(without("twin/connector.json"), HasSubstr("holds half a twin"));
  EXPECT_THAT(changed("twin/connector.json",
                      [](std::string& text) { text.replace(text.find("packed-twin"), 6, "pecked"); }),
              HasSubstr("holds a twin whose id is not \"example.packed-twin\""));
}

TEST(Package, DocumentsThatAreNoJsonAreRefused) {
  EXPECT_THAT(changed("sbom.json", [](std::string& text) { text = "{"; }),
              HasSubstr("\"sbom.json\", which is not JSON"));
  EXPECT_THAT(changed("sbom.json", [](std::string& text) { text = "{}"; }),
              HasSubstr("neither CycloneDX nor SPDX"));
  EXPECT_THAT(with("schemas/settings.json", "{"), HasSubstr("\"schemas/settings.json\", which is not JSON"));
}

// ---------------------------------------------------------------- signatures

TEST(Package, ASignatureChangesNoDigestAndIsReadBack) {
  auto const by_publisher =
      signPackage(goodPackage(), Role::publisher, marketplaceKey(), manifestSchema()).value();
  auto const by_both =
      signPackage(by_publisher, Role::marketplace, marketplaceKey(), manifestSchema()).value();
  auto const package = readPackage(by_both, manifestSchema()).value();
  EXPECT_EQ(package.digest, digestOf(goodPackage()));
  ASSERT_EQ(package.signatures.size(), 2U);
  EXPECT_EQ(package.signatures[0].role, Role::publisher);
  EXPECT_EQ(package.signatures[1].key, marketplaceKey().publicKey());
}

TEST(Package, ASecondSignatureTakesThePlaceOfTheFirst) {
  auto const other = SigningKey::make().value();
  auto const once = signPackage(goodPackage(), Role::publisher, marketplaceKey(), manifestSchema()).value();
  auto const twice = signPackage(once, Role::publisher, other, manifestSchema()).value();
  auto const package = readPackage(twice, manifestSchema()).value();
  ASSERT_EQ(package.signatures.size(), 1U);
  EXPECT_EQ(package.signatures[0].key, other.publicKey());
}

TEST(Package, ASignatureOfAnotherPackageOrRoleIsRefused) {
  auto const signed_one =
      signPackage(goodPackage(), Role::publisher, marketplaceKey(), manifestSchema()).value();
  auto from = readArchive(signed_one).value();
  auto const signature = fileIn(from, "signatures/publisher.json").bytes;
  auto files = goodFiles();
  files.push_back({"docs/more.md", "x"});
  files.push_back({"signatures/publisher.json", signature});
  EXPECT_THAT(refusal(packedAgain(files)), HasSubstr("which is of another package"));
  EXPECT_THAT(with("signatures/marketplace.json", signature), HasSubstr("a statement of another type"));
  EXPECT_THAT(with("signatures/publisher.json", "{}"), HasSubstr("is no signed statement"));
}

TEST(Package, AnAttestationOfAnotherPackageIsRefused) {
  auto const text = makeAttestation(attestationOf(std::string(64, '0')), marketplaceKey()).value();
  EXPECT_THAT(with("signatures/attestation.json", text),
              HasSubstr("holds an attestation of another package"));
}

} // namespace
} // namespace garland::marketplace::testing
