// Holds many subscribers of a stream, has changes made at a steady rate, and tells how long each of them took
// to reach each subscriber: from before the change is sent until the subscriber has its event. One thread.
//
//   standard input   {"port", "kind": "websocket" or "events", "target", "key", "subscribers",
//                     "change": {"method", "target", "body", "port": if it is another}, "first", "changes",
//                     "per_second"}
//                    then any JSON: begin. In the body @@ stands for the change's number, "first" and up.
//   standard output  {"connected", "connect_seconds"}, then the figures of Board; or {"refused": why}
#include "tests/bench/fanout_board.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>

namespace garland::bench {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t kConnectAtOnce = 64; // a server turns away more than it can greet
constexpr std::chrono::seconds kMostConnecting{30};
constexpr std::chrono::seconds kMostWaiting{10}; // behind the last change

struct Plan {
  explicit Plan(json::value const& said)
      : port(static_cast<unsigned short>(integerOr(said, "/port", 0))),
        websocket(textOr(said, "/kind", "") == "websocket"), target(textOr(said, "/target", "/")),
        key(textOr(said, "/key", "")),
        subscribers(static_cast<std::size_t>(integerOr(said, "/subscribers", 1))),
        method(textOr(said, "/change/method", "POST")), change_target(textOr(said, "/change/target", "/")),
        body(textOr(said, "/change/body", "")),
        change_port(static_cast<unsigned short>(integerOr(said, "/change/port", port))),
        first(integerOr(said, "/first", 0)),
        changes(static_cast<std::size_t>(integerOr(said, "/changes", 1))),
        per_second(integerOr(said, "/per_second", 1)) {}
  static std::string hostAt(unsigned short port) { return "127.0.0.1:" + std::to_string(port); }
  static tcp::endpoint endpointAt(unsigned short port) { return {asio::ip::address_v4::loopback(), port}; }
  std::string bodyOf(std::int64_t number) const {
    auto text = body;
    for (auto at = text.find("@@"); at != std::string::npos; at = text.find("@@"))
      text.replace(at, 2, std::to_string(number));
    return text;
  }

