// `garland audit verify FILE`: by the file and the public key alone.
#include "host/base/test_folder.h"
#include "host/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;

// Exports that are sound are read in tests/end_to_end/audit_test.cpp.
class AuditCommand : public ::testing::Test {
protected:
  Exit verify(std::string const& key, std::string const& checkpoint = "") {
    out.str("");
    err.str("");
    AuditWords words;
    words.file = folder / "audit.jsonl";
    words.key = key;
    words.checkpoint = checkpoint;
    return verifyAuditFile(output, words);
  }
  void write(std::string const& text) { std::ofstream(folder / "audit.jsonl") << text; }

  TestFolder folder;
  std::ostringstream out, err;
  Output output{out, err, false, false, false};
  std::string const public_key = "ed25519:" + std::string(64, '0');
};

TEST_F(AuditCommand, WithoutAKeyAFileProvesNothing) {
  write("");
  EXPECT_EQ(verify(""), Exit::usage);
  EXPECT_THAT(err.str(), HasSubstr("garland audit key"));
}

TEST_F(AuditCommand, AFileThatCannotBeReadIsNoFinding) {
  EXPECT_EQ(verify(public_key), Exit::usage);
  EXPECT_THAT(err.str(), HasSubstr("cannot read"));
}

TEST_F(AuditCommand, WhatIsNoLineIsAFindingWithItsPlace) {
  write("{\"garland_audit\":1}\nnot json\n");
  EXPECT_EQ(verify(public_key), Exit::findings);
  EXPECT_THAT(out.str(), HasSubstr("line 2 cannot be read"));
}

TEST_F(AuditCommand, ARowThatNobodySignedIsAFinding) {
  write(R"({"chain":"aud_1","entry":{},"hash":"","number":0})");
  EXPECT_EQ(verify(public_key), Exit::findings);
  EXPECT_THAT(out.str(), HasSubstr("row aud_1/0"));
  EXPECT_THAT(out.str(), HasSubstr("1 row in 1 chain, 0 checkpoints, 1 row after the last of them"));
}

TEST_F(AuditCommand, ACheckpointThatHasToBeThereAndIsNotIsAFinding) {
  write("{\"garland_audit\":1}\n");
  EXPECT_EQ(verify(public_key, "7:" + std::string(64, 'a')), Exit::findings);
  EXPECT_THAT(out.str(), HasSubstr("checkpoint 7"));
  EXPECT_EQ(verify(public_key, "seven"), Exit::usage);
}

TEST_F(AuditCommand, TheKeyMayBeInAFile) {
  write("{\"garland_audit\":1}\n");
  std::ofstream(folder / "audit.pub") << public_key << "\n";
  EXPECT_EQ(verify(folder / "audit.pub"), Exit::ok);
  std::ofstream(folder / "notes.txt") << "dear diary\n";
  EXPECT_EQ(verify(folder / "notes.txt"), Exit::usage);
}

} // namespace
} // namespace garland::cli
