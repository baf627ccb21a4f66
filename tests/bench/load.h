// What the programs share that put load on a server: one line of JSON says what to do, one says what came of
// it.
#pragma once

#include "host/base/json.h"

#include <boost/asio/io_context.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace garland::bench {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

inline float milliseconds(Steady::duration span) {
  return std::chrono::duration<float, std::milli>(span).count();
}

// 0 of nothing.
inline float quantile(std::vector<float>& values, double part) {
  if (values.empty()) return 0;
  auto const place = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

// False: it took too long.
template <class Condition>
bool runUntil(asio::io_context& loop, Steady::duration bound, Condition const& holds) {
  auto const end = Steady::now() + bound;
  loop.restart();
  while (!holds()) {
    if (Steady::now() > end || loop.stopped()) return false;
    loop.run_one_for(std::chrono::milliseconds(100));
  }
  return true;
}

inline json::value readLine() {
  std::string line;
  if (!std::getline(std::cin, line)) throw std::runtime_error("standard input has ended");
  auto value = parseJson(line);
  if (!value) throw std::runtime_error("not JSON: " + line);
  return std::move(*value);
}

inline void writeLine(json::object const& what) { std::cout << json::serialize(what) << std::endl; }

// Every client takes a descriptor.
inline void raiseDescriptorLimit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

// The body of a program that is ended with the script that started it.
template <class Work> int runBench(Work const& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  raiseDescriptorLimit();
  try {
    work();
  } catch (std::exception const& problem) {
    writeLine(json::object{{"refused", problem.what()}});
    return 1;
  }
  return 0;
}

} // namespace garland::bench
