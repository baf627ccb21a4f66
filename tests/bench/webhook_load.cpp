// Sends webhooks, signed as Stripe signs them, over connections that stay open, and tells how fast they were
// acknowledged. All are signed before the clock starts, unless they are too many to hold. One thread.
//
//   standard input   {"port", "targets": [path], "secret", "connections", "webhooks", "bytes" of a body,
//   "name" that
//                     no other round has, "times" each is sent, "per_second": 0 for as fast as it goes,
//                     "signs_beside": each when it is sent, "longest": seconds}; line by line
//   standard output  for each {"accepted", "not_taken", "per_second", "p50_ms", "p99_ms", "seconds"}, or
//   {"refused": why}
//
// At a rate, time runs from when a webhook was due, also if there was no connection free for it then.
#include "host/base/clock.h"
#include "host/webhooks/webhooks.h"
#include "tests/bench/load.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <charconv>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>

namespace garland::bench {
namespace {

using boost::system::error_code;
using tcp = asio::ip::tcp;

struct Plan {
  explicit Plan(json::value const& said)
      : port(static_cast<unsigned short>(integerOr(said, "/port", 0))), secret(textOr(said, "/secret", "")),
        name(textOr(said, "/name", "")),
        connections(static_cast<std::size_t>(integerOr(said, "/connections", 1))),
        webhooks(static_cast<std::size_t>(integerOr(said, "/webhooks", 1))),
        bytes(static_cast<std::size_t>(integerOr(said, "/bytes", 600))),
        times(static_cast<std::size_t>(integerOr(said, "/times", 1))),
        per_second(integerOr(said, "/per_second", 0)), signs_beside(boolOr(said, "/signs_beside", false)),
        longest(integerOr(said, "/longest", 60)) {
    for (auto const& target : said.at("targets").as_array()) targets.emplace_back(target.as_string());
  }
  std::size_t count() const { return webhooks * times; }

  unsigned short port;
  std::string secret, name;
  std::size_t connections, webhooks, bytes, times;
  std::int64_t per_second;
  bool signs_beside;
  std::chrono::seconds longest;
  std::vector<std::string> targets;
};

// An event of a kind that the connector knows to be about no record: it is read, and nothing is fetched for
// it.
std::string bodyOf(Plan const& plan, std::size_t number) {
  auto const id = plan.name + "_" + std::to_string(number);
  std::string const head = R"({"id":"evt_)" + id +
                           R"(","object":"event","type":"customer.created","data":{"object":{"id":")" + id +
                           R"(","description":")";
  std::string const tail = R"("}}})";
  return head + std::string(plan.bytes - std::min(plan.bytes, head.size() + tail.size()), 'x') + tail;
}

// What is sent, by its number.
class Requests {
public:
  explicit Requests(Plan const& plan)
      : plan_(plan), scheme_(webhooks::Scheme::named("stripe").value()), secret_(plan.secret) {
    if (plan.signs_beside) return;
    kept_.reserve(plan.webhooks);
    for (std::size_t i = 0; i < plan.webhooks; ++i) kept_.push_back(make(i));
  }
  // Where none is kept, it is made in `room`.
  std::string const& at(std::size_t number, std::string& room) const {
    number %= plan_.webhooks;
    if (!kept_.empty()) return kept_[number];
    return room = make(number);
  }

private:
  std::string make(std::size_t number) const {
    webhooks::Request request;
    request.body = bodyOf(plan_, number);
    auto const headers = webhooks::sign(scheme_, request, "", secret_, SystemClock().now());
    if (!headers) throw std::runtime_error(headers.error().message);
    auto text =
        "POST " + plan_.targets[number % plan_.targets.size()] +
        " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(plan_.port) +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) +
        "\r\n";
    for (auto const& [name, value] : *headers) text += name + ": " + value + "\r\n";
    return text + "\r\n" + request.body;
  }

  Plan const& plan_;
  webhooks::Scheme scheme_;
  Secret secret_;
  std::vector<std::string> kept_;
};

// The length of the first whole answer; 0: more is to come.
std::size_t answerIn(std::string_view bytes) {
  constexpr std::string_view kLength = "content-length: ";
  auto const end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  auto const head = bytes.substr(0, end);
  auto const same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  auto const at = std::search(head.begin(), head.end(), kLength.begin(), kLength.end(), same);
  std::size_t length = 0;
  if (at != head.end()) {
    auto const from = static_cast<std::size_t>(at - head.begin()) + kLength.size();
    std::from_chars(head.data() + from, head.data() + head.size(), length);
  }
  auto const whole = end + 4 + length;
  return bytes.size() < whole ? 0 : whole;
}

