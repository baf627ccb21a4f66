// A web server for one request: it keeps what came and answers what it was told to.
#pragma once

#include <string>
#include <string_view>
#include <thread>

namespace garland::testing {

class OneRequestServer {
public:
  // It answers once `until` has come, or anything at all if that is "".
  OneRequestServer(std::string_view answer, std::string_view until);
  ~OneRequestServer();
  OneRequestServer(OneRequestServer const&) = delete;
  OneRequestServer& operator=(OneRequestServer const&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string got(); // waits until it has answered

private:
  void serve();

  std::string const answer_;
  std::string const until_;
  int socket_;
  int port_ = 0;
  std::string got_;
  std::thread serving_;
};

} // namespace garland::testing
