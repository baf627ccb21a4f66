// What becomes of deliveries, with the installed programs: one that breaks whoever reads it, and many that
// are read again.
#include "host/base/clock.h"
#include "host/webhooks/webhooks.h"
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char const* kSecret = "whsec_made_up_for_this_test";

class WebhooksEndToEnd : public ::testing::Test {
protected:
  void SetUp() override {
    host_.start();
    auto const vendor = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", "bell", "--vendor", vendor}).exit_code, 0);
    connection_ = textOr(host_.ask({"connections", "connect", "bell", "--vendor", vendor}), "/id", "");
    auto const endpoint =
        host_.ask({"connections", "webhook", connection_, "--secret-stdin"}, 0, std::string(kSecret) + "\n");
    auto const url = textOr(endpoint, "/url", "");
    address_ = host_.url() + url.substr(url.find("/api/"));
  }
  void deliver(std::string const& id, std::string const& type) {
    webhooks::Request request;
    request.body = R"({"id":")" + id + R"(","type":")" + type + "\"}";
    auto const scheme = webhooks::Scheme::named("stripe").value();
    std::vector<std::string> words{"curl", "-sS", "-m", "20", "-H", "Content-Type: application/json"};
    for (auto const& [name, value] :
         webhooks::sign(scheme, request, "", Secret(kSecret), SystemClock().now()).value())
      words.insert(words.end(), {"-H", name + ": " + value});
    words.insert(words.end(), {"--data-binary", request.body, address_});
    EXPECT_THAT(runProgram(words, {}, "").out, HasSubstr("received"));
  }
  json::value shown(std::string const& id) {
    auto const list = host_.ask({"webhooks", "ls"});
    for (auto const& one : list.at("items").as_array())
      if (textOr(one, "/dedupe_key", "") == "id " + id) return one;
    ADD_FAILURE() << "no delivery " << id;
    return {};
  }
  // When its connector has read it, or cannot.
  json::value settled(std::string const& id) {
    json::value delivery;
    EXPECT_TRUE(eventually(
        [&] {
          delivery = shown(id);
          return textOr(delivery, "/state", "") != "waiting";
        },
        60))
        << host_.log();
    return delivery;
  }

  Host host_{"", std::string("[plugins]\ndirs = [\"") + inBuild("/tests/plugins") + "\"]\n"};
  std::string connection_, address_;
};

TEST_F(WebhooksEndToEnd, ADeliveryThatEndsItsWorkerIsDeadWithItsReasonAndKeepsNoOtherBack) {
  deliver("1", "cracked");
  deliver("2", "rung");
  auto const dead = settled("1");
  EXPECT_EQ(textOr(dead, "/state", ""), "dead");
  EXPECT_THAT(textOr(dead, "/reason", ""), HasSubstr("ends its worker, also when it runs alone"));
  EXPECT_EQ(textOr(settled("2"), "/state", ""), "done");

  auto const id = textOr(dead, "/id", "");
  auto const list = host_.run({"dlq", "ls"});
  EXPECT_THAT(list.out, HasSubstr(id));
  EXPECT_THAT(list.out, Not(HasSubstr(textOr(settled("2"), "/id", ""))));
  auto const show = host_.run({"dlq", "show", id});
  EXPECT_EQ(show.exit_code, 1) << "it waits for a person";
  EXPECT_THAT(show.out, HasSubstr("ends its worker"));
  EXPECT_THAT(show.out, HasSubstr("cracked")) << "what it says";
  EXPECT_THAT(host_.run({"plugins", "show", "bell"}).out, HasSubstr("poisoned"));
  EXPECT_EQ(host_.run({"dlq", "replay", id}).exit_code, 1) << "it is set aside";

  host_.kill9();
  host_.start();
  EXPECT_EQ(textOr(settled("1"), "/state", ""), "dead") << "it is not tried again by itself";
  EXPECT_EQ(host_.run({"dlq", "drop", id, "--why", "a test"}).exit_code, 0);
  EXPECT_THAT(host_.run({"dlq", "ls"}).out, HasSubstr("nothing is dead"));
}

TEST_F(WebhooksEndToEnd, ARangeOfTimeIsReadAgainAndNothingElse) {
  std::vector<json::value> before;
  for (auto const* id : {"1", "2", "3"}) {
    deliver(id, "rung");
    before.push_back(settled(id));
  }
  auto const at = [&](std::size_t i) { return textOr(before[i], "/received", ""); };
  ASSERT_TRUE(at(0) < at(1) && at(1) < at(2)) << at(0) << at(1) << at(2);
  auto const finished = [&](std::string const& id) { return textOr(settled(id), "/finished", ""); };

  EXPECT_THAT(host_.run({"webhooks", "replay", "--from", at(1), "--to", at(2)}).out,
              HasSubstr("1 webhooks are read again"));
  EXPECT_TRUE(eventually([&] { return finished("2") > textOr(before[1], "/finished", ""); }, 60));
  EXPECT_EQ(finished("1"), textOr(before[0], "/finished", ""));
  EXPECT_EQ(finished("3"), textOr(before[2], "/finished", ""));

  EXPECT_EQ(number(host_.ask({"webhooks", "replay", "--from", at(1)}), "/replayed"), 2);
  EXPECT_EQ(number(host_.ask({"webhooks", "replay", "--from", "2040-01-01T00:00:00Z"}), "/replayed"), 0);
  EXPECT_EQ(host_.run({"webhooks", "replay"}).exit_code, 2) << "it has to say which";
  EXPECT_EQ(host_.run({"webhooks", "replay", "--from", "yesterday"}).exit_code, 2);
}

} // namespace
} // namespace garland::testing
