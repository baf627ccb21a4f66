// `garland changes follow` beside a daemon that is killed and started again.
#include "tests/end_to_end/studio_fixture.h"

#include <sstream>

namespace garland::testing {
namespace {

class Follow : public Studio {
protected:
  // The numbers that were printed so far.
  std::vector<std::int64_t> seen() const {
    std::vector<std::int64_t> out;
    std::istringstream lines(readFile(host_.folder() + "/follow.log"));
    for (std::string line; std::getline(lines, line);)
      if (auto const change = parseJson(line)) out.push_back(number(*change, "/sequence"));
    return out;
  }
  // The daemon gets the same port when it is started again.
  void keepPort() {
    auto text = readFile(host_.configFile());
    auto const port = host_.url().substr(host_.url().rfind(':') + 1);
    text.replace(text.find("port = 0"), 8, "port = " + port);
    writeFile(host_.configFile(), text);
  }
};

TEST_F(Follow, EveryChangeIsPrintedOnceThroughTheDeathOfTheDaemon) {
  addEvents(2);
  auto const connection = connectStudio();
  host_.ask({"sync", "run", connection});
  Child follower({binFolder() + "/garland", "changes", "follow", "--vendor", vendor_, "--after", "0",
                  "--count", "5", "--json"},
                 {{"GARLAND_URL", host_.url()}, {"GARLAND_KEY_FILE", host_.dataFolder() + "/api.key"}},
                 host_.folder() + "/follow.log");
  EXPECT_TRUE(eventually([&] { return seen().size() == 2; })) << readFile(host_.folder() + "/follow.log");
  keepPort();
  host_.kill9();
  host_.start();
  auto const record = textOr(host_.records(vendor_).at(0), "/id", "");
  for (auto const* title : {"Rehearsal", "Wedding", "Brunch"})
    host_.ask({"records", "edit", record, "--vendor", vendor_, "--set", std::string("/title=") + title});
  EXPECT_EQ(follower.wait(), 0) << readFile(host_.folder() + "/follow.log");
  EXPECT_EQ(seen(), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
}

TEST_F(Follow, WhatCannotBeFollowedIsToldAtOnce) {
  auto const gone = host_.run({"changes", "follow", "--vendor", vendor_, "--after", "7"});
  EXPECT_EQ(gone.exit_code, 2) << gone.err;
  EXPECT_NE(gone.err.find("list the records anew"), std::string::npos) << gone.err;
  EXPECT_EQ(host_.run({"changes", "follow", "--vendor", "ven_none"}).exit_code, 2);
  EXPECT_EQ(host_.run({"changes"}).exit_code, 2);
  host_.stop();
  EXPECT_EQ(host_.run({"changes", "follow", "--vendor", vendor_}).exit_code, 3);
}

} // namespace
} // namespace garland::testing
