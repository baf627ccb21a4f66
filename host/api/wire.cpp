#include "host/api/wire.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace garland::api {
namespace {

using tcp = asio::ip::tcp;
using Wants = TlsSession::Wants;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// What TLS encrypts at once, and so what small pieces are gathered to.
constexpr std::size_t kRecord = 16'384;

std::size_t gather(std::vector<asio::const_buffer> const& from, std::array<char, kRecord>& into) {
  std::size_t count = 0;
  for (auto const& piece : from) {
    auto const taken = std::min(piece.size(), into.size() - count);
    std::memcpy(into.data() + count, piece.data(), taken);
    count += taken;
  }
  return count;
}

boost::system::error_code codeOf(Wants wants) {
  if (wants == Wants::nothing) return {};
  if (wants == Wants::toEnd) return asio::error::eof;
  return asio::error::would_block;
}

} // namespace

Wire::Wire(tcp::socket socket, std::unique_ptr<TlsSession> tls)
    : socket_(std::move(socket)), tls_(std::move(tls)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

// False: it was cut off. The socket may be closed by then: a step of TLS would find another's in its place.
asio::awaitable<bool> Wire::until(Wants wants) {
  auto const kind = wants == Wants::toRead ? tcp::socket::wait_read : tcp::socket::wait_write;
  auto const [failed] = co_await socket_.async_wait(kind, as_result);
  co_return !failed && socket_.is_open();
}

asio::awaitable<bool> Wire::greet() {
  while (tls_ && socket_.is_open()) {
    auto const step = tls_->handshake();
    if (step.wants == Wants::nothing) co_return true;
    if (step.wants == Wants::toEnd) co_return false;
    auto waiting = until(step.wants);
    if (!co_await std::move(waiting)) co_return false;
  }
  co_return socket_.is_open();
}

// No coroutine in the clear: it would be one more for each request.
asio::awaitable<std::size_t> Wire::read(asio::mutable_buffer into) {
  if (tls_) return readTls(into);
  return socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, unread_));
}

asio::awaitable<std::size_t> Wire::readTls(asio::mutable_buffer into) {
  while (socket_.is_open()) {
    auto const step = tls_->read(into);
    if (step.wants == Wants::nothing) co_return step.bytes;
    if (step.wants == Wants::toEnd) co_return 0;
    auto waiting = until(step.wants);
    if (!co_await std::move(waiting)) co_return 0;
  }
  co_return 0;
}

asio::awaitable<std::size_t> Wire::write(asio::const_buffer from) {
  if (!tls_) {
    auto const [failed, count] = co_await socket_.async_write_some(from, as_result);
    if (failed) co_return 0;
    co_return count;
  }
  while (socket_.is_open()) {
    auto const step = tls_->write(from);
    if (step.wants == Wants::nothing) co_return step.bytes;
    if (step.wants == Wants::toEnd) co_return 0;
    auto waiting = until(step.wants);
    if (!co_await std::move(waiting)) co_return 0;
  }
  co_return 0;
}

std::size_t Wire::writeNow(asio::const_buffer from) {
  if (tls_) {
    auto const step = socket_.is_open() ? tls_->write(from) : TlsSession::Step{Wants::toEnd};
    return step.wants == Wants::nothing ? step.bytes : 0;
  }
  boost::system::error_code failed;
  auto const count = socket_.write_some(from, failed);
  return failed ? 0 : count;
}

void Wire::neverWait(int send_buffer) {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::send_buffer_size(send_buffer), ignored);
}

std::size_t Wire::readNow(asio::mutable_buffer into, boost::system::error_code& failed) {
  if (!tls_ || !socket_.is_open()) return socket_.read_some(into, failed);
  auto const step = tls_->read(into);
  failed = codeOf(step.wants);
  return step.bytes;
}

std::size_t Wire::writeNow(std::vector<asio::const_buffer> const& from, boost::system::error_code& failed) {
  if (!tls_ || !socket_.is_open()) return socket_.write_some(from, failed);
  std::array<char, kRecord> record;
  auto const step = tls_->write(asio::buffer(record.data(), gather(from, record)));
  failed = codeOf(step.wants);
  write_wants_to_read_ = step.wants == Wants::toRead;
  return step.bytes;
}

void Wire::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

bool Wire::endSending() {
  if (tls_ && socket_.is_open()) tls_->sayGoodbye();
  boost::system::error_code failed;
  socket_.shutdown(tcp::socket::shutdown_send, failed);
  return !failed;
}

void Wire::close() {
  if (tls_ && socket_.is_open()) tls_->sayGoodbye();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Wire::reset() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

} // namespace garland::api
