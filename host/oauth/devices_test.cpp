// Sign-ins on other devices: how often the provider is asked, by whom, and how they end.
#include "host/base/test_folder.h"
#include "host/oauth/oauth.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include <deque>
#include <exception>

namespace garland::oauth {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char const* kCodes = R"({"device_code":"d-1","user_code":"WDJB-MJHT","interval":5,"expires_in":600,
  "verification_uri":"https://x.example/device"})";

// Answers in turn; without one there is no answer.
class Provider628 final : public egress::Client {
public:
  Task<egress::Response> fetch(egress::Request request, egress::Policy, egress::Credential) override {
    asked.push_back(request.body);
    if (answers.empty()) co_return Error(ErrorKind::transient, "no answer came").withEffect(Effect::unknown);
    auto [status, body] = answers.front();
    answers.pop_front();
    egress::Response response;
    response.status = status;
    response.body = std::move(body);
    co_return response;
  }
  void onAudit(std::function<void(egress::AuditEntry const&)>) override {}
  void shutdown() override {}
  void says(std::string const& code) { answers.emplace_back(400, R"({"error":")" + code + R"("})"); }

  std::deque<std::pair<int, std::string>> answers;
  std::vector<std::string> asked;
};

class DeviceRows : public ::testing::Test {
protected:
  DeviceRows() {
    store::Options options;
    options.url = "sqlite:" + (folder_ / "garland.db");
    options.sha256 = vault::sha256;
    store_ = run(store::Store::open(loop_.get_executor(), options, migrations())).value();
    vault_ = std::move(vault::Vault::open(folder_ / "master.key", true, random_)).value();
    devices_ = std::make_unique<Devices>(daemon());
  }
  ~DeviceRows() override { (void)run(store_->close()); }

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(loop_, std::move(task), [&out](std::exception_ptr failed, Result<T> result) {
      if (failed) std::rethrow_exception(failed);
      out.emplace(std::move(result));
    });
    while (!out) loop_.run_one();
    return std::move(*out);
  }

  Devices daemon(std::string const& name = "a daemon") {
    return Devices(
        Dependencies{loop_.get_executor(), clock_, random_, log_, *store_, *vault_, provider_, name});
  }
  static Use use() {
    Use use;
    use.place = Place{"ven_1", "", "account"};
    use.app = "test.crm";
    use.provider.token_url = "https://x.example/token";
    use.provider.device_url = "https://x.example/device_code";
    use.client_id = "an-id";
    use.client_secret = Secret("its-secret");
    return use;
  }
  DeviceSignIn begin() {
    provider_.answers.emplace_back(200, kCodes);
    auto begun = run(devices_->begin(use(), Secret("an errand"))).value();
    provider_.asked.clear();
    return begun;
  }
  std::vector<Devices::Due> due(Devices& of) { return run(of.due()).value(); }
  // Asks about the one that is due, which there must be.
  std::optional<Given> ask() {
    auto const all = due(*devices_);
    EXPECT_EQ(all.size(), 1U);
    return run(devices_->ask(&all.at(0), use())).value();
  }
  std::string at(std::string const& column) {
    auto const rows = run(store_->read(store::Statement("SELECT " + column + " FROM oauth_authorizations")));
    return rows.value().rows.at(0).text(0);
  }
  std::int64_t waiting() {
    return run(store_->read(store::Statement("SELECT COUNT(*) FROM oauth_devices")))
        .value()
        .rows[0]
        .integer(0);
  }

  TestFolder folder_;
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  VirtualClock clock_{parseRfc3339("2026-01-01T00:00:00Z").value()};
  SeededRandom random_{7};
  Redactor redactor_;
  std::string log_text_;
  Log log_{clock_, redactor_, LogLevel::debug, [this](std::string_view line) { log_text_ += line; }};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<vault::Vault> vault_;
  Provider628 provider_;
  std::unique_ptr<Devices> devices_;
};

TEST_F(DeviceRows, AreAskedAboutAsSeldomAsTheProviderWantsUntilTokensCome) {
  auto const begun = begin();
  EXPECT_EQ(begun.user_code, "WDJB-MJHT");
  EXPECT_EQ(begun.verification_uri, "https://x.example/device");
  EXPECT_EQ(begun.authorization.expires, clock_.now() + minutes(10));
  EXPECT_THAT(due(*devices_), IsEmpty());
  clock_.advance(seconds(5));
  provider_.says("authorization_pending");
  EXPECT_FALSE(ask());
  clock_.advance(seconds(4));
  EXPECT_THAT(due(*devices_), IsEmpty());
  clock_.advance(seconds(1));
  provider_.says("slow_down");
  EXPECT_FALSE(ask());
  clock_.advance(seconds(9));
  EXPECT_THAT(due(*devices_), IsEmpty()) << "from now on every ten seconds";
  clock_.advance(seconds(1));
  provider_.says("authorization_pending");
  EXPECT_FALSE(ask());
  clock_.advance(seconds(9));
  EXPECT_THAT(due(*devices_), IsEmpty()) << "it stays so slow";
  clock_.advance(seconds(1));
  provider_.answers.emplace_back(200, R"({"access_token":"a-1","refresh_token":"r-1","expires_in":3600})");
  auto const given = ask();
  ASSERT_TRUE(given);
  EXPECT_EQ(given->access.reveal(), "a-1");
  EXPECT_EQ(given->refresh.reveal(), "r-1");
  EXPECT_EQ(given->life, std::chrono::hours(1));
  ASSERT_EQ(provider_.asked.size(), 4U);
  EXPECT_THAT(provider_.asked[0], HasSubstr("device_code&device_code=d-1&client_id=an-id"));
  EXPECT_THAT(log_text_, Not(HasSubstr("d-1")));
}

