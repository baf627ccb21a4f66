// Streams over a real loopback socket. The WebSocket client is Boost.Beast's: a stranger to our frames.
#include "host/api/testing/harness.h"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace garland::api {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using testing::Answer;
using testing::Client;
using testing::Harness;

// A client of one WebSocket; blocking.
class Socket {
public:
  Socket(Harness const& house, std::string const& target, bool with_key = true) : stream_(context_) {
    stream_.next_layer().connect({asio::ip::make_address("127.0.0.1"), house.server->port()});
    stream_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      if (with_key) request.set("Authorization", "Bearer " + house.key);
    }));
    websocket::response_type answer;
    stream_.handshake(answer, house.host(), target, failed);
    status = answer.result_int();
  }

  // The next message; null once the server has closed, with the reason in close().
  json::value next() {
    beast::flat_buffer buffer;
    stream_.read(buffer, failed);
    if (failed) return {};
    return parseJson(beast::buffers_to_string(buffer.data())).value();
  }
  // The numbers of the next changes; other messages are passed over.
  std::vector<std::int64_t> changes(std::size_t count) {
    std::vector<std::int64_t> out;
    while (out.size() < count) {
      auto const message = next();
      if (failed) break;
      if (message.at("type") == "change") out.push_back(message.at("sequence").as_int64());
    }
    return out;
  }
  void say(std::string_view text) { stream_.write(asio::buffer(text), failed); }
  void ping() { stream_.ping({}, failed); }
  void close() { stream_.close(websocket::close_code::normal, failed); }
  int closeCode() const { return stream_.reason().code; }

  beast::error_code failed;
  unsigned status = 0;

private:
  asio::io_context context_;
  websocket::stream<asio::ip::tcp::socket> stream_;
};

// A client of an event stream, by the letter.
class Events {
public:
  Events(Harness const& house, std::string const& target, std::string_view more_headers = "")
      : socket_(context_) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), house.server->port()});
    asio::write(socket_, asio::buffer(house.request("GET", target, "", more_headers)));
    head = until("\r\n\r\n");
  }
  // Up to and with the mark; "" if the server closes before.
  std::string until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = bytes_.find(mark)) == std::string::npos) {
      std::array<char, 4096> chunk{};
      boost::system::error_code code;
      auto const count = socket_.read_some(asio::buffer(chunk), code);
      bytes_.append(chunk.data(), count);
      if (code) return "";
    }
    auto out = bytes_.substr(0, at + mark.size());
    bytes_.erase(0, out.size());
    return out;
  }
  std::string next() { return until("\n\n"); }

  std::string head;

private:
  asio::io_context context_;
  asio::ip::tcp::socket socket_;
  std::string bytes_;
};

struct Stream : ::testing::Test {
  explicit Stream(Options options = {}) : house(std::move(options)) {
    vendor = house.await(house.engine.addVendor("Rosa")).value().id;
  }
  void change(int count = 1, std::string const& kind = "calendar.event") {
    house.onLoop([&] {
      for (int i = 0; i < count; ++i) house.engine.change(vendor, kind);
    });
  }
  std::string at(std::string const& more = "") const {
    return "/api/integrations/stream?vendor_id=" + vendor + more;
  }
  std::string metrics() const { return house.ask("GET", "/metrics").body; }
  access::Issued newKey(Milliseconds life) {
    access::NewKey wish;
    wish.name = "the studio's site";
    wish.role = access::Role::vendor;
    wish.vendor_id = vendor;
    wish.life = life;
    return house.await(house.keys.add(std::move(wish))).value();
  }
  // What is asked meanwhile is asked with this key.
  template <class Ask> auto with(access::Issued const& key, Ask asked) {
    auto const file_key = std::exchange(house.key, std::string(key.text.reveal()));
    auto answer = asked();
    house.key = file_key;
    return answer;
  }
  // Second by second, as whoever looks once a second sees it.
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      house.advance(Milliseconds(1'000));
      metrics();
    }
  }
  // Whether one of this kind is ended for its key; soon, as the clock of the database goes.
  bool isEndedForItsKey(std::string const& kind) {
    auto const line = "garland_streams_ended_total{kind=\"" + kind + "\",outcome=\"key\"} 1";
    for (int i = 0; i < 900; ++i) {
      if (metrics().find(line) != std::string::npos) return true;
      if (i % 20 == 0) pass(1);
    }
    return false;
  }

