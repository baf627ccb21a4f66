#include "host/cli/setting_words.h"

#include <gmock/gmock.h>

namespace garland::cli {
namespace {

using ::testing::HasSubstr;

std::string said(json::object const& settings) {
  auto const plugin = *parseJson(R"({"name": "iCal feed",
    "auth": [{"slot": "feed", "scheme": "address", "fields": ["address"]}],
    "settings_schema": {"required": ["name"], "properties": {
      "name": {"description": "What to call this feed"}, "colour": {}}}})");
  auto const checked = checkSettingNames(plugin, settings);
  return checked ? "" : checked.error().message;
}

TEST(SettingWords, WhatIsNoSettingIsToldWithThoseThereAre) {
  EXPECT_EQ(said({{"name", "a"}, {"color", "red"}}),
            "iCal feed has no setting \"color\"; it has: name, colour");
}

TEST(SettingWords, WhatItSignsInWithIsNoSetting) {
  EXPECT_THAT(said({{"name", "a"}, {"address", "https://x.example/a.ics"}}), HasSubstr("is asked for"));
}

TEST(SettingWords, AMissingOneIsToldWithWhatItIsFor) {
  EXPECT_EQ(said({{"colour", "red"}}),
            "the setting \"name\" is missing: --set name=VALUE (What to call this feed)");
  EXPECT_EQ(said({{"name", "a"}, {"colour", "red"}}), "");
}

TEST(SettingWords, AConnectorWithoutSettingsTakesNone) {
  EXPECT_TRUE(checkSettingNames(json::object(), {}));
  auto const refused = checkSettingNames(json::object(), {{"url", "x"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("it has none"));
}

} // namespace
} // namespace garland::cli
