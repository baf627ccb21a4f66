// Every way a plugin folder can be bad gives one sentence, and never hides the good ones beside it.
#include "host/base/test_folder.h"
#include "host/runtime/host_test_kit.h"
#include "tests/places/places.h"

#include <elf.h>
#include <sys/stat.h>

#include <cstring>

namespace garland::runtime::testing {
namespace {

std::string const kGoodId = "test.host_probe";

class CatalogueTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void install(std::string const& id, std::string const& manifest, std::string const& object) const {
    writeFile(root_ + "/" + id + "/connector.json", manifest);
    writeFile(root_ + "/" + id + "/connector.so", object);
  }
  // The refusal of the probe plugin after its files were changed.
  std::string refusal(std::string const& manifest, std::string const& object) const {
    install(kGoodId, manifest, object);
    auto const catalogue = Catalogue::scan({root_}, schema_);
    EXPECT_EQ(catalogue.plugins().size(), 1U);
    auto const* found = catalogue.find(kGoodId);
    EXPECT_NE(found, nullptr);
    return found ? found->refusal : "";
  }
  std::string manifestRefusal(std::string const& manifest) const { return refusal(manifest, object_); }
  std::string objectRefusal(std::string const& object) const { return refusal(manifest_, object); }
  std::string changedManifest(std::function<void(json::object&)> const& change) const {
    auto document = parseJson(manifest_).value();
    change(document.as_object());
    return json::serialize(document);
  }
  template <class T> std::string patched(std::size_t offset, T value) const {
    auto out = object_;
    std::memcpy(out.data() + offset, &value, sizeof(T));
    return out;
  }

