// What is done once, with the installed programs: kill -9 of the daemon while a charge is on its way.
#include "tests/end_to_end/fault_proxy.h"
#include "tests/end_to_end/host_test_kit.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <csignal>
#include <future>
#include <mutex>

namespace garland::testing {
namespace {

using ::testing::HasSubstr;

class ActionsEndToEnd : public ::testing::Test {
protected:
  void SetUp() override {
    serve(nullptr);
    host_.start();
    auto const vendor = textOr(host_.ask({"vendors", "add", "Studio"}), "/id", "");
    ASSERT_EQ(host_.run({"plugins", "enable", "till", "--vendor", vendor}).exit_code, 0);
    connection_ =
        textOr(host_.ask({"connections", "connect", "till", "--vendor", vendor, "--set",
                          "url=http://127.0.0.1:" + std::to_string(till_.port()), "--allow-private-network"}),
               "/id", "");
  }

  // What the provider does; `before_answer` is called once, when a write has taken place.
  void serve(std::function<void()> before_answer) {
    auto const once = std::make_shared<std::function<void()>>(std::move(before_answer));
    till_.setRule([this, once](SeenRequest const& request) {
      std::lock_guard const lock(mutex_);
      if (request.method == "GET") {
        auto const found = taken_.find("/charges " + request.path.substr(request.path.find('=') + 1));
        return found == taken_.end() ? answer(404, "{}") : answer(200, found->second);
      }
      auto const key = textOr(parseJson(request.body).value(), "/key", "");
      auto const place = request.path + " " + key;
      if (request.path != "/coupons" || !taken_.contains(place)) ++writes_;
      auto const done = R"({"id":")" + std::to_string(writes_) + R"("})";
      auto const& kept = taken_.emplace(place, done).first->second;
      if (*once) {
        std::exchange(*once, nullptr)();
        return std::string(FaultProxy::kCut);
      }
      return answer(200, kept);
    });
  }
  static std::string answer(int status, std::string const& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
  }
  std::vector<std::string> words(std::string const& operation, std::string const& key) {
    return {"actions", "run", connection_, operation, "--key", key, "--input", "-"};
  }
  // Asks for it; the daemon is killed once the provider has taken it, and started again.
  std::string killedOnTheWay(std::string const& operation) {
    std::promise<void> accepted;
    serve([this, known = accepted.get_future().share()] {
      known.wait();
      host_.daemon().signal(SIGKILL);
    });
    auto const id = textOr(host_.ask(words(operation, "invoice-7"), 0, kInput), "/id", "");
    accepted.set_value();
    host_.daemon().wait();
    serve(nullptr);
    host_.start();
    return id;
  }
  json::value settled(std::string const& id) {
    json::value action;
    EXPECT_TRUE(eventually(
        [&] {
          auto const shown = host_.run({"actions", "show", id, "--json"});
          if (auto parsed = parseJson(shown.out)) action = std::move(*parsed);
          auto const* next = find(action, "/next_attempt");
          return textOr(action, "/state", "") != "sent" && next != nullptr && next->is_null();
        },
        60))
        << canonicalJson(action);
    return action;
  }

  static constexpr char const* kInput = R"({"amount":1200})";
  FaultProxy till_{1};
  Host host_{"", std::string("[plugins]\ndirs = [\"") + inBuild("/tests/plugins") + "\"]\n"};
  std::mutex mutex_;
  std::map<std::string, std::string> taken_; // path and key -> answer
  int writes_ = 0;
  std::string connection_;
};

TEST_F(ActionsEndToEnd, ACommandThatIsRepeatedWithItsKeyIsDoneOnce) {
  auto run = words("till.charge/1", "invoice-7");
  run.emplace_back("--wait");
  auto const first = host_.ask(run, 0, kInput);
  EXPECT_EQ(textOr(first, "/state", ""), "done") << canonicalJson(first);
  EXPECT_EQ(textOr(first, "/output/id", ""), "1");
  auto const again = host_.ask(run, 0, kInput);
  EXPECT_EQ(textOr(again, "/id", ""), textOr(first, "/id", ""));
  EXPECT_EQ(writes_, 1);
  auto const other = host_.run(run, R"({"amount":1})");
  EXPECT_EQ(other.exit_code, 1) << other.out << other.err;
  EXPECT_THAT(other.err, HasSubstr(textOr(first, "/id", "?")));
  EXPECT_THAT(host_.run({"actions", "ls", "--state", "done"}).out, HasSubstr("invoice-7"));
}

TEST_F(ActionsEndToEnd, AChargeThatArrivedJustBeforeTheDaemonDiedIsFoundAndNotRepeated) {
  auto const action = settled(killedOnTheWay("till.charge/1"));
  EXPECT_EQ(textOr(action, "/state", ""), "done") << canonicalJson(action);
  EXPECT_EQ(textOr(action, "/known_by", ""), "lookup");
  EXPECT_EQ(textOr(action, "/output/id", ""), "1");
  EXPECT_EQ(writes_, 1);
}

TEST_F(ActionsEndToEnd, ACouponIsRepeatedUnderItsKey) {
  auto const action = settled(killedOnTheWay("till.coupon/1"));
  EXPECT_EQ(textOr(action, "/state", ""), "done") << canonicalJson(action);
  EXPECT_EQ(number(action, "/attempts"), 2);
  EXPECT_EQ(writes_, 1);
}

TEST_F(ActionsEndToEnd, WhatNobodyCanFindOutIsNamedByTheDoctorUntilItIsSettled) {
  auto const id = killedOnTheWay("till.ring/1");
  auto const action = settled(id);
  EXPECT_EQ(textOr(action, "/state", ""), "unknown") << canonicalJson(action);
  EXPECT_EQ(writes_, 1);
  auto const doctor = host_.run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1) << doctor.out;
  EXPECT_THAT(doctor.out, HasSubstr("garland actions settle " + id));
  auto const both = host_.run({"actions", "settle", id, "--applied", "--not-applied"});
  EXPECT_EQ(both.exit_code, 2) << both.out << both.err;
  EXPECT_THAT(both.err, HasSubstr("excludes"));
  auto const neither = host_.run({"actions", "settle", id});
  EXPECT_EQ(neither.exit_code, 2);
  EXPECT_THAT(neither.err, HasSubstr("say what you found out"));
  EXPECT_EQ(textOr(host_.ask({"actions", "settle", id, "--applied"}), "/state", ""), "done");
  EXPECT_EQ(host_.run({"actions", "show", id}).exit_code, 0);
  EXPECT_EQ(writes_, 1);
}

} // namespace
} // namespace garland::testing
