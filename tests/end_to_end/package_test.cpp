// From a built connector to a certified package that a running daemon syncs with; and packages it must
// refuse.
#include "host/base/file_text.h"
#include "host/marketplace/marketplace.h"
#include "host/vault/vault.h"
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <garland/schemas.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace garland::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string const kBuilt = inBuild("/tests/plugins/example.packed");

Schema manifestSchema() { return Schema::compile(parseJson(schemaText("manifest.json")).value()).value(); }

// Commands that need no daemon.
class PackageCommands : public ::testing::Test {
protected:
  Finished run(std::vector<std::string> words) {
    words.insert(words.begin(), binFolder() + "/garland");
    return runProgram(words, {}, "");
  }
  std::string said(std::vector<std::string> const& words, int expected_exit) {
    auto const done = run(words);
    EXPECT_EQ(done.exit_code, expected_exit) << words[0] << "\n" << done.out << done.err;
    return done.out + done.err;
  }
  json::value asked(std::vector<std::string> words, int expected_exit = 0) {
    words.emplace_back("--json");
    auto const done = run(words);
    EXPECT_EQ(done.exit_code, expected_exit) << done.out << done.err;
    auto value = parseJson(done.out);
    EXPECT_TRUE(value) << done.out << done.err;
    return value ? std::move(*value) : json::value();
  }
  std::string newKey(std::string const& name) {
    said({"keys", "new", "--out", folder_ / name}, 0);
    return folder_ / name;
  }
  std::string packed(std::string const& name = "x.gpk") {
    said({"pack", kBuilt, "-o", folder_ / name}, 0);
    return folder_ / name;
  }
  TestFolder folder_;
};

