// `garland endpoints`: what is asked for, and what a person reads.
#include "host/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string toldOf(std::string_view endpoint) {
  std::ostringstream out;
  std::ostringstream err;
  Output output(out, err, false, false, false);
  tellOutlet(output, parseJson(endpoint).value());
  return out.str();
}

TEST(EndpointsCommand, WhatIsNotNamedStaysAndWhatIsNamedCanBeTurnedOffAgain) {
  EXPECT_EQ(outletBody(OutletWords()), json::object());
  OutletWords words;
  words.description = "";
  words.ordered = false;
  words.allow_private_network = false;
  EXPECT_EQ(outletBody(words),
            (json::object{{"description", ""}, {"ordered", false}, {"allow_private_network", false}}));
}

TEST(EndpointsCommand, WhatStrangersWroteCannotMoveTheCursor) {
  auto const told = toldOf("{\"id\":\"epo_1\",\"url\":\"https://x.example/\",\"state\":\"disabled\","
                           "\"reason\":\"a\\u001b[2Jb\",\"description\":\"c\xC2\x9B"
                           "2Jd\"}");
  EXPECT_THAT(told, HasSubstr("why: a [2Jb\n"));
  EXPECT_THAT(told, HasSubstr("what for: c 2Jd\n"));
}

TEST(EndpointsCommand, WhatAnEndpointMissedIsShownWithWhatToDo) {
  EXPECT_THAT(toldOf(R"({"id":"epo_1","vendor_id":"ven_1","state":"enabled","missed":null})"),
              Not(HasSubstr("not told")));
  auto const told = toldOf(R"({"id":"epo_1","vendor_id":"ven_1","state":"enabled",
    "missed":{"first":3,"last":9,"at":"2026-06-13T12:00:00.000Z"}})");
  EXPECT_THAT(told, HasSubstr("not told of changes 3 to 9"));
  EXPECT_THAT(told, HasSubstr("garland records ls --vendor ven_1"));
}

} // namespace
} // namespace garland::cli
