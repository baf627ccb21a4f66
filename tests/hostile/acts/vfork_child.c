/* Makes a child process by vfork(). */
#include "act.h"

static int act(void) {
  pid_t const child = vfork();
  if (child == 0) _exit(0);
  return outcome(child);
}
