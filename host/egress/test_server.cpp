#include "host/egress/test_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>

namespace garland::egress::testing {

using asio::ip::tcp;

std::string Seen::header(std::string const& name) const {
  auto const same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  auto const wanted = "\r\n" + name + ":";
  auto const at = std::search(head.begin(), head.end(), wanted.begin(), wanted.end(), same);
  if (at == head.end()) return {};
  auto const from = static_cast<std::size_t>(at - head.begin()) + wanted.size();
  auto value = head.substr(from, head.find("\r\n", from) - from);
  value.erase(0, value.find_first_not_of(' '));
  return value;
}

std::string ok(std::string const& body, std::string const& headers) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" +
         body;
}

std::string redirect(int status, std::string const& location) {
  return "HTTP/1.1 " + std::to_string(status) + " Elsewhere\r\nContent-Length: 4\r\nLocation: " + location +
         "\r\n\r\nthis";
}

struct TestServer::State {
  State(asio::io_context& loop, Script script_in, std::shared_ptr<asio::ssl::context> tls_in,
        std::string const& address)
      : script(std::move(script_in)), tls(std::move(tls_in)),
        acceptor(loop, tcp::endpoint(asio::ip::make_address(address), 0)) {}

  Script script;
  std::shared_ptr<asio::ssl::context> tls;
  tcp::acceptor acceptor;
  std::vector<Seen> seen;
  std::vector<std::shared_ptr<tcp::socket>> silenced;
  int connections = 0;
  int bytes = 0;
  int hang_ups = 0;
  bool silent = false;

  template <class Stream>
  static asio::awaitable<bool> answerOne(std::shared_ptr<State> state, Stream& stream);
  template <class Stream> static asio::awaitable<void> serve(std::shared_ptr<State> state, Stream stream);
  static asio::awaitable<void> serveTls(std::shared_ptr<State> state, tcp::socket socket);
  static asio::awaitable<void> accept(std::shared_ptr<State> state);
};

namespace {

std::size_t lengthOf(Seen const& seen) {
  auto const text = seen.header("content-length");
  return text.empty() ? 0 : std::stoul(text);
}

} // namespace

template <class Stream>
asio::awaitable<bool> TestServer::State::answerOne(std::shared_ptr<State> state, Stream& stream) {
  boost::system::error_code failed;
  auto token = asio::redirect_error(asio::use_awaitable, failed);
  std::string buffer;
  auto const dynamic = asio::dynamic_buffer(buffer);
  auto const head = co_await asio::async_read_until(stream, dynamic, "\r\n\r\n", token);
  state->bytes += static_cast<int>(buffer.size());
  if (failed) co_return false;
  Seen seen;
  seen.head = buffer.substr(0, head);
  seen.body = buffer.substr(head);
  auto const length = lengthOf(seen);
  if (seen.body.size() < length) {
    auto const have = seen.body.size();
    seen.body.resize(length);
    auto const rest = asio::buffer(seen.body.data() + have, length - have);
    co_await asio::async_read(stream, rest, token);
    if (failed) co_return false;
    state->bytes += static_cast<int>(length - have);
  }
  state->seen.push_back(seen);
  auto const answer = state->script(seen);
  auto const bytes = asio::buffer(answer.bytes);
  co_await asio::async_write(stream, bytes, token);
  if (answer.end == Answer::End::reset) {
    asio::socket_base::linger const linger(true, 0);
    stream.lowest_layer().set_option(linger);
  }
  if (answer.end == Answer::End::hang) {
    char unused = 0;
    auto const one = asio::buffer(&unused, 1);
    co_await asio::async_read(stream, one, token);
    ++state->hang_ups;
  }
  co_return answer.end == Answer::End::keep && !failed;
}

template <class Stream>
asio::awaitable<void> TestServer::State::serve(std::shared_ptr<State> state, Stream stream) {
  for (bool more = true; more;) more = co_await answerOne(state, stream);
  boost::system::error_code ignored;
  stream.lowest_layer().close(ignored);
}

asio::awaitable<void> TestServer::State::serveTls(std::shared_ptr<State> state, tcp::socket socket) {
  asio::ssl::stream<tcp::socket> stream(std::move(socket), *state->tls);
  boost::system::error_code failed;
  auto token = asio::redirect_error(asio::use_awaitable, failed);
  co_await stream.async_handshake(asio::ssl::stream_base::server, token);
  if (failed) co_return;
  auto task = serve(state, std::move(stream));
  co_await std::move(task);
}

asio::awaitable<void> TestServer::State::accept(std::shared_ptr<State> state) {
  auto const executor = state->acceptor.get_executor();
  for (;;) {
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    auto socket = co_await state->acceptor.async_accept(token);
    if (failed) co_return;
    ++state->connections;
    if (state->silent)
      state->silenced.push_back(std::make_shared<tcp::socket>(std::move(socket)));
    else if (state->tls)
      asio::co_spawn(executor, serveTls(state, std::move(socket)), asio::detached);
    else
      asio::co_spawn(executor, serve(state, std::move(socket)), asio::detached);
  }
}

TestServer::TestServer(asio::io_context& loop, Script script, std::shared_ptr<asio::ssl::context> tls,
                       std::string const& address)
    : state_(std::make_shared<State>(loop, std::move(script), std::move(tls), address)) {
  asio::co_spawn(loop, State::accept(state_), asio::detached);
}

TestServer::~TestServer() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->silenced.clear();
}

std::uint16_t TestServer::port() const { return state_->acceptor.local_endpoint().port(); }

std::string TestServer::url(std::string const& path, std::string const& host) const {
  return (state_->tls ? "https://" : "http://") + rule(host) + path;
}

std::vector<Seen> const& TestServer::seen() const { return state_->seen; }
int TestServer::connections() const { return state_->connections; }
int TestServer::bytesReceived() const { return state_->bytes; }
int TestServer::hangUps() const { return state_->hang_ups; }
void TestServer::goSilent() { state_->silent = true; }

} // namespace garland::egress::testing
