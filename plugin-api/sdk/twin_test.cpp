// What twins are made of. Values that are spelt out hold on every machine and for every compiler.
#include <garland/sdk/twin.hpp>

#include <gtest/gtest.h>

namespace garland::sdk::twin {
namespace {

using std::chrono::seconds;

TimePoint at(seconds since) { return TimePoint(since); }

TEST(TwinRandom, IsTheSameEverywhere) {
  Random random(7);
  EXPECT_EQ(random.next(), 7191089600892374487U);
  EXPECT_EQ(Random(7).text(8, "abcdefgh"), Random(7).text(8, "abcdefgh"));
  EXPECT_NE(Random(7).next(), Random(8).next());
}

TEST(TwinRandom, StaysWithinItsBounds) {
  Random random(1);
  std::vector<int> counts(3);
  for (int i = 0; i < 3000; ++i) ++counts.at(random.below(3));
  for (int const count : counts) EXPECT_GT(count, 900);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.between(5, 5), 5);
  for (int i = 0; i < 100; ++i) {
    auto const drawn = random.between(-2, 2);
    EXPECT_TRUE(drawn >= -2 && drawn <= 2) << drawn;
  }
  random.between(INT64_MIN, INT64_MAX);
}

TEST(TwinRandom, AStreamIsNotMovedByDrawingFromAnother) {
  Random one(7);
  Random const other(7);
  auto a = one.stream("people");
  one.stream("places").next();
  auto b = other.stream("people");
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(Random(7).stream("people").next(), Random(7).stream("places").next());
}

TEST(TwinIds, HaveTheFormOfProviders) {
  Ids ids(Random(7));
  EXPECT_EQ(ids.text("pi_").size(), 27U);
  EXPECT_NE(ids.text("pi_"), ids.text("pi_"));
  auto const uuid = ids.uuid();
  EXPECT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_EQ(ids.number("job"), 1);
  EXPECT_EQ(ids.number("job"), 2);
  EXPECT_EQ(ids.number("contact"), 1);
}

TEST(TwinTable, KeepsTheOrderAndForgetsWhatIsErased) {
  Table<std::string> table;
  for (auto const* const id : {"c", "a", "b"}) table.add(id, std::string("row ") + id);
  EXPECT_TRUE(table.erase("a"));
  EXPECT_FALSE(table.erase("a"));
  ASSERT_EQ(table.all().size(), 2U);
  EXPECT_EQ(*table.all()[0], "row c");
  EXPECT_EQ(*table.find("b"), "row b");
  EXPECT_EQ(table.find("a"), nullptr);
}

TEST(TwinPages, EndWhereTheListEnds) {
  std::vector<int> const all{1, 2, 3, 4, 5};
  EXPECT_EQ(pageAt(all, 0, 5).more, false);
  EXPECT_EQ(pageAt(all, 0, 4).more, true);
  EXPECT_EQ(pageAt(all, 9, 4).items.size(), 0U);
  auto const behind = pageAfter(all, [](int item) { return item == 3; }, 10);
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->items, (std::vector<int>{4, 5}));
  EXPECT_FALSE(pageAfter(all, [](int item) { return item == 9; }, 10));
}

TEST(TwinRateLimit, RefillsOnTheProvidersClock) {
  RateLimit limit(2, seconds(10));
  EXPECT_EQ(limit.take("key", at(seconds(0))).remaining, 1);
  EXPECT_TRUE(limit.take("key", at(seconds(0))).allowed);
  auto const refused = limit.take("key", at(seconds(1)));
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, seconds(4)); // one of two in ten seconds is back after five
  EXPECT_TRUE(limit.take("other", at(seconds(1))).allowed);
  EXPECT_TRUE(limit.take("key", at(seconds(5))).allowed);
  EXPECT_FALSE(limit.take("key", at(seconds(5))).allowed);
  EXPECT_EQ(limit.take("key", at(seconds(1000))).remaining, 1);
}

