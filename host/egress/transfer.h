// One request on the wire: one hop of a fetch, without redirects. What a hop may do was decided
// before; here the limits are kept and the address is checked when the socket is made.
#pragma once

#include "host/egress/address.h"
#include "host/egress/egress.h"
#include "host/egress/exchange.h"
#include "host/egress/header_list.h"
#include "host/egress/url.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace garland::egress {

// Which network an address belongs to; tests let loopback play the public internet.
using AddressCheck = AddressKind (*)(sockaddr const&);

struct Hop {
  std::string const& method;
  Url const& url; // as sent, with a query credential
  HeaderList const& headers;
  std::string const& body;
  Milliseconds timeout; // at least 1 ms
  std::size_t max_body;
  std::function<bool(std::string_view)> const& on_body; // empty: the body is kept
  bool body_is_optional;
  bool allow_private;
  AddressCheck kind_of;
  Advice const& advice;
};

// GET, HEAD, OPTIONS, PROPFIND, REPORT: nothing changes at the far side, however often it is sent.
bool isSafe(std::string const& method);

// [loop thread]
class Transfer final : public Exchange {
public:
  // The hop's parts must outlive the transfer.
  Transfer(std::shared_ptr<Transport> transport, Hop const& hop);

  // Why it ended, besides libcurl's code.
  enum class Stop {
    none,
    cancelled,
    body_too_large,
    headers_too_large,
    private_address,
    plain_http,
    not_repeated,
    enough // on_body said so
  };
  Stop stopped() const { return cancelled() ? Stop::cancelled : stop_; }
  // Request bytes may have left. False: nothing can have happened at the far side.
  bool begun() const { return begun_; }
  std::string const& refusedAddress() const { return refused_address_; }
  Verdict const& verdict() const { return *verdict_; }

  Milliseconds took() const; // until it ended
  std::size_t bytesOut() const;
  // The final status and all headers have come, whatever became of the body.
  bool answered() const { return answered_; }
  std::size_t bytesIn() const { return header_bytes_ + size(CURLINFO_SIZE_DOWNLOAD_T); }
  std::vector<Header> headers() const;
  std::string takeBody() { return std::move(body_); }

private:
  static std::size_t onBody(char* data, std::size_t size, std::size_t count, void* transfer);
  static std::size_t onHeader(char* data, std::size_t size, std::size_t count, void* transfer);
  static curl_socket_t openSocket(void* transfer, curlsocktype purpose, curl_sockaddr* address);
  static int beforeRequest(void* transfer, char* remote_ip, char* local_ip, int remote_port, int local_port);
  static CURLcode onTls(CURL* handle, void* context, void* transfer);

  void setUp();
  void setUpLimits();
  void setUpMethod();
  void setUpSafety();
  bool mayConnect(sockaddr const& address);

  Hop hop_;
  bool begun_ = false;
  Stop stop_ = Stop::none;
  std::string refused_address_;
  std::shared_ptr<Verdict> verdict_ = std::make_shared<Verdict>();
  std::size_t header_bytes_ = 0;
  bool answered_ = false;
  std::string body_;
};

} // namespace garland::egress
