// CSV files as people have them: encodings, separators, quotation marks, rows that do not fit.
#include "host/csv/csv.h"

#include "host/base/file_text.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::csv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Table good(std::string_view bytes) {
  auto table = read(bytes);
  EXPECT_TRUE(table) << table.error().message;
  return table ? *std::move(table) : Table();
}
std::string refusal(std::string_view bytes, Limits const& limits = {}) {
  auto const table = read(bytes, limits);
  EXPECT_FALSE(table);
  return table ? std::string() : table.error().message;
}
std::string utf16(std::string_view ascii, bool big) {
  std::string out = big ? "\xFE\xFF" : "\xFF\xFE";
  for (char const c : ascii) {
    if (big) out += '\0';
    out += c;
    if (!big) out += '\0';
  }
  return out;
}

TEST(Csv, RowsAreNumberedAsASpreadsheetShowsThem) {
  auto const table = good("Name,Note\r\nAnna,\"two\nlines\"\r\n\r\n,\r\nBert,none");
  EXPECT_THAT(table.header, ElementsAre("Name", "Note"));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].number, 2);
  EXPECT_THAT(table.rows[0].cells, ElementsAre("Anna", "two\nlines"));
  EXPECT_EQ(table.rows[1].number, 5) << "a blank row and an empty one are rows, too";
  EXPECT_THAT(table.rows[1].cells, ElementsAre("Bert", "none"));
}

TEST(Csv, LineBreaksOfEveryKindEndARow) {
  for (std::string const end : {"\n", "\r\n", "\r"}) {
    auto const table = good("a,b" + end + end + "1,2" + end + "3,4" + end);
    ASSERT_EQ(table.rows.size(), 2U);
    EXPECT_EQ(table.rows[0].number, 3);
    EXPECT_EQ(table.rows[1].number, 4);
  }
}

TEST(Csv, TheSeparatorIsFoundOutAndMayBeStated) {
  EXPECT_EQ(good("a,b;c\n1,2;3\n").separator, ',');
  EXPECT_EQ(good("a;b;c\n1,50;2,50;3\n").separator, ';');
  EXPECT_EQ(good("a\tb\n1,5\t2,5\n").separator, '\t');
  EXPECT_EQ(good("name;note\nx;\"a, b, c\"\ny;\"d, e\"\n").separator, ';');
  EXPECT_EQ(good("\"a;b\",\";e;f;h;i\",g\r\n").separator, ',')
      << "behind a mark that closes comes a separator";
  EXPECT_EQ(good("a;b;c\n5\" nail;2,5;3\n").separator, ';') << "a stray mark is read as it stands";
  EXPECT_EQ(good("only one\n1\n2\n").separator, ',');
  auto const stated = good("sep=;\na;b,c\n1;2\n");
  EXPECT_THAT(stated.header, ElementsAre("a", "b,c"));
  EXPECT_EQ(stated.header_row, 2);
  EXPECT_EQ(stated.rows.at(0).number, 3);
}

TEST(Csv, BytesOfAStatedCharsetComeOutAsUtf8) {
  EXPECT_EQ(utf8Of("Zo\xEB \x80", "ISO-8859-1"), "Zo\xC3\xAB \xE2\x82\xAC");
  EXPECT_EQ(utf8Of("Zo\xEB", "windows-1252"), "Zo\xC3\xAB");
  EXPECT_EQ(utf8Of("\xA4 5", "iso-8859-15"), "\xE2\x82\xAC 5");
  for (bool const big : {false, true}) EXPECT_EQ(utf8Of(utf16("{}", big), "utf-16"), "{}");
  EXPECT_EQ(utf8Of(std::string_view("{\0}\0", 4), "utf-16"), std::nullopt) << "which end comes first?";
  EXPECT_EQ(utf8Of("\xFF\xFE{", "utf-16"), std::nullopt);
  EXPECT_EQ(utf8Of("\xEB", "windows-1251"), std::nullopt);
  EXPECT_EQ(utf8Of("\xEB", ""), std::nullopt);
}

