// Who is found in a text, and who is not.
#include "host/privacy/subject.h"

#include <gtest/gtest.h>

namespace garland::privacy {
namespace {

Subject rosa() {
  Subject subject("psn_1");
  for (auto const* text : {"Rosa@Studio.example", "+34 600 123 456", "Rosa Álvarez"})
    subject.add(text).value();
  return subject;
}

bool isNamed(std::string_view text) { return rosa().isNamedIn(text); }
std::string without(std::string_view text) { return rosa().without(text); }

TEST(Subject, IsFoundHoweverItIsWritten) {
  for (auto const* text :
       {"rosa@studio.example", "write to ROSA@studio.example.", "<rosa@studio.example>", "tel:+34600123456",
        "call 600 123 456 today", "0600123456", "/dav/rosa%40studio.example/", "name=Rosa+%C3%81lvarez&x=1",
        R"({"a":[{"mail":"rosa\u0040studio.example"}]})", R"({"rosa@studio.example":1})",
        R"({"phone":34600123456})", "Wedding of rosa Álvarez", "2026-06-13 600 123 456",
        "2 600123456, on 12/6", "12/6 (+34) 600 123 456", "tel=%2B34+600+123+456&x=1"})
    EXPECT_TRUE(isNamed(text)) << text;
}

TEST(Subject, IsNotTakenForAnother) {
  for (auto const* text : {"tessarosa@studio.example", "a.rosa@studio.example", "rosa@studio.example.org",
                           "rosa@studio.examples", "+34600123457", "+44 600 123 456",
                           "tel=%2B44+600+123+456&x=1", "1600123456000", "Rosa Álvarezas", "", "{", "[]"})
    EXPECT_FALSE(isNamed(text)) << text;
}

TEST(Subject, LeavesAPseudonymAndTheRestAsItWas) {
  EXPECT_EQ(without("Ask rosa@studio.example, or 600 123 456."), "Ask psn_1, or psn_1.");
  EXPECT_EQ(without(R"({"a":["Rosa Álvarez",7],"b":"Tom"})"), R"({"a":["psn_1",7],"b":"Tom"})");
  EXPECT_EQ(without("/dav/rosa%40studio.example/"), "psn_1");
  EXPECT_EQ(without("nobody"), "nobody");
  EXPECT_EQ(without("13.06. 600 123 456"), "13.06. psn_1");
  for (auto const* text : {"a rosa@studio.example b", "+34 600 123 456", R"({"x":{"y":"Rosa Álvarez"}})"})
    EXPECT_FALSE(isNamed(without(text))) << text;
}

TEST(Subject, ThatWouldBeFoundEverywhereIsRefused) {
  Subject subject("psn_1");
  EXPECT_EQ(subject.add(" to ").error().kind, ErrorKind::invalidInput);
  EXPECT_TRUE(subject.add("Rosa").value());
  EXPECT_FALSE(subject.add("rosa ").value()) << "it is known";
}

TEST(Subject, KnowsARecordByItsConnectionToo) {
  Subject subject("psn_1");
  EXPECT_TRUE(subject.addRemote("con_1", "12"));
  EXPECT_FALSE(subject.addRemote("con_1", "12"));
  EXPECT_TRUE(subject.isRemote("con_1", "12"));
  EXPECT_FALSE(subject.isRemote("con_2", "12"));
}

} // namespace
} // namespace garland::privacy
