#include <garland/sdk/loose.hpp>

#include <gtest/gtest.h>

namespace garland::sdk::loose {
namespace {

TEST(LooseDate, IsReadInTheFormsThatPeopleAndToolsWrite) {
  for (auto const* text :
       {"2026-06-13", "2026/06/13", "2026-06-13T14:00:00Z", "2026-06-13 14:00", "06/13/2026", "6/13/2026",
        "6/13/26", "13.06.2026", "13/06/2026", "June 13, 2026", "Jun 13 2026", "13 June 2026",
        "13th of June 2026", "Saturday, June 13th, 2026 at 4:00 PM", " Sat Jun 13, 2026 ",
        "june 13 2026 16:00:00"})
    EXPECT_EQ(date(text, DateOrder::mdy), "2026-06-13") << text;
  EXPECT_EQ(date("Sept 5, 2026", DateOrder::mdy), "2026-09-05");
}

TEST(LooseDate, TheOrderDecidesOnlyWhereBothCanBeMeant) {
  EXPECT_EQ(date("06/07/2026", DateOrder::mdy), "2026-06-07");
  EXPECT_EQ(date("06/07/2026", DateOrder::dmy), "2026-07-06");
  EXPECT_EQ(date("06.07.2026", DateOrder::mdy), "2026-07-06") << "points are written with the day first";
  EXPECT_EQ(date("12/31/2026", DateOrder::dmy), "2026-12-31");
}

TEST(LooseDate, WhatIsNoDayIsNothing) {
  for (auto const* text : {"", "summer 2027", "June 2026", "31 June 2026", "02/30/2026", "2026", "13", "TBD",
                           "June 13 or 14, 2026", "6/13", "1/2/3/4", "Marching 3 2026", "0000-00-00",
                           "99999999999/1/2026", "13/13/2026"})
    EXPECT_EQ(date(text, DateOrder::mdy), std::nullopt) << text;
}

TEST(LooseMoney, IsReadWithSignsCodesAndMarks) {
  for (auto const* text : {"$4,500.00", "4500", "4,500", "USD 4500", "4500.00 USD", "$ 4 500", "US$4,500.0"})
    EXPECT_EQ(money(text, "USD"), (Money{450000, "USD"})) << text;
  EXPECT_EQ(money("4.500,00 \xE2\x82\xAC", "USD"), (Money{450000, "EUR"}));
  EXPECT_EQ(money("\xC2\xA3"
                  "1,200.5",
                  "USD"),
            (Money{120050, "GBP"}));
  EXPECT_EQ(money("$95", "AUD"), (Money{9500, "AUD"})) << "the account's own dollar";
  EXPECT_EQ(money("$95", "EUR"), (Money{9500, "USD"}));
  EXPECT_EQ(money("1,234,567", "JPY"), (Money{1234567, "JPY"}));
}

TEST(LooseMoney, WhatIsNoAmountIsNothing) {
  for (auto const* text : {"", "under $5k", "$4,000 - $5,000", "4.500", "1,23,456", "12,34.567", "$", "-5",
                           "5.", "4500.123", "99999999999999999999", "1.2.3,4,5"})
    EXPECT_EQ(money(text, "USD"), std::nullopt) << text;
  EXPECT_EQ(money("4500", ""), std::nullopt) << "of which currency?";
}

TEST(LooseCount, ANumberIsANumberAndARangeIsNone) {
  EXPECT_EQ(count(" 1,200 "), 1200);
  EXPECT_EQ(count("80"), 80);
  for (auto const* text : {"100-150", "about 80", "", "80.5", "-3"})
    EXPECT_EQ(count(text), std::nullopt) << text;
}

TEST(LooseName, EverySpellingOfANameIsOne) {
  for (auto const* text : {"Client First Name", "clientFirstName", "client-first-name", "CLIENT_FIRST_NAME",
                           " client  first name? ", "Client.First.Name"})
    EXPECT_EQ(memberName(text), "client_first_name") << text;
  EXPECT_EQ(memberName("URLOfLead"), "url_of_lead");
  EXPECT_EQ(memberName("E-mail"), "e_mail");
  EXPECT_EQ(memberName("Stra\xC3\x9F"
                       "e 2"),
            "stra\xC3\x9F"
            "e_2");
  EXPECT_EQ(memberName("?!"), "");
}

} // namespace
} // namespace garland::sdk::loose