TEST(TwinSeenKeys, KnowTheirRequestUntilTheyExpire) {
  SeenKeys keys(std::chrono::hours(1));
  keys.keep("k", "POST /a {}", Response(201, json::object{{"id", 1}}), at(seconds(0)));
  EXPECT_EQ(keys.find("k", "POST /a {}", at(seconds(1))).answer->status, 201);
  EXPECT_EQ(keys.find("k", "POST /b {}", at(seconds(1))).seen, SeenKeys::Seen::otherRequest);
  EXPECT_EQ(keys.find("k", "POST /a {}", at(seconds(3600))).seen, SeenKeys::Seen::never);
  EXPECT_EQ(keys.find("l", "POST /a {}", at(seconds(1))).seen, SeenKeys::Seen::never);
}

TEST(TwinRoutes, CaptureDecodedSegments) {
  auto const found = matchPath("/lists/{list}/tasks/{task}", "/lists/a%2Fb/tasks/7");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at("list"), "a/b");
  EXPECT_EQ(found->at("task"), "7");
  EXPECT_FALSE(matchPath("/lists/{list}", "/lists/"));
  EXPECT_FALSE(matchPath("/lists/{list}", "/lists/a/b"));
  EXPECT_TRUE(matchPath("/", "/"));
}

std::string tree(std::string_view form) { return json::serialize(bracketed(parseQuery(form))); }

TEST(TwinForms, BracketsAreStructure) {
  EXPECT_EQ(tree("a[b]=1&a[c][]=2&a[c][]=3&a[d][1][e]=5&a[d][0][e]=4&f=x+y%26z"),
            R"({"a":{"b":"1","c":["2","3"],"d":[{"e":"4"},{"e":"5"}]},"f":"x y&z"})");
  EXPECT_EQ(tree("m[6735]=x"), R"({"m":{"6735":"x"}})") << "numbers that are no places stay names";
  EXPECT_EQ(tree("a=&b"), R"({"a":"","b":""})");
  EXPECT_EQ(tree("a=1&a=2"), R"({"a":"2"})");
}

TEST(TwinForms, ContradictionsAreMalformed) {
  for (auto const* const form :
       {"a=1&a[b]=2", "a[b]=2&a=1", "a[b=1", "a[b]c=1", "a[][][][][][][][][][][][][][][][][][]=1"})
    EXPECT_THROW(tree(form), Malformed) << form;
  std::string many;
  for (int i = 0; i <= 10'000; ++i) many += "a&";
  EXPECT_THROW(tree(many), Malformed);
}

TEST(TwinForms, ANameThatIsNoneIsRefusedWithoutRepeatingIt) {
  EXPECT_EQ(parseQuery(std::string(500, 'n') + "=1").size(), 1U);
  try {
    parseQuery(std::string(3'000'000, '\0'));
    FAIL() << "it is taken";
  } catch (Malformed const& wrong) {
    EXPECT_EQ(wrong.why, "a parameter's name is longer than 500 bytes");
  }
}

TEST(TwinRequest, ReadsCredentials) {
  Request request;
  EXPECT_EQ(request.bearer(), "");
  request.headers = {{"Authorization", "bearer sk_1"}};
  EXPECT_EQ(request.bearer(), "sk_1");
  EXPECT_FALSE(request.basic());
  request.headers = {{"Authorization", "Basic cm9zYTpvcGVuOnNlc2FtZQ=="}};
  EXPECT_EQ(request.basic(), (std::pair<std::string, std::string>("rosa", "open:sesame")));
  request.headers = {{"Authorization", "Basic !!"}};
  EXPECT_FALSE(request.basic());
}

TEST(TwinRequest, LinksKeepTheOtherParameters) {
  Request request;
  request.origin = "http://127.0.0.1:1";
  request.path = "/tasks";
  request.parameters = {{"q", "a b"}, {"page", "1"}};
  EXPECT_EQ(request.urlWith("page", "2"), "http://127.0.0.1:1/tasks?q=a%20b&page=2");
  EXPECT_EQ(request.urlWith("after", "x"), "http://127.0.0.1:1/tasks?q=a%20b&page=1&after=x");
}

} // namespace
} // namespace garland::sdk::twin
