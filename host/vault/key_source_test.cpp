// Where a master key may come from, and that it is the same key wherever that is.
#include "host/base/test_folder.h"
#include "host/vault/key_command.h"
#include "host/vault/vault.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

namespace garland::vault {
namespace {

std::string const kKey = "0123456789abcdef0123456789abcdef"; // 32 bytes
std::string const kId = sha256Hex(kKey).substr(0, 16);

void write(std::string const& path, std::string const& content, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << content;
  ::chmod(path.c_str(), mode);
}

KeySource command(std::vector<std::string> argv) {
  KeySource source;
  source.kind = KeySource::Kind::command;
  source.argv = std::move(argv);
  return source;
}

Result<std::string> idFrom(KeySource source) {
  SystemRandom random;
  TRY(vault, Vault::open(std::vector<KeySource>{std::move(source)}, false, random));
  return vault->keyId();
}

Result<std::string> idFromVariable(std::string const& value) {
  ::setenv("GARLAND_TEST_KEY", value.c_str(), 1);
  auto id = idFrom(keySourceNamed("env:GARLAND_TEST_KEY").value());
  ::unsetenv("GARLAND_TEST_KEY");
  return id;
}

TEST(KeySource, IsNamedByAPathAVariableOrACredential) {
  EXPECT_EQ(describe(keySourceNamed("/x/master.key").value()), "the file /x/master.key");
  EXPECT_EQ(describe(keySourceNamed("env:GARLAND_KEY").value()), "the environment variable GARLAND_KEY");
  EXPECT_EQ(describe(keySourceNamed("credential:garland.key").value()), "the systemd credential garland.key");
  EXPECT_EQ(describe(command({"/usr/bin/kms", "--secret-looking"})), "the command /usr/bin/kms");
  for (auto const* wrong : {"", "env:", "credential:", "credential:../x", "credential:..", "env:A=B"})
    EXPECT_EQ(keySourceNamed(wrong).error().kind, ErrorKind::invalidInput) << wrong;
}

TEST(KeySource, AVariableGivesItInHexadecimalOrBase64) {
  for (auto const& text : {hex(kKey), base64(kKey), hex(kKey) + "\n", base64(kKey) + "\r\n"})
    EXPECT_EQ(idFromVariable(text).value(), kId) << text;
}

TEST(KeySource, AVariableIsGoneFromTheEnvironmentAfterwards) {
  ::setenv("GARLAND_TEST_KEY", hex(kKey).c_str(), 1);
  char const* const place = std::getenv("GARLAND_TEST_KEY");
  ASSERT_TRUE(idFrom(keySourceNamed("env:GARLAND_TEST_KEY").value()));
  EXPECT_EQ(std::getenv("GARLAND_TEST_KEY"), nullptr);
  EXPECT_EQ(std::string_view(place, 64).find_first_not_of('\0'), std::string_view::npos)
      << "it was not wiped";
  EXPECT_EQ(idFrom(keySourceNamed("env:GARLAND_TEST_KEY").value()).error().kind, ErrorKind::notFound);
}

TEST(KeySource, WhatIsNoKeyIsRefusedAndNotRepeated) {
  for (auto const& text :
       {std::string(), std::string("hunter2"), kKey, hex(kKey).substr(1), hex(kKey) + "0",
        std::string(64, 'g'), base64(kKey.substr(1)), base64(kKey + "x"), std::string(500, 'a')}) {
    auto const id = idFromVariable(text);
    ASSERT_TRUE(id.has_error()) << text;
    EXPECT_EQ(id.error().kind, ErrorKind::invalidInput) << text;
    EXPECT_NE(id.error().message.find("GARLAND_TEST_KEY"), std::string::npos);
    if (!text.empty()) EXPECT_EQ(id.error().message.find(text), std::string::npos);
  }
}

TEST(KeySource, ACredentialOfSystemdIsReadEvenIfItsGroupMayReadIt) {
  TestFolder const folder;
  ::setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  auto const source = keySourceNamed("credential:garland.key").value();
  EXPECT_EQ(idFrom(source).error().kind, ErrorKind::notFound);
  write(folder / "garland.key", kKey, 0440); // as its access list shows
  EXPECT_EQ(idFrom(source).value(), kId);
  ::chmod((folder / "garland.key").c_str(), 0444);
  EXPECT_EQ(idFrom(source).error().kind, ErrorKind::forbidden);
  ::unsetenv("CREDENTIALS_DIRECTORY");
  auto const without = idFrom(source);
  EXPECT_NE(without.error().message.find("LoadCredential=garland.key"), std::string::npos);
}

TEST(KeySource, ACommandGivesItOnItsOutput) {
  TestFolder const folder;
  write(folder / "raw", kKey);
  write(folder / "text", base64(kKey) + "\n");
  EXPECT_EQ(idFrom(command({"/bin/cat", folder / "raw"})).value(), kId);
  EXPECT_EQ(idFrom(command({"/bin/cat", folder / "text"})).value(), kId);
}

TEST(KeySource, ACommandThatFailsIsToldWithItsProgramOnly) {
  EXPECT_EQ(idFrom(command({"/no/such/program", "x"})).error().kind, ErrorKind::notFound);
  auto const failed = idFrom(command({"/bin/sh", "-c", "echo " + hex(kKey) + "; exit 3"}));
  ASSERT_TRUE(failed.has_error()) << "what a command says that has failed does not count";
  EXPECT_NE(failed.error().message.find("/bin/sh"), std::string::npos);
  EXPECT_NE(failed.error().message.find("status 3"), std::string::npos);
  EXPECT_EQ(failed.error().message.find(hex(kKey)), std::string::npos);
  EXPECT_EQ(idFrom(command({"/bin/sh", "-c", "head -c 100000 /dev/zero"})).error().kind,
            ErrorKind::invalidInput);
}

TEST(KeySource, ACommandThatDoesNotEndIsKilled) {
  std::array<std::byte, 64> out{};
  for (auto const* script : {"sleep 600", "exec >&-; sleep 600"}) {
    auto const ended = outputOf({"/bin/sh", "-c", script}, out, Milliseconds(100));
    ASSERT_TRUE(ended.has_error()) << script;
    EXPECT_NE(ended.error().message.find("took too long"), std::string::npos);
  }
}

TEST(KeySource, OfSeveralTheFirstSealsAndAllOpen) {
  TestFolder const folder;
  SystemRandom random;
  write(folder / "old", kKey);
  write(folder / "new", std::string(32, 'n'));
  auto const old_key = keySourceNamed(folder / "old").value();
  auto const new_key = keySourceNamed(folder / "new").value();
  auto const before = Vault::open({old_key}, false, random).value();
  auto const sealed = before->seal(Secret("hunter2"), "place").value();
  auto const both = Vault::open({new_key, old_key, old_key}, false, random).value();
  EXPECT_EQ(both->keyIds(), (std::vector<std::string>{sha256Hex(std::string(32, 'n')).substr(0, 16), kId}));
  EXPECT_EQ(both->open(sealed, "place")->reveal(), "hunter2");
  EXPECT_EQ(keyIdOf(both->seal(Secret("hunter3"), "place").value()), both->keyId());
  EXPECT_EQ(Vault::open({new_key, keySourceNamed(folder / "none").value()}, true, random).error().kind,
            ErrorKind::notFound)
      << "only the first may be made";
}

} // namespace
} // namespace garland::vault
