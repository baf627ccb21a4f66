// The rows of a sign-in, where answers come late and two tokens are asked for by.
#include "host/oauth/grants.h"

#include "host/base/test_folder.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>

namespace garland::oauth {
namespace {

class GrantRows : public ::testing::Test {
protected:
  GrantRows() {
    store::Options options;
    options.url = "sqlite:" + (folder_ / "garland.db");
    options.sha256 = vault::sha256;
    store_ = run(store::Store::open(loop_.get_executor(), options, migrations())).value();
    vault_ = std::move(vault::Vault::open(folder_ / "master.key", true, random_)).value();
    grants_ = std::make_unique<Grants>(*store_, *vault_);
  }
  ~GrantRows() override { (void)run(store_->close()); }

  template <class T> Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(loop_, std::move(task), [&out](std::exception_ptr failed, Result<T> result) {
      if (failed) std::rethrow_exception(failed);
      out.emplace(std::move(result));
    });
    while (!out) loop_.run_one();
    return std::move(*out);
  }

  // An account that is connected with this token, in the place of what there was.
  void connect(std::string const& token) {
    store::Unit unit;
    unit.push_back(grants_->first(place_, Secret(token), nullptr, kNow).value());
    run(store_->commit(std::move(unit))).value();
  }
  // The grant as it stands, with an attempt to renew it that is under way.
  Grant begun(std::string const& attempt) {
    auto grant = run(grants_->read(place_)).value();
    Attempt under_way;
    under_way.id = attempt;
    under_way.begun = kNow;
    under_way.until = kNow + std::chrono::minutes(1);
    EXPECT_TRUE(run(grants_->begin(&grant, under_way)).value());
    grant.attempt = under_way;
    return grant;
  }
  void answered(Grant const& grant) {
    Reply reply;
    reply.status = 200;
    reply.body = R"({"access_token":"an-access-token"})";
    run(grants_->keep(&grant, std::move(reply))).value();
  }
  // Whether what was given to the attempt counts.
  bool closed(Grant const& grant, std::string const& renewal) {
    After after;
    after.given = true;
    after.access = Secret("an-access-token");
    after.renewal = Secret(renewal);
    after.status.state = "connected";
    return run(grants_->close(&grant, grant.attempt.id, std::move(after), "an-app")).value();
  }
  std::int64_t replies() {
    return run(store_->read(store::Statement("SELECT COUNT(*) FROM oauth_replies")))
        .value()
        .rows[0]
        .integer(0);
  }

  static constexpr TimePoint kNow{Milliseconds(1'767'225'600'000)};
  TestFolder folder_;
  SeededRandom random_{7};
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<Grants> grants_;
  Place place_{"ven_1", "con_1", "account"};
};

TEST_F(GrantRows, ALateAnswerLeavesWhatWasKeptOfTheTokenThatIsInUseNow) {
  connect("r-old");
  auto const late = begun("tok_1");
  connect("r-new");
  auto const now = begun("tok_2");
  answered(now);
  EXPECT_FALSE(closed(late, "r-old-2")) << "the grant stands on another token";
  auto const kept = run(grants_->kept(&now)).value();
  ASSERT_EQ(kept.size(), 1U) << "its daemon may end before it makes anything of it";
  EXPECT_EQ(kept[0].attempt, "tok_2");
}

TEST_F(GrantRows, WithATokenGoesAllThatWasKeptOfFormerOnes) {
  connect("r-old");
  answered(begun("tok_1"));
  connect("r-new");
  auto const now = begun("tok_2");
  answered(now);
  EXPECT_EQ(replies(), 2);
  EXPECT_TRUE(closed(now, "r-new-2"));
  EXPECT_EQ(replies(), 0);
}

TEST_F(GrantRows, ATokenThatStaysTheSameLeavesNoAnswerToBeTakenUpAgain) {
  connect("r-old");
  auto const now = begun("tok_1");
  answered(now);
  EXPECT_TRUE(closed(now, "r-old"));
  EXPECT_EQ(replies(), 0);
}

} // namespace
} // namespace garland::oauth
