// Lists of UIDs and the numbers of a mailbox, as servers write them and as they should not.
#include "host/egress/imap_answer.h"

#include <gtest/gtest.h>

namespace garland::egress {
namespace {

using Uids = std::vector<std::uint32_t>;

TEST(ImapAnswer, AMailboxTellsItsNumbers) {
  auto const status =
      readExamine("* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 3857529045] UIDs valid\r\n"
                  "* ok [uidnext 4294967295] next\r\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->validity, 3857529045U);
  EXPECT_EQ(status->next, 4294967295U);
}

TEST(ImapAnswer, AMailboxWithoutLastingNumbersIsRefused) {
  for (auto const* bad : {"", "* OK [UIDVALIDITY 1] ok\r\n", "* OK [UIDNEXT 1] ok\r\n",
                          "* OK [UIDVALIDITY 0] x\r\n* OK [UIDNEXT 1] x\r\n",
                          "* OK [UIDVALIDITY 99999999999] x\r\n* OK [UIDNEXT 1] x\r\n",
                          "* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2]"})
    EXPECT_FALSE(readExamine(bad)) << bad;
}

TEST(ImapAnswer, UidsComeInOrderAndOnce) {
  EXPECT_EQ(*readSearch("* 4 EXISTS\r\n* SEARCH 9 3\r\n* search 3 5 \r\n", 3, 9), (Uids{3, 5, 9}));
  EXPECT_EQ(*readSearch("* SEARCH\r\n", 1, 9), Uids());
}

TEST(ImapAnswer, AListThatIsCutOrNotAskedForIsAnErrorAndNeverAShorterList) {
  for (auto const* bad :
       {"", "* 4 EXISTS\r\n", "* SEARCH 1 2", "* SEARCH 1,2\r\n", "* SEARCH 1 0\r\n", "* SEARCH -1\r\n",
        "* SEARCH 10\r\n", "* SEARCH 4294967296\r\n", "* SEARCHED 1\r\n", "* SEARCH 1\r\n* SEAR"})
    EXPECT_FALSE(readSearch(bad, 1, 9)) << bad;
}

} // namespace
} // namespace garland::egress
