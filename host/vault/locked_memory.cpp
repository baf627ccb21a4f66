#include "host/vault/locked_memory.h"

#include "host/base/secret.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace garland::vault {
namespace {

std::size_t pageSize() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

// nullptr where the kernel has no memfd_secret or has it switched off.
void* mapSecretPage() {
#ifdef SYS_memfd_secret
  auto const fd = static_cast<int>(::syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0) return nullptr;
  void* page = MAP_FAILED;
  if (::ftruncate(fd, static_cast<off_t>(pageSize())) == 0)
    page = ::mmap(nullptr, pageSize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return page == MAP_FAILED ? nullptr : page;
#else
  return nullptr;
#endif
}

void* mapLockedPage() {
  void* page = ::mmap(nullptr, pageSize(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (::mlock(page, pageSize()) == 0 && ::madvise(page, pageSize(), MADV_DONTDUMP) == 0) return page;
  int const reason = errno;
  ::munmap(page, pageSize());
  errno = reason;
  return nullptr;
}

} // namespace

Result<LockedMemory> LockedMemory::allocate(std::size_t bytes) {
  if (bytes > pageSize()) return Error(ErrorKind::hostLimit, "a key is longer than one page of memory");
  void* page = mapSecretPage();
  if (page == nullptr) page = mapLockedPage();
  if (page == nullptr)
    return Error(ErrorKind::hostLimit, "no memory could be locked for the master key (" +
                                           std::generic_category().message(errno) +
                                           "); raise the limit with `ulimit -l 64` or LimitMEMLOCK=64K");
  // A child made by fork has no business with the key.
  ::madvise(page, pageSize(), MADV_DONTFORK);
  return LockedMemory(page, bytes);
}

LockedMemory::~LockedMemory() {
  if (page_ == nullptr) return;
  wipe(page_, bytes_);
  ::munmap(page_, pageSize());
}

} // namespace garland::vault
