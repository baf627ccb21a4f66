// What bytes do to the server: real sockets, malformed requests, slow clients, limits.
#include "host/api/testing/harness.h"

#include <gtest/gtest.h>

namespace garland::api {
namespace {

using testing::Answer;
using testing::Client;
using testing::Harness;

Options quick() {
  Options options;
  options.max_body = 4096;
  return options;
}

std::string withHeaders(Harness const& house, std::string_view line, std::string_view headers,
                        std::string_view body = "") {
  return std::string(line) + "\r\nHost: " + house.host() + "\r\n" + std::string(headers) + "\r\n" +
         std::string(body);
}

TEST(Server, HealthNeedsNoKey) {
  Harness house;
  auto client = house.client();
  client.send(withHeaders(house, "GET /health HTTP/1.1", ""));
  auto const answer = client.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json().at("status"), "ok");
  EXPECT_FALSE(answer.headers.at("x-request-id").empty());
}

TEST(Server, AConnectionAnswersManyRequestsInOrderEvenIfTheyComeAtOnce) {
  Harness house;
  auto client = house.client();
  client.send(house.request("GET", "/health") + house.request("GET", "/api/integrations/vendors") +
              house.request("POST", "/api/integrations/vendors", R"({"name":"Rosa"})") +
              house.request("GET", "/api/integrations/vendors"));
  EXPECT_EQ(client.read().json().at("status"), "ok");
  EXPECT_TRUE(client.read().json().at("items").as_array().empty());
  EXPECT_EQ(client.read().status, 201);
  EXPECT_EQ(client.read().json().at("items").as_array().size(), 1U);
}

TEST(Server, AChunkedBodyIsOneBody) {
  Harness house;
  auto client = house.client();
  client.send(withHeaders(house, "POST /api/integrations/vendors HTTP/1.1",
                          "Authorization: Bearer " + house.key +
                              "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
                          "5\r\n{\"nam\r\n9\r\ne\":\"Ana\"}\r\n0\r\n\r\n"));
  EXPECT_EQ(client.read().json().at("name"), "Ana");
}

struct Malformed {
  char const* name;
  char const* bytes; // after "POST /api/integrations/vendors HTTP/1.1", Host and key
  int status;
};

class MalformedRequest : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedRequest, IsAnsweredAndTheConnectionClosed) {
  Harness house(quick());
  auto client = house.client();
  client.send("POST /api/integrations/vendors HTTP/1.1\r\nHost: " + house.host() +
              "\r\nAuthorization: Bearer " + house.key + "\r\nContent-Type: application/json\r\n" +
              GetParam().bytes);
  client.finishSending();
  auto const answer = client.read();
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
}