TEST(Csv, EncodingsComeOutAsUtf8) {
  auto const plain = good("Name\nZo\xC3\xAB\n");
  EXPECT_EQ(plain.encoding, Encoding::utf8);
  EXPECT_EQ(good("\xEF\xBB\xBFName\nZo\xC3\xAB\n").header.at(0), "Name");
  auto const old = good("Name\nZo\xEB \x80 5\n");
  EXPECT_EQ(old.encoding, Encoding::windows1252);
  EXPECT_EQ(old.rows.at(0).cells.at(0), "Zo\xC3\xAB \xE2\x82\xAC 5");
  for (bool const big : {false, true}) {
    auto const wide = good(utf16("Name\tNote\r\nAnna\tyes\r\n", big));
    EXPECT_EQ(wide.encoding, Encoding::utf16);
    EXPECT_EQ(wide.separator, '\t');
    EXPECT_THAT(wide.rows.at(0).cells, ElementsAre("Anna", "yes"));
  }
  EXPECT_EQ(good("Name\nbad \x81 byte \xEB\n").rows.at(0).cells.at(0), "bad \xEF\xBF\xBD byte \xC3\xAB");
}

TEST(Csv, TextThatIsUtf8FarBehindIsReadAsThat) {
  std::string text = "Name\n";
  while (text.size() < (1U << 16U) - 1) text += "x\n";
  text.resize((1U << 16U) - 1);
  auto const table = good(text + "\xC3\xAB\n");
  EXPECT_EQ(table.encoding, Encoding::utf8);
  EXPECT_THAT(table.rows.back().cells.at(0), HasSubstr("\xC3\xAB"));
  EXPECT_EQ(good(text + "\xEB\n").encoding, Encoding::windows1252);
}

TEST(Csv, WhatIsNoTextIsToldAsWhatItIs) {
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("\n\n ,\n"), HasSubstr("is empty"));
  EXPECT_THAT(refusal("PK\x03\x04 and so on"), HasSubstr("workbook"));
  EXPECT_THAT(refusal(std::string_view("N\0a\0m\0e\0", 8)), HasSubstr("UTF-16 without a byte order mark"));
  EXPECT_THAT(refusal(utf16("a\nb", true).substr(0, 7)), HasSubstr("in the middle of a character"));
}

TEST(Csv, ARowThatDoesNotFitIsToldWithRowAndColumn) {
  auto const table =
      good("Name,Street,City\nAnna,12 Hill Road, Flat 2,York\nBert,Main St\nCleo,High St,Bath,,\n");
  ASSERT_EQ(table.uneven.size(), 2U);
  EXPECT_EQ(describe(table.uneven[0], table),
            "row 2 has 4 cells, but the header 3 columns; look at column 4");
  EXPECT_EQ(describe(table.uneven[1], table),
            "row 3 has 2 cells, but the header 3 columns; look at column 3");
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(table.rows[0].cells, ElementsAre("Cleo", "High St", "Bath"));
}

TEST(Csv, WhatWasFoundOutIsToldWithoutTheRowsThemselves) {
  auto const told = toJson(good("Name\tCity\nAnna\tYork\nBert\n"));
  EXPECT_EQ(told.at("encoding"), "UTF-8");
  EXPECT_EQ(told.at("separator"), "tab");
  EXPECT_EQ(told.at("rows"), 1);
  EXPECT_EQ(json::serialize(told.at("columns")), R"(["Name","City"])");
  ASSERT_EQ(told.at("uneven").as_array().size(), 1U);
  auto const& row = told.at("uneven").as_array()[0];
  EXPECT_EQ(row.at("row"), 3);
  EXPECT_EQ(row.at("column"), 2);
  EXPECT_EQ(row.at("message"), "row 3 has 1 cells, but the header 2 columns; look at column 2");
  EXPECT_EQ(toJson(good("Name,City\nAnna,York\n")).at("separator"), ",");
}

TEST(Csv, AQuotationMarkThatIsNeverClosedIsToldWithItsPlace) {
  EXPECT_EQ(refusal("a,b\n1,2\n3,\"four\n5,6\n"),
            "row 3, column 2: a quotation mark is opened there and never closed");
  EXPECT_THAT(good("a,b\n5\" pipe,say \"so\"\n").rows.at(0).cells, ElementsAre("5\" pipe", "say \"so\""));
}

TEST(Csv, ColumnsWithoutANameGetOneAndThoseAtTheEndAreNone) {
  auto const table = good("Name,,City,,\nAnna,x,York,,\n");
  EXPECT_THAT(table.header, ElementsAre("Name", "column 2", "City"));
  EXPECT_THAT(table.rows.at(0).cells, ElementsAre("Anna", "x", "York"));
}

TEST(Csv, TwoColumnsOfOneNameAreRefusedByName) {
  EXPECT_EQ(refusal("Email,Full Name,Email\na@example.com,Ada,b@example.com\n"),
            "columns 1 and 3 are both called \"Email\": rename one or take it out");
  EXPECT_THAT(refusal("Note,note\n1,2\n"), HasSubstr("both called \"note\""));
  EXPECT_THAT(refusal("Amount;\" amount \"\n1;2\n"), HasSubstr("columns 1 and 2"));
  EXPECT_THAT(good("Note,Notes,,\"\",x\n1,2,3,4,5\n").header,
              ElementsAre("Note", "Notes", "column 3", "column 4", "x"));
}

