/* Opens files until it may not. */
#include "act.h"

static int act(void) {
  for (int i = 0; i < 4096; ++i)
    if (open("/etc/ld.so.cache", O_RDONLY) < 0) return errno;
  return 0;
}