  unsigned short port;
  bool websocket;
  std::string target, key;
  std::size_t subscribers;
  std::string method, change_target, body;
  unsigned short change_port;
  std::int64_t first;
  std::size_t changes;
  std::int64_t per_second;
};

// What all subscribers share.
struct Course {
  Course(asio::io_context& loop_in, Plan const& plan_in)
      : loop(loop_in), plan(plan_in), board(plan_in.first, plan_in.changes, plan_in.subscribers) {}
  void broke(error_code const& failed) {
    if (!ending && problem.empty()) problem = "a subscriber lost its connection: " + failed.message();
  }
  asio::io_context& loop;
  Plan const& plan;
  Board board;
  std::string problem;
  bool ending = false;
};

using Connected = std::function<void(error_code const&)>;

class Subscriber {
public:
  explicit Subscriber(Course& course) : course_(course) {}
  Subscriber(Subscriber const&) = delete;
  Subscriber& operator=(Subscriber const&) = delete;
  virtual ~Subscriber() = default;
  virtual void begin(Connected connected) = 0;
  virtual tcp::socket& socket() = 0;
  // Without TIME_WAIT: the next round takes as many ports again.
  void end() {
    error_code ignored;
    socket().set_option(asio::socket_base::linger(true, 0), ignored);
    socket().close(ignored);
  }

protected:
  void told(std::string_view text) { course_.board.told(place_, text); }
  Course& course_;

private:
  Place place_;
};

class WebSocketSubscriber final : public Subscriber {
public:
  explicit WebSocketSubscriber(Course& course) : Subscriber(course), stream_(course.loop) {}
  tcp::socket& socket() override { return stream_.next_layer(); }
  void begin(Connected connected) override {
    auto const key = "Bearer " + course_.plan.key;
    stream_.set_option(websocket::stream_base::decorator(
        [key](websocket::request_type& request) { request.set(http::field::authorization, key); }));
    socket().async_connect(Plan::endpointAt(course_.plan.port), [this, connected](error_code failed) {
      if (failed) return connected(failed);
      stream_.async_handshake(Plan::hostAt(course_.plan.port), course_.plan.target,
                              [this, connected](error_code refused) {
                                connected(refused);
                                if (!refused) read();
                              });
    });
  }

private:
  void read() {
    stream_.async_read(buffer_, [this](error_code failed, std::size_t size) {
      if (failed) return course_.broke(failed);
      auto const data = buffer_.cdata();
      told({static_cast<char const*>(data.data()), size});
      buffer_.consume(size);
      read();
    });
  }
  websocket::stream<tcp::socket> stream_;
  beast::flat_buffer buffer_;
};

class EventSubscriber final : public Subscriber {
public:
  explicit EventSubscriber(Course& course) : Subscriber(course), socket_(course.loop) {}
  tcp::socket& socket() override { return socket_; }
  void begin(Connected connected) override {
    auto const& plan = course_.plan;
    request_ = "GET " + plan.target + " HTTP/1.1\r\nHost: " + Plan::hostAt(plan.port) +
               "\r\nAccept: text/event-stream\r\nAuthorization: Bearer " + plan.key + "\r\n\r\n";
    connected_ = std::move(connected);
    socket_.async_connect(Plan::endpointAt(plan.port), [this](error_code failed) {
      if (failed) return connected_(failed);
      asio::async_write(socket_, asio::buffer(request_), [this](error_code broken, std::size_t) {
        if (broken) return connected_(broken);
        read();
      });
    });
  }

private:
  void read() {
    socket_.async_read_some(asio::buffer(piece_), [this](error_code failed, std::size_t size) {
      if (failed) return connected_ ? connected_(failed) : course_.broke(failed);
      text_.append(piece_.data(), size);
      if (!connected_ || takeHead()) takeEvents();
      if (socket_.is_open()) read();
    });
  }
  bool takeHead() {
    auto const end = text_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    bool const good = text_.starts_with("HTTP/1.1 200");
    text_.erase(0, end + 4);
    auto const connected = std::exchange(connected_, nullptr);
    connected(good ? error_code() : error_code(asio::error::connection_refused));
    return good;
  }
  void takeEvents() {
    std::size_t from = 0;
    for (auto end = text_.find("\n\n"); end != std::string::npos; end = text_.find("\n\n", from)) {
      told(std::string_view(text_).substr(from, end - from));
      from = end + 2;
    }
    text_.erase(0, from);
  }
  tcp::socket socket_;
  std::string request_, text_;
  std::array<char, 1024> piece_{};
  Connected connected_; // until the answer has begun
};

// All of them, connected a few at a time.
class Audience {
public:
  explicit Audience(Course& course) : course_(course) {}
  void connect() {
    for (std::size_t i = 0; i < kConnectAtOnce; ++i) connectNext();
    auto const done = [this] { return connected_ == course_.plan.subscribers || !course_.problem.empty(); };
    if (!runUntil(course_.loop, kMostConnecting, done))
      throw std::runtime_error("only " + std::to_string(connected_) + " were connected in time");
    if (!course_.problem.empty()) throw std::runtime_error(course_.problem);
  }
  void end() {
    course_.ending = true;
    for (auto const& one : all_) one->end();
    course_.loop.restart();
    course_.loop.poll();
  }

private:
  void connectNext() {
    if (all_.size() == course_.plan.subscribers) return;
    if (course_.plan.websocket)
      all_.push_back(std::make_unique<WebSocketSubscriber>(course_));
    else
      all_.push_back(std::make_unique<EventSubscriber>(course_));
    all_.back()->begin([this](error_code const& failed) {
      if (failed && course_.problem.empty())
        course_.problem = "a subscriber was refused: " + failed.message();
      if (failed) return;
      ++connected_;
      connectNext();
    });
  }
  Course& course_;
  std::vector<std::unique_ptr<Subscriber>> all_;
  std::size_t connected_ = 0;
};

// Makes the changes, one after the other over one connection; a late one does not put the others off.
class Producer {
public:
  explicit Producer(Course& course) : course_(course), socket_(course.loop), timer_(course.loop) {
    socket_.connect(Plan::endpointAt(course.plan.change_port));
    socket_.set_option(tcp::no_delay(true));
  }
  void begin() {
    begun_ = Steady::now();
    makeNext();
  }
  bool done() const { return next_ == course_.plan.changes; }
  double perSecond() const {
    return static_cast<double>(next_) / std::chrono::duration<double>(ended_ - begun_).count();
  }

private:
  void makeNext() {
    ended_ = Steady::now();
    if (done()) return;
    auto const share = std::chrono::duration<double>(static_cast<double>(next_) /
                                                     static_cast<double>(course_.plan.per_second));
    timer_.expires_at(begun_ + std::chrono::duration_cast<Steady::duration>(share));
    timer_.async_wait([this](error_code failed) {
      if (!failed) make();
    });
  }
  void make() {
    auto const& plan = course_.plan;
    request_ = {};
    request_.method_string(plan.method);
    request_.target(plan.change_target);
    request_.set(http::field::host, Plan::hostAt(plan.change_port));
    request_.set(http::field::authorization, "Bearer " + plan.key);
    request_.set(http::field::content_type, "application/json");
    request_.body() = plan.bodyOf(plan.first + static_cast<std::int64_t>(next_));
    request_.prepare_payload();
    course_.board.made(next_);
    http::async_write(socket_, request_, [this](error_code failed, std::size_t) {
      if (failed) return stop("it could not be sent: " + failed.message());
      answer_.emplace();
      http::async_read(socket_, buffer_, *answer_, [this](error_code broken, std::size_t) {
        if (broken) return stop("it was not answered: " + broken.message());
        if (answer_->result_int() / 100 != 2) return stop("it was refused: " + answer_->body());
        ++next_;
        makeNext();
      });
    });
  }
  void stop(std::string const& why) { course_.problem = "change " + std::to_string(next_) + ": " + why; }

  Course& course_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  Steady::time_point begun_, ended_;
  std::size_t next_ = 0;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  std::optional<http::response<http::string_body>> answer_;
};

void measure() {
  Plan const plan(readLine());
  asio::io_context loop(1);
  Course course(loop, plan);
  Audience audience(course);
  auto const began = Steady::now();
  audience.connect();
  writeLine(json::object{{"connected", plan.subscribers},
                         {"connect_seconds", milliseconds(Steady::now() - began) / 1000}});
  readLine();

  Producer producer(course);
  producer.begin();
  auto const broken = [&] { return !course.problem.empty(); };
  auto const longest =
      std::chrono::seconds(static_cast<std::int64_t>(plan.changes) / plan.per_second * 2) + kMostWaiting;
  runUntil(loop, longest, [&] { return producer.done() || broken(); });
  runUntil(loop, kMostWaiting, [&] { return course.board.complete() || broken(); });
  if (broken()) throw std::runtime_error(course.problem);
  auto figures = course.board.figures();
  figures["changes_per_second"] = producer.perSecond();
  audience.end();
  writeLine(figures);
}

} // namespace
} // namespace garland::bench

int main() { return garland::bench::runBench(garland::bench::measure); }