TEST_F(PackageCommands, AKeyIsPrivateAndNeverPrinted) {
  auto const told = said({"keys", "new", "--out", folder_ / "a.key"}, 0);
  auto const secret = readFile(folder_ / "a.key");
  EXPECT_THAT(secret, HasSubstr("PRIVATE KEY"));
  EXPECT_THAT(told, AllOf(HasSubstr("ed25519:"), Not(HasSubstr(secret.substr(28, 20)))));
  struct stat info{};
  ASSERT_EQ(::stat((folder_ / "a.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_THAT(readFile(folder_ / "a.key.pub"), HasSubstr("ed25519:"));
  EXPECT_THAT(said({"keys", "new", "--out", folder_ / "a.key"}, 1), HasSubstr("is there already"));
  EXPECT_EQ(readFile(folder_ / "a.key"), secret);
}

TEST_F(PackageCommands, PackingTwiceGivesTheSameBytesAndSigningTheSameDigest) {
  auto const one = packed("one.gpk");
  auto const two = packed("two.gpk");
  EXPECT_EQ(readFile(one), readFile(two));
  auto const before = asked({"package", "show", one});
  said({"sign", one, "--key", newKey("p.key"), "--as", "publisher"}, 0);
  auto const after = asked({"package", "show", one});
  EXPECT_EQ(textOr(after, "/digest", "?"), textOr(before, "/digest", ""));
  EXPECT_EQ(textOr(after, "/signatures/0/role", ""), "publisher");
  EXPECT_THAT(said({"package", "show", one}, 0), HasSubstr("signed       as publisher by ed25519:"));
}

TEST_F(PackageCommands, VerifyTellsSoundFromChangedAndTrustedFromUnknown) {
  auto const file = packed();
  auto const key = newKey("m.key");
  EXPECT_THAT(said({"package", "verify", file}, 0), HasSubstr("not judged; name whom you trust"));
  EXPECT_THAT(said({"package", "verify", file, "--trust", key + ".pub"}, 1),
              HasSubstr("it carries no attestation"));
  EXPECT_THAT(said({"package", "verify", file, "--trust", key}, 2), HasSubstr("this is a private key"));
  EXPECT_THAT(said({"package", "verify", folder_ / "none.gpk"}, 2), HasSubstr("there is no file"));
  auto bytes = readFile(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  writeFile(folder_ / "changed.gpk", bytes);
  auto const verdict = asked({"package", "verify", folder_ / "changed.gpk"}, 1);
  EXPECT_FALSE(boolOr(verdict, "/ok", true));
  EXPECT_THAT(textOr(verdict, "/findings/0/message", ""), HasSubstr("another digest than SHA256SUMS says"));
}

TEST_F(PackageCommands, AKeyOfSomebodyElseIsNotOverwrittenAndHalfAPairIsNotLeft) {
  writeFile(folder_ / "a.key.pub", "of somebody else");
  EXPECT_THAT(said({"keys", "new", "--out", folder_ / "a.key"}, 1), HasSubstr("a.key.pub is there already"));
  EXPECT_EQ(readFile(folder_ / "a.key.pub"), "of somebody else");
  EXPECT_FALSE(fs::exists(folder_ / "a.key"));
  fs::create_directories(folder_ / "b.key.pub.new"); // where the file would be written first
  EXPECT_THAT(said({"keys", "new", "--out", folder_ / "b.key"}, 1), HasSubstr("cannot write"));
  EXPECT_FALSE(fs::exists(folder_ / "b.key"));
}

TEST_F(PackageCommands, VerifySaysWhoSignedAndWhatWasRevoked) {
  auto const file = packed();
  EXPECT_THAT(said({"package", "verify", file}, 0), HasSubstr("signed: by nobody"));
  auto const publisher = newKey("p.key");
  auto const market = newKey("m.key");
  said({"sign", file, "--key", publisher, "--as", "publisher"}, 0);
  auto const key = readFile(publisher + ".pub").substr(0, 72);
  EXPECT_THAT(said({"package", "verify", file}, 0), HasSubstr("ok      signed: as publisher by " + key));
  auto const signing = marketplace::SigningKey::read(market).value();
  auto const digest = textOr(asked({"package", "show", file}), "/digest", "");
  auto const verdict = [&](std::string const& revoked, int expected_exit) {
    marketplace::RevocationList list;
    list.items.push_back({revoked, "it was\033[2J stolen", SystemClock().now()});
    writeFile(folder_ / "list.json", marketplace::makeRevocations(list, signing).value());
    return said(
        {"package", "verify", file, "--trust", market + ".pub", "--revocations", folder_ / "list.json"},
        expected_exit);
  };
  EXPECT_THAT(verdict(std::string(64, '0'), 1),
              AllOf(HasSubstr("ok      signed"), HasSubstr("no attestation")));
  auto const of_key = verdict(key, 1);
  EXPECT_THAT(of_key, HasSubstr("PROBLEM signed: as publisher by " + key + ", which was revoked on "));
  EXPECT_THAT(of_key, Not(HasSubstr("\033")));
  EXPECT_THAT(verdict(digest, 1), HasSubstr("PROBLEM trust: the package was revoked on "));
  EXPECT_THAT(said({"package", "verify", file, "--revocations", folder_ / "list.json"}, 2),
              HasSubstr("--trust"));
  EXPECT_THAT(
      said({"package", "verify", file, "--trust", publisher + ".pub", "--revocations", folder_ / "list.json"},
           2),
      HasSubstr("no key of a trusted marketplace"));
}

// Whoever checks a stranger's package has not let its words act on the terminal yet.
TEST_F(PackageCommands, VerifyPrintsNoControlCharactersOfABadPackage) {
  auto bytes = readFile(packed());
  auto const manifest = readFile(kBuilt + "/connector.json");
  auto hostile = manifest;
  hostile.replace(hostile.find("\"entities\""), 10, "\"\\u001b]x\""); // of the same length
  auto const replace = [&bytes](std::string const& what, std::string const& with) {
    auto const at = bytes.find(what);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, what.size(), with);
  };
  replace(manifest, hostile);
  replace(vault::sha256Hex(manifest), vault::sha256Hex(hostile));
  writeFile(folder_ / "hostile.gpk", bytes);
  auto const told = said({"package", "verify", folder_ / "hostile.gpk"}, 1);
  EXPECT_THAT(told, AllOf(HasSubstr("PROBLEM package"), HasSubstr("unknown member"), HasSubstr("]x"),
                          Not(HasSubstr("\033"))));
  EXPECT_THAT(said({"package", "show", folder_ / "hostile.gpk"}, 1), Not(HasSubstr("\033")));
}

TEST_F(PackageCommands, WrongWordsAreToldSo) {
  EXPECT_THAT(said({"pack", folder_.path()}, 2), HasSubstr("holds no connector.json"));
  EXPECT_THAT(said({"sign", packed(), "--key", newKey("a.key"), "--as", "friend"}, 2), HasSubstr("--as"));
  EXPECT_THAT(said({"sign", packed(), "--key", folder_ / "none.key", "--as", "publisher"}, 2),
              HasSubstr("none.key"));
}

// ---------------------------------------------------------------- with a daemon

class PackageInDaemon : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(key_.has_value());
    fs::create_directories(host_.folder() + "/plugins");
  }
  void start(std::string const& more = "") {
    writeFile(host_.configFile(), "[daemon]\ndata_dir = \"" + host_.dataFolder() +
                                      "\"\nport = 0\n[plugins]\ndirs = [\"" + host_.folder() +
                                      "/plugins\"]\ntrust = [\"" + key_->publicKey() + "\"]\n" + more);
    host_.start();
  }
  std::string plain() const {
    auto const bytes = marketplace::pack({kBuilt, "", ""}, manifestSchema());
    return bytes.value();
  }
  std::string certified() const { return certified(plain()); }
  std::string certified(std::string const& bytes) const {
    auto const package = marketplace::readPackage(bytes, manifestSchema()).value();
    marketplace::Attestation attestation;
    attestation.package_digest = package.digest;
    attestation.plugin_id = "example.packed";
    attestation.version = "1.0.0";
    attestation.suite_version = "1";
    attestation.suite_digest = std::string(64, 'a');
    attestation.level = "silver";
    attestation.profile = "standard";
    attestation.sandbox = "A";
    attestation.objects = {vault::sha256Hex(package.object(runtime::hostArchitecture())->bytes)};
    attestation.report_digest = std::string(64, 'e');
    attestation.date = SystemClock().now();
    auto text = marketplace::makeAttestation(attestation, *key_).value();
    return marketplace::attachAttestation(bytes, std::move(text), manifestSchema()).value();
  }
  std::string file(std::string const& bytes) {
    writeFile(host_.folder() + "/x.gpk", bytes);
    return host_.folder() + "/x.gpk";
  }
  json::value shown() { return host_.ask({"plugins", "show", "packed"}); }
  json::value health() {
    auto const done = runProgram({"/usr/bin/curl", "-s", host_.url() + "/health"}, {}, "");
    auto body = parseJson(done.out);
    EXPECT_TRUE(body) << done.out << done.err;
    return body ? std::move(*body) : json::value();
  }
  // Connects an account of it and syncs: the one event of the connector.
  void expectItSyncs() {
    auto const vendor = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    EXPECT_EQ(host_.run({"plugins", "enable", "packed", "--vendor", vendor}).exit_code, 0);
    connection_ = textOr(host_.ask({"connections", "connect", "packed", "--vendor", vendor}), "/id", "");
    host_.ask({"sync", "run", connection_});
    EXPECT_EQ(host_.records(vendor).size(), 1U);
  }

  std::optional<marketplace::SigningKey> key_ = marketplace::SigningKey::make().value();
  Host host_;
  std::string connection_;
};

TEST_F(PackageInDaemon, ACertifiedPackageIsInstalledAndSyncs) {
  start();
  auto const answer = host_.ask({"plugins", "install", file(certified())});
  EXPECT_EQ(textOr(answer, "/items/0/outcome", ""), "installed") << canonicalJson(answer);
  EXPECT_THAT(textOr(shown(), "/certified", ""), HasSubstr("silver until 20"));
  EXPECT_THAT(host_.run({"plugins", "ls"}).out, AllOf(HasSubstr("CERTIFIED"), HasSubstr("silver until 20")));
  EXPECT_EQ(canonicalJson(*find(health(), "/uncertified")), "[]");
  expectItSyncs();
  host_.kill9();
  host_.start();
  EXPECT_THAT(textOr(shown(), "/certified", ""), HasSubstr("silver until 20"));
  host_.ask({"sync", "run", connection_});
}

TEST_F(PackageInDaemon, WithoutAnAttestationItIsNotInstalled) {
  start();
  auto const done = host_.run({"plugins", "install", file(plain())});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("example.packed 1.0.0 may not be loaded: it carries no attestation"));
  EXPECT_EQ(host_.ask({"plugins", "ls"}).at("items").as_array().size(), 0U);
  EXPECT_TRUE(fs::is_empty(host_.dataFolder() + "/packages")) << "what was handed in is gone again";
  EXPECT_THAT(host_.run({"plugins", "install", host_.folder() + "/none.gpk"}).err,
              HasSubstr("there is no file"));
  EXPECT_EQ(host_.run({"plugins", "install", file("nonsense")}).exit_code, 1);
}

