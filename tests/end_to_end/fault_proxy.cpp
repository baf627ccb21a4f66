#include "tests/end_to_end/fault_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace garland::testing {
namespace {

sockaddr_in loopback(unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool readMore(int from, std::string& into) {
  char buffer[65536];
  auto const got = ::read(from, buffer, sizeof buffer);
  if (got <= 0) return false;
  into.append(buffer, static_cast<std::size_t>(got));
  return true;
}

void writeAll(int to, std::string const& text) {
  for (std::size_t done = 0; done < text.size();) {
    auto const wrote = ::send(to, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (wrote <= 0) return;
    done += static_cast<std::size_t>(wrote);
  }
}

// The value of a header, "" if it is absent; `head` ends before the blank line.
std::string headerOf(std::string const& head, std::string name) {
  auto lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  auto const at = lower.find("\n" + name + ":");
  if (at == std::string::npos) return "";
  auto const begin = head.find_first_not_of(' ', at + name.size() + 2);
  return head.substr(begin, head.find('\r', begin) - begin);
}

// The head with "Connection: close", so that the end of the answer is the end of the stream.
std::string closingHead(std::string const& head) {
  std::string out;
  for (std::size_t begin = 0; begin < head.size();) {
    auto const end = std::min(head.find("\r\n", begin), head.size());
    auto const line = head.substr(begin, end - begin);
    if (line.size() < 11 || (line.substr(0, 11) != "Connection:" && line.substr(0, 11) != "connection:"))
      out += line + "\r\n";
    begin = end + 2;
  }
  return out + "Connection: close\r\n\r\n";
}

} // namespace

FaultProxy::FaultProxy(unsigned short upstream_port) : upstream_port_(upstream_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no port for the proxy");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

FaultProxy::~FaultProxy() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (auto& connection : connections_) connection.join();
}

void FaultProxy::setRule(Rule rule) {
  std::lock_guard const lock(mutex_);
  rule_ = std::move(rule);
}

std::vector<SeenRequest> FaultProxy::seen() const {
  std::lock_guard const lock(mutex_);
  return seen_;
}

void FaultProxy::accept() {
  while (!stopping_) {
    int const client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    connections_.emplace_back([this, client] {
      serve(client);
      ::close(client);
    });
  }
}

void FaultProxy::serve(int client) {
  std::string text;
  std::size_t head_end = 0;
  while ((head_end = text.find("\r\n\r\n")) == std::string::npos)
    if (!readMore(client, text)) return;
  auto const head = text.substr(0, head_end);
  auto body = text.substr(head_end + 4);
  auto const length = static_cast<std::size_t>(std::atoll(headerOf(head, "content-length").c_str()));
  if (headerOf(head, "expect") != "") writeAll(client, "HTTP/1.1 100 Continue\r\n\r\n");
  while (body.size() < length)
    if (!readMore(client, body)) return;

  auto const space = head.find(' ');
  SeenRequest const request{head.substr(0, space),
                            head.substr(space + 1, head.find(' ', space + 1) - space - 1), body};
  Rule rule;
  {
    std::lock_guard const lock(mutex_);
    seen_.push_back(request);
    rule = rule_;
  }
  auto const verdict = rule ? rule(request) : std::string(kPass);
  if (verdict == kCut) return;
  if (verdict != kPass) {
    writeAll(client, verdict);
    return;
  }
  int const server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(upstream_port_);
  if (::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    writeAll(server, closingHead(head) + body);
    std::string answer;
    while (readMore(server, answer)) {
      writeAll(client, answer);
      answer.clear();
    }
  }
  ::close(server);
}

} // namespace garland::testing