// One connection that is kept open, with one request at a time.
class Line {
public:
  using Answered = std::function<void(Line&, bool accepted)>;
  Line(asio::io_context& loop, Plan const& plan, Answered answered)
      : socket_(loop), answered_(std::move(answered)) {
    socket_.connect({asio::ip::address_v4::loopback(), plan.port});
    socket_.set_option(tcp::no_delay(true));
  }
  void send(Requests const& requests, std::size_t number, Steady::time_point due) {
    due_ = due;
    asio::async_write(socket_, asio::buffer(requests.at(number, room_)),
                      [this](error_code failed, std::size_t) {
                        if (failed)
                          throw std::runtime_error("a request could not be sent: " + failed.message());
                        read();
                      });
  }
  Steady::time_point due() const { return due_; }

private:
  void read() {
    socket_.async_read_some(asio::buffer(piece_), [this](error_code failed, std::size_t size) {
      if (failed) throw std::runtime_error("there was no answer: " + failed.message());
      text_.append(piece_.data(), size);
      auto const whole = answerIn(text_);
      if (whole == 0) return read();
      bool const accepted = text_.starts_with("HTTP/1.1 200");
      text_.erase(0, whole);
      answered_(*this, accepted);
    });
  }
  tcp::socket socket_;
  Answered answered_;
  std::array<char, 2048> piece_{};
  std::string text_;
  std::string room_; // of a request that is made for this line
  Steady::time_point due_;
};

// Hands the requests to the lines: each as soon as one is free, or each at its time.
class Sender {
public:
  Sender(asio::io_context& loop, Plan const& plan, Requests const& requests)
      : loop_(loop), plan_(plan), requests_(requests), timer_(loop) {
    took_.reserve(plan.count());
    for (std::size_t i = 0; i < plan.connections; ++i)
      lines_.push_back(
          std::make_unique<Line>(loop, plan, [this](Line& line, bool accepted) { ended(line, accepted); }));
    for (auto const& line : lines_) free_.push_back(line.get());
  }
  json::object run() {
    begun_ = Steady::now();
    if (plan_.per_second > 0)
      waitForNext();
    else
      while (!free_.empty() && next_ < plan_.count()) sendNow();
    if (!runUntil(loop_, plan_.longest, [this] { return took_.size() + not_taken_ == plan_.count(); }))
      throw std::runtime_error("only " + std::to_string(took_.size()) + " were acknowledged within " +
                               std::to_string(plan_.longest.count()) + " seconds");
    auto const seconds = std::chrono::duration<double>(Steady::now() - begun_).count();
    json::object out{{"accepted", took_.size()}, {"not_taken", not_taken_}, {"seconds", seconds}};
    out["per_second"] = static_cast<double>(took_.size()) / seconds;
    out["p50_ms"] = quantile(took_, 0.5);
    out["p99_ms"] = quantile(took_, 0.99);
    return out;
  }

private:
  Steady::time_point dueAt(std::size_t number) const {
    std::chrono::duration<double> const after(static_cast<double>(number) /
                                              static_cast<double>(plan_.per_second));
    return begun_ + std::chrono::duration_cast<Steady::duration>(after);
  }
  void waitForNext() {
    if (due_ == plan_.count()) return;
    timer_.expires_at(dueAt(due_));
    timer_.async_wait([this](error_code) {
      for (auto const now = Steady::now(); due_ < plan_.count() && dueAt(due_) <= now;) ++due_;
      while (!free_.empty() && next_ < due_) sendNow();
      waitForNext();
    });
  }
  void sendNow() {
    auto* const line = free_.front();
    free_.pop_front();
    auto const due = plan_.per_second > 0 ? dueAt(next_) : Steady::now();
    line->send(requests_, next_++, due);
  }
  void ended(Line& line, bool accepted) {
    if (accepted)
      took_.push_back(milliseconds(Steady::now() - line.due()));
    else
      ++not_taken_;
    free_.push_back(&line);
    auto const most = plan_.per_second > 0 ? due_ : plan_.count();
    if (next_ < most) sendNow();
  }

  asio::io_context& loop_;
  Plan const& plan_;
  Requests const& requests_;
  asio::steady_timer timer_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::deque<Line*> free_; // the longest first: a server closes one that says nothing for long
  std::vector<float> took_;
  std::size_t next_ = 0; // to be sent
  std::size_t due_ = 0;  // by now, at a rate
  std::size_t not_taken_ = 0;
  Steady::time_point begun_;
};

void serve() {
  for (;;) {
    Plan const plan(readLine());
    Requests const requests(plan);
    asio::io_context loop(1);
    Sender sender(loop, plan, requests);
    writeLine(sender.run());
  }
}

} // namespace
} // namespace garland::bench

int main() { return garland::bench::runBench(garland::bench::serve); }
