// Accept, read, hand to the router, write, and again on the same connection.
//
// A connection answers one request at a time; pipelined bytes wait in `bytes`. Every phase has a
// deadline, and one sweeper for all connections enforces them: no timer per connection.
#include "host/api/listener.h"

#include "host/base/ids.h"
#include "host/base/secret.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <vector>

namespace garland::api {

namespace {

using tcp = asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// How often overdue connections are looked for: a deadline is kept to within this span.
constexpr Milliseconds sweep_every{500};
constexpr Milliseconds linger_time{2'000};
constexpr std::size_t linger_bytes = 4U << 20U;
// Clients over the limit that are told so; beyond these, connections are closed at once.
constexpr std::size_t turned_away_limit = 32;

// Allocations and bugs end in a closed connection, never in a dead daemon.
auto swallow(Log const& log) {
  return [&log](std::exception_ptr failed) {
    if (!failed) return;
    try {
      std::rethrow_exception(failed);
    } catch (std::exception const& exception) {
      log.error("a connection ended in an exception", json::object{{"what", exception.what()}});
    }
  };
}

} // namespace

Listener::Listener(Surroundings with, Options options, std::shared_ptr<Answerer> answerer)
    : with_(std::move(with)), noise_(with_.random), options_(std::move(options)),
      answerer_(std::move(answerer)), acceptor_(with_.executor),
      places_(options_.max_connections, turned_away_limit, with_.clock, noise_),
      drained_(with_.executor, asio::steady_timer::time_point::max()) {}

Result<void> Listener::listen() {
  boost::system::error_code code;
  auto const address = asio::ip::make_address(options_.address, code);
  if (code)
    return Error(ErrorKind::invalidInput,
                 "\"" + options_.address + "\" is not an IP address: use 127.0.0.1 or ::1");
  if (!address.is_loopback() && options_.tls.certificate.empty() && !options_.clear_text_to_proxy)
    return Error(ErrorKind::invalidInput,
                 options_.address + " can be reached from elsewhere and needs TLS: set [tls] certificate and "
                                    "key, or listen on 127.0.0.1");
  TRY_VOID(renewCertificate());
  tcp::endpoint const endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), code);
  if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
  if (!code) acceptor_.bind(endpoint, code);
  if (!code) acceptor_.listen(tcp::acceptor::max_listen_connections, code);
  bool const not_ours = code == boost::system::errc::address_not_available;
  if (code)
    return Error(ErrorKind::transient,
                 "cannot listen on " + options_.address + ":" + std::to_string(options_.port) + " (" +
                     code.message() + "): " +
                     (not_ours ? "this machine has no such address; correct [daemon] address"
                               : "another program may use the port; choose one with --port, or 0 for any"));
  port_ = acceptor_.local_endpoint(code).port();
  return {};
}

Result<void> Listener::renewCertificate() {
  if (options_.tls.certificate.empty()) return {};
  TRY(identity, TlsIdentity::load(options_.tls));
  identity_ = std::move(identity);
  return {};
}

void Listener::run() {
  auto const self = shared_from_this();
  asio::co_spawn(with_.executor, [self] { return self->acceptLoop(); }, swallow(with_.log));
  asio::co_spawn(
      with_.executor, [self] { return self->sweep(); },
      asio::bind_cancellation_slot(stop_sweeping_.slot(), [](std::exception_ptr) {}));
}

asio::awaitable<void> Listener::acceptLoop() {
  auto const self = shared_from_this();
  while (!refusing_) {
    auto [code, socket] = co_await acceptor_.async_accept(as_result);
    if (refusing_ || code == asio::error::operation_aborted) co_return;
    if (!code) {
      admit(std::move(socket));
      continue;
    }
    // Out of file descriptors: wait for some to come back instead of spinning.
    with_.log.warn("a connection could not be accepted", json::object{{"why", code.message()}});
    co_await with_.clock.sleepFor(Milliseconds(200));
  }
}

void Listener::admit(tcp::socket socket) {
  if (!places_.admits()) return;
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  auto session = identity_ ? identity_->session(socket.native_handle()) : nullptr;
  if (identity_ && !session) return;
  auto const peer = socket.remote_endpoint(ignored);
  auto connection = std::make_shared<Connection>(Wire(std::move(socket), std::move(session)));
  if (Connection* const giving = places_.enter(*connection)) giving->wire.cancel();
  if (!ignored) connection->peer = peer.address().to_string();
  connections_.insert(connection);
  auto const self = shared_from_this();
  asio::co_spawn(
      with_.executor, [self, connection] { return self->serve(connection); },
      [self, connection](std::exception_ptr failed) {
        swallow(self->with_.log)(failed);
        self->forget(connection);
      });
}

