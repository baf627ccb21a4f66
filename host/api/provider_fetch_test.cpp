// What the host fetches because a stranger names it: how often, from where, what is kept.
#include "host/api/provider_fetch.h"
#include "host/api/testing/fake_egress.h"
#include "host/webhooks/webhook_fixture.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <stdexcept>

namespace garland::api {
namespace {

using ::testing::ElementsAre;
using testing::FakeEgress;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kSystem = "garland.pinned";
constexpr auto kUrl = "https://hooks.studio.test/keys/7.pem";

class ProviderFetchTest : public ::testing::Test {
protected:
  ProviderFetchTest() { egress.answers(200, webhooks::kCertificate); }

  using Certificate = Result<ProviderFetch::Certificate>;
  // Begins and leaves the answer for later.
  std::shared_ptr<std::optional<Certificate>> ask(std::string const& url = kUrl,
                                                  std::string const& system = kSystem) {
    auto answer = std::make_shared<std::optional<Certificate>>();
    asio::co_spawn(loop, provider.certificate(system, url),
                   [answer](std::exception_ptr, Certificate got) { *answer = std::move(got); });
    turn();
    return answer;
  }
  Certificate certificate(std::string const& url = kUrl, std::string const& system = kSystem) {
    auto const answer = ask(url, system);
    if (!answer->has_value()) return Error(ErrorKind::pluginBug, "it did not end");
    return **answer;
  }
  Result<void> confirm(std::string const& url) {
    std::optional<Result<void>> answer;
    asio::co_spawn(loop, provider.confirm(kSystem, url),
                   [&answer](std::exception_ptr, Result<void> got) { answer = std::move(got); });
    turn();
    return *answer;
  }
  void turn() {
    loop.restart();
    loop.poll();
  }
  static std::string numbered(int i) { return "https://hooks.studio.test/keys/" + std::to_string(i); }

