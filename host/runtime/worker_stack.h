// Stacks for fibers: pooled, each with a guard area below it. A stack without a guard is never handed out.
#pragma once

#include <boost/context/stack_context.hpp>

#include <cstddef>
#include <vector>

namespace garland::runtime::worker {

// [worker thread] Meets Boost.Context's StackAllocator through StackLease.
class StackPool {
public:
  static constexpr std::size_t kStackBytes = 256U << 10U;
  // Wider than a page: plugins that were built without stack probes may step over a narrow one.
  static constexpr std::size_t kGuardBytes = 64U << 10U;
  static constexpr std::size_t kKeptWarm = 256; // as many as calls may run at once (Config)

  StackPool() = default;
  StackPool(StackPool const&) = delete;
  StackPool& operator=(StackPool const&) = delete;
  ~StackPool();

  // Throws std::bad_alloc when the system gives no memory or no guard.
  boost::context::stack_context allocate();
  void deallocate(boost::context::stack_context& stack) noexcept;

private:
  std::vector<void*> free_; // lowest address of each mapping, guard included
};

// The copyable handle that Boost.Context wants.
class StackLease {
public:
  explicit StackLease(StackPool& pool) : pool_(&pool) {}
  boost::context::stack_context allocate() { return pool_->allocate(); }
  void deallocate(boost::context::stack_context& stack) noexcept { pool_->deallocate(stack); }

private:
  StackPool* pool_;
};

} // namespace garland::runtime::worker
