// Keys at the door: who is let in, how wrong ones are slowed, and what is told of it.
#include "host/api/sign_in.h"
#include "host/api/testing/harness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace garland::api {
namespace {

using access::Role;
using testing::Answer;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kKeys = "/api/integrations/keys";
constexpr auto kPlugins = "/api/integrations/plugins";

class SignInTest : public ::testing::Test {
protected:
  Answer with(std::string key) {
    auto const file_key = std::exchange(house_.key, std::move(key));
    auto answer = house_.ask("GET", kPlugins);
    house_.key = file_key;
    return answer;
  }
  std::string newKey(Role role) { return std::string(house_.newKey(role).text.reveal()); }
  static std::string wrongKey(char c) { return "gk_au_" + std::string(43, c); }
  void useUp() {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(with(wrongKey('x')).status, 401);
  }
  std::vector<audit::Event> told(audit::Kind kind) {
    return house_.onLoop([&] {
      std::vector<audit::Event> out;
      for (auto const& event : house_.book.told)
        if (event.kind == kind) out.push_back(event);
      return out;
    });
  }
  // All at the same moment: each is asked for before any of them is told.
  std::vector<int> atOnce(std::vector<std::string> const& keys) {
    house_.onLoop([&] { house_.keys.holds = true; });
    std::vector<std::unique_ptr<testing::Client>> clients;
    auto const file_key = house_.key;
    for (auto const& key : keys) {
      house_.key = key;
      clients.push_back(std::make_unique<testing::Client>(house_.server->port()));
      clients.back()->send(house_.request("GET", kPlugins));
    }
    house_.key = file_key;
    // Whoever comes after them is answered after they were read.
    for (auto const& key : keys) EXPECT_EQ(with(house_.key).status, 200) << key;
    house_.onLoop([&] { house_.keys.letGo(); });
    std::vector<int> out;
    for (auto const& client : clients) out.push_back(client->read().status);
    return out;
  }
  int asked() {
    return house_.onLoop([&] { return house_.keys.asked; });
  }

  Harness house_;
};

TEST_F(SignInTest, AKeyThatWasMadeIsLetInAndAnotherIsNot) {
  EXPECT_EQ(with(newKey(Role::auditor)).status, 200);
  EXPECT_EQ(with(wrongKey('x')).status, 401);
  EXPECT_EQ(with("gk_" + std::string(43, 'x')).status, 401);
  EXPECT_EQ(with(house_.key + "x").status, 401);
}

TEST_F(SignInTest, AKeyIsShownOnceAndThenNeverAgain) {
  auto const made = house_.ask("POST", kKeys, R"({"name":"a reviewer","role":"reviewer"})");
  ASSERT_EQ(made.status, 201) << made.body;
  auto const text = textOr(made.json(), "/key", "");
  EXPECT_THAT(text, ::testing::StartsWith("gk_re_"));
  EXPECT_EQ(with(text).status, 200);
  auto const list = house_.ask("GET", kKeys).body;
  EXPECT_THAT(list, AllOf(HasSubstr("a reviewer"), Not(HasSubstr(text))));
  EXPECT_THAT(list, Not(HasSubstr(access::hashOf(text))));
  EXPECT_THAT(house_.logText(), Not(HasSubstr(text)));
  for (auto const kind : {audit::Kind::change, audit::Kind::signIn})
    for (auto const& event : told(kind)) EXPECT_THAT(json::serialize(event.facts), Not(HasSubstr(text)));
}

TEST_F(SignInTest, AKeyOfAVendorNeedsAVendorThatIsThere) {
  auto const make = [&](std::string const& vendor) {
    return house_.ask("POST", kKeys, R"({"name":"a","role":"vendor")" + vendor + "}").status;
  };
  SeededRandom random(11);
  auto const nobody = newId("ven", house_.clock, random);
  EXPECT_EQ(make(""), 400);
  EXPECT_EQ(make(R"(,"vendor_id":")" + nobody + "\""), 404);
  auto const rosa = house_.await(house_.engine.addVendor("Rosa")).value().id;
  EXPECT_EQ(make(R"(,"vendor_id":")" + rosa + "\""), 201);
}

