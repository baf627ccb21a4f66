// The server's side of TLS: the certificate that new connections are greeted with, and the encryption of one
// connection, in steps that never wait. OpenSSL is seen in tls.cpp alone.
//
// No stream of Asio's: it keeps 34 KiB for each connection, also for one of ten thousand subscribers that
// says nothing for hours. A session that rests keeps no buffer.
#pragma once

#include "host/api/api.h"

#include <boost/asio/buffer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace garland::api {

// One connection's encryption, over a socket that somebody else owns. Not used once that is closed.
class TlsSession {
public:
  enum class Wants { nothing, toRead, toWrite, toEnd };
  struct Step {
    Wants wants = Wants::nothing; // anything else: nothing was done, and this has to come first
    std::size_t bytes = 0;        // were read, or taken to be written
  };
  ~TlsSession();
  TlsSession(TlsSession const&) = delete;
  TlsSession& operator=(TlsSession const&) = delete;

  Step handshake();
  Step read(asio::mutable_buffer into);
  // A step that was told to wait is repeated with the same bytes.
  Step write(asio::const_buffer from);
  // Bytes that have come and that no socket announces any more.
  bool hasMore() const;
  // Tells the client that nothing more comes, as far as that goes without waiting.
  void sayGoodbye();
  // Why it is to end, in OpenSSL's words; "" if the client just went away.
  std::string const& why() const;
  // Whether that is because the client has no certificate, or none that counts.
  bool refusedClient() const;

private:
  friend class TlsIdentity;
  struct Held;
  explicit TlsSession(std::unique_ptr<Held> held);
  Step outcome(int returned, std::size_t bytes);

  std::unique_ptr<Held> held_;
};

// A certificate with its key, and whose certificates clients have to show. Sessions outlive it.
class TlsIdentity {
public:
  // invalidInput, with the setting: a file cannot be used.
  static Result<std::shared_ptr<TlsIdentity const>> load(TlsFiles const& files);
  ~TlsIdentity();
  TlsIdentity(TlsIdentity const&) = delete;
  TlsIdentity& operator=(TlsIdentity const&) = delete;

  // For a client that has just connected; null if there is no memory for it.
  std::unique_ptr<TlsSession> session(int socket) const;
  // Whether the certificate is for this name or address, in lower case and without a port.
  bool isNamed(std::string const& host) const;
  // How a client on this machine calls a server that listens at `address`: as the certificate does, if it
  // can.
  std::string hostFor(std::string const& address) const;
  CertificateFacts facts() const;

private:
  struct Context;
  explicit TlsIdentity(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

} // namespace garland::api
