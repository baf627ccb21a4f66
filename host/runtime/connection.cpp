#include "host/runtime/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace garland::runtime {
namespace {

constexpr std::size_t kReadBytes = wire::Decoder::kRoom; // of one turn: no worker can starve the others
constexpr std::size_t kKeptOutput = 1U << 20U;           // capacity that an empty output buffer may keep

asio::mutable_buffer roomIn(wire::Decoder& decoder) {
  auto const room = decoder.room();
  return asio::buffer(room.data(), std::min(room.size(), kReadBytes));
}

} // namespace

Connection::Connection(asio::any_io_executor const& executor, OwnedFd socket, Owner& owner)
    : socket_(executor, asio::local::stream_protocol(), socket.release()), owner_(&owner) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

void Connection::start() { read(); }

void Connection::close() {
  owner_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

// Waits and reads apart, so that no bytes are under way here when drain() is called.
void Connection::read() {
  socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](auto failed) {
    if (!self->owner_) return;
    auto const size = failed ? 0 : self->socket_.read_some(roomIn(self->decoder_), failed);
    if (failed && failed != asio::error::would_block) return self->closed();
    if (size > 0) self->onRead(size);
    if (self->owner_) self->read();
  });
}

void Connection::onRead(std::size_t size) {
  in_turn_ = true;
  decoder_.filled(size);
  while (owner_) {
    auto message = decoder_.next();
    if (!message) {
      breakOff("broke the protocol: " + message.error().message);
    } else if (*message) {
      owner_->onMessage(**message);
    } else {
      break;
    }
  }
  in_turn_ = false;
  flush();
}

void Connection::drain() {
  while (owner_) {
    boost::system::error_code failed;
    auto const size = socket_.read_some(roomIn(decoder_), failed);
    if (failed || size == 0) return;
    onRead(size);
  }
}

void Connection::sendRaw(wire::Kind kind, std::uint64_t id, std::string_view payload) {
  if (!owner_) return;
  wire::appendMessage(output_, kind, id, payload);
  queued();
}

void Connection::queued() {
  if (output_.size() - written_ > kMaxQueued) return breakOff("does not read what the host sends");
  flushSoon();
}

std::size_t Connection::unread() const {
  int in_kernel = 0;
  auto& socket = const_cast<asio::local::stream_protocol::socket&>(socket_); // native_handle() is not const
  if (::ioctl(socket.native_handle(), SIOCOUTQ, &in_kernel) != 0 || in_kernel < 0) in_kernel = 0;
  return static_cast<std::size_t>(in_kernel) + output_.size() - written_;
}

void Connection::flushSoon() {
  if (in_turn_ || flush_posted_ || waits_to_write_) return;
  flush_posted_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void Connection::flush() {
  if (!owner_ || waits_to_write_) return;
  boost::system::error_code failed;
  while (written_ < output_.size() && !failed)
    written_ +=
        socket_.write_some(asio::buffer(output_.data() + written_, output_.size() - written_), failed);
  if (failed == asio::error::would_block || failed == asio::error::try_again) {
    waits_to_write_ = true;
    socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](auto const&) {
      self->waits_to_write_ = false;
      self->flush();
    });
    return;
  }
  // On any other failure the worker is gone, and reading tells so.
  output_.clear();
  written_ = 0;
  if (output_.capacity() > kKeptOutput) output_.shrink_to_fit();
}

void Connection::closed() {
  if (auto* owner = std::exchange(owner_, nullptr)) owner->onClosed();
}

void Connection::breakOff(std::string reason) {
  if (auto* owner = std::exchange(owner_, nullptr)) owner->onBroken(std::move(reason));
}

} // namespace garland::runtime
