// Functions of the C and C++ libraries, counted and passed on. The program comes before every library when
// the loader looks a name up, so a plugin gets these. Nothing here allocates, locks or prints.
#include "certification/probe/heap.h"
#include "certification/probe/watch.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#define GARLAND_SEEN extern "C" __attribute__((visibility("default")))

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the libraries' names
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace garland::probe {
constinit Watch watch;

namespace {

// What the libraries have under a name that is taken here.
template <class Function> Function next(char const* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

[[maybe_unused]] bool mayAllocate() {
  if (!watch.in_plugin) return true;
  return ++watch.seen.allocations != watch.fail_allocation;
}

[[maybe_unused]] std::int64_t sizeOf(void* block) {
  return static_cast<std::int64_t>(isGuarded(block) ? guardedSize(block) : ::malloc_usable_size(block));
}

[[maybe_unused]] void* taken(void* block) {
  if (block == nullptr) return nullptr;
  auto& heap = watch.heap;
  heap.live += sizeOf(block);
  ++heap.blocks;
  if (heap.live > heap.peak) heap.peak = heap.live;
  return block;
}

[[maybe_unused]] void given(void* block) {
  if (block == nullptr) return;
  watch.heap.live -= sizeOf(block);
  --watch.heap.blocks;
}

// Plugin code's, if its heap is guarded.
[[maybe_unused]] void* blockFor(std::size_t bytes, std::size_t align = 16) {
  return watch.in_plugin ? guardedBlock(align, bytes) : nullptr;
}

// A guarded block with another size; the library's realloc() knows nothing of it.
[[maybe_unused]] void* moved(void* block, std::size_t bytes) {
  void* out = bytes == 0 ? nullptr : blockFor(bytes);
  if (out == nullptr && bytes != 0) out = __libc_malloc(bytes);
  if (out == nullptr && bytes != 0) return nullptr;
  if (out != nullptr) std::memcpy(out, block, std::min(bytes, guardedSize(block)));
  freeGuarded(block);
  return out;
}

[[maybe_unused]] void* noMemory() {
  errno = ENOMEM;
  return nullptr;
}

void lockTaken() {
  if (watch.in_plugin) ++watch.seen.locks_held;
}

void lockGiven() {
  if (watch.in_plugin && watch.seen.locks_held > 0) --watch.seen.locks_held;
}

} // namespace
} // namespace garland::probe

using garland::probe::watch;
namespace probe = garland::probe;

#ifndef GARLAND_SANITIZER_BUILD // a sanitizer has its own
// ---------------------------------------------------------------- memory

GARLAND_SEEN void* malloc(std::size_t bytes) noexcept {
  if (!probe::mayAllocate()) return probe::noMemory();
  void* const guarded = probe::blockFor(bytes);
  return probe::taken(guarded != nullptr ? guarded : __libc_malloc(bytes));
}
GARLAND_SEEN void* calloc(std::size_t count, std::size_t bytes) noexcept {
  if (!probe::mayAllocate()) return probe::noMemory();
  std::size_t whole = 0;
  bool const too_much = __builtin_mul_overflow(count, bytes, &whole);
  void* const guarded = too_much ? nullptr : probe::blockFor(whole);
  if (guarded != nullptr) std::memset(guarded, 0, whole);
  return probe::taken(guarded != nullptr ? guarded : __libc_calloc(count, bytes));
}
GARLAND_SEEN void* realloc(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return malloc(bytes);
  if (!probe::mayAllocate()) return probe::noMemory();
  auto const before = probe::sizeOf(block);
  void* const moved = probe::isGuarded(block) ? probe::moved(block, bytes) : __libc_realloc(block, bytes);
  if (moved == nullptr && bytes != 0) return nullptr;
  watch.heap.live -= before;
  --watch.heap.blocks;
  return probe::taken(moved);
}
GARLAND_SEEN void free(void* block) noexcept {
  probe::given(block);
  if (probe::isGuarded(block))
    probe::freeGuarded(block);
  else
    __libc_free(block);
}
GARLAND_SEEN void* memalign(std::size_t align, std::size_t bytes) noexcept {
  if (!probe::mayAllocate()) return probe::noMemory();
  void* const guarded = probe::blockFor(bytes, align);
  return probe::taken(guarded != nullptr ? guarded : __libc_memalign(align, bytes));
}
GARLAND_SEEN void* aligned_alloc(std::size_t align, std::size_t bytes) noexcept {
  return memalign(align, bytes);
}
GARLAND_SEEN int posix_memalign(void** out, std::size_t align, std::size_t bytes) noexcept {
  void* const block = memalign(align, bytes);
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}
#endif

// ---------------------------------------------------------------- locks

GARLAND_SEEN int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const real = probe::next<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  int const failed = real(mutex);
  if (failed == 0) probe::lockTaken();
  return failed;
}
GARLAND_SEEN int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static auto* const real = probe::next<int (*)(pthread_mutex_t*)>("pthread_mutex_trylock");
  int const failed = real(mutex);
  if (failed == 0) probe::lockTaken();
  return failed;
}
GARLAND_SEEN int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  static auto* const real = probe::next<int (*)(pthread_mutex_t*)>("pthread_mutex_unlock");
  probe::lockGiven();
  return real(mutex);
}
GARLAND_SEEN int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  static auto* const real = probe::next<int (*)(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  int const failed = real(lock);
  if (failed == 0) probe::lockTaken();
  return failed;
}
GARLAND_SEEN int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  static auto* const real = probe::next<int (*)(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  int const failed = real(lock);
  if (failed == 0) probe::lockTaken();
  return failed;
}
GARLAND_SEEN int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  static auto* const real = probe::next<int (*)(pthread_rwlock_t*)>("pthread_rwlock_unlock");
  probe::lockGiven();
  return real(lock);
}

