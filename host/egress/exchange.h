// One thing that libcurl does for us, from its start to its end: what HTTP and IMAP have in common.
#pragma once

#include "host/egress/transport.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace garland::egress {

// [loop thread]
class Exchange {
public:
  explicit Exchange(std::shared_ptr<Transport> transport);
  Exchange(Exchange const&) = delete;
  Exchange& operator=(Exchange const&) = delete;
  ~Exchange();

  // Returns when it has ended; cancelling the awaiting coroutine aborts it.
  asio::awaitable<void> perform();

  CURLcode code() const { return code_; }
  bool cancelled() const { return cancelled_; }
  long number(CURLINFO what) const;

  // For the transport.
  CURL* handle() const { return handle_; } // null: there is no memory left for one
  void end(CURLcode code);
  void cancel();

protected:
  template <class Value> void set(CURLoption option, Value value) {
    curl_easy_setopt(handle_, option, value);
  }
  std::size_t size(CURLINFO what) const;
  Transport& transport() const { return *transport_; }

private:
  std::shared_ptr<Transport> transport_;
  CURL* handle_;
  asio::steady_timer done_; // never expires; cancelled at the end
  bool finished_ = false;
  bool cancelled_ = false;
  CURLcode code_ = CURLE_OK;
};

} // namespace garland::egress
