// libcurl's multi interface driven by the event loop, with the connections it keeps open.
//
// One transport serves one trust domain: the same certificate authorities and the same answer to
// "may it reach private addresses?". Domains share no connection, name or TLS session, so a
// connection that one policy would refuse is never reused under it. Within a domain connections are
// shared by everybody: they carry no sign-in of their own, each request brings its credential in a
// header.
// [loop thread]
#pragma once

#include "host/egress/trust.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace garland::egress {

namespace asio = boost::asio;

class Exchange;

class Transport : public std::enable_shared_from_this<Transport> {
public:
  // Libcurl calls back into the transport: it stays where it was made.
  static std::shared_ptr<Transport> create(asio::any_io_executor executor, TrustStore trust);
  ~Transport();
  Transport(Transport const&) = delete;
  Transport& operator=(Transport const&) = delete;

  // A handle without options, from the pool; give it back when it is in no transfer.
  CURL* takeHandle();
  void giveBack(CURL* handle);

  // Between start and its end (or stop) the exchange must stay in place.
  void start(Exchange& exchange);
  void stop(Exchange& exchange);
  // Ends every exchange as cancelled.
  void stopAll();
  bool idle() const { return active_.empty(); }
  X509_STORE* trust() const { return trust_.get(); }
  asio::any_io_executor const& executor() const { return executor_; }

private:
  using Deadline = std::chrono::steady_clock::time_point;

  // A socket of libcurl's, or of its resolver, while libcurl waits for it. libcurl owns it.
  struct Watch {
    explicit Watch(asio::any_io_executor const& executor) : descriptor(executor) {}
    asio::posix::stream_descriptor descriptor;
    int wanted = 0; // CURL_POLL_IN, CURL_POLL_OUT
    bool reading = false;
    bool writing = false;
    bool gone = false;
  };

  Transport(asio::any_io_executor executor, TrustStore trust);
  static int onSocket(CURL* handle, curl_socket_t socket, int what, void* transport, void* unused);
  static int onTimer(CURLM* multi, long milliseconds, void* transport);

  void watch(curl_socket_t socket, int what);
  void wait(std::shared_ptr<Watch> const& watch);
  void wait(std::shared_ptr<Watch> const& watch, int direction);
  void setDeadline(long milliseconds);
  void actSoon();
  void armTimer();
  void act(curl_socket_t socket, int mask);
  void collect();

  asio::any_io_executor executor_;
  TrustStore trust_;
  CURLM* multi_;
  asio::steady_timer timer_;
  std::optional<Deadline> deadline_; // when libcurl wants to be called
  bool acting_soon_ = false;
  std::optional<Deadline> armed_; // when the timer goes off; it may be earlier
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::set<Exchange*> active_;
  std::vector<CURL*> pool_;
};

} // namespace garland::egress
