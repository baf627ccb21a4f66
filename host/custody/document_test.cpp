// What an export holds is read as it was written, and anything else is refused.
#include "host/custody/document.h"

#include "host/base/json.h"

#include <gtest/gtest.h>

namespace garland::custody {
namespace {

class DocumentTest : public ::testing::Test {
protected:
  DocumentTest() {
    tables_[0].name = "houses";
    tables_[0].keys = {"vendor_id"};
    tables_[0].sealed = false;
    tables_[0].columns = {Column("rooms", true), Column("note")};
    tables_[1].name = "doors";
    tables_[1].keys = {"vendor_id", "door"};
  }
  std::string text() {
    std::vector<store::Value> house;
    house.emplace_back(std::string("ven_1"));
    house.emplace_back(std::int64_t{7});
    house.emplace_back(nullptr);
    std::vector<TableRows> content(2);
    content[0].table = &tables_[0];
    content[0].rows.emplace_back(std::move(house));
    content[1].table = &tables_[1];
    content[1].rows.emplace_back(
        std::vector<store::Value>{std::string("ven_1"), std::string("front"), std::string("gv1.x")});
    return writeDocument(content, TimePoint(Milliseconds(1'780'000'000'000)));
  }
  ErrorKind refusalOf(std::string document) { return readDocument(document, tables_).error().kind; }
  std::string with(std::string const& what, std::string const& instead) {
    auto document = text();
    auto const at = document.find(what);
    EXPECT_NE(at, std::string::npos) << what << " is not in " << document;
    return document.replace(at, what.size(), instead);
  }

  std::vector<Table> tables_{2};
};

TEST_F(DocumentTest, ItsRowsAreReadAsTheyWereWritten) {
  auto const read = readDocument(text(), tables_);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  auto const& house = (*read)[0].rows.at(0);
  EXPECT_EQ(house.text(0), "ven_1");
  EXPECT_EQ(house.integer(1), 7);
  EXPECT_TRUE(house.isNull(2));
  EXPECT_EQ((*read)[1].rows.at(0).text(2), "gv1.x");
  EXPECT_EQ(writeDocument(*read, TimePoint(Milliseconds(1'780'000'000'000))), text());
}

TEST_F(DocumentTest, ATableThatIsNotInItIsLeftOut) {
  auto const read = readDocument(R"({"version":1,"tables":{}})", tables_);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->empty());
}

TEST_F(DocumentTest, WhatIsOfAnotherVersionIsToldSo) {
  EXPECT_EQ(refusalOf(with("\"version\":1", "\"version\":2")), ErrorKind::unsupported);
  EXPECT_EQ(refusalOf(with("\"doors\"", "\"windows\"")), ErrorKind::unsupported);
  EXPECT_EQ(refusalOf(with("\"rooms\"", "\"floors\"")), ErrorKind::unsupported);
}

TEST_F(DocumentTest, AnExportOfBeforeAColumnCameHasWhatThatWasThen) {
  auto const before = text();
  Column since("wing");
  since.formerly = "east";
  tables_[0].columns.insert(tables_[0].columns.begin() + 1, since);
  auto const read = readDocument(before, tables_);
  ASSERT_TRUE(read) << read.error().message;
  auto const& house = (*read)[0].rows.at(0);
  EXPECT_EQ(house.integer(1), 7);
  EXPECT_EQ(house.text(2), "east");
  EXPECT_TRUE(house.isNull(3));
  EXPECT_EQ((*read)[1].rows.at(0).text(2), "gv1.x");
  auto const made = TimePoint(Milliseconds(1'780'000'000'000));
  auto const again = readDocument(writeDocument(*read, made), tables_);
  ASSERT_TRUE(again) << "it is written with that column";
  EXPECT_EQ((*again)[0].rows.at(0).text(2), "east");
}

TEST_F(DocumentTest, WhatIsNoRowIsRefused) {
  EXPECT_EQ(refusalOf("{"), ErrorKind::invalidInput);
  EXPECT_EQ(refusalOf(with("7,null", "\"7\",null")), ErrorKind::invalidInput);
  EXPECT_EQ(refusalOf(with("7,null", "7")), ErrorKind::invalidInput);
  EXPECT_EQ(refusalOf(with("\"gv1.x\"", "null")), ErrorKind::invalidInput);
  EXPECT_EQ(refusalOf(with("\"front\"", "null")), ErrorKind::invalidInput);
  EXPECT_EQ(refusalOf(with("[[\"ven_1\",7", "[7,[\"ven_1\",7")), ErrorKind::invalidInput);
}

} // namespace
} // namespace garland::custody
