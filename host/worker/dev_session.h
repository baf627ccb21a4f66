// One operation of one plugin, run by hand: the host's end of a worker's socket, blocking and on one thread.
// It serves the plugin from recorded answers and keeps what happened. garlandd's own end is WorkerLink.
#pragma once

#include "host/runtime/wire.h"
#include "host/worker/dev_answers.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace garland::runtime::dev {

// How it went; nothing is checked but that it decodes.
struct Outcome {
  std::optional<wire::Closed> sandbox;
  std::optional<wire::Hello> hello;
  std::optional<wire::LoadFailed> load_failed;
  std::optional<wire::Done> done;
  std::optional<wire::Dying> dying;
  std::string stack; // as in wire::Stack
  std::vector<wire::Refused> refused;
  std::uint64_t emitted = 0;
  std::uint64_t checkpoints = 0;
  bool timed_out = false;
  std::string broken; // why its messages could not be read any more
};

class Session {
public:
  struct Ends {
    int socket = -1; // of the worker
    int output = -1; // what it prints; -1: it prints to the terminal itself
  };
  // A line of the story while it runs, and a line that the plugin printed.
  struct Teller {
    std::function<void(std::string const& line)> story;
    std::function<void(std::string const& line)> printed;
  };

  Session(Ends ends, RecordedAnswers& answers, Teller teller)
      : ends_(ends), answers_(answers), teller_(std::move(teller)) {}

  // Until the worker has closed its socket. nullopt: it may take for ever.
  Outcome run(wire::Call call, std::optional<std::chrono::seconds> limit);

private:
  void loop(std::optional<std::chrono::steady_clock::time_point> end);
  bool readSocket();
  bool readOutput();
  void dispatchAll();
  Result<void> dispatch(wire::Message const& message);
  Result<void> dispatchAsk(wire::Message const& message);
  template <class Payload> void send(wire::Kind kind, Payload const& payload);
  void write(std::string_view bytes);

  Ends ends_;
  RecordedAnswers& answers_;
  Teller teller_;
  wire::Decoder decoder_{wire::Direction::workerToHost};
  std::string line_; // of its output, unfinished
  Outcome outcome_;
  wire::Call call_;
};

} // namespace garland::runtime::dev
