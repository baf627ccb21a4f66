// The bytes of one connection, in the clear or after STARTTLS. The one place that sees Asio's TLS.
#pragma once

#include "host/base/task.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>

namespace garland::mail {

// A certificate and its key, for the server's side of TLS.
class TlsIdentity {
public:
  // PEM files: the certificate with its chain, and its key. invalidInput: one cannot be used.
  static Result<std::shared_ptr<TlsIdentity>> load(std::string const& certificate, std::string const& key);

private:
  friend class Stream;
  struct Context;
  explicit TlsIdentity(std::unique_ptr<Context> context);

public:
  ~TlsIdentity();

private:
  std::unique_ptr<Context> context_;
};

// [loop thread]
class Stream {
public:
  explicit Stream(asio::ip::tcp::socket socket);
  ~Stream();
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;

  // How many bytes came; 0: there will be none, for whatever reason.
  asio::awaitable<std::size_t> read(asio::mutable_buffer into);
  asio::awaitable<bool> write(std::string bytes);
  asio::awaitable<bool> startTls(std::shared_ptr<TlsIdentity> identity);
  // Ends what is waiting.
  void cancel();
  void close();

private:
  struct Tls;
  asio::ip::tcp::socket socket_;
  std::unique_ptr<Tls> tls_;
};

} // namespace garland::mail
