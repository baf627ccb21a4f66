#include "host/runtime/worker_fiber.h"

#include <cerrno>
#include <cxxabi.h>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GARLAND_ASAN_FIBERS 1
#include <sanitizer/common_interface_defs.h>
#endif
#endif

namespace garland::runtime::worker {
namespace {

void leaveStack([[maybe_unused]] void** keep, [[maybe_unused]] void const* to,
                [[maybe_unused]] std::size_t size) {
#ifdef GARLAND_ASAN_FIBERS
  __sanitizer_start_switch_fiber(keep, to, size);
#endif
}

void arriveOnStack([[maybe_unused]] void* kept, [[maybe_unused]] void const** from,
                   [[maybe_unused]] std::size_t* size) {
#ifdef GARLAND_ASAN_FIBERS
  __sanitizer_finish_switch_fiber(kept, from, size);
#endif
}

// Around one switch away from here and back. From Boost 1.88 on Boost.Context does the exceptions itself, and
// doing it twice would swap them back.
class KeepThreadState {
public:
  KeepThreadState() : errno_(errno) {
#if BOOST_VERSION < 108800
    exceptions_ = *globals();
    *globals() = ExceptionState{};
#endif
  }
  KeepThreadState(KeepThreadState const&) = delete;
  KeepThreadState& operator=(KeepThreadState const&) = delete;
  ~KeepThreadState() {
#if BOOST_VERSION < 108800
    *globals() = exceptions_;
#endif
    errno = errno_;
  }

private:
  static ExceptionState* globals() { return reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals()); }
  ExceptionState exceptions_;
  int errno_;
};

} // namespace

Fiber::Fiber(StackPool& pool, std::function<void()> body) : body_(std::move(body)) {
  StackLease lease(pool);
  auto stack = lease.allocate();
  stack_bottom_ = static_cast<char const*>(stack.sp) - stack.size;
  context_ = boost::context::fiber(
      std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack), lease,
      [this](boost::context::fiber&& scheduler) { return run(std::move(scheduler)); });
}

Fiber::~Fiber() {
  // Destroying the context would unwind the frames by an exception, through C code and noexcept functions.
  if (context_) static_cast<void>(new boost::context::fiber(std::move(context_)));
}

void Fiber::resume() {
  KeepThreadState const keep;
  void* fake_stack = nullptr;
  leaveStack(&fake_stack, stack_bottom_, StackPool::kStackBytes);
  context_ = std::move(context_).resume();
  arriveOnStack(fake_stack, nullptr, nullptr);
}

void Fiber::suspend() {
  KeepThreadState const keep;
  leaveStack(&fake_stack_, scheduler_bottom_, scheduler_size_);
  scheduler_ = std::move(scheduler_).resume();
  arriveOnStack(fake_stack_, &scheduler_bottom_, &scheduler_size_);
}

boost::context::fiber Fiber::run(boost::context::fiber&& scheduler) {
  arriveOnStack(nullptr, &scheduler_bottom_, &scheduler_size_);
  scheduler_ = std::move(scheduler);
  body_();
  finished_ = true;
  leaveStack(nullptr, scheduler_bottom_, scheduler_size_);
  return std::move(scheduler_);
}

} // namespace garland::runtime::worker
