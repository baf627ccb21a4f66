/* Stops its own process, which then neither runs nor ends. */
#include "act.h"

#include <signal.h>

static int act(void) {
  if (kill(getpid(), SIGSTOP) == 0) return 0;
  return outcome(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP));
}
