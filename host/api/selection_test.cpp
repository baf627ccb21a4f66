#include "host/api/selection.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

std::vector<sync::Vendor> vendors(int count) {
  std::vector<sync::Vendor> out(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) out[static_cast<std::size_t>(i)].id = "ven_" + std::to_string(i);
  return out;
}

TEST(Page, BehindWhichThereIsMoreSaysWhatTheNextOneGoesOnAfter) {
  auto const page = pageOf(vendors(4), 3, &sync::Vendor::id);
  EXPECT_EQ(page.at("items").as_array().size(), 3U);
  EXPECT_EQ(page.at("next_after"), "ven_2");
}

TEST(Page, BehindWhichThereIsNothingIsTheLastOneFullOrNot) {
  auto const full = pageOf(vendors(3), 3, &sync::Vendor::id);
  EXPECT_EQ(full.at("items").as_array().size(), 3U);
  EXPECT_TRUE(full.at("next_after").is_null());
  EXPECT_TRUE(pageOf(vendors(2), 3, &sync::Vendor::id).at("next_after").is_null());
  EXPECT_TRUE(pageOf(vendors(0), 3, &sync::Vendor::id).at("next_after").is_null());
}

TEST(Page, IsAskedForByWhoseItIsByPlaceAndByLength) {
  Request request;
  request.parameters = {{"after", "act_7"}, {"limit", "20"}};
  auto const query = readPage<sync::ActionQuery>(request);
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->vendor_id, "");
  EXPECT_EQ(query->connection_id, "");
  EXPECT_EQ(query->after_id, "act_7");
  EXPECT_EQ(query->limit, 20);
}

TEST(Page, OfWhatCannotBeAnIdIsNotFound) {
  for (auto const* name : {"vendor_id", "connection_id"}) {
    Request request;
    request.parameters[name] = "nonsense";
    auto const query = readPage<sync::ActionQuery>(request);
    ASSERT_FALSE(query) << name;
    EXPECT_EQ(query.error().kind, ErrorKind::notFound) << name;
  }
}

TEST(Page, HoldsAHundredUnlessTheQuerySaysHowMany) {
  EXPECT_EQ(readPage<sync::ActionQuery>(Request()).value().limit, 100);
}

} // namespace
} // namespace garland::api