INSTANTIATE_TEST_SUITE_P(
    Bytes, MalformedRequest,
    ::testing::Values(
        Malformed{"ABadChunkSize", "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400},
        Malformed{"ANegativeLength", "Content-Length: -5\r\n\r\n{}", 400},
        Malformed{"AHugeLength", "Content-Length: 99999999999999999999999\r\n\r\n{}", 400},
        Malformed{"TwoLengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
        Malformed{"LengthAndChunked", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400},
        Malformed{"ASecondHost", "Host: evil.example\r\nContent-Length: 2\r\n\r\n{}", 400},
        Malformed{"AHeaderWithoutColon", "Nonsense\r\n\r\n", 400},
        Malformed{"ABodyOverTheLimit", "Content-Length: 5000\r\n\r\n", 413}),
    [](auto const& info) { return info.param.name; });

TEST(Server, AChunkedBodyOverTheLimitIsRefused) {
  Harness house(quick());
  auto client = house.client();
  std::string const chunk = "1000\r\n" + std::string(4096, ' ') + "\r\n";
  client.send(house.request("POST", "/api/integrations/vendors", "", "Transfer-Encoding: chunked\r\n") +
              chunk + chunk);
  EXPECT_EQ(client.read().status, 413);
}

TEST(Server, AChunkHeaderThatNeverEndsIsRefused) {
  Harness house;
  auto client = house.client();
  client.send(house.request("POST", "/api/integrations/vendors", "", "Transfer-Encoding: chunked\r\n") +
              "1;" + std::string(200'000, 'x'));
  EXPECT_EQ(client.read().status, 400);
}

TEST(Server, HeadersOverTheLimitAreRefused) {
  Harness house;
  auto client = house.client();
  client.send(withHeaders(house, "GET /health HTTP/1.1", "X-Long: " + std::string(40'000, 'x') + "\r\n"));
  EXPECT_EQ(client.read().status, 431);
}

TEST(Server, ANulInTheTargetIsRefused) {
  Harness house;
  for (std::string const& target :
       {std::string("/health\0x", 9), std::string("/api/integrations/vendors/%00/plugins")}) {
    auto client = house.client();
    client.send(house.request("GET", target));
    EXPECT_EQ(client.read().status, 400) << target;
  }
}

TEST(Server, TextThatIsNotHttpIsAnsweredAsBadRequest) {
  Harness house;
  auto client = house.client();
  client.send("\x16\x03\x01\x02 this is a TLS hello\r\n\r\n");
  EXPECT_EQ(client.read().status, 400);
}

TEST(Server, AHostThatIsNotOursIsRefused) {
  Harness house;
  auto client = house.client();
  client.send("GET /api/integrations/vendors HTTP/1.1\r\nHost: rebound.example:" +
              std::to_string(house.server->port()) + "\r\nAuthorization: Bearer " + house.key + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 421);
  auto other_port = house.client();
  other_port.send("GET /health HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
  EXPECT_EQ(other_port.read().status, 421);
  auto localhost = house.client();
  localhost.send("GET /health HTTP/1.1\r\nHost: LocalHost:" + std::to_string(house.server->port()) +
                 "\r\n\r\n");
  EXPECT_EQ(localhost.read().status, 200);
}

TEST(Server, AClientThatStopsInItsHeadersIsCutOffWith408) {
  Harness house;
  auto client = house.client();
  client.send("GET /health HTTP/1.1\r\nHo");
  // A second client is answered, so the first one's bytes have been read by then.
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  house.advance(Milliseconds(11'000));
  EXPECT_EQ(client.read().status, 408);
}

TEST(Server, AClientThatDripsItsBodyIsCutOff) {
  Harness house;
  auto client = house.client();
  client.send(house.request("POST", "/api/integrations/vendors", "", "Content-Length: 10\r\n") + "{");
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  house.advance(Milliseconds(29'000));
  client.send("\"");
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  house.advance(Milliseconds(2'000)); // a further byte buys no further time
  EXPECT_EQ(client.read().status, 408);
}

TEST(Server, AnIdleConnectionIsClosedWithoutAWord) {
  Harness house;
  auto client = house.client();
  client.send(house.request("GET", "/health"));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  house.advance(Milliseconds(61'000));
  EXPECT_TRUE(client.closed());
}

TEST(Server, AClientThatNeverSaysAWordIsClosedSoonerThanOneThatHasSpoken) {
  Harness house;
  auto silent = house.client();
  auto resting = house.client();
  resting.send(house.request("GET", "/health"));
  EXPECT_EQ(resting.read().status, 200);
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  house.advance(Milliseconds(11'000));
  EXPECT_TRUE(silent.closed());
  resting.send(house.request("GET", "/health"));
  EXPECT_EQ(resting.read().status, 200);
}

Options tight() {
  Options options;
  options.max_connections = 2;
  return options;
}

TEST(Server, WhoHasRestedLongestGivesWayToANewcomer) {
  Harness house(tight());
  auto first = house.client();
  auto second = house.client();
  for (auto* one : {&first, &second, &first}) {
    one->send(house.request("GET", "/health"));
    EXPECT_EQ(one->read().status, 200);
  }
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  EXPECT_TRUE(second.closed());
  first.send(house.request("GET", "/health"));
  EXPECT_EQ(first.read().status, 200);
}

constexpr auto kAwaitsGoAhead =
    "Content-Type: application/json\r\nContent-Length: 14\r\nExpect: 100-continue\r\n";

TEST(Server, OneConnectionTooManyIsTold503WhileAllOthersHaveARequestUnderWay) {
  Harness house(tight());
  auto first = house.client();
  auto second = house.client();
  for (auto* one : {&first, &second}) { // with a go-ahead the server says that it has seen the request begin
    one->send(house.request("POST", "/api/integrations/vendors", "", kAwaitsGoAhead));
    EXPECT_EQ(one->read().status, 100);
  }
  auto answer = house.ask("GET", "/health");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers["retry-after"], "1");
  for (auto* one : {&first, &second}) {
    one->send(R"({"name":"Ada"})");
    EXPECT_EQ(one->read().status, 201);
  }
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
}

TEST(Server, ExpectContinueGetsItsGoAhead) {
  Harness house;
  auto client = house.client();
  client.send(house.request("POST", "/api/integrations/vendors", "", kAwaitsGoAhead));
  EXPECT_EQ(client.read().status, 100);
  client.send(R"({"name":"Rosa"})");
  EXPECT_EQ(client.read().status, 400); // 14 of 15 bytes: the JSON does not end
}

TEST(Server, HeadHasTheHeadersOfGetAndNoBody) {
  Harness house;
  auto client = house.client();
  client.send(house.request("HEAD", "/health") + house.request("GET", "/health"));
  auto const head = client.read(true);
  auto const get = client.read();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), get.headers.at("content-length"));
  EXPECT_EQ(get.json().at("status"), "ok");
}

TEST(Server, OptionsNamesTheMethods) {
  Harness house;
  auto const answer = house.ask("OPTIONS", "/api/integrations/vendors");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.at("allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_FALSE(answer.headers.contains("access-control-allow-origin"));
}

TEST(Server, StopEndsIdleConnectionsAndTakesNoNewOnes) {
  Harness house;
  auto client = house.client();
  client.send(house.request("GET", "/health"));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(house.await(house.server->stop()).has_value());
  EXPECT_TRUE(client.closed());
  EXPECT_THROW(house.client(), boost::system::system_error);
}

TEST(Server, ARequestThatNeverEndsDoesNotHoldUpTheStop) {
  Harness house;
  auto client = house.client();
  client.send("GET /health HTTP/1.1\r\nHo");
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  EXPECT_TRUE(house.await(house.server->stop()).has_value());
  EXPECT_TRUE(client.closed());
}

TEST(Server, AnAnswerInTheMakingGoesOutBeforeTheStop) {
  Harness house;
  auto const vendor = house.ask("POST", "/api/integrations/vendors", R"({"name":"Rosa"})").json();
  std::string const id(vendor.at("id").as_string());
  house.ask("PUT", "/api/integrations/vendors/" + id + "/plugins/caldav");
  auto const connection = house
                              .ask("POST", "/api/integrations/vendor/connect",
                                   R"({"vendor_id":")" + id + R"(","plugin":"caldav"})")
                              .json();
  house.onLoop([&] { house.engine.hold_runs = true; });
  auto client = house.client();
  client.send(house.request("POST", "/api/integrations/sync/" + std::string(connection.at("id").as_string()) +
                                        "?wait=1"));
  EXPECT_EQ(house.ask("GET", "/health").status, 200);
  house.onLoop([&] {
    house.server->refuse();
    house.engine.endRuns();
  });
  auto const answer = client.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST(Server, RefusesAddressesThatOthersCanReach) {
  Harness house;
  Options options;
  options.address = "0.0.0.0";
  auto metrics = Metrics::create("0.1.0", "sqlite");
  runtime::Catalogue const none;
  Redactor const redactor;
  Log const log(house.clock, redactor, LogLevel::error, [](std::string_view) {});
  SeededRandom random(1);
  asio::io_context loop;
  Dependencies with{loop.get_executor(),
                    house.clock,
                    random,
                    log,
                    house.engine,
                    house.supervisor,
                    none,
                    *metrics,
                    {},
                    "",
                    "",
                    {}};
  auto const refused = house.await(Server::start(std::move(with), options));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().kind, ErrorKind::invalidInput);
  EXPECT_NE(refused.error().message.find("TLS"), std::string::npos);
}

} // namespace
} // namespace garland::api
