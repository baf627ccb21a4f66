// A real garland-worker with a test plugin in it, and the host's end of its socket. For tests only.
#pragma once

#include "host/base/json.h"
#include "host/runtime/wire.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace garland::runtime {

// A message that outlives the decoder's next one.
struct Received {
  wire::Kind kind{};
  std::uint64_t id = 0;
  std::string payload;
};

class TestWorker {
public:
  // `plugin` is the name of a module of test_plugins, or an absolute path.
  // It runs as if the kernel lacked the system calls `without`.
  explicit TestWorker(std::string_view plugin, std::vector<std::string> arguments = {},
                      std::vector<std::string> without = {});
  TestWorker(TestWorker const&) = delete;
  TestWorker& operator=(TestWorker const&) = delete;
  ~TestWorker(); // kills it if it still runs

  // The next message; nullopt if the worker closed the socket or said nothing for half a minute.
  std::optional<Received> receive();
  // The next message of that kind; others are kept in `passed`. nullopt as above.
  std::optional<Received> receive(wire::Kind kind);
  template <class Payload> std::optional<Payload> receiveAs(wire::Kind kind) {
    auto const message = receive(kind);
    if (!message) return std::nullopt;
    auto payload = wire::decode<Payload>(message->payload);
    if (!payload) return std::nullopt;
    return std::move(*payload);
  }

  template <class Payload> void send(wire::Kind kind, std::uint64_t id, Payload const& payload) {
    std::string bytes;
    wire::append(bytes, kind, id, payload);
    sendBytes(bytes);
  }
  void send(wire::Kind kind, std::uint64_t id);
  void sendBytes(std::string_view bytes);

  // Waits for hello and sends the configuration.
  std::optional<wire::Hello> start(wire::Config const& config = {});
  void call(std::uint64_t id, std::string operation, std::string input = "{}", std::string account = "{}");
  // One call from its start to its end; for operations that ask nothing of the host.
  std::optional<wire::Done> run(std::string operation, std::string input = "{}", std::string account = "{}");

  // The wait status, once it has ended by itself; -1 after half a minute.
  int waitExit();
  std::string output(); // what it has printed since
  wire::FlightPage const& flight() const { return *flight_; }
  pid_t pid() const { return pid_; }
  void closeSocket();

  std::vector<Received> passed;
  std::optional<wire::Closed> sandbox; // what it said of it, once started

private:
  pid_t pid_ = -1;
  int socket_ = -1;
  int printed_ = -1;
  wire::FlightPage* flight_ = nullptr;
  wire::Decoder decoder_{wire::Direction::workerToHost};
  std::uint64_t next_call_ = 1000;
};

} // namespace garland::runtime
