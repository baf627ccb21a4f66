#include "host/egress/transport.h"

#include "host/egress/exchange.h"

#include <boost/asio/post.hpp>

#include <utility>

namespace garland::egress {
namespace {

constexpr std::size_t kPooledHandles = 128;
// More connections than this to one host make libcurl and the server slower, not faster.
constexpr long kConnectionsPerHost = 64;
constexpr long kIdleConnections = 128;

CURLM* newMulti() {
  // Once for the process, before the first handle.
  static auto const global = curl_global_init(CURL_GLOBAL_DEFAULT);
  return global == CURLE_OK ? curl_multi_init() : nullptr;
}

} // namespace

std::shared_ptr<Transport> Transport::create(asio::any_io_executor executor, TrustStore trust) {
  return std::shared_ptr<Transport>(new Transport(std::move(executor), std::move(trust)));
}

Transport::Transport(asio::any_io_executor executor, TrustStore trust)
    : executor_(std::move(executor)), trust_(std::move(trust)), multi_(newMulti()), timer_(executor_) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Transport::onSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Transport::onTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, kConnectionsPerHost);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
}

Transport::~Transport() {
  for (auto* handle : pool_) curl_easy_cleanup(handle);
  curl_multi_cleanup(multi_);
  for (auto& [socket, watch] : watches_) watch->descriptor.release();
}

CURL* Transport::takeHandle() {
  if (pool_.empty()) return curl_easy_init();
  auto* handle = pool_.back();
  pool_.pop_back();
  return handle;
}

void Transport::giveBack(CURL* handle) {
  if (pool_.size() == kPooledHandles) return curl_easy_cleanup(handle);
  curl_easy_reset(handle);
  pool_.push_back(handle);
}

void Transport::start(Exchange& exchange) {
  active_.insert(&exchange);
  if (multi_ != nullptr && curl_multi_add_handle(multi_, exchange.handle()) == CURLM_OK) return;
  active_.erase(&exchange);
  exchange.end(CURLE_OUT_OF_MEMORY);
}

void Transport::stop(Exchange& exchange) {
  if (active_.erase(&exchange) != 0) curl_multi_remove_handle(multi_, exchange.handle());
}

void Transport::stopAll() {
  for (auto* exchange : std::exchange(active_, {})) {
    curl_multi_remove_handle(multi_, exchange->handle());
    exchange->cancel();
  }
}

int Transport::onSocket(CURL*, curl_socket_t socket, int what, void* transport, void*) {
  static_cast<Transport*>(transport)->watch(socket, what);
  return 0;
}

void Transport::watch(curl_socket_t socket, int what) {
  auto const known = watches_.find(socket);
  if (what == CURL_POLL_REMOVE) {
    if (known == watches_.end()) return;
    // libcurl closes the socket next; its number may be another socket's a moment later.
    known->second->gone = true;
    known->second->descriptor.release();
    watches_.erase(known);
    return;
  }
  auto& watch = known != watches_.end() ? known->second : watches_[socket];
  if (!watch) {
    watch = std::make_shared<Watch>(executor_);
    boost::system::error_code failed; // without epoll's help the transfer ends at its deadline
    watch->descriptor.assign(socket, failed);
  }
  watch->wanted = what;
  wait(watch);
}

void Transport::wait(std::shared_ptr<Watch> const& watch) {
  if ((watch->wanted & CURL_POLL_IN) != 0 && !watch->reading) wait(watch, CURL_POLL_IN);
  if ((watch->wanted & CURL_POLL_OUT) != 0 && !watch->writing) wait(watch, CURL_POLL_OUT);
}

// A wait that is no longer wanted is left to go off unheeded: taking it back costs more.
void Transport::wait(std::shared_ptr<Watch> const& watch, int direction) {
  bool const read = direction == CURL_POLL_IN;
  (read ? watch->reading : watch->writing) = true;
  auto const kind =
      read ? asio::posix::stream_descriptor::wait_read : asio::posix::stream_descriptor::wait_write;
  watch->descriptor.async_wait(kind, [weak = weak_from_this(), watch, read, direction](auto failed) {
    (read ? watch->reading : watch->writing) = false;
    auto const self = weak.lock();
    if (!self || watch->gone || failed == asio::error::operation_aborted || (watch->wanted & direction) == 0)
      return;
    auto const socket = watch->descriptor.native_handle();
    self->act(socket, failed ? CURL_CSELECT_ERR : read ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
    if (!watch->gone) self->wait(watch);
  });
}

int Transport::onTimer(CURLM*, long milliseconds, void* transport) {
  static_cast<Transport*>(transport)->setDeadline(milliseconds);
  return 0;
}

void Transport::setDeadline(long milliseconds) {
  deadline_.reset();
  if (milliseconds < 0) return;
  if (milliseconds == 0) return actSoon();
  deadline_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  // libcurl moves its deadline many times in a request, mostly outwards: then the timer is left as
  // it is and looks at the deadline when it goes off.
  if (!armed_ || *deadline_ < *armed_) armTimer();
}

// "At once", which libcurl asks for with each new transfer, needs no timer; but it must not be called
// from within its own callback.
void Transport::actSoon() {
  if (std::exchange(acting_soon_, true)) return;
  asio::post(executor_, [weak = weak_from_this()] {
    auto const self = weak.lock();
    if (!self) return;
    self->acting_soon_ = false;
    self->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void Transport::armTimer() {
  armed_ = deadline_;
  timer_.expires_at(*armed_);
  timer_.async_wait([weak = weak_from_this()](auto failed) {
    auto const self = weak.lock();
    if (!self || failed) return;
    self->armed_.reset();
    if (!self->deadline_) return;
    if (*self->deadline_ > std::chrono::steady_clock::now()) return self->armTimer();
    self->deadline_.reset();
    self->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void Transport::act(curl_socket_t socket, int mask) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, mask, &running);
  collect();
}

void Transport::collect() {
  int left = 0;
  while (auto* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto const result = message->data.result; // gone with the handle
    char* owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    curl_multi_remove_handle(multi_, message->easy_handle);
    auto* exchange = reinterpret_cast<Exchange*>(owner);
    active_.erase(exchange);
    exchange->end(result);
  }
}

} // namespace garland::egress