  Harness house;
  std::string vendor;
};

TEST_F(Stream, AWebSocketGetsWhatIsThereAndThenWhatComes) {
  change(300);
  Socket socket(house, at("&after=3"));
  ASSERT_FALSE(socket.failed) << socket.failed.message();
  auto const first = socket.next();
  EXPECT_EQ(first.at("type"), "position");
  EXPECT_EQ(first.at("sequence"), 3);
  auto const backlog = socket.changes(297);
  EXPECT_EQ(backlog.front(), 4);
  EXPECT_EQ(backlog.back(), 300);
  change(2);
  EXPECT_EQ(socket.changes(2), (std::vector<std::int64_t>{301, 302}));
}

TEST_F(Stream, WithoutANumberOnlyWhatComesIsSent) {
  change(3);
  Socket socket(house, at());
  EXPECT_EQ(socket.next().at("sequence"), 3) << "where it begins";
  change();
  auto const message = socket.next();
  EXPECT_EQ(message.at("sequence"), 4);
  EXPECT_EQ(textOr(message, "/vendor_id", ""), vendor);
  EXPECT_EQ(message.at("kind"), "calendar.event");
}

TEST_F(Stream, AnEventStreamNumbersItsEventsAndGoesOnAfterLastEventId) {
  change(2);
  Events events(house, at("&after=1"));
  EXPECT_NE(events.head.find("200 OK"), std::string::npos);
  EXPECT_NE(events.head.find("text/event-stream"), std::string::npos);
  EXPECT_EQ(events.next(), "id: 1\n\n");
  EXPECT_EQ(events.next().substr(0, 25), "id: 2\nevent: change\ndata:");
  change();
  EXPECT_EQ(events.next().substr(0, 6), "id: 3\n");
  Events again(house, at("&after=1"), "Last-Event-ID: 2\r\n");
  EXPECT_EQ(again.next(), "id: 2\n\n");
  EXPECT_EQ(again.next().substr(0, 6), "id: 3\n");
}

