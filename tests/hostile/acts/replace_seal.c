/* Puts memory of its own where the host keeps the filter that it puts up after loading, in each way that
 * there is, and then makes memory executable. */
#include "act.h"

#include <sys/mman.h>

__attribute__((constructor)) static void replace(void) {
  char* const seal = (char*)0x10000;
  enum { kPage = 4096 };
  int const access = PROT_READ | PROT_WRITE;
  char* const own = (char*)mmap(NULL, kPage, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(seal, kPage);
  munmap(NULL, 0x20000);
  madvise(seal, kPage, MADV_DONTNEED);
  mremap(seal, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, own);
  mremap(own, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, seal);
  mmap(seal, kPage, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap(NULL, 0x20000, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  int const writable = mprotect(seal, kPage, access);
  int const below = mprotect(seal - kPage, 2L * kPage, access);
  if (writable == 0 || below == 0) memset(seal, 0, kPage);
}

static int act(void) {
  int const access = PROT_READ | PROT_WRITE | PROT_EXEC;
  void* const page = mmap(NULL, 4096, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : 0;
}
