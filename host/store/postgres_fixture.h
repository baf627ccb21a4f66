// A real PostgreSQL server for tests: a fresh cluster in a temporary folder, on a Unix socket and a free
// loopback port, gone with the fixture and with the process. No part of the daemon.
#pragma once

#include "host/base/result.h"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace garland::store {

// Whether a commit waits for the disk. Only a machine without power asks for it, not a killed server; a test
// of a thousand databases would mostly wait, and longest beside another one that writes.
enum class Commits { reachTheDisk, stayWithTheKernel };

class PostgresFixture {
public:
  // Makes the cluster and waits until the server takes connections. PostgreSQL refuses to run as root;
  // root's server runs as the user `postgres`. Errors say what is missing; it is a part of tools/setup.
  static Result<std::unique_ptr<PostgresFixture>> start(Commits commits = Commits::reachTheDisk);
  ~PostgresFixture();
  PostgresFixture(PostgresFixture const&) = delete;
  PostgresFixture& operator=(PostgresFixture const&) = delete;

  // The database "postgres" by the Unix socket; `tcpUrl` is the same by 127.0.0.1.
  std::string url(std::string const& database = "postgres") const;
  std::string tcpUrl(std::string const& database = "postgres") const;
  // A new, empty database. Never the same twice.
  Result<std::string> freshDatabase();
  // Those of freshDatabase() to which nobody is connected are gone: each takes 8 MB and 300 files.
  Result<void> dropIdleDatabases();

  // The server goes away at once, as in a crash, and comes back at the same place with the same data.
  void kill();
  Result<void> restart();

private:
  explicit PostgresFixture(Commits commits) : commits_(commits) {}
  Result<void> launch();
  Result<std::vector<std::string>> ask(std::string const& sql) const;

  Commits commits_;
  std::filesystem::path folder_;
  int port_ = 0;
  int databases_ = 0;
  pid_t server_ = -1;
  std::thread log_reader_;
};

} // namespace garland::store
