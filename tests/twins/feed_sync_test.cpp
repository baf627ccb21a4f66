// A published calendar at the twin of a publisher, and a real garlandd that subscribes to it: events come in,
// edits follow, and no text that is cut off, no page and no empty feed takes anything away.
#include "tests/twins/served_twin.h"

#include <gtest/gtest.h>

namespace garland::testing {
namespace {

constexpr auto feed_path = "/feeds/7f3a9c5e1b2d4a68.ics";

class FeedSync : public ::testing::Test {
protected:
  void SetUp() override {
    host_.start();
    vendor_ = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", "ical-feed", "--vendor", vendor_}).exit_code, 0);
    connection_ = textOr(connect(twin_.url() + feed_path), "/id", "");
  }
  json::value connect(std::string const& address, int expected_exit = 0) {
    return host_.ask({"connections", "connect", "ical-feed", "--vendor", vendor_, "--set", "name=Bookings",
                      "--password-stdin", "--allow-private-network"},
                     expected_exit, address + "\n");
  }
  json::value sync(int expected_exit = 0) { return host_.ask({"sync", "run", connection_}, expected_exit); }
  json::value twin(std::string const& path, json::value const& body) {
    auto const done =
        run({"curl", "-sS", "--fail-with-body", "-d", json::serialize(body), twin_.url() + path});
    EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
    auto const answer = parseJson(done.out);
    return answer ? *answer : json::value();
  }
  static Finished run(std::vector<std::string> const& words) { return runProgram(words, {}, ""); }
  json::value edit(json::value const& change) { return twin("/_twin/edit", change); }
  std::string uid(std::size_t at) {
    auto const state = parseJson(run({"curl", "-sS", twin_.url() + "/_twin/state"}).out);
    return std::string(state->at("twin").at("events").at(at).as_string());
  }
  std::map<std::string, std::string> titles() {
    std::map<std::string, std::string> found;
    for (auto const& record : host_.records(vendor_, "calendar.event"))
      found[textOr(record, "/data/uid", "")] = textOr(record, "/data/title", "");
    return found;
  }

  // All of its events are ahead, whenever this runs.
  ServedTwin twin_{{"garland.ical-feed", "--seed", "7", "--volume", "40", "--now", "2050-01-01T00:00:00Z"}};
  Host host_;
  std::string vendor_;
  std::string connection_;
};

TEST_F(FeedSync, EventsComeInEditsFollowAndWhatIsCalledOffGoes) {
  auto const first = sync();
  EXPECT_EQ(number(first, "/pulled/created"), 40);
  EXPECT_EQ(number(first, "/pulled/failed"), 0);
  EXPECT_EQ(number(sync(), "/pulled/updated"), 0) << "nothing changed";

  auto const changed = uid(3);
  auto const gone = uid(4);
  edit({{"uid", changed}, {"set", {{"summary", "Moved to the garden"}}}});
  edit({{"uid", gone}, {"delete", true}});
  edit({{"uid", "new@publisher.example"},
        {"set", {{"summary", "A new one"}, {"start", "20600610T140000Z"}, {"end", "20600610T150000Z"}}}});
  auto const second = sync();
  EXPECT_EQ(number(second, "/pulled/created"), 1);
  EXPECT_EQ(number(second, "/pulled/updated"), 1);
  EXPECT_EQ(number(second, "/pulled/deleted"), 1);
  auto const now = titles();
  EXPECT_EQ(now.size(), 40U);
  EXPECT_EQ(now.at(changed), "Moved to the garden");
  EXPECT_FALSE(now.contains(gone));
}

TEST_F(FeedSync, ATextThatIsCutOffAPageAndAnEmptyFeedTakeNothingAway) {
  sync();
  auto const before = titles();
  ASSERT_EQ(before.size(), 40U);
  for (auto const* bad :
       {"<html><body>Sign in</body></html>", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"}) {
    edit({{"text", bad}});
    EXPECT_EQ(textOr(sync(1), "/state", ""), "failed") << bad;
    EXPECT_EQ(titles(), before) << bad;
  }
  edit({{"text", ""}});
  edit({{"uid", uid(0)}, {"set", {{"summary", "Cut off"}}}});
  for (auto const* fault : {"truncated", "reset_mid_body"}) {
    twin("/_twin/fault", {{"fault", fault}, {"times", 3}});
    EXPECT_EQ(textOr(sync(1), "/state", ""), "failed") << fault;
    EXPECT_EQ(titles(), before) << fault;
    run({"curl", "-sS", "-X", "DELETE", twin_.url() + "/_twin/fault"});
  }
  EXPECT_EQ(number(sync(), "/pulled/updated"), 1);
  EXPECT_EQ(titles().size(), 40U);
}

TEST_F(FeedSync, ManyEventsThatVanishAtOnceAreHeldUntilSomebodyConfirms) {
  sync();
  for (int i = 0; i < 12; ++i) edit({{"uid", uid(0)}, {"delete", true}});
  EXPECT_EQ(number(sync(1), "/held_deletions"), 12);
  EXPECT_EQ(titles().size(), 40U);
  host_.ask({"connections", "confirm-deletes", connection_});
  sync();
  EXPECT_EQ(titles().size(), 28U);
}

TEST_F(FeedSync, TheAddressIsInNoLogNoTrailAndNoAnswer) {
  sync();
  edit({{"text", "<html>" + twin_.url() + feed_path + "</html>"}});
  sync(1);
  connect(twin_.url() + "/feeds/0000000000000000.ics", 2);
  auto const secret = std::string("7f3a9c5e1b2d4a68");
  EXPECT_EQ(host_.log().find(secret), std::string::npos);
  for (std::vector<std::string> const& words : {std::vector<std::string>{"connections", "show", connection_},

                                                {"sync", "status", connection_}}) {
    auto const said = host_.run(words);
    EXPECT_EQ(said.out.find(secret), std::string::npos) << words[0];
    EXPECT_EQ(said.err.find(secret), std::string::npos) << words[0];
  }
  EXPECT_EQ(host_.stop(), 0);
  auto const found = run({"grep", "-r", "-a", "-l", secret, host_.dataFolder()});
  EXPECT_EQ(found.out, "") << "it lies in a file unsealed";
}

} // namespace
} // namespace garland::testing