TEST_F(DeviceRows, NothingThatOpensAnythingIsReadableInTheDatabase) {
  begin();
  for (auto const* secret : {"d-1", "WDJB", "an errand"}) EXPECT_THAT(at("sealed"), Not(HasSubstr(secret)));
  EXPECT_EQ(at("ticket"), "") << "no address leads there";
}

TEST_F(DeviceRows, EndWithTheReasonThatTheProviderGives) {
  for (auto const& [code, why] :
       {std::pair("access_denied", "it was not let in"), std::pair("expired_token", "the code ran out"),
        std::pair("invalid_grant", "400 invalid_grant")}) {
    begin();
    clock_.advance(seconds(5));
    provider_.says(code);
    EXPECT_FALSE(ask());
    EXPECT_EQ(at("state"), "failed");
    EXPECT_THAT(at("cause"), HasSubstr(why));
    EXPECT_EQ(at("sealed"), "");
    EXPECT_EQ(waiting(), 0);
    clock_.advance(std::chrono::hours(48)); // the next one clears it away
  }
}

TEST_F(DeviceRows, EndWhenTheirTimeIsOverThoughNobodyAsked) {
  begin();
  clock_.advance(minutes(10));
  EXPECT_THAT(due(*devices_), IsEmpty());
  EXPECT_EQ(at("state"), "failed");
  EXPECT_THAT(at("cause"), HasSubstr("ran out before anybody let it in"));
  EXPECT_EQ(at("sealed"), "");
  EXPECT_THAT(provider_.asked, IsEmpty());
}

TEST_F(DeviceRows, AreAskedAboutByOneDaemonAtATime) {
  begin();
  clock_.advance(seconds(5));
  auto other = daemon("another");
  EXPECT_EQ(due(*devices_).size(), 1U);
  EXPECT_THAT(due(other), IsEmpty());
  clock_.advance(seconds(44));
  EXPECT_THAT(due(other), IsEmpty()) << "its request may be under way";
}

TEST_F(DeviceRows, GoOnWithAnotherDaemonAndTellOfTheOneThatEnded) {
  begin();
  clock_.advance(seconds(5));
  EXPECT_EQ(due(*devices_).size(), 1U); // and it is killed
  clock_.advance(seconds(45));
  auto other = daemon("another");
  auto all = due(other);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].errand.reveal(), "an errand");
  provider_.says("authorization_pending");
  EXPECT_FALSE(run(other.ask(&all[0], use())).value());
  clock_.advance(seconds(5));
  EXPECT_EQ(due(other).at(0).doubt, "") << "so nothing was given";
  clock_.advance(seconds(45));
  all = due(*devices_);
  ASSERT_EQ(all.size(), 1U);
  provider_.says("invalid_grant");
  EXPECT_FALSE(run(devices_->ask(&all[0], use())).value());
  EXPECT_THAT(at("cause"), HasSubstr("an answer to the daemon another was lost"));
}

TEST_F(DeviceRows, AProviderInTroubleIsLeftAloneForTwiceAsLong) {
  begin();
  clock_.advance(seconds(5));
  provider_.answers.emplace_back(502, R"({"error":"access_denied"})");
  EXPECT_FALSE(ask());
  EXPECT_EQ(at("state"), "open");
  clock_.advance(seconds(9));
  EXPECT_THAT(due(*devices_), IsEmpty());
  clock_.advance(seconds(1));
  EXPECT_FALSE(ask()) << "no answer at all";
  clock_.advance(seconds(10));
  provider_.says("authorization_pending");
  EXPECT_FALSE(ask());
  clock_.advance(seconds(5));
  EXPECT_EQ(due(*devices_).size(), 1U);
}

TEST_F(DeviceRows, WhatWasGivenCountsOnceAndItsDaemonMayEndThen) {
  begin();
  clock_.advance(seconds(5));
  auto const all = due(*devices_);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(run(store_->commit(devices_->takes(all[0]))));
  auto const again = run(store_->commit(devices_->takes(all[0])));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_EQ(at("state"), "redeeming");
  EXPECT_EQ(at("sealed"), "");
  clock_.advance(minutes(9));
  EXPECT_THAT(due(*devices_), IsEmpty());
  EXPECT_EQ(at("state"), "redeeming");
  clock_.advance(minutes(1));
  EXPECT_THAT(due(*devices_), IsEmpty());
  EXPECT_EQ(at("state"), "failed");
  EXPECT_THAT(at("cause"), HasSubstr("ended while the account was being connected"));
}

TEST_F(DeviceRows, AreNotAskedAboutLaterBecauseTheTimeOfDayWasSetBack) {
  begin();
  clock_.set(clock_.now() - std::chrono::hours(3));
  EXPECT_EQ(due(*devices_).size(), 1U);
}

TEST_F(DeviceRows, AClientThatMayNotDoThatIsToldAndLeavesNothing) {
  provider_.answers.emplace_back(401, R"({"error":"invalid_client"})");
  auto const refused = run(devices_->begin(use(), Secret("an errand")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::forbidden);
  EXPECT_EQ(waiting(), 0);
}

} // namespace
} // namespace garland::oauth
