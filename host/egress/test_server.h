// A server for tests that answers each request with bytes from a script, over TCP or TLS, on the
// test's own loop. It can hang up in every way a real one can.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace garland::egress::testing {

namespace asio = boost::asio;

struct Seen {
  std::string head; // request line and headers
  std::string body;
  std::string line() const { return head.substr(0, head.find("\r\n")); }
  // "" if there is none; names without regard to case.
  std::string header(std::string const& name) const;
  bool has(std::string const& name) const { return !header(name).empty(); }
};

struct Answer {
  enum class End { keep, close, reset, hang };
  std::string bytes;
  End end = End::keep;
};

// A complete answer with a length.
std::string ok(std::string const& body = "", std::string const& headers = "");
std::string redirect(int status, std::string const& location);

class TestServer {
public:
  using Script = std::function<Answer(Seen const&)>;
  TestServer(asio::io_context& loop, Script script, std::shared_ptr<asio::ssl::context> tls = nullptr,
             std::string const& address = "127.0.0.1");
  ~TestServer();
  TestServer(TestServer const&) = delete;
  TestServer& operator=(TestServer const&) = delete;

  std::uint16_t port() const;
  std::string url(std::string const& path = "/", std::string const& host = "127.0.0.1") const;
  std::string rule(std::string const& host = "127.0.0.1") const {
    return host + ":" + std::to_string(port());
  }
  std::vector<Seen> const& seen() const;
  int connections() const; // accepted so far
  int bytesReceived() const;
  int hangUps() const; // clients that went away from an answer that hangs
  // Does not read or answer what connects from now on (a TLS handshake hangs).
  void goSilent();

private:
  struct State;
  std::shared_ptr<State> state_;
};

} // namespace garland::egress::testing
