#include "tests/end_to_end/one_request_server.h"

#include <gtest/gtest.h>

#include <array>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace garland::testing {

OneRequestServer::OneRequestServer(std::string_view answer, std::string_view until)
    : answer_(answer), until_(until), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(socket_, 1), 0);
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  serving_ = std::thread([this] { serve(); });
}

OneRequestServer::~OneRequestServer() {
  ::shutdown(socket_, SHUT_RDWR); // ends accept() if nobody came
  if (serving_.joinable()) serving_.join();
  ::close(socket_);
}

std::string OneRequestServer::got() {
  serving_.join();
  return got_;
}

void OneRequestServer::serve() {
  int const client = ::accept(socket_, nullptr, nullptr);
  std::array<char, 4096> bytes{};
  do {
    auto const count = ::read(client, bytes.data(), bytes.size());
    if (count <= 0) break;
    got_.append(bytes.data(), static_cast<std::size_t>(count));
  } while (got_.find(until_) == std::string::npos);
  if (!got_.empty()) {
    EXPECT_EQ(::write(client, answer_.data(), answer_.size()), static_cast<ssize_t>(answer_.size()));
  }
  ::close(client);
}

} // namespace garland::testing