TEST_F(SignInTest, AnExpiredOrRevokedKeyIsToldSoAndTheChainWhich) {
  auto const made = house_.newKey(Role::auditor);
  auto const text = std::string(made.text.reveal());
  EXPECT_EQ(house_.ask("POST", std::string(kKeys) + "/" + made.key.id + "/revoke").status, 200);
  auto const revoked = with(text);
  EXPECT_EQ(revoked.status, 401);
  EXPECT_THAT(revoked.body, AllOf(HasSubstr("was revoked"), HasSubstr(made.key.id)));
  auto const old = newKey(Role::auditor);
  house_.advance(std::chrono::hours(24 * 365));
  EXPECT_THAT(with(old).body, HasSubstr("has expired on 20"));
  auto const refusals = told(audit::Kind::refusal);
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0].facts.at("why"), "revoked");
  EXPECT_EQ(refusals[0].subject, made.key.id);
  EXPECT_EQ(refusals[1].facts.at("why"), "expired");
}

TEST_F(SignInTest, AKeyOfARoleThatANewerVersionMadeIsListedAsUnknownAndLetsNobodyIn) {
  auto const made = house_.newKey(Role::auditor);
  house_.await(house_.keys.change("UPDATE api_keys SET role='planner'")).value();
  auto const list = house_.ask("GET", kKeys);
  ASSERT_EQ(list.status, 200) << list.body;
  EXPECT_EQ(list.json().at("items").at(0).at("role"), "unknown");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(with(std::string(made.text.reveal())).status, 403);
  EXPECT_THAT(with(std::string(made.text.reveal())).body, HasSubstr(made.key.id));
  EXPECT_EQ(told(audit::Kind::refusal).front().facts.at("why"), "role");
  EXPECT_EQ(house_.ask("POST", std::string(kKeys) + "/" + made.key.id + "/rotate", "{}").status, 409);
}