void Listener::forget(Shared const& connection) {
  places_.leave(*connection);
  connection->wire.close();
  wipe(connection->bytes.data(), connection->bytes.size());
  connections_.erase(connection);
  if (connections_.empty()) drained_.cancel();
}

asio::awaitable<void> Listener::sweep() {
  auto const self = shared_from_this();
  for (;;) {
    auto const slept = co_await with_.clock.sleepFor(sweep_every);
    if (!slept) co_return;
    closeOverdue();
  }
}

void Listener::closeOverdue() {
  auto const now = with_.clock.monotonic();
  for (Shared const& connection : connections_) {
    if (connection->deadline > now) continue;
    connection->timed_out = true;
    connection->wire.cancel();
  }
}

void Listener::allow(Connection& connection, Milliseconds span) {
  connection.deadline = with_.clock.monotonic() + std::chrono::duration_cast<Monotonic>(span);
  connection.timed_out = false;
}

// Whoever has said nothing yet gets no more time than whoever has begun.
void Listener::awaitRequest(Connection& connection) {
  connection.idle = connection.bytes.empty();
  if (connection.idle) places_.rest(connection);
  bool const between = connection.idle && connection.heard;
  allow(connection, between ? options_.idle_timeout : options_.header_timeout);
}

std::string Listener::newRequestId() { return newId("req", with_.clock, noise_); }

// False if the client speaks no TLS that we do, or shows no certificate that counts.
asio::awaitable<bool> Listener::greet(Shared connection) {
  allow(*connection, options_.header_timeout);
  auto greeting = connection->wire.greet();
  bool const greeted = co_await std::move(greeting);
  if (!greeted) with_.log.debug("a TLS handshake failed", json::object{{"why", connection->wire.whyNot()}});
  if (connection->wire.refusedClient()) answerer_->turnedAway(connection->peer);
  co_return greeted;
}

asio::awaitable<void> Listener::serve(Shared connection) {
  auto greeting = greet(connection);
  bool again = co_await std::move(greeting);
  while (again) {
    auto exchanging = exchange(connection);
    again = co_await std::move(exchanging);
  }
}

// True if the connection stays open for another request.
asio::awaitable<bool> Listener::exchange(Shared connection) {
  CodecLimits limits(options_.max_header, options_.max_body);
  limits.raw_targets = options_.raw_targets;
  RequestReader reader(limits);
  auto reading = readRequest(connection, &reader);
  Reading const read = co_await std::move(reading);
  std::optional<HttpFault> fault = read.fault;
  Request request;
  request.id = newRequestId();
  bool keep_alive = false;
  if (read.complete) {
    keep_alive = reader.keepAlive() && !refusing_ && connection->place.state != Place::State::given;
    fault = reader.take(request);
  }
  if (!fault && !read.complete) co_return false;
  if (!fault && connection->place.state == Place::State::turnedAway)
    fault.emplace(503, "too many connections are open: close some or try again in a second");
  if (fault) {
    auto refusing = refuseRequest(connection, *fault);
    co_await std::move(refusing);
    co_return false;
  }
  request.peer = connection->peer;
  connection->answering = true;
  auto answering = answer(connection, &request, keep_alive);
  bool const sent = co_await std::move(answering);
  connection->answering = false;
  // Nothing is lost by closing between two requests, so a stop does not wait for the client.
  if (sent && keep_alive) co_return !refusing_;
  auto lingering = linger(connection);
  co_await std::move(lingering);
  co_return false;
}

asio::awaitable<Listener::Reading> Listener::readRequest(Shared connection, RequestReader* reader) {
  Reading outcome;
  bool in_body = false;
  awaitRequest(*connection);
  for (;;) {
    outcome.fault = reader->feed(connection->bytes);
    outcome.complete = !outcome.fault && reader->done();
    if (outcome.fault || outcome.complete || refusing_) co_return outcome;
    if (connection->idle && connection->place.state == Place::State::given) co_return outcome;
    if (reader->headerDone() && !in_body) {
      in_body = true;
      allow(*connection, options_.body_timeout);
      if (reader->expectsContinue()) {
        std::string line(continueLine());
        auto writing = write(connection, std::move(line));
        if (!co_await std::move(writing)) co_return outcome;
        allow(*connection, options_.body_timeout);
      }
    }
    auto awaited = connection->wire.read(asio::buffer(connection->chunk));
    std::size_t const count = co_await std::move(awaited);
    if (count == 0) {
      if (connection->timed_out && !connection->idle)
        outcome.fault.emplace(408, "the request did not arrive in time");
      co_return outcome;
    }
    if (connection->idle) allow(*connection, options_.header_timeout);
    places_.wake(*connection);
    connection->idle = false;
    connection->heard = true;
    connection->bytes.append(connection->chunk.data(), count);
    wipe(connection->chunk.data(), count);
  }
}

