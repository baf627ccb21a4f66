#include "xml.h"

#include <garland/sdk/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace garland::caldav {
namespace {

std::string refusal(std::string const& text) {
  auto const failure = sdk::attempt([&] { parseXml(text); });
  return failure ? failure->message : "taken";
}

TEST(Xml, ElementsAreKnownByNamespaceWhateverThePrefix) {
  for (auto const* text :
       {"<multistatus xmlns='DAV:'><response><href> /a </href></response></multistatus>",
        "<D:multistatus xmlns:D='DAV:'><D:response><D:href>/a</D:href></D:response></D:multistatus>",
        "<ns0:multistatus xmlns:ns0='DAV:'><x:response xmlns:x='DAV:'><ns0:href>/a</ns0:href>"
        "</x:response></ns0:multistatus>"}) {
    auto const root = parseXml(text);
    EXPECT_EQ(root.name, "DAV:|multistatus");
    ASSERT_TRUE(root.has("DAV:|response")) << text;
    EXPECT_EQ(root.child("DAV:|response")->textOf("DAV:|href"), "/a");
  }
}

TEST(Xml, TextIsJoinedOverEntitiesAndSections) {
  EXPECT_EQ(parseXml("<a>x &amp; y<![CDATA[ <z>]]>&#252;</a>").text, "x & y <z>ü");
  EXPECT_EQ(parseXml("<a b='1 &lt; 2'/>").attribute("b"), "1 < 2");
}

TEST(Xml, WhatIsNotTakenIsRefusedWithTheLine) {
  EXPECT_THAT(refusal("<a>\n<b></a>"), ::testing::HasSubstr("line 2"));
  EXPECT_THAT(refusal(""), ::testing::HasSubstr("not XML"));
  EXPECT_THAT(refusal("<html><p></html>"), ::testing::HasSubstr("not XML"));
  EXPECT_THAT(refusal("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"), ::testing::HasSubstr("DTD"));
}

TEST(Xml, DepthAndSizeAreBounded) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "<a>";
  EXPECT_THAT(refusal(deep), ::testing::HasSubstr("too deep"));
  std::string many = "<a>";
  for (int i = 0; i < 500'001; ++i) many += "<b/>";
  EXPECT_THAT(refusal(many + "</a>"), ::testing::HasSubstr("too many"));
}

TEST(Xml, EscapedTextComesBack) {
  std::string const text = "/a & b/<c>\"'";
  EXPECT_EQ(parseXml("<a>" + escapeXml(text) + "</a>").text, text);
}

} // namespace
} // namespace garland::caldav
