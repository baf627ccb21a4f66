/* Reads what the host sends to its worker, for ever. */
#include "act.h"

static int act(void) {
  char bytes[4096];
  for (;;) {
    ssize_t const got = read(3, bytes, sizeof bytes);
    if (got <= 0) return outcome(got);
    take(bytes, (size_t)got);
  }
}