  TestFolder const folder_;
  std::string root_ = folder_.path();
  Schema schema_ = manifestSchema();
  std::string manifest_ = readFile(kPlugins + "/" + kGoodId + "/connector.json");
  std::string object_ = readFile(kPlugins + "/" + kGoodId + "/connector.so");
};

void expectEnd(std::string const& end, std::string const& refusal) {
  EXPECT_TRUE(refusal.ends_with(end)) << refusal;
}
void expectPart(std::string const& part, std::string const& refusal) {
  EXPECT_NE(refusal.find(part), std::string::npos) << refusal;
}

TEST_F(CatalogueTest, AGoodPluginIsLoadable) {
  EXPECT_EQ(refusal(manifest_, object_), "");
  auto const catalogue = Catalogue::scan({root_}, schema_);
  auto const& plugin = catalogue.plugins().at(0);
  EXPECT_EQ(plugin.digest.size(), 64U);
  EXPECT_EQ(plugin.manifest.version, "1.2.3");
  EXPECT_EQ(catalogue.find("host_probe"), &plugin);
  EXPECT_EQ(catalogue.find("probe"), nullptr);
}

TEST_F(CatalogueTest, ATwinIsNeverOfferedAsAConnectorNorAConnectorAsATwin) {
  auto const twin =
      changedManifest([](json::object& manifest) { manifest["operations"] = json::array{"twin.serve/1"}; });
  expectPart("is the twin of a provider and no connector", manifestRefusal(twin));
  install(kGoodId, manifest_, object_);
  expectPart("this is no twin", Catalogue::scanTwins({root_}, schema_).plugins().at(0).refusal);
}

TEST_F(CatalogueTest, AManifestThatIsNotJsonIsToldByLineAndColumn) {
  expectPart("test.host_probe/connector.json: not JSON", manifestRefusal("{\n  \"manifest\": 1,,\n}"));
  expectPart("at line 2, column", manifestRefusal("{\n  \"manifest\": 1,,\n}"));
  expectPart("appears twice", manifestRefusal(R"({"manifest":1,"manifest":1})"));
}

TEST_F(CatalogueTest, AnUnknownFieldIsNamed) {
  expectPart("colour", manifestRefusal(changedManifest([](auto& m) { m["colour"] = "red"; })));
}

TEST_F(CatalogueTest, AWrongTypeIsToldByItsPlace) {
  expectPart("/operations", manifestRefusal(changedManifest([](auto& m) { m["operations"] = "all"; })));
  expectPart("/settings", manifestRefusal(changedManifest([](auto& m) { m["settings"] = 7; })));
}

TEST_F(CatalogueTest, MissingHostsAreNamed) {
  expectPart("hosts", manifestRefusal(changedManifest([](auto& m) { m.erase("hosts"); })));
  auto const no_host = changedManifest([](auto& m) {
    m["hosts"] = json::array();
    m["auth"] = json::array{{{"slot", "a"}, {"scheme", "bearer"}, {"fields", {"token"}}}};
  });
  expectPart("/hosts", manifestRefusal(no_host));
}

TEST_F(CatalogueTest, SettingsThatAreNoSchemaAreRefused) {
  auto const wrong = changedManifest(
      [](auto& m) { m["settings"] = {{"type", "object"}, {"properties", {{"a", {{"type", "texte"}}}}}}; });
  expectPart("/settings: is not a JSON Schema", manifestRefusal(wrong));
}

TEST_F(CatalogueTest, TheIdMustBeTheFoldersName) {
  auto const refused = manifestRefusal(changedManifest([](auto& m) { m["id"] = "test.other"; }));
  expectPart("says \"test.other\" but the folder is named \"test.host_probe\"", refused);
}

TEST_F(CatalogueTest, AMissingFileIsNamed) {
  writeFile(root_ + "/test.no_object/connector.json",
            changedManifest([](auto& m) { m["id"] = "test.no_object"; }));
  writeFile(root_ + "/test.no_manifest/connector.so", object_);
  std::filesystem::create_directories(root_ + "/CMakeFiles");
  auto const catalogue = Catalogue::scan({root_, root_ + "/nowhere"}, schema_);
  ASSERT_EQ(catalogue.plugins().size(), 2U);
  expectEnd("connector.json cannot be read: No such file or directory",
            catalogue.find("test.no_manifest")->refusal);
  expectEnd("connector.so cannot be read: No such file or directory",
            catalogue.find("test.no_object")->refusal);
}

TEST_F(CatalogueTest, AnEmptyPluginFolderIsToldAndOtherFoldersAreNot) {
  for (auto const* name : {"/example.empty", "/calendar", "/.cache", "/example.other/CMakeFiles"})
    std::filesystem::create_directories(root_ + name);
  auto const catalogue = Catalogue::scan({root_}, schema_);
  ASSERT_EQ(catalogue.plugins().size(), 1U);
  EXPECT_EQ(catalogue.plugins().front().manifest.id, "example.empty");
  expectPart("/example.empty/connector.json", catalogue.plugins().front().refusal);
}

TEST_F(CatalogueTest, AnObjectThatIsAFolderOrAPipeIsRefused) {
  install(kGoodId, manifest_, "");
  std::filesystem::remove(root_ + "/" + kGoodId + "/connector.so");
  ASSERT_EQ(::mkfifo((root_ + "/" + kGoodId + "/connector.so").c_str(), 0600), 0);
  expectEnd("it is not a regular file", Catalogue::scan({root_}, schema_).plugins().at(0).refusal);
}

TEST_F(CatalogueTest, AnObjectThatIsNotElfIsRefused) {
  expectEnd("connector.so is not an ELF file", objectRefusal("#!/bin/sh\n"));
  expectEnd("connector.so is not an ELF file", objectRefusal(""));
}

TEST_F(CatalogueTest, AnObjectOfAnotherMachineIsRefused) {
  expectPart("is built for another processor (ELF machine 183",
             objectRefusal(patched<Elf64_Half>(offsetof(Elf64_Ehdr, e_machine), EM_AARCH64)));
  expectPart("is not a 64-bit object", objectRefusal(patched<unsigned char>(EI_CLASS, ELFCLASS32)));
  expectPart("is not a little-endian object", objectRefusal(patched<unsigned char>(EI_DATA, ELFDATA2MSB)));
}

TEST_F(CatalogueTest, AProgramOrAnObjectFileIsNoSharedObject) {
  expectPart("is not a shared object",
             objectRefusal(patched<Elf64_Half>(offsetof(Elf64_Ehdr, e_type), ET_REL)));
  expectPart("is a program, not a shared object", objectRefusal(readFile("/proc/self/exe")));
}

TEST_F(CatalogueTest, ATruncatedObjectIsRefused) {
  expectPart("connector.so is cut short", objectRefusal(object_.substr(0, object_.size() / 2)));
  expectPart("connector.so is cut short", objectRefusal(object_.substr(0, object_.size() - 1)));
}

TEST_F(CatalogueTest, AnObjectWithoutTheEntryIsRefused) {
  auto renamed = object_;
  for (auto at = renamed.find("garland_entry_v1"); at != std::string::npos;
       at = renamed.find("garland_entry_v1", at))
    renamed.replace(at, 16, "garland_entry_v9");
  expectPart("exports garland_entry_v9, and a plugin exports nothing but garland_entry_v1",
             objectRefusal(renamed));
}

TEST_F(CatalogueTest, AnObjectThatExportsMoreOrCarriesNoNoteIsRefused) {
  expectPart("connector.so exports another_export, and a plugin exports nothing but",
             objectRefusal(readFile(inBuild("/tests/odd/many.so"))));
  expectPart("connector.so carries no manifest", objectRefusal(readFile(inBuild("/tests/odd/bare.so"))));
}

TEST_F(CatalogueTest, AnObjectBuiltWithAnotherManifestIsRefused) {
  auto const refused = manifestRefusal(changedManifest([](auto& m) { m["version"] = "1.2.4"; }));
  expectPart("connector.so was built with another connector.json", refused);
}

TEST_F(CatalogueTest, AnObjectThatIsTooLargeIsRefused) {
  install(kGoodId, manifest_, object_);
  std::filesystem::resize_file(root_ + "/" + kGoodId + "/connector.so", (64U << 20U) + 1);
  expectPart("connector.so is too large", Catalogue::scan({root_}, schema_).plugins().at(0).refusal);
}

TEST_F(CatalogueTest, TheSecondOfTwoEqualIdsIsRefusedAndTheFirstStays) {
  install("a/" + kGoodId, manifest_, object_);
  install("b/" + kGoodId, manifest_, object_);
  auto const catalogue = Catalogue::scan({root_ + "/a", root_ + "/b"}, schema_);
  ASSERT_EQ(catalogue.plugins().size(), 2U);
  EXPECT_EQ(catalogue.find(kGoodId), &catalogue.plugins()[0]);
  EXPECT_EQ(catalogue.plugins()[0].refusal, "");
  expectPart("installed a second time", catalogue.plugins()[1].refusal);
}

TEST_F(CatalogueTest, HyphensAndUnderscoresAreTypedForEachOther) {
  install("test.lead-email", "{", object_);
  install("test.lead_text", "{", object_);
  auto const catalogue = Catalogue::scan({root_}, schema_);
  for (auto const* typed : {"lead-email", "lead_email", "test.lead_email"})
    EXPECT_EQ(catalogue.find(typed), &catalogue.plugins()[0]) << typed;
  EXPECT_EQ(catalogue.find("lead-text"), &catalogue.plugins()[1]);
  install("test.lead_email", "{", object_);
  auto const both = Catalogue::scan({root_}, schema_);
  EXPECT_EQ(both.find("lead_email")->manifest.id, "test.lead_email") << "the one that is spelled so";
  EXPECT_EQ(both.find("lead-email")->manifest.id, "test.lead-email");
}

TEST_F(CatalogueTest, ABadPluginStaysBesideTheGoodOnes) {
  install(kGoodId, manifest_, object_);
  install("test.bad", "{", object_);
  auto const catalogue = Catalogue::scan({root_}, schema_);
  ASSERT_EQ(catalogue.plugins().size(), 2U);
  EXPECT_EQ(catalogue.find(kGoodId)->refusal, "");
  EXPECT_NE(catalogue.find("bad")->refusal, "");
}

} // namespace
} // namespace garland::runtime::testing
