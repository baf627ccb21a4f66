// The bytes of one connection, in the clear or under TLS: for coroutines, which wait, and for sessions of
// streams, which never do.
#pragma once

#include "host/api/tls.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace garland::api {

// [loop thread] Stays where it is while a coroutine waits in it.
class Wire {
public:
  // `tls` null: in the clear.
  explicit Wire(asio::ip::tcp::socket socket, std::unique_ptr<TlsSession> tls = nullptr);

  // False: the client and we do not agree on TLS. In the clear there is nothing to agree on.
  asio::awaitable<bool> greet();
  // How many bytes came; 0: there will be none, for whatever reason.
  asio::awaitable<std::size_t> read(asio::mutable_buffer into);
  // How many bytes went out; 0: none will.
  asio::awaitable<std::size_t> write(asio::const_buffer from);

  // The same at once: 0 if that does not go, and write() says why.
  std::size_t writeNow(asio::const_buffer from);

  // For what follows, once. A small buffer of the kernel's does not grow for a slow client.
  void neverWait(int send_buffer);
  // At once; would_block if there is nothing to read, or room for nothing.
  std::size_t readNow(asio::mutable_buffer into, boost::system::error_code& failed);
  // The same bytes again after would_block; others may follow them.
  std::size_t writeNow(std::vector<asio::const_buffer> const& from, boost::system::error_code& failed);
  // More can be read now, and whenReadable would not tell.
  bool hasMore() const { return tls_ && tls_->hasMore(); }
  template <class Then> void whenReadable(Then then) {
    socket_.async_wait(asio::ip::tcp::socket::wait_read, std::move(then));
  }
  template <class Then> void whenWritable(Then then) {
    socket_.async_wait(write_wants_to_read_ ? asio::ip::tcp::socket::wait_read
                                            : asio::ip::tcp::socket::wait_write,
                       std::move(then));
  }

  // Ends what is waiting.
  void cancel();
  // Nothing more is sent; false if the client is away.
  bool endSending();
  void close();
  // As if the line had been cut.
  void reset();
  auto executor() { return socket_.get_executor(); }
  // Why there is no TLS; "" if nobody knows.
  std::string whyNot() const { return tls_ ? tls_->why() : std::string(); }
  // Whether the client's certificate is why.
  bool refusedClient() const { return tls_ && tls_->refusedClient(); }

private:
  asio::awaitable<bool> until(TlsSession::Wants wants);
  asio::awaitable<std::size_t> readTls(asio::mutable_buffer into);

  asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_;
  bool write_wants_to_read_ = false;
  boost::system::error_code unread_; // why nothing was read
};

} // namespace garland::api
