#include "host/mail/smtp_stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace garland::mail {

namespace {
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
}

struct TlsIdentity::Context {
  asio::ssl::context ssl{asio::ssl::context::tls_server};
};

TlsIdentity::TlsIdentity(std::unique_ptr<Context> context) : context_(std::move(context)) {}
TlsIdentity::~TlsIdentity() = default;

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::load(std::string const& certificate,
                                                       std::string const& key) {
  auto context = std::make_unique<Context>();
  boost::system::error_code failed;
  context->ssl.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                               asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                           failed);
  if (!failed) context->ssl.use_certificate_chain_file(certificate, failed);
  if (failed)
    return Error(ErrorKind::invalidInput,
                 "the certificate " + certificate + " cannot be used (" + failed.message() +
                     "): it must be a PEM file with its chain",
                 "/mail/certificate");
  context->ssl.use_private_key_file(key, asio::ssl::context::pem, failed);
  if (failed)
    return Error(ErrorKind::invalidInput,
                 "the key " + key + " cannot be used (" + failed.message() + "): it must be the PEM key of " +
                     certificate,
                 "/mail/certificate_key");
  return std::shared_ptr<TlsIdentity>(new TlsIdentity(std::move(context)));
}

struct Stream::Tls {
  Tls(asio::ip::tcp::socket& socket, std::shared_ptr<TlsIdentity> identity_in)
      : identity(std::move(identity_in)), layer(socket, identity->context_->ssl) {}
  std::shared_ptr<TlsIdentity> identity; // outlives the layer
  asio::ssl::stream<asio::ip::tcp::socket&> layer;
};

Stream::Stream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}
Stream::~Stream() = default;

asio::awaitable<std::size_t> Stream::read(asio::mutable_buffer into) {
  if (tls_) {
    auto const [failed, count] = co_await tls_->layer.async_read_some(into, as_result);
    if (failed) co_return 0;
    co_return count;
  }
  auto const [failed, count] = co_await socket_.async_read_some(into, as_result);
  if (failed) co_return 0;
  co_return count;
}

asio::awaitable<bool> Stream::write(std::string bytes) {
  auto const buffer = asio::buffer(bytes);
  if (tls_) {
    auto const [failed, count] = co_await asio::async_write(tls_->layer, buffer, as_result);
    co_return !failed && count == bytes.size();
  }
  auto const [failed, count] = co_await asio::async_write(socket_, buffer, as_result);
  co_return !failed && count == bytes.size();
}

asio::awaitable<bool> Stream::startTls(std::shared_ptr<TlsIdentity> identity) {
  tls_ = std::make_unique<Tls>(socket_, std::move(identity));
  auto const [failed] = co_await tls_->layer.async_handshake(asio::ssl::stream_base::server, as_result);
  co_return !failed;
}

void Stream::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Stream::close() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

} // namespace garland::mail
