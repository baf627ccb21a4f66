#include "host/nats/lines.h"
#include "host/nats/nats.h"

#include <gmock/gmock.h>

namespace garland::nats {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(Lines, EachTravelsOnce) {
  Lines lines;
  lines.add("nod_1 feed ven_1 ");
  lines.add("nod_1 leases  ");
  lines.add("nod_1 feed ven_1 ");
  EXPECT_THAT(messagesOf(lines.take()), ElementsAre("nod_1 feed ven_1 \nnod_1 leases  "));
  EXPECT_TRUE(lines.empty());
}

TEST(Lines, TooManySayThatSomethingWasMissed) {
  Lines lines;
  for (std::size_t i = 0; i <= Lines::kMost; ++i) lines.add("nod_1 feed ven_" + std::to_string(i) + " ");
  EXPECT_THAT(lines.take(), ElementsAre("", "nod_1 feed ven_" + std::to_string(Lines::kMost) + " "));
}

TEST(Lines, WhatDoesNotFitIntoOneMessageGoesInAnother) {
  std::set<std::string> lines;
  for (char c = 'a'; c < 'd'; ++c) lines.insert(std::string(30'000, c));
  auto const messages = messagesOf(lines);
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_THAT(linesOf(messages[0]), ElementsAre(std::string(30'000, 'a'), std::string(30'000, 'b')));
}

TEST(Lines, TheEmptyLineTravelsToo) {
  EXPECT_THAT(messagesOf({""}), ElementsAre(""));
  EXPECT_THAT(linesOf(""), ElementsAre(""));
  EXPECT_THAT(linesOf(messagesOf({"", "a"}).at(0)), ElementsAre("", "a"));
}

TEST(Lines, AddressesOfServersHoldNoPassword) {
  EXPECT_TRUE(isServers("nats://a.example.com:4222,tls://[::1]:4222"));
  for (auto const* const wrong : {"", "a.example.com", "http://a", "nats://", "nats://a,",
                                  "nats://a, nats://b", "nats://rosa:secret@a:4222", "nats://a:4222/x"})
    EXPECT_FALSE(isServers(wrong)) << wrong;
  EXPECT_TRUE(isStream("garland-2"));
  for (auto const* const wrong : {"", "a.b", "a b", "*"}) EXPECT_FALSE(isStream(wrong)) << wrong;
}

} // namespace
} // namespace garland::nats
