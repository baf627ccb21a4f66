#include "host/runtime/worker_stack.h"

#include <new>
#include <sys/mman.h>

#if defined(GARLAND_SANITIZER_BUILD) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define GARLAND_STACK_FORGET(address, bytes) ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#endif
#endif
#ifndef GARLAND_STACK_FORGET
#define GARLAND_STACK_FORGET(address, bytes) static_cast<void>(0)
#endif

namespace garland::runtime::worker {
namespace {

constexpr std::size_t kMapped = StackPool::kStackBytes + StackPool::kGuardBytes;

} // namespace

StackPool::~StackPool() {
  for (void* mapping : free_) ::munmap(mapping, kMapped);
}

boost::context::stack_context StackPool::allocate() {
  void* mapping = nullptr;
  if (!free_.empty()) {
    mapping = free_.back();
    free_.pop_back();
  } else {
    // Everything starts as guard; only the stack proper is opened.
    mapping =
        ::mmap(nullptr, kMapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    if (::mprotect(static_cast<char*>(mapping) + kGuardBytes, kStackBytes, PROT_READ | PROT_WRITE) != 0) {
      ::munmap(mapping, kMapped);
      throw std::bad_alloc();
    }
    free_.reserve(kKeptWarm); // so that deallocate never allocates
  }
  boost::context::stack_context stack;
  stack.size = kStackBytes;
  stack.sp = static_cast<char*>(mapping) + kMapped; // stacks grow down
  return stack;
}

void StackPool::deallocate(boost::context::stack_context& stack) noexcept {
  void* const mapping = static_cast<char*>(stack.sp) - kMapped;
  // What the last fiber's frames poisoned must not be held against the next one.
  GARLAND_STACK_FORGET(static_cast<char*>(mapping) + kGuardBytes, kStackBytes);
  if (free_.size() < kKeptWarm)
    free_.push_back(mapping);
  else
    ::munmap(mapping, kMapped);
}

} // namespace garland::runtime::worker