TEST_F(PackageInDaemon, InAPluginFolderItIsRefusedWithTheReason) {
  writeFile(host_.folder() + "/plugins/packed.gpk", plain());
  start();
  EXPECT_THAT(textOr(shown(), "/refusal", ""), HasSubstr("it carries no attestation"));
  EXPECT_EQ(textOr(shown(), "/certified", ""), "no");
  EXPECT_THAT(host_.log(), HasSubstr("plugin refused"));
  writeFile(host_.folder() + "/plugins/packed.gpk", certified());
  auto const answer = host_.ask({"plugins", "rescan"});
  EXPECT_EQ(textOr(answer, "/items/0/outcome", ""), "installed") << canonicalJson(answer);
  expectItSyncs();
}

TEST_F(PackageInDaemon, ADeveloperBuildIsShownEverywhere) {
  start("development = true\n");
  host_.ask({"plugins", "install", file(plain())});
  expectItSyncs();
  EXPECT_EQ(textOr(shown(), "/certified", ""), "developer build");
  EXPECT_THAT(host_.run({"plugins", "ls"}).out, HasSubstr("developer build"));
  EXPECT_THAT(canonicalJson(health()), HasSubstr("example.packed: developer build"));
  EXPECT_EQ(host_.stop(), 0);
  host_.start();
  EXPECT_THAT(host_.log(), HasSubstr("it runs as a developer build"));
  host_.stop();
  start(); // development is over
  auto const done = host_.run({"sync", "run", connection_});
  EXPECT_EQ(done.exit_code, 1) << done.out;
  EXPECT_THAT(textOr(shown(), "/refusal", ""), HasSubstr("it carries no attestation"));
}