asio::awaitable<bool> Listener::answer(Shared connection, Request* request, bool keep_alive) {
  connection->deadline = Monotonic::max(); // an answerer has deadlines of its own
  std::function<bool()> stays_open = [this, keep_alive] { return keep_alive && !refusing_; };
  auto answering = answerer_->answer(request, std::move(stays_open));
  Outgoing outgoing = co_await std::move(answering);
  if (outgoing.take_over) {
    if (!refusing_) outgoing.take_over(std::move(connection->wire), std::move(connection->bytes));
    co_return false;
  }
  if (sendNow(*connection, outgoing)) co_return true;
  auto sending = send(connection, std::move(outgoing));
  co_return co_await std::move(sending);
}

// Nearly every answer is one that the kernel takes whole: nothing is to be waited for. What it took of
// another one is cut off.
bool Listener::sendNow(Connection& connection, Outgoing& outgoing) {
  bool const plain = outgoing.pieces.size() == 1 && outgoing.then == Outgoing::Then::goOn &&
                     outgoing.pieces.front().wait.count() == 0;
  if (!plain) return false;
  auto& bytes = outgoing.pieces.front().bytes;
  bytes.erase(0, connection.wire.writeNow(asio::buffer(bytes)));
  return bytes.empty();
}

// True if everything went out and the connection may be used on.
asio::awaitable<bool> Listener::send(Shared connection, Outgoing outgoing) {
  for (auto& piece : outgoing.pieces) {
    connection->deadline = Monotonic::max();
    if (piece.wait.count() > 0) {
      auto const slept = co_await with_.clock.sleepFor(piece.wait);
      if (!slept || refusing_) co_return false;
    }
    auto writing = write(connection, std::move(piece.bytes));
    if (!co_await std::move(writing)) co_return false;
  }
  if (outgoing.then == Outgoing::Then::goOn) co_return true;
  if (outgoing.then == Outgoing::Then::silence) {
    auto waiting = staySilent(connection);
    co_await std::move(waiting);
  }
  connection->wire.reset();
  co_return false;
}

asio::awaitable<void> Listener::staySilent(Shared connection) {
  allow(*connection, options_.wait_limit);
  connection->answering = false; // a stop need not wait for it
  if (refusing_) co_return;
  for (;;) {
    auto reading = connection->wire.read(asio::buffer(connection->chunk));
    if (co_await std::move(reading) == 0) co_return;
  }
}

asio::awaitable<bool> Listener::write(Shared connection, std::string bytes) {
  allow(*connection, options_.write_timeout);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    auto writing = connection->wire.write(asio::buffer(bytes.data() + sent, bytes.size() - sent));
    std::size_t const count = co_await std::move(writing);
    if (count == 0) co_return false;
    sent += count;
  }
  co_return true;
}

asio::awaitable<void> Listener::refuseRequest(Shared connection, HttpFault fault) {
  std::string bytes = answerer_->refusal(std::move(fault), newRequestId());
  auto writing = write(connection, std::move(bytes));
  if (!co_await std::move(writing)) co_return;
  auto lingering = linger(connection);
  co_await std::move(lingering);
}

// Reads what the client still sends before closing: closing on unread bytes resets the connection, and
// the client would lose the answer.
asio::awaitable<void> Listener::linger(Shared connection) {
  if (!connection->wire.endSending() || refusing_) co_return;
  allow(*connection, linger_time);
  std::size_t seen = 0;
  while (seen < linger_bytes) {
    auto reading = connection->wire.read(asio::buffer(connection->chunk));
    std::size_t const count = co_await std::move(reading);
    wipe(connection->chunk.data(), connection->chunk.size());
    if (count == 0) co_return;
    seen += count;
  }
}

void Listener::refuse() {
  if (refusing_) return;
  refusing_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (Shared const& connection : connections_)
    if (!connection->answering) connection->wire.cancel();
}

asio::awaitable<bool> Listener::drain() {
  auto const self = shared_from_this();
  refuse();
  boost::system::error_code ignored;
  if (!connections_.empty()) {
    drained_.expires_after(options_.drain);
    co_await drained_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  stop_sweeping_.emit(asio::cancellation_type::all);
  bool const all_out = connections_.empty();
  for (Shared const& connection : connections_) connection->wire.close();
  co_return all_out;
}

} // namespace garland::api
