// Over real sockets on loopback: what a receiver sees, and where nothing is ever sent.
#include "host/egress/client.h"
#include "host/egress/test_server.h"
#include "host/notify/testing/studio.h"

#include <cstdlib>
#include <fstream>

namespace garland::notify {
namespace {

using egress::testing::Answer;
using egress::testing::ok;
using egress::testing::redirect;
using egress::testing::Seen;
using egress::testing::TestServer;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Studio;
using namespace std::chrono_literals;

class NotifyWire : public ::testing::Test, protected Studio {
protected:
  NotifyWire() { reopen(); }
  ~NotifyWire() override {
    close();
    client = &house.egress;
  }
  void reopen() {
    close();
    real_ = egress::Client::create(house.loop.get_executor(), system_, house.random, house.log);
    client = real_.get();
    open();
  }

  template <class Condition> void runUntil(Condition const& holds) {
    auto const end = std::chrono::steady_clock::now() + 20s;
    house.loop.restart();
    while (!holds() && std::chrono::steady_clock::now() < end) {
      house.loop.run_one_for(100ms);
      if (house.loop.stopped()) house.loop.restart();
    }
    ASSERT_TRUE(holds()) << "it did not happen";
  }
  void runUntilOutcomes(std::size_t count) {
    runUntil([&] { return outcomes.size() >= count; });
    settle();
  }
  WithSecret at(std::string url, bool inside = true) {
    NewEndpoint asked;
    asked.url = std::move(url);
    asked.allow_private_network = inside;
    return addEndpoint(asked);
  }
  static egress::Request asSent(Seen const& seen) {
    egress::Request request;
    request.body = seen.body;
    for (auto const* name : {"webhook-id", "webhook-timestamp", "webhook-signature"})
      request.headers.push_back({name, seen.header(name)});
    return request;
  }
  // For contract/check.mjs: each request with the secrets that have to verify it.
  static void keepForOthers(std::vector<Seen> const& all, std::vector<std::string> const& secrets) {
    auto const* file = std::getenv("GARLAND_SENT_WEBHOOKS");
    if (file == nullptr) return;
    std::ofstream out(file, std::ios::app);
    for (auto const& seen : all) {
      json::object headers;
      for (auto const& header : asSent(seen).headers) headers[header.name] = header.value;
      json::object line{{"body", seen.body}, {"secrets", json::array(secrets.begin(), secrets.end())}};
      line["headers"] = std::move(headers);
      out << json::serialize(line) << "\n";
    }
  }

  SystemClock system_;
  std::unique_ptr<egress::Client> real_;
};

TEST_F(NotifyWire, AReceiverGetsAPostThatItCanVerify) {
  TestServer server(house.loop, [](Seen const&) { return Answer{ok()}; });
  auto const made = at(server.url("/hooks?key=sesame"));
  addEvent("a");
  runUntilOutcomes(1);
  ASSERT_EQ(server.seen().size(), 1U);
  auto const& seen = server.seen()[0];
  EXPECT_EQ(seen.line(), "POST /hooks?key=sesame HTTP/1.1");
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_FALSE(seen.has("authorization"));
  EXPECT_TRUE(verifies(asSent(seen), made.secret)) << seen.head;
  EXPECT_EQ(deliveries(made.endpoint.id)[0].state, DeliveryState::delivered);
  EXPECT_EQ(house.log_text.find("sesame"), std::string::npos);
  keepForOthers(server.seen(), {std::string(made.secret.reveal())});
}

TEST_F(NotifyWire, WhileASecretIsRotatedEitherOfTheTwoVerifies) {
  TestServer server(house.loop, [](Seen const&) { return Answer{ok()}; });
  auto const made = at(server.url("/"));
  auto const rotated = house.run(notifier->rotate(made.endpoint.id, 1h)).value();
  addEvent("a");
  runUntilOutcomes(1);
  ASSERT_EQ(server.seen().size(), 1U);
  EXPECT_TRUE(verifies(asSent(server.seen()[0]), made.secret));
  EXPECT_TRUE(verifies(asSent(server.seen()[0]), rotated.secret));
  keepForOthers(server.seen(), {std::string(made.secret.reveal()), std::string(rotated.secret.reveal())});
}

TEST_F(NotifyWire, APrivateAddressIsNotConnectedToWhateverItIsCalled) {
  TestServer server(house.loop, [](Seen const&) { return Answer{ok()}; });
  auto const port = ":" + std::to_string(server.port()) + "/";
  std::vector<std::string> ids;
  for (auto const* host : {"https://127.0.0.1", "https://localhost", "https://2130706433", "https://[::1]",
                           "https://[::ffff:127.0.0.1]"})
    ids.push_back(at(host + port, false).endpoint.id);
  addEvent("a");
  runUntilOutcomes(ids.size());
  EXPECT_THAT(outcomes, ::testing::Each(std::string("failed")));
  EXPECT_EQ(server.connections(), 0);
  for (auto const& id : ids) EXPECT_EQ(deliveries(id)[0].status, 0);
}

TEST_F(NotifyWire, ARedirectIsNotFollowed) {
  TestServer inner(house.loop, [](Seen const&) { return Answer{ok()}; });
  TestServer server(house.loop, [&](Seen const&) { return Answer{redirect(307, inner.url("/metadata"))}; });
  auto const made = at(server.url("/"));
  addEvent("a");
  runUntilOutcomes(1);
  EXPECT_EQ(inner.connections(), 0);
  EXPECT_EQ(deliveries(made.endpoint.id)[0].status, 307);
}

TEST_F(NotifyWire, AReceiverThatNeverAnswersHasFailed) {
  limits.timeout = 300ms;
  reopen();
  TestServer server(house.loop, [](Seen const&) { return Answer{"", Answer::End::hang}; });
  auto const made = at(server.url("/"));
  addEvent("a");
  runUntilOutcomes(1);
  EXPECT_THAT(outcomes, Contains("failed"));
  EXPECT_EQ(deliveries(made.endpoint.id)[0].state, DeliveryState::waiting);
}

TEST_F(NotifyWire, Whatever2xxComesWithItHasTakenTheDelivery) {
  TestServer server(house.loop, [](Seen const&) { return Answer{ok(std::string(1U << 20U, 'x'))}; });
  auto const made = at(server.url("/"));
  addEvent("a");
  runUntilOutcomes(1);
  EXPECT_THAT(outcomes, Contains("delivered"));
  EXPECT_EQ(deliveries(made.endpoint.id)[0].state, DeliveryState::delivered);
}

TEST_F(NotifyWire, WhatAReceiverAnswersIsQuotedAsOneLineOfText) {
  TestServer server(house.loop, [](Seen const&) {
    return Answer{"HTTP/1.1 500 No\r\nContent-Length: 11\r\n\r\nno\n\x1b[\xff!!\xc2\x9b?"};
  });
  auto const made = at(server.url("/"));
  addEvent("a");
  runUntilOutcomes(1);
  EXPECT_EQ(deliveries(made.endpoint.id)[0].problem, "it answered 500: no  [\xEF\xBF\xBD!! ?");
}

} // namespace
} // namespace garland::notify