TEST_F(PackageInDaemon, AFolderIsASystemBuildAndSaidToBeOne) {
  fs::copy(kBuilt, host_.folder() + "/plugins/example.packed");
  start();
  EXPECT_EQ(textOr(shown(), "/certified", ""), "system build");
  EXPECT_THAT(canonicalJson(health()), HasSubstr("example.packed: system build"));
  expectItSyncs();
}

TEST_F(PackageInDaemon, ARevokedPackageEndsAtTheNextRescanAlsoTheCopyThatRan) {
  auto const list = host_.folder() + "/revocations.json";
  writeFile(list, marketplace::makeRevocations({1, SystemClock().now(), {}}, *key_).value());
  start("revocations = \"" + list + "\"\n");
  host_.ask({"plugins", "install", file(certified())});
  expectItSyncs();
  auto const digest = textOr(shown(), "/package", "");
  writeFile(list, marketplace::makeRevocations(
                      {2, SystemClock().now(), {{digest, "it charged twice", SystemClock().now()}}}, *key_)
                      .value());
  auto const answer = host_.ask({"plugins", "rescan"}, 1);
  EXPECT_THAT(canonicalJson(answer), AllOf(HasSubstr("because it charged twice"), Not(HasSubstr("goes on"))));
  EXPECT_TRUE(eventually([this] { return host_.workers().empty(); }));
  EXPECT_EQ(host_.run({"sync", "run", connection_}).exit_code, 1);
  EXPECT_THAT(host_.log(), HasSubstr("a build may not run any more"));
}

TEST_F(PackageInDaemon, AnOlderListOfRevocationsBringsNothingBack) {
  auto const list = host_.folder() + "/revocations.json";
  auto const now = SystemClock().now();
  auto const older = marketplace::makeRevocations({1, now, {}}, *key_).value();
  auto const digest = marketplace::readPackage(plain(), manifestSchema()).value().digest;
  auto const newer =
      marketplace::makeRevocations({2, now, {{digest, "it charged twice", now}}}, *key_).value();
  writeFile(list, newer);
  start("revocations = \"" + list + "\"\n");
  EXPECT_EQ(host_.run({"plugins", "install", file(certified())}).exit_code, 1);
  writeFile(list, older);
  auto const done = host_.run({"plugins", "install", file(certified())});
  EXPECT_EQ(done.exit_code, 1) << done.out;
  EXPECT_THAT(done.err, HasSubstr("is number 1, and number 2 was taken already"));
  EXPECT_THAT(host_.run({"plugins", "rescan"}).err, HasSubstr("number 2 was taken already"));
  writeFile(list, newer);
  EXPECT_EQ(host_.run({"plugins", "rescan"}).exit_code, 0);
}

TEST_F(PackageInDaemon, APackageThatIsInstalledAndNotTakenOverIsSaidToStay) {
  start();
  host_.ask({"plugins", "install", file(certified())});
  auto const other = host_.folder() + "/other";
  fs::copy(kBuilt, other);
  writeFile(other + "/connector.so", readFile(kBuilt + "/connector.so") + std::string(16, '\0'));
  auto const bytes = marketplace::pack({other, "", ""}, manifestSchema()).value();
  auto const answer = host_.ask({"plugins", "install", file(certified(bytes))}, 1);
  EXPECT_THAT(canonicalJson(answer), AllOf(HasSubstr("1.0.0 goes on"),
                                           HasSubstr("the package is installed all the same, in place of")));
}

TEST_F(PackageInDaemon, AListOfRevocationsThatCannotBeBelievedKeepsTheDaemonFromStarting) {
  auto const stranger = marketplace::SigningKey::make().value();
  auto const list = host_.folder() + "/revocations.json";
  writeFile(list, marketplace::makeRevocations({1, SystemClock().now(), {}}, stranger).value());
  writeFile(host_.configFile(), "[daemon]\ndata_dir = \"" + host_.dataFolder() +
                                    "\"\nport = 0\n[plugins]\ntrust = [\"" + key_->publicKey() +
                                    "\"]\nrevocations = \"" + list + "\"\n");
  auto const done = runProgram({binFolder() + "/garlandd", "--config", host_.configFile()}, {}, "");
  EXPECT_EQ(done.exit_code, 3);
  EXPECT_THAT(done.err, HasSubstr("which is no key of a trusted marketplace"));
}

} // namespace
} // namespace garland::testing