// A local static while it is made is a lock, too: whoever comes there meanwhile waits for ever.
GARLAND_SEEN int __cxa_guard_acquire(std::uint64_t* guard) {
  // No local static in here: that would need this very function.
  static int (*real)(std::uint64_t*) = nullptr;
  if (real == nullptr) real = probe::next<int (*)(std::uint64_t*)>("__cxa_guard_acquire");
  int const mine = real(guard);
  if (mine != 0) probe::lockTaken();
  return mine;
}
GARLAND_SEEN void __cxa_guard_release(std::uint64_t* guard) {
  static void (*real)(std::uint64_t*) = nullptr;
  if (real == nullptr) real = probe::next<void (*)(std::uint64_t*)>("__cxa_guard_release");
  probe::lockGiven();
  real(guard);
}
GARLAND_SEEN void __cxa_guard_abort(std::uint64_t* guard) {
  static void (*real)(std::uint64_t*) = nullptr;
  if (real == nullptr) real = probe::next<void (*)(std::uint64_t*)>("__cxa_guard_abort");
  probe::lockGiven();
  real(guard);
}

// ---------------------------------------------------------------- what stays behind

GARLAND_SEEN int pthread_create(pthread_t* thread, pthread_attr_t const* attributes, void* (*body)(void*),
                                void* argument) noexcept {
  if (watch.in_plugin) {
    ++watch.seen.threads;
    return EAGAIN; // as the sandbox would
  }
  static auto* const real =
      probe::next<int (*)(pthread_t*, pthread_attr_t const*, void* (*)(void*), void*)>("pthread_create");
  return real(thread, attributes, body, argument);
}

// Objects with destructors come here as well, with their address; functions given to atexit() come without.
GARLAND_SEEN int __cxa_atexit(void (*function)(void*), void* argument, void* object) {
  static int (*real)(void (*)(void*), void*, void*) = nullptr;
  if (real == nullptr) real = probe::next<int (*)(void (*)(void*), void*, void*)>("__cxa_atexit");
  if (watch.in_plugin && argument == nullptr) ++watch.seen.exit_handlers;
  return real(function, argument, object);
}

GARLAND_SEEN void* mmap(void* wanted, std::size_t bytes, int protection, int flags, int file,
                        off_t offset) noexcept {
  static void* (*real)(void*, std::size_t, int, int, int, off_t) = nullptr;
  if (real == nullptr) real = probe::next<void* (*)(void*, std::size_t, int, int, int, off_t)>("mmap");
  void* const at = real(wanted, bytes, protection, flags, file, offset);
  if (watch.in_plugin && at != MAP_FAILED) ++watch.seen.mappings;
  return at;
}
GARLAND_SEEN int munmap(void* at, std::size_t bytes) noexcept {
  static int (*real)(void*, std::size_t) = nullptr;
  if (real == nullptr) real = probe::next<int (*)(void*, std::size_t)>("munmap");
  int const failed = real(at, bytes);
  if (watch.in_plugin && failed == 0) --watch.seen.mappings;
  return failed;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
