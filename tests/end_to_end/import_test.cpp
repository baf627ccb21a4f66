// Files of other programs, with the installed programs: in by the command line, read by their connector,
// once.
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

std::string const files = inSources("/host/csv/corpus/");

class Import : public ::testing::Test {
protected:
  void SetUp() override {
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
  }
  std::string connect(std::string const& plugin) {
    EXPECT_EQ(host_.run({"plugins", "enable", plugin, "--vendor", vendor_}).exit_code, 0);
    return textOr(host_.ask({"connections", "connect", plugin, "--vendor", vendor_}), "/id", "");
  }
  std::string written(std::string const& name, std::string const& text) {
    auto const path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::size_t count(std::string const& kind) { return host_.records(vendor_, kind).size(); }

  TestFolder folder_;
  Host host_;
  std::string vendor_;
};

TEST_F(Import, AnExportComesInOnceHoweverOftenItIsImported) {
  auto const connection = connect("studio-ninja");
  auto const first = host_.ask({"import", "csv", connection, files + "studio_ninja_jobs.csv"});
  EXPECT_EQ(textOr(first, "/encoding", ""), "Windows-1252");
  ASSERT_EQ(first.at("items").as_array().size(), 1U) << canonicalJson(first);
  EXPECT_EQ(textOr(first, "/items/0/state", ""), "taken");
  EXPECT_EQ(count("crm.project"), 3U);
  auto const again = host_.ask({"import", "csv", connection, files + "studio_ninja_jobs.csv"});
  EXPECT_TRUE(boolOr(again, "/items/0/known", false));
  EXPECT_EQ(count("crm.project"), 3U);
}

TEST_F(Import, RowsOfManyPartsComeInAndAnInterruptedImportIsImportedAgain) {
  auto const connection = connect("dubsado");
  std::string text = "Full Name,Email\n";
  for (int i = 0; i < 450; ++i)
    text += "Client " + std::to_string(i) + ",client" + std::to_string(i) + "@example.com\n";
  // What was handed in before it was broken off.
  host_.ask({"import", "csv", connection, written("half.csv", text.substr(0, text.find("Client 200,")))});
  EXPECT_EQ(count("crm.client"), 200U);
  auto const whole = host_.ask({"import", "csv", connection, written("all.csv", text)});
  ASSERT_EQ(whole.at("items").as_array().size(), 3U);
  EXPECT_TRUE(boolOr(whole, "/items/0/known", false));
  EXPECT_FALSE(boolOr(whole, "/items/1/known", true));
  EXPECT_EQ(count("crm.client"), 450U);
}

TEST_F(Import, ARowThatDoesNotFitIsToldAndOneThatSaysNothingWaitsForAPerson) {
  auto const connection = connect("dubsado");
  auto const uneven = written("uneven.csv", "Full Name,Email\nAda,ada@example.com\nBo,Hill,bo@example.com\n");
  auto const refused = host_.run({"import", "csv", connection, uneven});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.out, HasSubstr("row 3 has 3 cells, but the header 2 columns; look at column 3"));
  EXPECT_EQ(count("crm.client"), 0U);
  host_.ask({"import", "csv", connection, uneven, "--skip-uneven"});
  EXPECT_EQ(count("crm.client"), 1U);
  auto const nobody = written("nobody.csv", "Full Name,Email,Tags\nCy,cy@example.com,\n,,vip\n");
  auto const waits = host_.ask({"import", "csv", connection, nobody}, 1);
  EXPECT_EQ(textOr(waits, "/items/0/state", ""), "review");
  EXPECT_THAT(textOr(waits, "/items/0/reason", ""), HasSubstr("row 3"));
  EXPECT_EQ(count("crm.client"), 2U) << "the others are kept";
}

