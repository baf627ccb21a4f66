// A plain Boost.Beast broadcaster, the peer of `tests/bench/run fanout`: whatever is posted goes to everybody
// who listens, by WebSocket or as a server-sent event; one write for each, one thread, nothing is kept.
//
//   standard output  {"port"}; it is ended by a signal
#include "tests/bench/load.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <deque>
#include <memory>
#include <set>

namespace garland::bench {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

using Text = std::shared_ptr<std::string const>;
using HttpRequest = http::request<http::string_body>;

class Listener {
public:
  virtual ~Listener() = default;
  virtual void send(Text const& text) = 0;
};

using Hall = std::set<std::shared_ptr<Listener>>;

class WebSocketListener final : public Listener, public std::enable_shared_from_this<WebSocketListener> {
public:
  WebSocketListener(tcp::socket socket, HttpRequest request, Hall& hall)
      : stream_(std::move(socket)), request_(std::move(request)), hall_(hall) {}
  void begin() {
    stream_.async_accept(request_, [self = shared_from_this()](error_code failed) {
      if (failed) return;
      self->hall_.insert(self);
      self->listen();
    });
  }
  void send(Text const& text) override {
    waiting_.push_back(text);
    if (waiting_.size() == 1) write();
  }

private:
  // Only to hear that it has left.
  void listen() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed) return void(self->hall_.erase(self));
      self->buffer_.clear();
      self->listen();
    });
  }
  void write() {
    stream_.async_write(asio::buffer(*waiting_.front()),
                        [self = shared_from_this()](error_code failed, std::size_t) {
                          if (failed) return;
                          self->waiting_.pop_front();
                          if (!self->waiting_.empty()) self->write();
                        });
  }
  websocket::stream<tcp::socket> stream_;
  HttpRequest request_;
  Hall& hall_;
  beast::flat_buffer buffer_;
  std::deque<Text> waiting_;
};

class EventListener final : public Listener, public std::enable_shared_from_this<EventListener> {
public:
  EventListener(tcp::socket socket, Hall& hall) : socket_(std::move(socket)), hall_(hall) {}
  void begin() {
    send(std::make_shared<std::string const>(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"));
    hall_.insert(shared_from_this());
    listen();
  }
  void send(Text const& text) override {
    waiting_.push_back(text);
    if (waiting_.size() == 1) write();
  }

private:
  void listen() {
    socket_.async_read_some(asio::buffer(&heard_, 1),
                            [self = shared_from_this()](error_code failed, std::size_t) {
                              if (failed) return void(self->hall_.erase(self));
                              self->listen();
                            });
  }
  void write() {
    asio::async_write(socket_, asio::buffer(*waiting_.front()),
                      [self = shared_from_this()](error_code failed, std::size_t) {
                        if (failed) return;
                        self->waiting_.pop_front();
                        if (!self->waiting_.empty()) self->write();
                      });
  }
  tcp::socket socket_;
  Hall& hall_;
  char heard_ = 0;
  std::deque<Text> waiting_;
};

// Whoever has come in and may become a listener, or posts.
class Visitor : public std::enable_shared_from_this<Visitor> {
public:
  Visitor(tcp::socket socket, Hall& hall) : socket_(std::move(socket)), hall_(hall) {}
  void read() {
    request_ = {};
    http::async_read(socket_, buffer_, request_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed) self->take();
    });
  }

private:
  void take() {
    if (websocket::is_upgrade(request_))
      return std::make_shared<WebSocketListener>(std::move(socket_), std::move(request_), hall_)->begin();
    if (request_.method() == http::verb::get)
      return std::make_shared<EventListener>(std::move(socket_), hall_)->begin();
    auto const text = std::make_shared<std::string const>(std::move(request_.body()));
    for (auto const& listener : hall_) listener->send(text);
    answer_ = http::response<http::empty_body>(http::status::no_content, 11);
    http::async_write(socket_, answer_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed) self->read();
    });
  }
  tcp::socket socket_;
  Hall& hall_;
  beast::flat_buffer buffer_;
  HttpRequest request_;
  http::response<http::empty_body> answer_;
};

void accept(tcp::acceptor& acceptor, Hall& hall) {
  acceptor.async_accept([&acceptor, &hall](error_code failed, tcp::socket socket) {
    if (!failed) {
      socket.set_option(tcp::no_delay(true));
      std::make_shared<Visitor>(std::move(socket), hall)->read();
    }
    accept(acceptor, hall);
  });
}

void serve() {
  asio::io_context loop(1);
  Hall hall;
  tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  writeLine(json::object{{"port", acceptor.local_endpoint().port()}});
  accept(acceptor, hall);
  loop.run();
}

} // namespace
} // namespace garland::bench

int main() { return garland::bench::runBench(garland::bench::serve); }
