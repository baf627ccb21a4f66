#include "host/egress/exchange.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace garland::egress {

Exchange::Exchange(std::shared_ptr<Transport> transport)
    : transport_(std::move(transport)), handle_(transport_->takeHandle()),
      done_(transport_->executor(), asio::steady_timer::time_point::max()) {
  if (handle_ != nullptr) set(CURLOPT_PRIVATE, this);
}

Exchange::~Exchange() {
  transport_->stop(*this);
  if (handle_ != nullptr) transport_->giveBack(handle_);
}

asio::awaitable<void> Exchange::perform() {
  if (handle_ == nullptr) end(CURLE_OUT_OF_MEMORY);
  if (!finished_) transport_->start(*this);
  boost::system::error_code ignored;
  if (!finished_) co_await done_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (finished_) co_return;
  transport_->stop(*this);
  cancelled_ = true;
}

void Exchange::end(CURLcode code) {
  code_ = code;
  finished_ = true;
  done_.cancel();
}

void Exchange::cancel() {
  cancelled_ = true;
  end(CURLE_ABORTED_BY_CALLBACK);
}

long Exchange::number(CURLINFO what) const {
  long value = 0;
  curl_easy_getinfo(handle_, what, &value);
  return value;
}

std::size_t Exchange::size(CURLINFO what) const {
  curl_off_t value = 0;
  curl_easy_getinfo(handle_, what, &value);
  return static_cast<std::size_t>(value);
}

} // namespace garland::egress
