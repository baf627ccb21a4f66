// Sockets of SMTP: who may connect, for how long, and when a mail is acknowledged. What is said is Session's.
#include "host/mail/mail.h"
#include "host/mail/smtp_session.h"
#include "host/mail/smtp_stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace garland::mail {

namespace {

using tcp = asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// How often overdue connections are looked for: a deadline is kept to within this span.
constexpr Milliseconds sweep_every{500};

struct Client {
  Client(tcp::socket socket, SessionOptions options, std::string peer_in)
      : stream(std::move(socket)), session(std::move(options)), peer(std::move(peer_in)) {}
  Stream stream;
  Session session;
  std::string peer;
  std::string input;
  std::string replies;
  std::array<char, 16384> chunk{};
  Monotonic deadline = Monotonic::max(); // of what it is waiting for
  Monotonic came = Monotonic::max();
  bool delivering = false; // a stop waits for it
  bool overdue = false;
};

// Who is counted as one: of IPv6 a network, since anybody has 2^64 addresses.
std::string peerOf(asio::ip::address const& address) {
  if (!address.is_v6() || address.to_v6().is_v4_mapped()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return asio::ip::address_v6(bytes).to_string();
}

Delivered outcomeOf(Result<void> const& kept) {
  if (kept) return Delivered::kept;
  switch (kept.error().kind) {
  case ErrorKind::quota: return Delivered::full;
  case ErrorKind::notFound:
  case ErrorKind::unsupported:
  case ErrorKind::invalidInput: return Delivered::unwanted;
  default: return Delivered::later;
  }
}

Error cannotListen(ListenOptions const& options, boost::system::error_code const& failed) {
  return {ErrorKind::transient,
          "cannot listen for mail on " + options.address + ":" + std::to_string(options.port) + " (" +
              failed.message() + "): choose another [mail] listen, or port 0 for any",
          "/mail/listen"};
}

Result<void> bindTo(tcp::acceptor& acceptor, ListenOptions const& options) {
  boost::system::error_code failed;
  auto const address = asio::ip::make_address(options.address, failed);
  if (failed)
    return Error(ErrorKind::invalidInput, "\"" + options.address + "\" is not an IP address", "/mail/listen");
  tcp::endpoint const endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (failed) return cannotListen(options, failed);
  return {};
}

class SmtpListener final : public Listener, public std::enable_shared_from_this<SmtpListener> {
public:
  SmtpListener(Surroundings with, ListenOptions options)
      : with_(std::move(with)), options_(std::move(options)), acceptor_(with_.executor),
        budget_(std::make_shared<Budget>(options_.max_bytes_together,
                                         std::max(options_.max_bytes_together / 4, options_.max_bytes))),
        drained_(with_.executor, asio::steady_timer::time_point::max()) {}

  Result<void> listen() {
    if (!options_.certificate.empty()) {
      TRY(identity, TlsIdentity::load(options_.certificate, options_.certificate_key));
      identity_ = std::move(identity);
    }
    TRY_VOID(bindTo(acceptor_, options_));
    boost::system::error_code failed;
    acceptor_.listen(tcp::acceptor::max_listen_connections, failed);
    if (failed) return cannotListen(options_, failed);
    port_ = acceptor_.local_endpoint(failed).port();
    return {};
  }

  void run() {
    auto const self = shared_from_this();
    asio::co_spawn(
        with_.executor, [self] { return self->acceptLoop(); },
        [self](std::exception_ptr failed) { self->tell(failed); });
    asio::co_spawn(
        with_.executor, [self] { return self->sweep(); },
        asio::bind_cancellation_slot(stop_sweeping_.slot(), [](std::exception_ptr) {}));
  }

  unsigned short port() const override { return port_; }

  void refuse() override {
    refusing_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (auto const& client : clients_) client->stream.cancel(); // nothing, where a mail is being kept
  }

  asio::awaitable<void> stop() override {
    auto const self = shared_from_this();
    refuse();
    boost::system::error_code ignored;
    if (!clients_.empty()) co_await drained_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    stop_sweeping_.emit(asio::cancellation_type::all);
  }

private:
  using Shared = std::shared_ptr<Client>;

  // Allocations and bugs end in a closed connection, never in a dead daemon.
  void tell(std::exception_ptr const& failed) const {
    if (!failed) return;
    try {
      std::rethrow_exception(failed);
    } catch (std::exception const& exception) {
      with_.log.error("a mail connection ended in an exception", json::object{{"what", exception.what()}});
    }
  }

  asio::awaitable<void> acceptLoop() {
    auto const self = shared_from_this();
    while (!refusing_) {
      auto [failed, socket] = co_await acceptor_.async_accept(as_result);
      if (refusing_ || failed == asio::error::operation_aborted) co_return;
      if (!failed) {
        admit(std::move(socket));
        continue;
      }
      // Out of file descriptors: wait for some to come back instead of spinning.
      with_.log.warn("a mail connection could not be accepted", json::object{{"why", failed.message()}});
      co_await with_.clock.sleepFor(Milliseconds(200));
    }
  }

  void admit(tcp::socket socket) {
    boost::system::error_code failed;
    auto const peer = peerOf(socket.remote_endpoint(failed).address());
    if (failed) return;
    auto const from_peer = std::count_if(clients_.begin(), clients_.end(),
                                         [&](Shared const& client) { return client->peer == peer; });
    if (clients_.size() >= options_.max_connections ||
        static_cast<std::size_t>(from_peer) >= options_.max_per_peer) {
      // Best effort, at once: whoever opens too many must not make us wait.
      socket.non_blocking(true, failed);
      if (!failed)
        socket.send(asio::buffer(std::string("421 4.7.0 too many connections; try again later\r\n")), 0,
                    failed);
      return;
    }
    auto const client = std::make_shared<Client>(std::move(socket), sessionOptions(peer), peer);
    client->came = with_.clock.monotonic();
    clients_.insert(client);
    auto const self = shared_from_this();
    asio::co_spawn(
        with_.executor, [self, client] { return self->serve(client); },
        [self, client](std::exception_ptr thrown) {
          self->tell(thrown);
          self->forget(client);
        });
  }

  SessionOptions sessionOptions(std::string const& peer) const {
    SessionOptions options;
    options.host = options_.host;
    options.domain = options_.domain;
    options.max_bytes = options_.max_bytes;
    options.tls_offered = identity_ != nullptr;
    options.knows = [&inbox = with_.inbox](std::string_view token) { return inbox.knows(token); };
    if (options_.refused) options.refused = [told = options_.refused, peer] { told(peer); };
    options.budget = budget_;
    return options;
  }

  void forget(Shared const& client) {
    client->stream.close();
    clients_.erase(client);
    if (refusing_ && clients_.empty()) drained_.cancel();
  }

  asio::awaitable<void> sweep() {
    auto const self = shared_from_this();
    for (;;) {
      auto const slept = co_await with_.clock.sleepFor(sweep_every);
      if (!slept) co_return;
      auto const now = with_.clock.monotonic();
      for (auto const& client : clients_) {
        if (client->delivering || (client->deadline > now && endOf(*client) > now)) continue;
        client->overdue = true;
        client->stream.cancel();
      }
    }
  }

  Monotonic endOf(Client const& client) const {
    return client.came + (client.session.hasNamed() ? options_.lifetime : options_.nameless_for);
  }

  void allow(Client& client) const { client.deadline = with_.clock.monotonic() + options_.idle_timeout; }

  asio::awaitable<void> serve(Shared client) {
    client->replies = client->session.greeting();
    auto wants = Session::Wants::input;
    while (wants != Session::Wants::end) {
      auto flushing = flush(client);
      if (!co_await std::move(flushing)) co_return;
      if (wants == Session::Wants::tls) {
        auto shaking = client->stream.startTls(identity_);
        if (!co_await std::move(shaking)) co_return;
        client->session.startedTls();
      }
      auto next = converse(client);
      wants = co_await std::move(next);
    }
    auto flushing = flush(client);
    co_await std::move(flushing);
  }

  // One read, and what follows from it.
  asio::awaitable<Session::Wants> converse(Shared client) {
    allow(*client);
    if (refusing_) {
      client->replies = "421 4.3.2 going down; try again later\r\n";
      co_return Session::Wants::end;
    }
    auto reading = client->stream.read(asio::buffer(client->chunk));
    std::size_t const count = co_await std::move(reading);
    if (count == 0) {
      if (client->overdue) client->replies = "421 4.4.2 this took too long\r\n";
      if (refusing_) client->replies = "421 4.3.2 going down; try again later\r\n";
      co_return Session::Wants::end;
    }
    client->input.append(client->chunk.data(), count);
    for (;;) {
      auto const wants = client->session.advance(client->input, client->replies);
      if (wants != Session::Wants::delivery) co_return wants;
      auto flushing = flush(client);
      if (!co_await std::move(flushing)) co_return Session::Wants::end;
      auto delivering = deliver(client);
      co_await std::move(delivering);
    }
  }

  asio::awaitable<void> deliver(Shared client) {
    client->delivering = true;
    ReceivedMail mail = client->session.take();
    auto worst = Delivered::kept;
    for (auto const& token : mail.tokens) {
      auto keeping = with_.inbox.keep(token, mail.bytes);
      Result<void> const kept = co_await std::move(keeping);
      if (!kept) with_.log.warn("a mail was not kept: " + kept.error().message);
      // Somebody who can have it later makes the client come again.
      auto const outcome = outcomeOf(kept);
      if (worst == Delivered::kept || (worst == Delivered::unwanted && outcome != Delivered::kept))
        worst = outcome;
    }
    client->session.settle(worst, client->replies);
    client->delivering = false;
  }

  asio::awaitable<bool> flush(Shared client) {
    if (client->replies.empty()) co_return true;
    allow(*client);
    std::string bytes;
    bytes.swap(client->replies);
    auto writing = client->stream.write(std::move(bytes));
    co_return co_await std::move(writing);
  }

  Surroundings with_;
  ListenOptions options_;
  tcp::acceptor acceptor_;
  std::shared_ptr<TlsIdentity> identity_;
  std::shared_ptr<Budget> budget_;
  std::set<Shared> clients_;
  asio::cancellation_signal stop_sweeping_;
  asio::steady_timer drained_;
  unsigned short port_ = 0;
  bool refusing_ = false;
};

} // namespace

Result<void> tryListen(ListenOptions const& options) {
  if (!options.certificate.empty()) {
    TRY_VOID(TlsIdentity::load(options.certificate, options.certificate_key));
  }
  asio::io_context context;
  tcp::acceptor acceptor(context);
  return bindTo(acceptor, options);
}

Result<std::shared_ptr<Listener>> Listener::start(Surroundings with, ListenOptions options) {
  auto const listener = std::make_shared<SmtpListener>(std::move(with), std::move(options));
  TRY_VOID(listener->listen());
  listener->run();
  return std::shared_ptr<Listener>(listener);
}

} // namespace garland::mail
