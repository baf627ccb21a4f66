// NATS JetStream as the carrier of what daemons tell each other. See decision 0044.
#pragma once

#include "host/base/carrier.h"
#include "host/base/log.h"

#include <chrono>
#include <memory>
#include <string>

namespace garland::nats {

struct Options {
  std::string servers;            // "nats://host:4222", several with commas between; "tls://" encrypts
  std::string credentials_file;   // of NATS (*.creds); "": none
  std::string ca_file;            // PEM, besides the system's; "": none
  std::string stream = "garland"; // made if it is not there; the same for all daemons on a database
  std::chrono::milliseconds limit = std::chrono::seconds(2); // of everything that the server is asked
};

// Whether it is such a list. No user or password in it: it is shown in logs.
bool isServers(std::string const& servers);
// Letters, digits, "-" and "_".
bool isStream(std::string const& name);

// Connects by itself, and again whenever it was cut off; the log says once that it is gone and once that it
// is back.
std::shared_ptr<Carrier> connect(asio::any_io_executor executor, Log const& log, Options options);

} // namespace garland::nats
