/* Sets a limit of its own: lowering one is allowed to everybody, so only a filter can refuse it. */
#include "act.h"

#include <sys/resource.h>

static int act(void) {
  struct rlimit const limit = {8, 8};
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return 0;
  return outcome(prlimit(0, RLIMIT_NOFILE, &limit, NULL));
}
