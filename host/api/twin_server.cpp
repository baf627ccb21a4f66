// A twin over HTTP: each request becomes one call of twin.serve/1, in the order they came in. The faults that
// need the connection are made here; what they are and when is the twin's business.
#include "host/api/api.h"

#include "host/api/listener.h"
#include "host/api/twin_call.h"
#include "host/api/twin_codec.h"
#include "host/api/twin_notices.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace garland::api {
namespace {

constexpr std::string_view kClockPath = "/_twin/clock";
constexpr std::size_t kMostPieces = 1'000'000;

std::string plainAnswer(int status, json::value const& document, bool keep_alive) {
  TwinAnswer answer;
  answer.status = status;
  answer.headers.emplace_back("content-type", "application/json");
  answer.body = json::serialize(document);
  auto encoded = encodeTwinAnswer(std::move(answer), "", keep_alive);
  return encoded.head + encoded.body;
}

std::string errorAnswer(int status, std::string_view why, bool keep_alive) {
  return plainAnswer(status, json::object{{"error", why}}, keep_alive);
}

std::vector<Outgoing::Piece> slowly(std::string head, std::string const& body, TwinTransport const& how) {
  std::vector<Outgoing::Piece> pieces;
  pieces.push_back({std::move(head), Milliseconds(0)});
  auto const step = std::max({how.bytes, body.size() / kMostPieces, std::size_t{1}});
  for (std::size_t at = 0; at < body.size(); at += step) pieces.push_back({body.substr(at, step), how.delay});
  return pieces;
}

Outgoing sentAs(TwinTransport const& how, TwinAnswer answer, std::string_view method, bool keep_alive) {
  if (how.kind == "zip_bomb") {
    answer.headers.emplace_back("content-encoding", "gzip");
    answer.body = zipBomb(how.bytes);
  }
  auto encoded = encodeTwinAnswer(std::move(answer), method, keep_alive);
  Outgoing out;
  if (how.kind.empty() || how.kind == "zip_bomb") return Outgoing(encoded.head + encoded.body);
  if (how.kind == "slow_body") {
    out.pieces = slowly(std::move(encoded.head), encoded.body, how);
    return out;
  }
  out.then = how.kind == "no_answer" ? Outgoing::Then::silence : Outgoing::Then::reset;
  if (how.kind == "reset_after_headers") out.pieces.push_back({std::move(encoded.head), Milliseconds(0)});
  if (how.kind == "reset_mid_body")
    out.pieces.push_back({encoded.head + encoded.body.substr(0, how.bytes), Milliseconds(0)});
  return out;
}

// [loop thread]
class TwinAnswerer final : public Answerer {
public:
  TwinAnswerer(TwinDependencies const& with, TwinOptions const& options)
      : with_(with), options_(options), host_(with.log),
        notices_(std::make_shared<TwinNotices>(with, options)),
        over_(with.executor, asio::steady_timer::time_point::max()) {}

  // Whether the twin answers at all.
  Task<void> tryOut() {
    Request request;
    request.method = "GET";
    request.target = "/_twin/state";
    CO_TRY_VOID(co_await call(std::move(request)));
    co_return Result<void>();
  }

  void listensAt(std::string url) { url_ = std::move(url); }
  std::string const& url() const { return url_; }

  asio::awaitable<Outgoing> answer(Request* request, std::function<bool()> stays_open) override {
    std::string const method = request->method;
    if (request->target.substr(0, request->target.find('?')) == kClockPath)
      co_return Outgoing(clockAnswer(*request, stays_open()));
    auto calling = call(std::move(*request));
    auto result = co_await std::move(calling);
    if (!death_.empty()) co_return Outgoing(errorAnswer(502, death_, false));
    if (!result) {
      with_.log.error("the twin failed: " + result.error().message);
      co_return Outgoing(errorAnswer(500, "the twin failed: " + result.error().message, stays_open()));
    }
    notices_->deliver(std::move(result->webhooks));
    co_return sentAs(result->transport, std::move(result->answer), method, stays_open());
  }

  std::string refusal(HttpFault fault, std::string) override {
    return errorAnswer(fault.status, fault.message, false);
  }

