// `garland connections authorize --device` and `connect`: what a person reads.
#include "host/cli/commands.h"

#include <gmock/gmock.h>

#include <sstream>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string told(std::string const& more) {
  std::ostringstream out;
  std::ostringstream err;
  Output output(out, err, false, false, false);
  tellDevice(output, parseJson(R"({"id":"aut_1","vendor_id":"ven_1","user_code":"WDJB-MJHT",
    "verification_uri":"https://id.example/activate","expires":"2026-01-01T00:10:00.000Z")" +
                               more + "}")
                         .value());
  return out.str();
}

TEST(DeviceCommand, TellsTheCodeFirstThenWhereAndUntilWhenAndWhatThen) {
  auto const text = told(R"(,"verification_uri_complete":"https://id.example/activate?c=WDJB-MJHT")");
  EXPECT_THAT(text, StartsWith("WDJB-MJHT\ntype this at https://id.example/activate, in any browser, before "
                               "2026-01-01T00:10:00.000Z"));
  EXPECT_THAT(text, HasSubstr("\nor open https://id.example/activate?c=WDJB-MJHT\n"));
  EXPECT_THAT(text, HasSubstr("garland connections authorization aut_1 --vendor ven_1\n"));
  EXPECT_THAT(told(""), Not(HasSubstr("or open")));
}

TEST(ConnectCommand, APausedAccountThatIsConnectedAgainIsStillPausedAndThatIsSaid) {
  auto const paused = reconnectedAs(parseJson(R"({"id":"con_1","state":"paused"})").value(), true);
  EXPECT_THAT(paused, HasSubstr("still paused: resume it with: garland connections resume con_1"));
  auto const works = reconnectedAs(parseJson(R"({"id":"con_1","state":"connected"})").value(), true);
  EXPECT_THAT(works, Not(HasSubstr("paused")));
}

} // namespace
} // namespace garland::cli
