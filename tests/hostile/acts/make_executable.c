/* Makes memory that it has written executable. */
#include "act.h"

#include <sys/mman.h>

static int act(void) {
  void* const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(page, 0x90, 4096);
  return outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