TEST_F(Import, ADryRunAndAWrongKindHandNothingIn) {
  auto const connection = connect("dubsado");
  auto const told = host_.ask({"import", "csv", connection, files + "dubsado_projects.csv", "--dry-run"});
  EXPECT_EQ(number(told, "/rows"), 3);
  EXPECT_EQ(textOr(told, "/readings/0/state", ""), "taken") << canonicalJson(told);
  EXPECT_EQ(number(told, "/readings/0/records/crm.project"), 3);
  auto const unknown =
      host_.run({"import", "csv", connection, written("colours.csv", "Colour\nred\n"), "--dry-run"});
  EXPECT_EQ(unknown.exit_code, 1) << "it would wait for a person";
  EXPECT_THAT(unknown.out, HasSubstr("it would need invoice_number and amount_paid (payments)"));
  EXPECT_EQ(count("crm.project"), 0U);
  auto const twice = host_.run(
      {"import", "csv", connection, written("twice.csv", "Email,email\na@x.test,b@x.test\n"), "--dry-run"});
  EXPECT_NE(twice.exit_code, 0);
  EXPECT_THAT(twice.err, HasSubstr("both called \"email\""));
  auto const wrong =
      host_.run({"import", "csv", connection, files + "dubsado_projects.csv", "--kind", "calendar.event"});
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_THAT(wrong.err, HasSubstr("brings no records of kind"));
  EXPECT_EQ(host_.ask({"intake", "ls"}).at("items").as_array().size(), 0U);
}

TEST_F(Import, WhatWasExportedIsATableWithoutFormulas) {
  auto const connection = connect("dubsado");
  host_.ask(
      {"import", "csv", connection, written("c.csv", "Full Name,Email\n\"=HYPERLINK(1)\",a@example.com\n")});
  auto const out = folder_ / "out.csv";
  EXPECT_EQ(number(host_.ask({"export", "csv", "--vendor", vendor_, "--kind", "crm.client", "--out", out}),
                   "/records"),
            1);
  EXPECT_THAT(readFile(out), HasSubstr("\"'=HYPERLINK(1)\""));
}

TEST_F(Import, OfOneConnectionOnlyItsRecordsAreExported) {
  auto const one = connect("dubsado");
  auto const other = connect("studio-ninja");
  host_.ask({"import", "csv", one, written("one.csv", "Full Name,Email\nAnna,anna@example.com\n")});
  host_.ask({"import", "csv", other, written("other.csv", "Full Name,Email\nBert,bert@example.com\n")});
  auto const out = folder_ / "out.csv";
  auto const exported = [&](std::vector<std::string> const& more) {
    std::vector<std::string> words{"export", "csv",        "--vendor", vendor_,
                                   "--kind", "crm.client", "--out",    out};
    words.insert(words.end(), more.begin(), more.end());
    return number(host_.ask(words), "/records");
  };
  EXPECT_EQ(exported({}), 2);
  EXPECT_EQ(exported({"--connection", other}), 1);
  EXPECT_THAT(readFile(out), HasSubstr("bert@example.com"));
  auto const nobodys = host_.run({"export", "csv", "--vendor", vendor_, "--kind", "crm.client",
                                  "--connection", "con_nobody", "--out", out});
  EXPECT_NE(nobodys.exit_code, 0) << "no empty file";
}

// The data of all records of a vendor, in an order that says nothing.
std::multiset<std::string> dataOf(json::array const& records) {
  std::multiset<std::string> all;
  for (auto const& record : records) all.insert(canonicalJson(record.at("data")));
  return all;
}

TEST_F(Import, WhatIsExportedByAMappingComesInAgainAsEqualRecords) {
  std::string const mappings = inSources("/plugins/crm/catch-hook/");
  struct Case {
    std::string plugin, file, kind;
  };
  for (auto const& one : {Case{"studio-ninja", files + "studio_ninja_jobs.csv", "crm.project"},
                          Case{"dubsado", files + "dubsado_projects.csv", "crm.project"}}) {
    vendor_ = textOr(host_.ask({"vendors", "add", one.plugin}), "/id", "");
    host_.ask({"import", "csv", connect(one.plugin), one.file});
    auto const before = dataOf(host_.records(vendor_, one.kind));
    ASSERT_FALSE(before.empty());
    auto const out = folder_ / (one.plugin + ".csv");
    auto const told = host_.ask({"export", "csv", "--vendor", vendor_, "--kind", one.kind, "--mapping",
                                 mappings + one.plugin + "/mapping.json", "--out", out});
    EXPECT_TRUE(told.at("losses").as_array().empty()) << canonicalJson(told);
    vendor_ = textOr(host_.ask({"vendors", "add", "Another"}), "/id", "");
    host_.ask({"import", "csv", connect(one.plugin), out});
    EXPECT_EQ(dataOf(host_.records(vendor_, one.kind)), before) << readFile(out);
  }
}

} // namespace
} // namespace garland::testing
