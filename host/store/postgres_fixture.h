// A real PostgreSQL server for tests: a fresh cluster in a temporary folder, on a Unix socket and a free
// loopback port, gone with the fixture and with the process. No part of the daemon.
#pragma once

#include "host/base/result.h"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <sys/types.h>

namespace garland::store {

class PostgresFixture {
public:
  // Makes the cluster and waits until the server takes connections. PostgreSQL refuses to run as root;
  // root's server runs as the user `postgres`. Errors say what is missing; it is a part of tools/setup.
  static Result<std::unique_ptr<PostgresFixture>> start();
  ~PostgresFixture();
  PostgresFixture(PostgresFixture const&) = delete;
  PostgresFixture& operator=(PostgresFixture const&) = delete;

  // The database "postgres" by the Unix socket; `tcpUrl` is the same by 127.0.0.1.
  std::string url(std::string const& database = "postgres") const;
  std::string tcpUrl(std::string const& database = "postgres") const;
  // A new, empty database. Never the same twice.
  Result<std::string> freshDatabase();

  // The server goes away at once, as in a crash, and comes back at the same place with the same data.
  void kill();
  Result<void> restart();

private:
  PostgresFixture() = default;
  Result<void> launch();

  std::filesystem::path folder_;
  int port_ = 0;
  int databases_ = 0;
  pid_t server_ = -1;
  std::thread log_reader_;
};

} // namespace garland::store