TEST_F(SignInTest, ARotatedKeyAndItsSuccessorAreBothGoodForTheOverlap) {
  auto const made = house_.newKey(Role::auditor);
  auto const answer =
      house_.ask("POST", std::string(kKeys) + "/" + made.key.id + "/rotate", R"({"overlap_seconds":60})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  auto const next = textOr(answer.json(), "/key", "");
  EXPECT_EQ(with(std::string(made.text.reveal())).status, 200);
  EXPECT_EQ(with(next).status, 200);
  house_.advance(std::chrono::seconds(60));
  EXPECT_EQ(with(std::string(made.text.reveal())).status, 401);
  EXPECT_EQ(with(next).status, 200);
}

TEST_F(SignInTest, AfterTenWrongKeysNoneIsLookedAtForAWhile) {
  auto const good = newKey(Role::auditor);
  useUp();
  auto const before = asked();
  auto const slowed = with(good);
  EXPECT_EQ(slowed.status, 429) << "a guess that is right is slowed like any other";
  EXPECT_EQ(slowed.headers.at("retry-after"), "6");
  EXPECT_EQ(asked(), before);
  house_.advance(std::chrono::seconds(6));
  EXPECT_EQ(with(good).status, 200);
}

TEST_F(SignInTest, ManyWrongKeysAtOnceAreNoMoreThanManyInARow) {
  newKey(Role::auditor); // so that there is a database to look into
  std::vector<std::string> guesses;
  for (char c = 'A'; c <= 'Z'; ++c) guesses.push_back(wrongKey(c));
  auto const answers = atOnce(guesses);
  EXPECT_EQ(std::ranges::count(answers, 401), 10);
  EXPECT_EQ(std::ranges::count(answers, 429), 16);
  EXPECT_EQ(asked(), 10);
}

TEST_F(SignInTest, ManyGoodKeysAtOnceAreAllLetIn) {
  std::vector<std::string> good;
  for (int i = 0; i < 26; ++i) good.push_back(newKey(Role::auditor));
  EXPECT_EQ(std::ranges::count(atOnce(good), 200), 26) << "they wait for each other, and are not refused";
  useUp();
}

TEST_F(SignInTest, WhoWasLetInBeforeIsNotLockedOutByAnothersGuesses) {
  auto const good = newKey(Role::auditor);
  EXPECT_EQ(with(good).status, 200);
  useUp();
  EXPECT_EQ(with(wrongKey('y')).status, 429);
  EXPECT_EQ(with(good).status, 200);
  EXPECT_EQ(with(house_.key).status, 200);
}

TEST_F(SignInTest, ARequestWithoutAKeyIsNoGuess) {
  for (int i = 0; i < 20; ++i) {
    auto client = house_.client();
    client.send(std::string("GET ") + kPlugins + " HTTP/1.1\r\nHost: " + house_.host() + "\r\n\r\n");
    EXPECT_EQ(client.read().status, 401);
  }
  EXPECT_EQ(with(newKey(Role::auditor)).status, 200);
}

TEST_F(SignInTest, EveryRefusalIsToldWithItsReasonAndTheAddressAsAPersonOnly) {
  useUp();
  with(wrongKey('y'));
  auto const refusals = told(audit::Kind::refusal);
  ASSERT_EQ(refusals.size(), 11U);
  EXPECT_EQ(refusals.front().facts.at("why"), "wrong_key");
  EXPECT_EQ(refusals.back().facts.at("why"), "too_many");
  EXPECT_EQ(refusals.back().facts.at("status"), 429);
  for (auto const& event : refusals) {
    EXPECT_EQ(event.person, "127.0.0.1") << "the book keeps a pseudonym of it";
    EXPECT_THAT(json::serialize(event.facts), AllOf(Not(HasSubstr("127.0.0.1")), Not(HasSubstr("gk_"))));
    EXPECT_EQ(event.subject, "");
  }
}

TEST_F(SignInTest, TheChainTellsWhoWasLetInAndWhoAskedForAChange) {
  auto const made = house_.newKey(Role::operator_);
  auto const file_key = std::exchange(house_.key, std::string(made.text.reveal()));
  house_.ask("POST", "/api/integrations/vendors", R"({"name":"Rosa"})");
  house_.key = file_key;
  auto const signed_in = told(audit::Kind::signIn);
  ASSERT_EQ(signed_in.size(), 1U);
  EXPECT_EQ(signed_in[0].subject, made.key.id);
  EXPECT_EQ(signed_in[0].facts.at("role"), "operator");
  auto const asked_for = told(audit::Kind::change);
  ASSERT_EQ(asked_for.size(), 1U);
  EXPECT_EQ(std::string(asked_for[0].facts.at("by").as_string()), made.key.id);
}

TEST_F(SignInTest, ADatabaseThatIsAwayMakesNoKeyAWrongOne) {
  auto const good = newKey(Role::auditor);
  house_.onLoop([&] { house_.keys.refuse = Error(ErrorKind::transient, "the database is away"); });
  EXPECT_EQ(with(good).status, 503);
  EXPECT_EQ(with(house_.key).status, 200);
}

TEST(PlaceOf, IsTheAddressOrTheNetworkOfItsKind) {
  EXPECT_EQ(placeOf("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(placeOf("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(placeOf("2001:db8:1:2:3:4:5:6"), placeOf("2001:db8:1:2::9"));
  EXPECT_NE(placeOf("2001:db8:1:2::9"), placeOf("2001:db8:1:3::9"));
  EXPECT_EQ(placeOf(""), "");
}

} // namespace
} // namespace garland::api
