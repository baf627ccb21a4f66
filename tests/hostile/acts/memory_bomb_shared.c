/* Takes shared memory, which no count of private memory sees, until there is none, and leaves it taken. */
#include "act.h"

#include <sys/mman.h>

static int act(void) {
  enum { kStep = 4 << 20 };
  for (;;) {
    char* const block = (char*)mmap(NULL, kStep, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return errno;
    for (size_t at = 0; at < kStep; at += 4096) block[at] = 1;
  }
}
