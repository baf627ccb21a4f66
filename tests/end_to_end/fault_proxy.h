// A small HTTP proxy before a real server, which spoils chosen requests. Loopback only.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace garland::testing {

struct SeenRequest {
  std::string method;
  std::string path;
  std::string body;
};

class FaultProxy {
public:
  // What to do with a request: kPass to forward it, kCut to close without an answer, else a whole
  // HTTP answer to give instead.
  using Rule = std::function<std::string(SeenRequest const&)>;
  static constexpr char const* kPass = "";
  static constexpr char const* kCut = "cut";

  explicit FaultProxy(unsigned short upstream_port);
  FaultProxy(FaultProxy const&) = delete;
  FaultProxy& operator=(FaultProxy const&) = delete;
  ~FaultProxy();

  unsigned short port() const { return port_; }
  void setRule(Rule rule);
  std::vector<SeenRequest> seen() const;

private:
  void accept();
  void serve(int client);

  unsigned short upstream_port_;
  unsigned short port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  Rule rule_;
  std::vector<SeenRequest> seen_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

} // namespace garland::testing
