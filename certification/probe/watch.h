// What the probe knows of the plugin while it runs: whether plugin code has the thread, what it took, what it
// did that it must not. Plain data that needs no constructor: functions of the C library write into it before
// main() begins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace garland::probe {

// A system call that plugin code made.
struct SystemCall {
  std::int64_t number = 0;
  std::uint64_t times = 0;
};

struct Heap {
  std::int64_t live = 0; // bytes of the whole process
  std::int64_t peak = 0;
  std::int64_t blocks = 0;
};

struct Seen {
  std::int64_t locks_held = 0; // now
  std::uint64_t locked_calls = 0;
  std::uint64_t calls_in_handlers = 0; // with an exception in flight
  std::uint64_t blocking = 0;          // system calls that wait
  std::uint64_t dead_handles = 0;
  std::uint64_t threads = 0; // tried to start
  std::uint64_t exit_handlers = 0;
  std::uint64_t signal_handlers = 0;
  std::int64_t mappings = 0;    // made less given back
  std::int64_t descriptors = 0; // the same
  std::uint64_t thread_locals = 0;
  std::uint64_t allocations = 0; // since it was last counted
  std::int64_t peak_of_call = 0; // bytes over what was there when the call began
  std::uint64_t deepest_stack = 0;
  std::int64_t longest_slice_us = 0; // processor time between two calls of the host
  std::int64_t work_us = 0;          // all of it
  std::array<SystemCall, 16> system_calls{};
};

// [one thread]
struct Watch {
  bool in_plugin = false;
  bool loading = false;
  bool metered = false;              // slices of processor time are taken
  std::int64_t slice_began = 0;      // nanoseconds of processor time
  std::uint64_t fail_allocation = 0; // the how manieth; 0: none
  Heap heap;
  Seen seen;
  Seen at_load; // as it was when loading had ended
};

extern Watch watch;

std::int64_t processorTime(); // nanoseconds of this thread

// Plugin code gets the thread, or gives it to the host, until the end of the scope.
class In {
public:
  explicit In(bool plugin) : before_(watch.in_plugin) { change(plugin); }
  In(In const&) = delete;
  In& operator=(In const&) = delete;
  ~In() { change(before_); }

private:
  static void change(bool plugin);
  bool before_;
};

} // namespace garland::probe