TEST_F(Stream, OnlyKindsThatWereAskedForAreSentAndTheOthersArePassed) {
  Socket socket(house, at("&kinds=calendar.event,calendar.event"));
  change(1, "crm.event");
  change(1, "calendar.event");
  EXPECT_EQ(socket.changes(1), std::vector<std::int64_t>{2});
  change(1, "crm.event");
  house.advance(Milliseconds(21'000));
  EXPECT_EQ(socket.next().at("sequence"), 3) << "a note of the position, so that resuming repeats nothing";
}

TEST_F(Stream, OnlyWhatBelongsToTheWeddingThatWasAskedForIsSent) {
  std::string const ours = "rec_01HX4Z00000000000000000001";
  std::string const another = "rec_01HX4Z00000000000000000002";
  auto const changeOf = [&](std::string const& wedding, std::string const& kind = "calendar.event") {
    house.onLoop([&] { house.engine.change(vendor, kind, wedding); });
  };
  changeOf(ours);
  Socket socket(house, at("&after=0&wedding=" + ours));
  Events events(house, at("&after=0&kinds=calendar.event&wedding=" + ours));
  auto const issued = house.ask("POST", "/api/integrations/stream/tickets",
                                R"({"vendor_id":")" + vendor + R"(","wedding":")" + ours + "\"}");
  ASSERT_EQ(issued.status, 201) << issued.body;
  Socket by_ticket(house, textOr(issued.json(), "/path", "") + "&after=0", false);
  changeOf(another);
  changeOf("");
  changeOf(ours, "crm.event");
  changeOf(ours);

  EXPECT_EQ(socket.next().at("type"), "position");
  auto const first = socket.next();
  EXPECT_EQ(first.at("sequence"), 1) << "what was there";
  EXPECT_EQ(textOr(first, "/wedding", ""), ours);
  EXPECT_EQ(socket.changes(2), (std::vector<std::int64_t>{4, 5}));
  EXPECT_EQ(by_ticket.changes(3), (std::vector<std::int64_t>{1, 4, 5})) << "for which it was issued";
  EXPECT_EQ(events.next(), "id: 0\n\n");
  EXPECT_EQ(events.next().substr(0, 6), "id: 1\n");
  EXPECT_EQ(events.next().substr(0, 6), "id: 5\n") << "both filters count";

  changeOf(another);
  house.advance(Milliseconds(21'000));
  EXPECT_EQ(socket.next().at("sequence"), 6) << "resuming there repeats nothing, and misses nothing";
}

TEST_F(Stream, AKindThatIsNoneIsRefusedWithThoseThatThereAre) {
  auto const stream = house.ask("GET", at("&kinds=calendar.event,calender.event"));
  EXPECT_EQ(stream.status, 400);
  EXPECT_EQ(stream.json().at("field"), "?kinds");
  EXPECT_NE(stream.body.find("there are calendar.event"), std::string::npos) << stream.body;
  auto const ticket = house.ask("POST", "/api/integrations/stream/tickets",
                                R"({"vendor_id":")" + vendor + R"(","kinds":["calender.event"]})");
  EXPECT_EQ(ticket.status, 400);
  EXPECT_EQ(ticket.json().at("field"), "/kinds");
}

TEST_F(Stream, WhatIsNoLongerKeptIsGone) {
  change(10);
  house.onLoop([&] { house.engine.forgotten = 5; });
  auto const refused = house.ask("GET", at("&after=4"));
  EXPECT_EQ(refused.status, 410);
  EXPECT_EQ(refused.json().at("evidence").at("first"), 6);
  Socket socket(house, at("&after=4"));
  auto const last = socket.next();
  EXPECT_EQ(last.at("type"), "end");
  EXPECT_TRUE(last.at("resume_after").is_null());
  socket.next();
  EXPECT_EQ(socket.closeCode(), 4410);
  EXPECT_EQ(house.ask("GET", at("&after=11")).status, 410) << "from a past that is not ours";
}

TEST_F(Stream, WhatIsNoLongerKeptIsGoneFromTheListAsWell) {
  change(10);
  house.onLoop([&] { house.engine.forgotten = 5; });
  auto const list = [&](std::string const& after) {
    return house.ask("GET", "/api/integrations/changes?vendor_id=" + vendor + "&after=" + after);
  };
  auto const refused = list("4");
  EXPECT_EQ(refused.status, 410);
  EXPECT_EQ(refused.json().at("provider_code"), "gone");
  EXPECT_EQ(refused.json().at("evidence").at("first"), 6);
  EXPECT_EQ(refused.json().at("evidence").at("last"), 10);
  EXPECT_EQ(list("5").json().at("next_after"), 10);
  EXPECT_EQ(list("0").json().at("items").as_array().size(), 5U) << "from the first that is kept";
}

TEST_F(Stream, WhoHasNoKeyIsNotLetIn) {
  EXPECT_EQ(Socket(house, at(), false).status, 401U);
  Client client(house.server->port());
  client.send("GET " + at() + " HTTP/1.1\r\nHost: " + house.host() + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 401);
  EXPECT_EQ(Socket(house, at("&ticket="), false).status, 401U) << "an empty ticket stands for no key";
  EXPECT_EQ(Socket(house, at("&ticket"), false).status, 401U);
}

TEST_F(Stream, ATicketIsCheckedBeforeAnythingElseIsAnsweredAndOpensNothingButAStream) {
  auto const bare = [&](std::string const& target) {
    Client client(house.server->port());
    client.send("GET " + target + " HTTP/1.1\r\nHost: " + house.host() + "\r\n\r\n");
    return client.read().status;
  };
  auto const issued =
      house.ask("POST", "/api/integrations/stream/tickets", R"({"vendor_id":")" + vendor + R"("})");
  auto const ticket = textOr(issued.json(), "/ticket", "");
  EXPECT_EQ(bare("/api/integrations/stream?ticket=tkt_1&colour=red"), 401)
      << "nor is told what is known here";
  EXPECT_EQ(bare("/api/integrations/stream?ticket=tkt_1&ticket=" + ticket), 401);
  EXPECT_EQ(bare("/api/integrations/vendors?ticket=" + ticket), 401);
  EXPECT_EQ(Socket(house, textOr(issued.json(), "/path", ""), false).status, 101U) << "none of it used it up";
}

TEST_F(Stream, ATicketStandsForTheKeyOnceAndForAMinute) {
  auto const issue = [&] {
    auto const answer = house.ask("POST", "/api/integrations/stream/tickets",
                                  R"({"vendor_id":")" + vendor + R"(","kinds":["calendar.event"]})");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return textOr(answer.json(), "/path", "");
  };
  auto const path = issue();
  Socket socket(house, path, false);
  EXPECT_EQ(socket.status, 101U);
  change(1, "crm.event");
  change(1, "calendar.event");
  EXPECT_EQ(socket.changes(1), std::vector<std::int64_t>{2}) << "what it was issued for, no more";
  EXPECT_EQ(Socket(house, path, false).status, 401U) << "used";
  EXPECT_EQ(Socket(house, path).status, 401U) << "a bad ticket is not mended by the key";
  auto const old = issue();
  house.advance(Milliseconds(61'000));
  EXPECT_EQ(Socket(house, old, false).status, 401U);
  EXPECT_EQ(house.logText().find("tkt_"), std::string::npos) << "no ticket in the log";
  EXPECT_EQ(house
                .ask("POST", "/api/integrations/stream/tickets",
                     R"({"vendor_id":"ven_00000000000000000000000000"})")
                .status,
            404);
}

struct StreamForPages : Stream {
  static Options forPages() {
    Options options;
    options.streams.origins = {"https://app.example.com"};
    return options;
  }
  StreamForPages() : Stream(forPages()) {}
};

TEST_F(StreamForPages, APageOfAListedOriginMayReadTheEventsAndNoOther) {
  Events listed(house, at(), "Origin: https://app.example.com\r\n");
  EXPECT_NE(listed.head.find("access-control-allow-origin: https://app.example.com\r\n"), std::string::npos)
      << listed.head;
  EXPECT_NE(listed.head.find("vary: Origin\r\n"), std::string::npos);
  Events other(house, at(), "Origin: https://app.example.com.evil.example\r\n");
  EXPECT_NE(other.head.find("200 OK"), std::string::npos);
  EXPECT_EQ(other.head.find("access-control"), std::string::npos);
}

TEST_F(Stream, WhatIsAskedWronglyIsAnsweredBeforeTheStreamBegins) {
  EXPECT_EQ(house.ask("GET", "/api/integrations/stream").status, 400);
  EXPECT_EQ(house.ask("GET", "/api/integrations/stream?vendor_id=ven_00000000000000000000000000").status,
            404);
  EXPECT_EQ(house.ask("GET", at("&after=-1")).status, 400);
  EXPECT_EQ(house.ask("GET", at(), "", "Last-Event-ID: x\r\n").status, 400);
  EXPECT_EQ(house.ask("GET", at("&wedding=7")).status, 404);
  std::string const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  auto const other = house.ask("GET", at(), "", upgrade + "Sec-WebSocket-Version: 8\r\n");
  EXPECT_EQ(other.status, 426);
  EXPECT_EQ(other.headers.at("sec-websocket-version"), "13");
  EXPECT_EQ(
      house.ask("GET", at(), "", upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n").status,
      400);
}

TEST_F(Stream, PingsAreAnsweredInFramesAndInWords) {
  Socket socket(house, at());
  socket.next();
  socket.ping();
  socket.say(R"({"type":"ping"})");
  EXPECT_EQ(socket.next().at("type"), "pong");
  socket.say("hello");
  EXPECT_EQ(socket.next().at("type"), "end");
  socket.next();
  EXPECT_EQ(socket.closeCode(), 1008);
}

TEST_F(Stream, AClientThatClosesIsForgotten) {
  Socket socket(house, at());
  socket.next();
  EXPECT_NE(metrics().find("garland_stream_subscribers 1"), std::string::npos);
  socket.close();
  EXPECT_EQ(socket.failed, beast::error_code());
  for (int i = 0; i < 1000 && metrics().find("garland_stream_subscribers 0") == std::string::npos; ++i) {
  }
  EXPECT_NE(metrics().find("garland_stream_subscribers 0"), std::string::npos);
  EXPECT_NE(metrics().find(R"(garland_streams_ended_total{kind="websocket",outcome="left"} 1)"),
            std::string::npos);
}

TEST_F(Stream, OneThatAnswersNoPingIsNotThereAnyMore) {
  Socket socket(house, at());
  socket.next();
  // Whoever reads answers pings, so this client does not read.
  house.advance(Milliseconds(30'000));
  EXPECT_EQ(metrics().find(R"(outcome="silent")"), std::string::npos);
  house.advance(Milliseconds(31'000));
  EXPECT_NE(metrics().find(R"(garland_streams_ended_total{kind="websocket",outcome="silent"} 1)"),
            std::string::npos);
}

TEST_F(Stream, OneThatIsToldOfChangesAllTheTimeIsPingedAndStays) {
  Socket socket(house, at());
  socket.next();
  for (std::int64_t number = 1; number <= 15; ++number) {
    change(1);
    ASSERT_EQ(socket.changes(1), std::vector<std::int64_t>{number}) << "it was taken for gone";
    house.advance(Milliseconds(10'000));
  }
}

TEST_F(Stream, AClientThatTakesNothingIsShed) {
  Events events(house, at());
  Socket quick(house, at());
  quick.next();
  // More than the kernel keeps for a client that does not read.
  std::int64_t sent = 0;
  for (int i = 0; i < 40; ++i) {
    change(1'000);
    sent += 1'000;
    EXPECT_EQ(quick.changes(1'000).back(), sent);
  }
  house.advance(Milliseconds(5'000));
  EXPECT_EQ(metrics().find(R"(outcome="slow")"), std::string::npos);
  house.advance(Milliseconds(6'000));
  EXPECT_NE(metrics().find(R"(garland_streams_ended_total{kind="events",outcome="slow"} 1)"),
            std::string::npos);
  std::int64_t last = 0;
  for (auto event = events.next(); !event.empty(); event = events.next()) {
    std::int64_t const number = std::stoll(event.substr(4));
    EXPECT_EQ(number, last == 0 ? number : last + (number == last ? 0 : 1));
    last = number;
  }
  EXPECT_LT(last, sent);
  Events again(house, at("&after=" + std::to_string(last)));
  EXPECT_EQ(again.next(), "id: " + std::to_string(last) + "\n\n");
  EXPECT_EQ(again.next().substr(0, 4 + std::to_string(last + 1).size()), "id: " + std::to_string(last + 1));
}

TEST_F(Stream, OfAKeyThatIsRevokedIsEndedWithinSecondsAndOfAnotherGoesOn) {
  auto const key = newKey(std::chrono::hours(24));
  auto const other = newKey(std::chrono::hours(24));
  auto const socket = with(key, [&] { return std::make_unique<Socket>(house, at()); });
  auto const events = with(key, [&] { return std::make_unique<Events>(house, at()); });
  auto const stays = with(other, [&] { return std::make_unique<Socket>(house, at()); });
  for (auto const& one : {socket.get(), stays.get()}) one->next();
  events->next();
  pass(3);
  change();
  EXPECT_EQ(socket->changes(1), std::vector<std::int64_t>{1}) << "its key is good";
  ASSERT_EQ(house.ask("POST", "/api/integrations/keys/" + key.key.id + "/revoke").status, 200);
  ASSERT_TRUE(isEndedForItsKey("websocket"));
  ASSERT_TRUE(isEndedForItsKey("events"));
  auto const last = socket->next();
  ASSERT_EQ(last.at("type"), "end") << last;
  EXPECT_EQ(last.at("reason"), "key_revoked");
  EXPECT_EQ(last.at("resume_after"), 1);
  socket->next();
  EXPECT_EQ(socket->closeCode(), 4401);
  EXPECT_EQ(events->next().substr(0, 6), "id: 1\n");
  auto const farewell = events->next();
  EXPECT_EQ(farewell.substr(0, 11), "event: end\n");
  EXPECT_NE(farewell.find("key_revoked"), std::string::npos) << farewell;
  change();
  EXPECT_EQ(stays->changes(2), (std::vector<std::int64_t>{1, 2}));
}

TEST_F(Stream, OfAKeyThatExpiresIsEnded) {
  auto const key = newKey(std::chrono::seconds(10));
  auto const events = with(key, [&] { return std::make_unique<Events>(house, at()); });
  pass(9);
  EXPECT_EQ(metrics().find(R"(outcome="key")"), std::string::npos);
  EXPECT_TRUE(isEndedForItsKey("events"));
  EXPECT_NE(events->until("key_expired"), "");
}

TEST_F(Stream, OfAKeyThatWasRotatedIsEndedAfterTheOverlap) {
  auto const key = newKey(std::chrono::hours(24));
  auto const socket = with(key, [&] { return std::make_unique<Socket>(house, at()); });
  auto const rotate = "/api/integrations/keys/" + key.key.id + "/rotate";
  ASSERT_EQ(house.ask("POST", rotate, R"({"overlap_seconds":8})").status, 201);
  pass(7);
  EXPECT_EQ(metrics().find(R"(outcome="key")"), std::string::npos) << "the overlap goes on";
  EXPECT_TRUE(isEndedForItsKey("websocket"));
}

TEST_F(Stream, OfATicketIsEndedWithTheKeyThatAskedForIt) {
  auto const key = newKey(std::chrono::hours(24));
  auto const path = with(key, [&] {
    auto const answer =
        house.ask("POST", "/api/integrations/stream/tickets", R"({"vendor_id":")" + vendor + R"("})");
    return textOr(answer.json(), "/path", "");
  });
  Socket socket(house, path, false);
  ASSERT_EQ(socket.status, 101U);
  ASSERT_EQ(house.ask("POST", "/api/integrations/keys/" + key.key.id + "/revoke").status, 200);
  EXPECT_TRUE(isEndedForItsKey("websocket"));
}

TEST_F(Stream, OfSomebodyWhoSignsOutIsEnded) {
  access::NewSession wish;
  wish.subject = "person-7";
  wish.role = access::Role::vendor;
  wish.vendor_id = vendor;
  auto const opened = house.await(house.sessions.open(std::move(wish))).value();
  auto const body = R"({"vendor_id":")" + vendor + "\"}";
  Client client(house.server->port());
  client.send("POST /api/integrations/stream/tickets HTTP/1.1\r\nHost: " + house.host() +
              "\r\nCookie: __Host-garland=" + std::string(opened.text.reveal()) +
              "\r\nX-Garland: 1\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  auto const ticket = client.read();
  ASSERT_EQ(ticket.status, 201) << ticket.body;
  Socket socket(house, textOr(ticket.json(), "/path", ""), false);
  socket.next();
  pass(3);
  change();
  EXPECT_EQ(socket.changes(1), std::vector<std::int64_t>{1}) << "somebody is signed in";
  ASSERT_TRUE(house.await(house.sessions.end(opened.session.id)));
  ASSERT_TRUE(isEndedForItsKey("websocket"));
  EXPECT_EQ(socket.next().at("reason"), "signed_out");
}

TEST_F(Stream, AServerThatStopsSaysSoAndEndsAtOnce) {
  Socket socket(house, at());
  Events events(house, at());
  socket.next();
  events.next();
  EXPECT_TRUE(house.await(house.server->stop()));
  EXPECT_EQ(socket.next().at("reason"), "stopping");
  socket.next();
  EXPECT_EQ(socket.closeCode(), 1001);
  EXPECT_EQ(events.next().substr(0, 11), "event: end\n");
  EXPECT_EQ(events.next(), "");
}

TEST_F(Stream, AServerThatIsTornDownWithOpenStreamsDoesNotHang) {
  Socket socket(house, at());
  change(50);
  house.onLoop([&] { house.server.reset(); });
  while (!socket.failed) socket.next();
  SUCCEED();
}

struct TightStream : Stream {
  static Options tight() {
    Options options;
    options.streams.limits.subscribers_of_vendor = 2;
    options.max_connections = 2; // one that has just become a stream may still count
    return options;
  }
  TightStream() : Stream(tight()) {}
};

TEST_F(TightStream, StreamsAreNoConnectionsAndHaveALimitOfTheirOwn) {
  Events one(house, at());
  Events two(house, at());
  EXPECT_EQ(one.next(), "id: 0\n\n");
  EXPECT_EQ(two.next(), "id: 0\n\n");
  EXPECT_EQ(house.ask("GET", at()).status, 429);
}

} // namespace
} // namespace garland::api
