// A real nats-server for tests, on the loopback address of this process and a folder of its own; gone with
// the fixture and with the process. No part of the daemon.
#pragma once

#include "host/base/test_folder.h"

#include <string>

#include <sys/types.h>

namespace garland::nats {

class NatsFixture {
public:
  // Only chooses the place. `settings`: what its file of settings says besides.
  explicit NatsFixture(std::string settings = "");
  ~NatsFixture() { kill(); }
  NatsFixture(NatsFixture const&) = delete;
  NatsFixture& operator=(NatsFixture const&) = delete;

  // Answers when it takes connections; always at the same place. Throws what is missing: it is a part of
  // tools/setup.
  void start();
  // As in a crash: what its streams hold in memory is lost.
  void kill();

  std::string url(std::string const& scheme = "nats", std::string const& user = "") const {
    return scheme + "://" + user + address_ + ":" + std::to_string(port_);
  }

private:
  TestFolder const folder_;
  std::string const address_;
  int const port_;
  pid_t server_ = -1;
  int log_ = -1;
};

} // namespace garland::nats
