// Sockets: who may connect, for how long, and what comes of the bytes. No Beast, no routes: what is
// answered is an Answerer's business.
#pragma once

#include "host/api/api.h"
#include "host/api/http_codec.h"
#include "host/api/places.h"
#include "host/api/wire.h"
#include "host/base/pooled_random.h"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace garland::api {

// One client. The sweeper cuts it off when `deadline` has passed.
struct Connection {
  explicit Connection(Wire wire_in) : wire(std::move(wire_in)) {}
  Wire wire;
  std::string peer;  // address of the client
  std::string bytes; // read, not yet taken by a request
  std::array<char, 16384> chunk{};
  Monotonic deadline = Monotonic::max();
  bool timed_out = false;
  bool heard = false;     // a request has come, at least the beginning of one
  bool idle = true;       // no byte of the next request has come
  bool answering = false; // a complete request is being answered: a stop waits for it
  Place place;
};

// What goes back to a client, and what becomes of the connection then.
struct Outgoing {
  struct Piece {
    std::string bytes;
    Milliseconds wait{0}; // before they are sent
  };
  enum class Then {
    goOn,
    reset,   // the connection is torn down
    silence, // nothing more is said until the client gives up
  };
  Outgoing() = default;
  explicit Outgoing(std::string bytes) { pieces.push_back(Piece{std::move(bytes), Milliseconds(0)}); }
  std::vector<Piece> pieces;
  Then then = Then::goOn;
  // Instead of all that: who has the connection from now on, with what the client sent behind its request.
  std::function<void(Wire wire, std::string early)> take_over;
};

// [loop thread]
class Answerer {
public:
  virtual ~Answerer() = default;
  // Always answers. `request` outlives the answer, which may take it apart. `stays_open`, asked when the
  // answer is written, tells what its Connection header says.
  virtual asio::awaitable<Outgoing> answer(Request* request, std::function<bool()> stays_open) = 0;
  // The answer to what is no request that can be answered as asked; the connection is closed after it.
  virtual std::string refusal(HttpFault fault, std::string request_id) = 0;
  // Told of who showed no client certificate that counts; there is no answer to that.
  virtual void turnedAway(std::string const& /*peer*/) {}
};

struct Surroundings {
  asio::any_io_executor executor;
  Clock& clock;
  Random& random;
  Log const& log;
};

// [loop thread] Kept alive by its own coroutines until the last connection has ended.
class Listener : public std::enable_shared_from_this<Listener> {
public:
  Listener(Surroundings with, Options options, std::shared_ptr<Answerer> answerer);
  Result<void> listen();
  void run();
  // As Server::renewCertificate.
  Result<void> renewCertificate();
  // Null: in the clear.
  std::shared_ptr<TlsIdentity const> const& identity() const { return identity_; }
  void refuse();
  // True if every answer went out within the drain time.
  asio::awaitable<bool> drain();
  unsigned short port() const { return port_; }
  std::size_t open() const { return connections_.size(); }

private:
  using Shared = std::shared_ptr<Connection>;
  struct Reading {
    bool complete = false;
    std::optional<HttpFault> fault; // neither: the client went away
  };
  asio::awaitable<void> acceptLoop();
  asio::awaitable<void> sweep();
  asio::awaitable<void> serve(Shared connection);
  asio::awaitable<bool> greet(Shared connection);
  asio::awaitable<bool> exchange(Shared connection);
  asio::awaitable<Reading> readRequest(Shared connection, RequestReader* reader);
  asio::awaitable<bool> answer(Shared connection, Request* request, bool keep_alive);
  asio::awaitable<bool> write(Shared connection, std::string bytes);
  static bool sendNow(Connection& connection, Outgoing& outgoing);
  asio::awaitable<bool> send(Shared connection, Outgoing outgoing);
  asio::awaitable<void> staySilent(Shared connection);
  asio::awaitable<void> refuseRequest(Shared connection, HttpFault fault);
  asio::awaitable<void> linger(Shared connection);
  void admit(asio::ip::tcp::socket socket);
  void forget(Shared const& connection);
  void closeOverdue();
  void allow(Connection& connection, Milliseconds span);
  void awaitRequest(Connection& connection);
  std::string newRequestId();

  Surroundings with_;
  PooledRandom noise_; // of ids
  Options options_;
  std::shared_ptr<Answerer> answerer_;
  std::shared_ptr<TlsIdentity const> identity_;
  unsigned short port_ = 0;
  asio::ip::tcp::acceptor acceptor_;
  std::set<Shared> connections_;
  Places places_;
  asio::cancellation_signal stop_sweeping_;
  asio::steady_timer drained_;
  bool refusing_ = false;
};

} // namespace garland::api
