// The verifier on lines that no database has held.
#include "host/audit/audit.h"
#include "host/audit/seal.h"
#include "host/base/bytes.h"
#include "host/vault/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace garland::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class VerifierTest : public ::testing::Test {
protected:
  // Two chains of ten rows; the last row of each is signed.
  void SetUp() override {
    std::vector<json::value> rows;
    for (std::string const chain : {"aud_1", "aud_2"}) {
      std::string hash;
      for (std::int64_t number = 0; number < 10; ++number) {
        json::object entry{{"act", number == 0 ? "begin" : "change"}, {"n", number}};
        if (number == 0) entry["facts"] = json::object{{"chain", chain}};
        Row row{chain, number, canonicalJson(entry), ""};
        row.hash = hash = vault::sha256(hash + row.entry);
        rows.emplace_back(lineOf(row));
      }
      sign(chain, 9, hash);
    }
    lines.insert(lines.end(), rows.begin(), rows.end());
  }
  void sign(std::string const& chain, std::int64_t row, std::string const& hash) {
    json::object body{{"type", "checkpoint"}, {"number", last.number + 1}, {"previous", last.hash}};
    body["chain"] = chain;
    body["row"] = row;
    body["hash"] = hex(hash);
    body["key"] = public_key;
    auto const text = canonicalJson(body);
    last = Mark{last.number + 1, vault::sha256Hex(text)};
    lines.emplace_back(lineOf(Checkpoint{last.number, text, sealed(key, text).value()}));
  }
  Verdict read(std::vector<json::value> const& all, Mark remembered = {}) {
    Verifier verifier({public_key}, std::move(remembered));
    for (auto const& line : all)
      if (!verifier.take(line)) verifier.unreadable("line", "cannot be read");
    return verifier.finish();
  }

  Secret const key{std::string(32, 'k')};
  std::string const public_key = vault::publicKeyOf(key).value();
  Mark last;
  std::vector<json::value> lines; // two checkpoints, then the rows
};

TEST_F(VerifierTest, WhatNobodyTouchedIsSound) {
  auto const verdict = read(lines, last);
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_EQ(verdict.rows, 20);
  EXPECT_EQ(verdict.chains, 2);
  EXPECT_EQ(verdict.checkpoints, 2);
  EXPECT_EQ(verdict.unsigned_rows, 0);
}

TEST_F(VerifierTest, ALineReadFromTextIsTheSameLine) {
  std::vector<json::value> again;
  for (auto const& line : lines) again.push_back(parseJson(json::serialize(line)).value());
  EXPECT_THAT(read(again, last).faults, IsEmpty());
}

TEST_F(VerifierTest, NoLineCanBeLeftOutOrMoved) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto without = lines;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_GT(read(without, last).faults_in_all, 0) << "without line " << i;
    for (std::size_t other = i + 1; other < lines.size(); ++other) {
      auto swapped = lines;
      std::swap(swapped[i], swapped[other]);
      EXPECT_GT(read(swapped, last).faults_in_all, 0) << "lines " << i << " and " << other;
    }
  }
}

// Of a hash, a signature or an entry no bit is free. (What Ed25519 signs has one signature only.)
TEST_F(VerifierTest, NoCharacterCanBeChanged) {
  std::mt19937 random(7); // NOLINT(cert-msc51-cpp): the same each time
  for (int i = 0; i < 2000; ++i) {
    auto const which = random() % lines.size();
    auto text = json::serialize(lines[which]);
    auto& c = text[random() % text.size()];
    auto const before = c;
    c = static_cast<char>(' ' + random() % 95);
    auto const changed = parseJson(text);
    if (c == before || (changed && *changed == lines[which])) continue;
    auto all = lines;
    all[which] = changed ? *changed : json::value("no line");
    EXPECT_GT(read(all, last).faults_in_all, 0) << text;
  }
}

TEST_F(VerifierTest, ACheckpointOfAnotherKeyDoesNotCount) {
  Verifier verifier({vault::publicKeyOf(Secret(std::string(32, 'o'))).value()});
  for (auto const& line : lines) EXPECT_TRUE(verifier.take(line));
  auto const verdict = verifier.finish();
  ASSERT_FALSE(verdict.faults.empty());
  EXPECT_EQ(verdict.faults[0].place, "checkpoint 1");
  EXPECT_EQ(verdict.unsigned_rows, 20);
}

TEST_F(VerifierTest, WithoutACheckpointNothingIsProved) {
  lines.erase(lines.begin(), lines.begin() + 2);
  auto const verdict = read(lines);
  ASSERT_EQ(verdict.faults.size(), 1U);
  EXPECT_THAT(verdict.faults[0].what, HasSubstr("nothing here is signed"));
}

TEST_F(VerifierTest, ManyFaultsAreCountedAndTheFirstOnesTold) {
  for (std::size_t i = 2; i < lines.size(); ++i) lines[i].as_object()["hash"] = std::string(64, '0');
  auto const verdict = read(lines, last);
  EXPECT_EQ(verdict.faults.size(), kMostFaults);
  EXPECT_GT(verdict.faults_in_all, static_cast<std::int64_t>(kMostFaults));
  EXPECT_EQ(verdict.faults[0].place, "row aud_1/0");
}

TEST_F(VerifierTest, WhatIsNoLineIsRefused) {
  Verifier verifier({public_key});
  for (auto const* text :
       {"[]", "1", "{}", R"({"chain":"a","number":0})", R"({"chain":1,"number":0,"entry":{},"hash":""})"})
    EXPECT_FALSE(verifier.take(parseJson(text).value())) << text;
  EXPECT_TRUE(verifier.take(parseJson(R"({"garland_audit":1})").value()));
}

} // namespace
} // namespace garland::audit
