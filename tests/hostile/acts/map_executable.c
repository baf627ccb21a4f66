/* Makes memory that is both writable and executable. */
#include "act.h"

#include <sys/mman.h>

static int act(void) {
  int const access = PROT_READ | PROT_WRITE | PROT_EXEC;
  void* const page = mmap(NULL, 4096, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : 0;
}
