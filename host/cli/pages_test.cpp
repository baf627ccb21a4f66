#include "host/cli/pages.h"

#include <gtest/gtest.h>

#include <sstream>

namespace garland::cli {
namespace {

std::string told(std::string const& page, bool json = false) {
  std::ostringstream out;
  std::ostringstream err;
  Output output(out, err, json, false, false);
  tellNext(output, parseJson(page).value());
  return out.str() + err.str();
}

TEST(Page, ThatIsNotTheLastSaysHowToGoOn) {
  EXPECT_EQ(told(R"({"items":[],"next_after":"act_7"})"), "more with: --after act_7\n");
  EXPECT_EQ(told(R"({"items":[],"next_after":12})"), "more with: --after 12\n");
}

TEST(Page, ThatIsTheLastSaysNothing) {
  EXPECT_EQ(told(R"({"items":[],"next_after":null})"), "");
  EXPECT_EQ(told(R"({"items":[]})"), "");
}

TEST(Page, AsJsonSaysNothingBesideItself) {
  EXPECT_EQ(told(R"({"items":[],"next_after":"act_7"})", true), "");
}

} // namespace
} // namespace garland::cli
