// One fiber: straight-line code that can be parked and continued on the worker's one thread.
//
// A switch carries over what the C++ runtime and the C library keep per thread but a plugin believes to be
// its own: the stack of exceptions in flight and errno. Nothing here knows about calls or messages.
#pragma once

#include "host/runtime/worker_stack.h"

#include <boost/context/fiber.hpp>
#include <boost/version.hpp>

#include <cstddef>
#include <functional>

namespace garland::runtime::worker {

// What __cxa_get_globals() points to, by the Itanium C++ ABI.
struct ExceptionState {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

// [worker thread]
class Fiber {
public:
  // `body` runs at the first resume(); it must not throw. Throws std::bad_alloc without a stack.
  Fiber(StackPool& pool, std::function<void()> body);
  Fiber(Fiber const&) = delete;
  Fiber& operator=(Fiber const&) = delete;
  // A parked fiber cannot be ended from outside (its frames may belong to C code): its stack is leaked.
  ~Fiber();

  // From the scheduler: runs the fiber until it suspends or ends.
  void resume();
  // From inside the fiber: back to the scheduler, until the next resume().
  void suspend();
  bool finished() const { return finished_; }

  // The lowest usable address of the stack; the guard lies below it.
  char const* stackLimit() const { return stack_bottom_; }

private:
  boost::context::fiber run(boost::context::fiber&& scheduler);

  std::function<void()> body_;
  boost::context::fiber context_;   // the fiber while it is parked
  boost::context::fiber scheduler_; // the scheduler while the fiber runs
  char const* stack_bottom_ = nullptr;
  bool finished_ = false;
  // For AddressSanitizer, which has to be told about every change of stack.
  void* fake_stack_ = nullptr;
  void const* scheduler_bottom_ = nullptr;
  std::size_t scheduler_size_ = 0;
};

} // namespace garland::runtime::worker
