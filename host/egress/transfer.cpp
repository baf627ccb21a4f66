#include "host/egress/transfer.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

namespace garland::egress {
namespace {

constexpr long kConnectMilliseconds = 10'000;
constexpr std::size_t kMostHeaderBytes = 64U << 10U;
// A server that sends less than this for so long has stopped, whatever the total time allowed.
constexpr long kSlowBytesPerSecond = 16;
constexpr long kSlowSeconds = 60;
// An older idle connection is likely closed by the server, and a write must not be the one to notice.
constexpr long kIdleSeconds = 55;

constexpr std::size_t kBodySentWithHeaders = 64U << 10U;

constexpr std::array<std::string_view, 5> kSafe = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"};
constexpr std::array<std::string_view, 3> kWithBody = {"POST", "PUT", "PATCH"};

} // namespace

bool isSafe(std::string const& method) {
  return std::find(kSafe.begin(), kSafe.end(), method) != kSafe.end();
}

Transfer::Transfer(std::shared_ptr<Transport> transport, Hop const& hop)
    : Exchange(std::move(transport)), hop_(hop) {
  if (handle() != nullptr) setUp();
}

void Transfer::setUp() {
  set(CURLOPT_CURLU, hop_.url.handle());
  set(CURLOPT_HTTPHEADER, hop_.headers.list());
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  set(CURLOPT_MAXAGE_CONN, kIdleSeconds);
  set(CURLOPT_WRITEFUNCTION, &Transfer::onBody);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::onHeader);
  set(CURLOPT_HEADERDATA, this);
  setUpLimits();
  setUpMethod();
  setUpSafety();
}

// Whoever takes the answer as it comes watches over it, too.
void Transfer::setUpLimits() {
  if (hop_.on_body) return;
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(hop_.timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, kSlowBytesPerSecond);
  set(CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  // What HEAD announces is not sent.
  if (hop_.method != "HEAD" && !hop_.body_is_optional)
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(hop_.max_body));
}

void Transfer::setUpMethod() {
  if (hop_.method == "HEAD") return set(CURLOPT_NOBODY, 1L);
  bool const empty_body_counts =
      std::find(kWithBody.begin(), kWithBody.end(), hop_.method) != kWithBody.end();
  if (!hop_.body.empty() || empty_body_counts) {
    set(CURLOPT_POSTFIELDS, hop_.body.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(hop_.body.size()));
  }
  set(CURLOPT_CUSTOMREQUEST, hop_.method.c_str());
}

// Everything that could make libcurl do more than this one request to this one host.
void Transfer::setUpSafety() {
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L); // a slow name server must not hold the loop up when a transfer ends
  set(CURLOPT_PROXY, "");      // nor $https_proxy
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROTOCOLS_STR, hop_.url.scheme().c_str());
  set(CURLOPT_REDIR_PROTOCOLS_STR, hop_.url.scheme().c_str());
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::openSocket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_PREREQFUNCTION, &Transfer::beforeRequest);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  // The trust store comes with onTls; libcurl need not read the system's bundle for each connection.
  set(CURLOPT_CAINFO, nullptr);
  set(CURLOPT_CAPATH, nullptr);
  set(CURLOPT_SSL_CTX_FUNCTION, &Transfer::onTls);
  set(CURLOPT_SSL_CTX_DATA, this);
}

CURLcode Transfer::onTls(CURL*, void* context, void* transfer) {
  auto const& self = *static_cast<Transfer*>(transfer);
  useTrust(static_cast<SSL_CTX*>(context), self.transport().trust(), self.verdict_);
  return CURLE_OK;
}

bool Transfer::mayConnect(sockaddr const& address) {
  auto const kind = hop_.kind_of(address);
  if (kind == AddressKind::outside) {
    if (hop_.url.scheme() == "https") return true;
    stop_ = Stop::plain_http;
  } else {
    if (kind == AddressKind::inside && hop_.allow_private) return true;
    stop_ = Stop::private_address;
  }
  refused_address_ = textOf(address);
  return false;
}

curl_socket_t Transfer::openSocket(void* transfer, curlsocktype, curl_sockaddr* address) {
  auto& self = *static_cast<Transfer*>(transfer);
  if (!self.mayConnect(address->addr)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Called when the connection stands and nothing of the request has been sent, also on a connection
// that was used before.
int Transfer::beforeRequest(void* transfer, char* remote_ip, char*, int, int) {
  auto& self = *static_cast<Transfer*>(transfer);
  // libcurl sends a request again if a reused connection closes without an answer. The server may
  // have acted on the first one, so only what changes nothing may be repeated.
  if (self.begun_ && !isSafe(self.hop_.method)) {
    self.stop_ = Stop::not_repeated;
    return CURL_PREREQFUNC_ABORT;
  }
  sockaddr_storage address{};
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, remote_ip, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    std::memcpy(&address, &four, sizeof four);
  } else if (::inet_pton(AF_INET6, remote_ip, &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    std::memcpy(&address, &six, sizeof six);
  }
  if (!self.mayConnect(reinterpret_cast<sockaddr const&>(address))) return CURL_PREREQFUNC_ABORT;
  // One of several addresses may have been refused on the way to this one.
  self.stop_ = Stop::none;
  self.begun_ = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::onBody(char* data, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  auto const bytes = size * count;
  if (self.hop_.on_body && self.number(CURLINFO_RESPONSE_CODE) / 100 == 2) {
    if (self.hop_.on_body(std::string_view(data, bytes))) return bytes;
    self.stop_ = Stop::enough;
    return 0;
  }
  auto const room = self.hop_.max_body - self.body_.size();
  if (bytes > room) {
    if (self.hop_.body_is_optional) self.body_.append(data, room);
    self.stop_ = Stop::body_too_large;
    return 0;
  }
  self.body_.append(data, bytes);
  return bytes;
}

std::size_t Transfer::onHeader(char* data, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  self.header_bytes_ += size * count;
  bool const ends = size * count > 0 && (data[0] == '\r' || data[0] == '\n');
  if (ends && self.number(CURLINFO_RESPONSE_CODE) >= 200) self.answered_ = true; // not with 100 Continue
  if (self.header_bytes_ <= kMostHeaderBytes) return size * count;
  self.stop_ = Stop::headers_too_large;
  return 0;
}

Milliseconds Transfer::took() const {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::microseconds(size(CURLINFO_TOTAL_TIME_T)));
}

std::size_t Transfer::bytesOut() const {
  auto const request = static_cast<std::size_t>(number(CURLINFO_REQUEST_SIZE));
  // libcurl sends a short body along with the headers and counts it with them.
  return hop_.body.size() < kBodySentWithHeaders ? request : request + size(CURLINFO_SIZE_UPLOAD_T);
}

std::vector<Header> Transfer::headers() const {
  std::vector<Header> all;
  curl_header* header = nullptr;
  // -1: the last answer, without interim ones (100 Continue).
  while ((header = curl_easy_nextheader(handle(), CURLH_HEADER | CURLH_TRAILER, -1, header)) != nullptr) {
    std::string name = header->name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    all.emplace_back(std::move(name), header->value);
  }
  return all;
}

} // namespace garland::egress
