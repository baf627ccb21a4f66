// One way to call another process, as tests/bench/run measures it: the script writes a command a line to
// standard input and reads a line of JSON back. It also decides on which processors the two processes run.
//
//   call BYTES IN_FLIGHT MILLISECONDS   {"calls","p50_us","p99_us","per_second"}, or {"refused": why}
//   start                               {"ms"}: a new partner process, from nothing to its first answer
//   partner                             {"pid"}: the process on the other side, 0 if there is none
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/types.h>

namespace garland::bench {

using SteadyClock = std::chrono::steady_clock;

// What was measured of one cell of the table.
class Times {
public:
  explicit Times(std::chrono::milliseconds span) : begin_(SteadyClock::now()), end_(begin_ + span) {
    took_.reserve(1U << 16U);
  }
  bool goOn() const { return now_ < end_; }
  SteadyClock::time_point begin() const { return SteadyClock::now(); }
  void ended(SteadyClock::time_point begun) {
    now_ = SteadyClock::now();
    took_.push_back(std::chrono::duration<float, std::micro>(now_ - begun).count());
  }
  std::string json() {
    if (took_.empty()) return R"({"refused": "no call ended in its time"})";
    auto const seconds = std::chrono::duration<double>(now_ - begin_).count();
    std::ostringstream out;
    out << R"({"calls": )" << took_.size() << R"(, "p50_us": )" << quantile(0.5) << R"(, "p99_us": )"
        << quantile(0.99) << R"(, "per_second": )" << static_cast<double>(took_.size()) / seconds << "}";
    return out.str();
  }

private:
  float quantile(double part) {
    auto const place = static_cast<std::ptrdiff_t>(part * static_cast<double>(took_.size() - 1));
    std::nth_element(took_.begin(), took_.begin() + place, took_.end());
    return took_[static_cast<std::size_t>(place)];
  }

  SteadyClock::time_point begin_;
  SteadyClock::time_point end_;
  SteadyClock::time_point now_ = begin_;
  std::vector<float> took_;
};

class Peer {
public:
  virtual ~Peer() = default;
  // Calls with `bytes` there and the same back, `in_flight` at a time, until times.goOn() says no.
  virtual void call(std::size_t bytes, int in_flight, Times& times) = 0;
  // A new partner process that has answered once; stop() ends the one before.
  virtual void start() { throw std::runtime_error("this peer has no process to start"); }
  virtual void stop() {}
  virtual pid_t partner() const { return 0; }
};

inline std::string answer(Peer& peer, std::string const& line) {
  std::istringstream words(line);
  std::string command;
  words >> command;
  if (command == "partner") return R"({"pid": )" + std::to_string(peer.partner()) + "}";
  if (command == "start") {
    peer.stop();
    auto const begun = SteadyClock::now();
    peer.start();
    std::chrono::duration<double, std::milli> const took = SteadyClock::now() - begun;
    return R"({"ms": )" + std::to_string(took.count()) + "}";
  }
  std::size_t bytes = 0;
  int in_flight = 0;
  int milliseconds = 0;
  if (command != "call" || !(words >> bytes >> in_flight >> milliseconds))
    throw std::runtime_error("not a command: " + line);
  Times times{std::chrono::milliseconds(milliseconds)};
  peer.call(bytes, in_flight, times);
  return times.json();
}

// Answers commands until standard input ends. What a peer cannot do is an answer too.
inline int serve(Peer& peer) {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << answer(peer, line) << std::endl;
    } catch (std::exception const& problem) {
      std::string why = problem.what();
      std::replace(why.begin(), why.end(), '"', '\'');
      std::cout << R"({"refused": ")" << why << "\"}" << std::endl;
    }
  }
  return 0;
}

} // namespace garland::bench
