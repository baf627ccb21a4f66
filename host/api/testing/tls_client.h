// A client that sends any bytes, over TLS: what it offers and whom it believes is the test's.
#pragma once

#include "host/api/testing/client.h"
#include "host/base/test_folder.h"
#include "host/egress/test_certificate.h"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <fstream>
#include <functional>
#include <memory>
#include <string>

namespace garland::api::testing {

// What a client is before it says hello; the authority is believed already.
using Ready = std::function<void(SSL_CTX*)>;

class TlsClient : public Client {
public:
  TlsClient(unsigned short port, std::string const& authority, Ready const& ready = nullptr,
            SSL_SESSION* resumed = nullptr)
      : Client(port), trust_(asio::ssl::context::tls_client) {
    trust_.load_verify_file(authority);
    trust_.set_verify_mode(asio::ssl::verify_peer);
    if (ready) ready(trust_.native_handle());
    layer_ = std::make_unique<Layer>(socket_, trust_);
    if (resumed != nullptr) SSL_set_session(tls(), resumed);
    layer_->handshake(asio::ssl::stream_base::client, failed);
  }
  void send(std::string_view bytes) override {
    boost::system::error_code ignored;
    asio::write(*layer_, asio::buffer(bytes), ignored);
  }
  SSL* tls() { return layer_->native_handle(); }
  // Of what the server has shown: changes with every certificate.
  std::string serverKey() {
    unsigned char* bytes = nullptr;
    auto const size = i2d_PUBKEY(X509_get0_pubkey(SSL_get0_peer_certificate(tls())), &bytes);
    std::string out(reinterpret_cast<char const*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
  }

  boost::system::error_code failed; // of the handshake

protected:
  std::size_t readSome(asio::mutable_buffer into, boost::system::error_code& code) override {
    return layer_->read_some(into, code);
  }

private:
  using Layer = asio::ssl::stream<asio::ip::tcp::socket&>;
  asio::ssl::context trust_;
  std::unique_ptr<Layer> layer_;
};

// The files of a server, in a folder of their own, and the authority that has issued them.
class TlsFolder {
public:
  TlsFolder() { renew(); }
  void renew(std::string const& names = "DNS:localhost,IP:127.0.0.1") {
    auto const identity = authority.issue(names);
    write("cert.pem", identity.certificate);
    write("key.pem", identity.key);
  }
  void write(std::string const& name, std::string const& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string at(std::string const& name) const { return folder_ / name; }
  TlsFiles files() const { return {at("cert.pem"), at("key.pem"), ""}; }

  egress::testing::TestAuthority authority;

private:
  TestFolder folder_;
};

} // namespace garland::api::testing
