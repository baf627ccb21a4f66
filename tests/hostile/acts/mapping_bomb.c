/* Takes as many separate mappings as the kernel keeps for one process. */
#include "act.h"

#include <sys/mman.h>

static int act(void) {
  for (int i = 0;; ++i) {
    int const access = i % 2 == 0 ? PROT_READ : PROT_NONE;
    if (mmap(NULL, 4096, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) return errno;
  }
}
