#include "host/cli/event_reader.h"

#include <gtest/gtest.h>

namespace garland::cli {
namespace {

TEST(EventReader, ReadsEventsInHoweverManyPieces) {
  std::string const bytes = "\xEF\xBB\xBFid: 3\n\nid: 4\nevent: change\ndata: {\"a\":1}\n\n: a "
                            "word\r\ndata:x\r\ndata: y\r\rid: 5\n\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    EventReader reader;
    std::vector<ServerEvent> all;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      for (auto& event : reader.feed(std::string_view(bytes).substr(at, piece)))
        all.push_back(std::move(event));
    ASSERT_EQ(all.size(), 4U) << piece;
    EXPECT_EQ(all[0].type, "") << "an id without an event";
    EXPECT_EQ(all[0].id, "3");
    EXPECT_EQ(all[1].type, "change");
    EXPECT_EQ(all[1].data, "{\"a\":1}");
    EXPECT_EQ(all[1].id, "4");
    EXPECT_EQ(all[2].type, "message");
    EXPECT_EQ(all[2].data, "x\ny");
    EXPECT_EQ(all[3].id, "5");
  }
}

TEST(EventReader, AnIdCountsOnceItsEventIsWhole) {
  EventReader reader;
  EXPECT_TRUE(reader.feed("id: 7\ndata: x\n").empty());
  auto const events = reader.feed("\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id, "7");
  EXPECT_TRUE(reader.feed("id: 7\n\n").empty()) << "it has not moved on";
}

TEST(EventReader, AnEventThatDoesNotEndIsNotKept) {
  EventReader reader;
  reader.feed(std::string(EventReader::longest, 'x'));
  EXPECT_FALSE(reader.tooLong());
  reader.feed("xx");
  EXPECT_TRUE(reader.tooLong());
  EXPECT_TRUE(reader.feed("\n\ndata: x\n\n").empty());
  EventReader other;
  for (int i = 0; i < 20; ++i) other.feed("data: " + std::string(EventReader::longest / 16, 'x') + "\n");
  EXPECT_TRUE(other.tooLong()) << "in many lines";
}

} // namespace
} // namespace garland::cli
