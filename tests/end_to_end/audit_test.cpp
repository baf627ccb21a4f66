// The audit chain of the assembled program: it stands through a kill, is exported, and is verified elsewhere.
#include "tests/end_to_end/host_test_kit.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Audit : public ::testing::Test {
protected:
  void SetUp() override { host_.start(); }
  std::string said(std::vector<std::string> const& words, int expected_exit = 0) {
    auto const done = host_.run(words);
    EXPECT_EQ(done.exit_code, expected_exit) << words[1] << "\n" << done.out << done.err;
    return done.out;
  }
  std::string exported() {
    said({"audit", "export", "-o", file_});
    return readFile(file_);
  }

  Host host_;
  std::string const file_ = host_.folder() + "/audit.jsonl";
};

TEST_F(Audit, WhatWasDoneIsToldAndSoundAlsoAfterAKill) {
  auto const vendor = host_.addVendor("Rosa Canary's photographs");
  host_.kill9();
  host_.start();
  host_.addVendor("Another studio");
  auto const verdict = host_.ask({"audit", "verify"});
  EXPECT_TRUE(verdict.at("sound").as_bool()) << json::serialize(verdict);
  EXPECT_EQ(number(verdict, "/chains"), 2);
  auto const lines = exported();
  EXPECT_THAT(lines, HasSubstr("\"act\":\"vendor.add\""));
  EXPECT_THAT(lines, HasSubstr(vendor));
  EXPECT_THAT(lines, HasSubstr("asked:addVendor"));
  EXPECT_THAT(lines, Not(HasSubstr("Canary"))) << "a name is nothing for the chain";
}

TEST_F(Audit, AnExportIsVerifiedWithThePublicKeyAloneAndAnEditOfItIsNamed) {
  host_.addVendor("A studio");
  auto const key = said({"audit", "key"});
  auto const lines = exported();
  EXPECT_EQ(host_.stop(), 0);
  auto const public_key = key.substr(0, key.find('\n'));
  EXPECT_THAT(said({"audit", "verify", file_, "--key", public_key}), HasSubstr("nothing was changed"));
  auto edited = lines;
  auto const at = edited.find("vendor.add");
  ASSERT_NE(at, std::string::npos);
  edited.replace(at, 10, "vendor.odd");
  std::ofstream(file_) << edited;
  auto const line =
      edited.substr(edited.rfind('\n', at) + 1, edited.find('\n', at) - edited.rfind('\n', at) - 1);
  auto const row = parseJson(line).value();
  EXPECT_THAT(said({"audit", "verify", file_, "--key", public_key}, 1),
              HasSubstr("row " + textOr(row, "/chain", "") + "/" + std::to_string(number(row, "/number"))));
  EXPECT_THAT(said({"audit", "verify", file_, "--key", "ed25519:" + std::string(64, 'a')}, 1),
              HasSubstr("not signed with a key that counts"));
}

TEST_F(Audit, ASignalToTheDaemonIsToldAsWhatItAsksFor) {
  host_.daemon().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    return host_.run({"audit", "export"}).out.find("\"act\":\"asked:reload\"") != std::string::npos;
  }));
}

TEST_F(Audit, AnExportTakesTheNameOfNoOtherFile) {
  auto const lines = exported();
  host_.addVendor("A studio");
  auto const again = host_.run({"audit", "export", "-o", file_});
  EXPECT_NE(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("is there already"));
  EXPECT_EQ(readFile(file_), lines);
}

TEST_F(Audit, APersonIsFoundByThePseudonymAndWhoIsNotLetInIsTold) {
  auto const first = said({"audit", "pseudonym", "Rosa@studio.example"});
  EXPECT_EQ(first, said({"audit", "pseudonym", "rosa@studio.example"}));
  std::ofstream(host_.folder() + "/wrong.key") << "gk_" + std::string(43, 'A') + "\n";
  std::filesystem::permissions(host_.folder() + "/wrong.key", std::filesystem::perms::owner_read);
  host_.run({"vendors", "ls", "--key-file", host_.folder() + "/wrong.key", "--url", host_.url()});
  EXPECT_THAT(exported(), HasSubstr("\"kind\":\"refusal\""));
}

} // namespace
} // namespace garland::testing