TEST(Csv, ExportsOfProvidersReadAsTheyWereMeant) {
  auto const file = [](char const* name) {
    return good(readFileText(inSources("/host/csv/corpus/") + name).value());
  };
  auto const dubsado = file("dubsado_projects.csv");
  EXPECT_EQ(dubsado.encoding, Encoding::utf8);
  ASSERT_EQ(dubsado.rows.size(), 3U);
  EXPECT_EQ(dubsado.header.at(0), "Project Title");
  EXPECT_EQ(dubsado.rows[0].cells.at(7), "The Conservatory, 200 Garden Way, Springfield, IL");
  EXPECT_EQ(dubsado.rows[0].cells.at(10), "$4,200.00");
  EXPECT_EQ(dubsado.rows[1].cells.at(0), "Branding: \"Fern & Co\"");
  EXPECT_EQ(dubsado.rows[1].cells.at(11), "Asked on the phone:\r\n- 3 looks\r\n- studio, not outdoors");
  EXPECT_EQ(dubsado.rows[2].number, 4);
  EXPECT_THAT(dubsado.uneven, IsEmpty());

  auto const ninja = file("studio_ninja_jobs.csv");
  EXPECT_EQ(ninja.encoding, Encoding::windows1252);
  EXPECT_EQ(ninja.separator, ';');
  ASSERT_EQ(ninja.rows.size(), 3U);
  EXPECT_EQ(ninja.rows[0].cells.at(0), "Zo\xC3\xAB & G\xC3\xBCnther");
  EXPECT_EQ(ninja.rows[0].cells.at(7), "The Old Mill; Yarra Glen");
  EXPECT_EQ(ninja.rows[0].cells.at(9), "\xE2\x82\xAC 3.950,00");
  EXPECT_THAT(ninja.uneven, IsEmpty());
}

TEST(Csv, LimitsAreKept) {
  EXPECT_THAT(refusal("a\n1\n2\n3\n", {100, 2, 10}), HasSubstr("more than 2 rows"));
  EXPECT_THAT(refusal("a,b,c\n", {100, 2, 2}), HasSubstr("3 columns; 2 are allowed"));
  EXPECT_THAT(refusal("a,b,c\n", {5, 2, 2}), HasSubstr("6 bytes; 5 are allowed"));
}

TEST(Csv, PartsAreRowsThatStandOneAfterAnother) {
  std::string text = "a,b\n";
  for (int i = 0; i < 250; ++i) text += "1,2\n";
  text += "\n3,4\n5\n6,7\n";
  auto const parts = partsOf(good(text));
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].rows.size(), 200U);
  EXPECT_EQ(parts[1].rows.front().number, 202);
  EXPECT_EQ(parts[2].rows.front().number, 253) << "a blank row ends a part";
  EXPECT_EQ(parts[3].rows.front().number, 255) << "and so does one that does not fit";
  for (auto const& part : parts) EXPECT_THAT(part.header, ElementsAre("a", "b"));
}

TEST(Csv, WhatWouldRunInASpreadsheetIsWrittenAsText) {
  Writer writer;
  writer.add({"=1+1", "+49 30 1", "@sum", "-2+3", "\tx", "-12.50", "plain"});
  EXPECT_EQ(writer.take(),
            "\xEF\xBB\xBF\"'=1+1\",\"'+49 30 1\",\"'@sum\",\"'-2+3\",\"'\tx\",\"-12.50\",\"plain\"\r\n");
}

TEST(Csv, WhatIsWrittenIsReadAsItWas) {
  std::vector<Cells> const rows = {{"=1", "'=1", "''=1"},          {"'", "' x", "it's"},
                                   {"-5", "'-5", "-5-"},           {"a,b;c\td", "\"quoted\"", "two\r\nlines"},
                                   {" spaces ", "Zo\xC3\xAB", ""}, {"sep=;", "--", "+"}};
  Writer writer;
  writer.add({"one", "=two", "three"});
  for (auto const& row : rows) writer.add(row);
  auto const table = good(writer.take());
  EXPECT_THAT(table.header, ElementsAre("one", "=two", "three"));
  EXPECT_THAT(table.uneven, IsEmpty());
  ASSERT_EQ(table.rows.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(table.rows[i].cells, rows[i]) << i;
}

} // namespace
} // namespace garland::csv