  asio::io_context loop;
  VirtualClock clock = webhooks::clockAt();
  FakeEgress egress{loop.get_executor()};
  ProviderFetch provider{loop.get_executor(), clock, &egress, "ca.pem"};
};

TEST_F(ProviderFetchTest, GoesToTheNamedHostOnlyAndNoFurther) {
  ASSERT_TRUE(certificate());
  ASSERT_EQ(egress.requests.size(), 1U);
  EXPECT_EQ(egress.requests[0].method, "GET");
  EXPECT_EQ(egress.requests[0].url, kUrl);
  EXPECT_LE(egress.requests[0].timeout, Milliseconds(5'000));
  EXPECT_LE(egress.requests[0].max_body, 64U << 10U);
  EXPECT_THAT(egress.policies[0].allowed_hosts, ElementsAre("hooks.studio.test"));
  EXPECT_EQ(egress.policies[0].max_redirects, 0);
  EXPECT_FALSE(egress.policies[0].allow_private_network);
  EXPECT_EQ(egress.policies[0].extra_ca_file, "ca.pem");
}

TEST_F(ProviderFetchTest, TheAuditChainIsToldForWhichConnectorItAsks) {
  ASSERT_TRUE(certificate());
  ASSERT_TRUE(confirm("https://hooks.studio.test/confirm"));
  ASSERT_EQ(egress.requests.size(), 2U);
  for (auto const& request : egress.requests) EXPECT_EQ(request.audit_subject, kSystem) << request.url;
}

TEST_F(ProviderFetchTest, OneFetchServesAllWhoAskMeanwhile) {
  egress.holds = true;
  std::vector<std::shared_ptr<std::optional<Certificate>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(ask());
  EXPECT_FALSE(answers[0]->has_value());
  egress.letGo();
  turn();
  for (auto const& answer : answers) {
    ASSERT_TRUE(answer->has_value());
    ASSERT_TRUE(**answer);
    EXPECT_EQ(****answer, webhooks::kCertificate);
  }
  EXPECT_EQ(egress.requests.size(), 1U);
}

TEST_F(ProviderFetchTest, NotEverybodyMayWaitForOneFetch) {
  egress.holds = true;
  for (int i = 0; i < 65; ++i) EXPECT_FALSE(ask()->has_value());
  auto const turned_away = ask();
  ASSERT_TRUE(turned_away->has_value());
  EXPECT_EQ((*turned_away)->error().kind, ErrorKind::transient);
  egress.letGo();
  turn();
}

TEST_F(ProviderFetchTest, NotEverybodyMayWaitForManyFetches) {
  egress.holds = true;
  for (int i = 0; i < 66; ++i) EXPECT_FALSE(ask(numbered(i % 2))->has_value());
  EXPECT_TRUE(ask(numbered(0))->has_value());
  EXPECT_TRUE(ask(numbered(1))->has_value());
  egress.letGo();
  turn();
  EXPECT_TRUE(certificate(numbered(0)));
}

TEST_F(ProviderFetchTest, AFetchThatEndsByAnExceptionIsWaitedForByNobody) {
  egress.holds = true;
  egress.answer = [](egress::Request const&) -> Result<egress::Response> {
    throw std::runtime_error("there is no memory");
  };
  auto const first = ask();
  auto const second = ask();
  egress.letGo();
  turn();
  ASSERT_TRUE(second->has_value());
  EXPECT_EQ((*second)->error().kind, ErrorKind::transient);
  egress.answers(200, webhooks::kCertificate);
  EXPECT_TRUE(certificate());
}

TEST_F(ProviderFetchTest, AFailureIsToldToAllWhoWaitedForIt) {
  egress.holds = true;
  egress.answer = nullptr;
  auto const first = ask();
  auto const second = ask();
  egress.letGo();
  turn();
  EXPECT_EQ((*first)->error().kind, ErrorKind::transient);
  EXPECT_EQ((*second)->error().kind, ErrorKind::transient);
  EXPECT_EQ(egress.requests.size(), 1U);
}

TEST_F(ProviderFetchTest, WhatWasGenuineIsKeptForAnHour) {
  auto const found = certificate();
  ASSERT_TRUE(found);
  provider.keep(kUrl, *found);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(certificate());
  EXPECT_EQ(egress.requests.size(), 1U);
  clock.advance(Milliseconds(3'600'000));
  egress.answer = nullptr;
  EXPECT_FALSE(certificate()) << "what the provider has taken back counts no longer";
  egress.answers(200, webhooks::kCertificate);
  EXPECT_TRUE(certificate());
  EXPECT_TRUE(certificate()) << "it was genuine before, and is kept again";
  EXPECT_EQ(egress.requests.size(), 3U);
}

TEST_F(ProviderFetchTest, AFloodFetchesNoMoreThanItsShareAndKeepsNothing) {
  provider.keep(kUrl, std::make_shared<std::string const>(webhooks::kCertificate));
  for (int i = 0; i < 500; ++i) (void)certificate(numbered(i));
  EXPECT_EQ(egress.requests.size(), 10U);
  auto const refused = certificate(numbered(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::transient);
  EXPECT_TRUE(refused.error().retry_after);
  EXPECT_TRUE(certificate(kUrl)) << "what is kept goes on";
  EXPECT_TRUE(certificate(numbered(0), "garland.other")) << "and so does another connector";
  clock.advance(Milliseconds(60'000));
  for (int i = 0; i < 500; ++i) (void)certificate(numbered(i));
  EXPECT_EQ(egress.requests.size(), 21U) << "no more at once than before";
  clock.advance(Milliseconds(3'600'000));
  for (int i = 0; i < 500; ++i) (void)certificate(numbered(i));
  EXPECT_TRUE(certificate(kUrl)) << "and is fetched again beside the flood";
}

TEST_F(ProviderFetchTest, KeepsABoundedNumber) {
  auto const pem = std::make_shared<std::string const>(webhooks::kCertificate);
  for (int i = 0; i < 65; ++i) {
    provider.keep(numbered(i), pem);
    clock.advance(Milliseconds(1));
  }
  EXPECT_TRUE(certificate(numbered(64)));
  EXPECT_TRUE(certificate(numbered(1)));
  EXPECT_TRUE(egress.requests.empty());
  EXPECT_TRUE(certificate(numbered(0)));
  EXPECT_EQ(egress.requests.size(), 1U) << "the oldest made room";
}

TEST_F(ProviderFetchTest, WhatIsNoCertificateIsAFailureForNow) {
  for (auto const& [status, body] : std::vector<std::pair<int, std::string>>{
           {404, webhooks::kCertificate}, {302, ""}, {500, ""}, {200, "<html>down</html>"}, {200, ""}}) {
    egress.answers(status, body);
    auto const found = certificate();
    ASSERT_FALSE(found) << status;
    EXPECT_EQ(found.error().kind, ErrorKind::transient);
    EXPECT_THAT(found.error().message, AllOf(HasSubstr("hooks.studio.test"), Not(HasSubstr("7.pem"))));
  }
}

TEST_F(ProviderFetchTest, AnAddressIsConfirmedByAGoodAnswerOnly) {
  EXPECT_TRUE(confirm("https://hooks.studio.test/confirm?token=t0ken"));
  EXPECT_THAT(egress.policies[0].allowed_hosts, ElementsAre("hooks.studio.test"));
  EXPECT_EQ(egress.policies[0].max_redirects, 0);
  for (int const status : {302, 403, 500}) {
    egress.answers(status, "");
    auto const confirmed = confirm("https://hooks.studio.test/confirm?token=t0ken");
    ASSERT_FALSE(confirmed) << status;
    EXPECT_EQ(confirmed.error().kind, ErrorKind::transient);
    EXPECT_THAT(confirmed.error().message, Not(HasSubstr("t0ken")));
  }
  for (int i = 0; i < 100; ++i) (void)confirm("https://hooks.studio.test/confirm");
  EXPECT_EQ(egress.requests.size(), 10U);
}

TEST_F(ProviderFetchTest, WithoutANetworkNothingIsFetched) {
  ProviderFetch nothing(loop.get_executor(), clock, nullptr, "");
  std::optional<Certificate> answer;
  asio::co_spawn(loop, nothing.certificate(kSystem, kUrl),
                 [&answer](std::exception_ptr, Certificate got) { answer = std::move(got); });
  turn();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::transient);
}

} // namespace
} // namespace garland::api