  void died(std::string reason) {
    if (death_.empty()) death_ = std::move(reason);
    over_.cancel();
  }
  void stop() {
    notices_->close();
    stopped_ = true;
    over_.cancel();
  }
  Task<void> ended() {
    boost::system::error_code ignored;
    while (!stopped_ && death_.empty())
      co_await over_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (death_.empty()) co_return Result<void>();
    co_return Error(ErrorKind::pluginBug, death_);
  }

private:
  Task<TwinResult> call(Request request) {
    runtime::Call call;
    call.operation = "twin.serve/1";
    call.vendor_id = "twin";
    call.account_id = "twin";
    json::object settings{{"seed", options_.seed}, {"volume", options_.volume}};
    if (with_.provider != nullptr) settings["start"] = rfc3339(start_);
    call.account = json::serialize(
        json::object{{"account_id", "twin"}, {"settings", settings}, {"slots", json::array()}});
    call.input = json::serialize(twinInput(request, now(), url_));
    call.deadline = Milliseconds(60'000);
    auto running = with_.supervisor.call(with_.twin, std::move(call), host_);
    CO_TRY(text, co_await std::move(running));
    CO_TRY(result, parseJson(text));
    co_return readTwinResult(result);
  }

  TimePoint now() const { return with_.provider != nullptr ? with_.provider->now() : with_.clock.now(); }

  // GET tells the provider's clock; POST {"advance_ms":N} or {"now":TIME} moves it on, if it is virtual.
  std::string clockAnswer(Request const& request, bool keep_alive) {
    if (request.method == "POST") {
      if (auto const moved = moveClock(request); !moved)
        return errorAnswer(moved.error().kind == ErrorKind::conflict ? 409 : 400, moved.error().message,
                           keep_alive);
    } else if (request.method != "GET") {
      return errorAnswer(405, "the clock takes GET and POST", keep_alive);
    }
    json::object clock{{"now", rfc3339(now())}, {"virtual", with_.provider != nullptr}};
    return plainAnswer(200, clock, keep_alive);
  }

  Result<void> moveClock(Request const& request) {
    if (with_.provider == nullptr)
      return Error(ErrorKind::conflict, "this twin keeps real time; start it with --now to move its clock");
    TRY(wanted, parseJson(request.body));
    auto step = integerOr(wanted, "/advance_ms", -1);
    if (auto const text = textOr(wanted, "/now", ""); !text.empty()) {
      TRY(until, parseRfc3339(text));
      step = (until - now()).count();
    }
    constexpr std::int64_t ten_years = 10LL * 366 * 86'400'000;
    if (step < 0 || step > ten_years)
      return Error(
          ErrorKind::invalidInput,
          "give \"advance_ms\" or a later \"now\", at most ten years ahead: a clock does not run backwards");
    with_.provider->advance(Milliseconds(step));
    return {};
  }

  TwinDependencies with_;
  TwinOptions options_;
  TimePoint start_ = now();
  TwinCallHost host_;
  std::shared_ptr<TwinNotices> notices_;
  asio::steady_timer over_;
  std::string url_ = "http://twin.invalid";
  std::string death_;
  bool stopped_ = false;
};

class ServedTwin final : public TwinServer {
public:
  ServedTwin(std::shared_ptr<TwinAnswerer> answerer, std::shared_ptr<Listener> listener)
      : answerer_(std::move(answerer)), listener_(std::move(listener)) {}
  ~ServedTwin() override { listener_->refuse(); }

  std::string url() const override { return answerer_->url(); }
  void workerEvent(runtime::SupervisorEvent const& event) override {
    using Kind = runtime::SupervisorEvent::Kind;
    if (event.kind == Kind::crashed || event.kind == Kind::quarantined || event.kind == Kind::refused)
      answerer_->died(event.plugin_id + " " + event.reason +
                      "; what it held is gone, so it is not served on");
  }
  Task<void> ended() override { return answerer_->ended(); }
  Task<void> stop() override {
    answerer_->stop();
    auto draining = listener_->drain();
    co_await std::move(draining);
    co_return Result<void>();
  }

private:
  std::shared_ptr<TwinAnswerer> answerer_;
  std::shared_ptr<Listener> listener_;
};

} // namespace

Task<std::unique_ptr<TwinServer>> TwinServer::start(TwinDependencies dependencies, TwinOptions options) {
  auto answerer = std::make_shared<TwinAnswerer>(dependencies, options);
  CO_TRY_VOID(co_await answerer->tryOut());
  Options sockets;
  sockets.address = options.address;
  sockets.port = options.port;
  sockets.max_header = options.max_header;
  sockets.max_body = options.max_body;
  sockets.raw_targets = true;
  sockets.drain = Milliseconds(2'000);
  Surroundings surroundings{dependencies.executor, dependencies.clock, dependencies.random, dependencies.log};
  auto listener = std::make_shared<Listener>(surroundings, sockets, answerer);
  boost::system::error_code no_address;
  auto const address = asio::ip::make_address(options.address, no_address);
  if (!no_address && !address.is_loopback())
    co_return Error(ErrorKind::invalidInput,
                    options.address + " is not loopback, and a twin is served nowhere else: use 127.0.0.1");
  CO_TRY_VOID(listener->listen());
  bool const six = options.address.find(':') != std::string::npos;
  auto const host = six ? "[" + options.address + "]" : options.address;
  answerer->listensAt("http://" + host + ":" + std::to_string(listener->port()));
  listener->run();
  co_return std::make_unique<ServedTwin>(std::move(answerer), std::move(listener));
}

} // namespace garland::api
